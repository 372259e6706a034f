"""VideoRefused: why a video was not taken, in a sentence for the person who sent it."""


class VideoRefused(Exception):
    """Base of every reason not to take a video. Nothing of it was kept."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
