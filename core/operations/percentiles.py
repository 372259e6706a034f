"""Percentiles of a stream in flat memory."""

import math

GROWTH = 1.05  # so a figure is at most 5 % above the true one


class Percentiles:
    """Counts positive numbers in classes that grow by 5 %: some hundred classes, however many numbers come."""

    def __init__(self) -> None:
        self.count = 0
        self.largest = 0.0
        self._classes: dict[int, int] = {}

    def add(self, value: float) -> None:
        """Count one number; what is below 0.01 counts as 0.01."""
        self.count += 1
        self.largest = max(self.largest, value)
        place = math.ceil(math.log(max(value, 0.01), GROWTH))
        self._classes[place] = self._classes.get(place, 0) + 1

    def at(self, share: float) -> float:
        """Return the number that `share` (0 to 1) of all are not above, rounded up by 5 % at most; 0 without any."""
        wanted, seen = math.ceil(share * self.count), 0
        for place in sorted(self._classes):
            seen += self._classes[place]
            if seen >= wanted:
                return min(GROWTH**place, self.largest)
        return 0.0
