"""The picture of the demo's videos: a clean figure that moves on the beat, with the count above it.

# Note [A figure to practise against]
The demo must show the product at its work, so its videos are something a person can follow: the figure's left
limbs have one color and its right limbs another, a pose is reached exactly on its count, and eight counts
make a loop. A learner's attempt is the same routine, a little late and not quite as far, so that comparing
the two shows something.
"""

import math
from dataclasses import dataclass

from core.media.canvas import Canvas, Color, Point, blend, palette_bytes
from core.media.routines import COUNTS, Pose, pose_at, resized

OVERSAMPLING = 2

_WALL, _FLOOR = range(0, 48), range(48, 80)
_GLOW, _SHADOW, _BODY, _HEAD, _LEFT, _RIGHT, _DOT, _DOT_ON, _COUNT = range(80, 89)


@dataclass(frozen=True)
class Look:
    """The colors of one scene."""

    wall: tuple[Color, Color]
    floor: tuple[Color, Color]
    glow: Color
    body: Color
    head: Color
    left: Color
    right: Color

    def palette(self) -> bytes:
        """Return the palette of a scene painted in these colors."""
        ink = blend(self.body, self.wall[0], 0.1)
        shades = [blend(*self.wall, place / (len(_WALL) - 1)) for place in range(len(_WALL))]
        shades += [blend(*self.floor, place / (len(_FLOOR) - 1)) for place in range(len(_FLOOR))]
        shadow, dot = blend(self.floor[0], self.body, 0.28), blend(self.wall[0], self.body, 0.22)
        return palette_bytes(
            [*shades, self.glow, shadow, self.body, self.head, self.left, self.right, dot, self.right, ink]
        )


LOOKS = {
    "studio": Look(
        wall=((246, 236, 222), (238, 221, 201)),
        floor=((203, 170, 140), (178, 143, 114)),
        glow=(251, 245, 236),
        body=(38, 50, 72),
        head=(224, 172, 138),
        left=(26, 128, 132),
        right=(222, 92, 62),
    ),
    "home": Look(
        wall=((214, 226, 236), (196, 213, 227)),
        floor=((150, 168, 184), (122, 141, 159)),
        glow=(230, 239, 246),
        body=(74, 56, 96),
        head=(172, 118, 88),
        left=(44, 110, 178),
        right=(206, 142, 34),
    ),
    "hall": Look(
        wall=((222, 232, 216), (204, 219, 198)),
        floor=((160, 176, 150), (130, 148, 122)),
        glow=(236, 243, 231),
        body=(46, 62, 54),
        head=(240, 200, 168),
        left=(118, 74, 158),
        right=(196, 74, 92),
    ),
}


class Scene:
    """Paints the figure at any second of a routine.

    `reach` below 1 makes the movements smaller, `late_s` makes them late: the count keeps its time.
    """

    def __init__(
        self,
        size: tuple[int, int],
        *,
        routine: str = "arms",
        look: str = "studio",
        beat_s: float = 0.75,
        reach: float = 1.0,
        late_s: float = 0.0,
    ):
        self.width, self.height = size[0] * OVERSAMPLING, size[1] * OVERSAMPLING
        self.palette = LOOKS[look].palette()
        self.beat_s = beat_s
        self._routine, self._reach, self._late_s = routine, reach, late_s
        self._unit = min(self.height * 0.74, self.width * 1.05)
        self._ground: Point = (self.width / 2, self.height * 0.9)
        self._backdrop: Canvas | None = None

    def paint(self, at_s: float, stride: int) -> bytearray:
        """Return the palette indices of the picture at `at_s`, `stride` bytes a row."""
        if self._backdrop is None or self._backdrop.stride != stride:
            self._backdrop = self._painted_backdrop(stride)
        canvas = self._backdrop.copy()
        self._paint_count(canvas, math.floor(at_s / self.beat_s + 1e-6) % COUNTS)
        pose = resized(pose_at(self._routine, (at_s - self._late_s) / self.beat_s), self._reach)
        self._paint_figure(canvas, pose)
        return canvas.pixels

    def _painted_backdrop(self, stride: int) -> Canvas:
        canvas = Canvas(self.width, self.height, stride)
        edge = round(self.height * 0.8)
        for y in range(edge):
            canvas.row(y, _WALL[y * len(_WALL) // edge])
        canvas.disc((self._ground[0], self._ground[1] - self._unit * 0.56), self._unit * 0.46, _GLOW)
        for y in range(edge, self.height):
            canvas.row(y, _FLOOR[(y - edge) * len(_FLOOR) // (self.height - edge)])
        return canvas

    def _paint_count(self, canvas: Canvas, count: int) -> None:
        gap, y = self.width / (COUNTS + 4), self.height * 0.045
        gap = min(gap, self.height * 0.06)
        for place in range(COUNTS):
            x = self.width / 2 + (place - (COUNTS - 1) / 2) * gap
            chosen = place == count
            canvas.disc((x, y), gap * (0.3 if chosen else 0.2), _DOT_ON if chosen else _DOT)
        portrait = self.height > self.width
        size = self.height * (0.05 if portrait else 0.13)
        left = self.width * (0.5 if portrait else 0.16) - size * 0.3
        top = self.height * (0.085 if portrait else 0.3)
        for line in _DIGITS[count]:
            canvas.stroke([(left + x * size, top + y * size) for x, y in line], size * 0.085, _COUNT)

    def _paint_figure(self, canvas: Canvas, pose: Pose) -> None:
        body = _Skeleton(pose)
        place, scale = self._place, self._unit
        canvas.disc(place((pose.hip_x * 0.6, -0.008)), scale * 0.2, _SHADOW, flatness=0.16)
        for side, color in ((-1, _RIGHT), (1, _LEFT)):
            hip, knee, foot = (place(point) for point in body.leg(side))
            canvas.limb(foot, (foot[0] + side * scale * 0.035, foot[1]), scale * 0.022, scale * 0.018, color)
            canvas.limb(hip, knee, scale * 0.044, scale * 0.034, color)
            canvas.limb(knee, foot, scale * 0.034, scale * 0.024, color)
        hips, chest, head = place(body.hips), place(body.chest), place(body.head)
        canvas.limb(place(body.shoulder(-1)), place(body.shoulder(1)), scale * 0.036, scale * 0.036, _BODY)
        canvas.limb(chest, hips, scale * 0.082, scale * 0.064, _BODY)
        canvas.limb(place(body.neck), head, scale * 0.024, scale * 0.024, _HEAD)
        canvas.disc(head, scale * 0.066, _HEAD)
        for side, color in ((-1, _RIGHT), (1, _LEFT)):
            shoulder, elbow, hand = (place(point) for point in body.arm(side))
            canvas.limb(shoulder, elbow, scale * 0.034, scale * 0.026, color)
            canvas.limb(elbow, hand, scale * 0.026, scale * 0.02, color)
            canvas.disc(hand, scale * 0.026, _HEAD)

    def _place(self, point: Point) -> Point:
        return self._ground[0] + point[0] * self._unit, self._ground[1] - point[1] * self._unit


class _Skeleton:
    """The joints of a pose: x to the viewer's right, y upwards from the floor, 1 is the figure's height."""

    def __init__(self, pose: Pose):
        self._pose = pose
        self.hips: Point = (pose.hip_x, 0.488 - pose.hip_drop)
        self.chest = self._up(self.hips, 0.26)
        self.neck = self._up(self.hips, 0.325)
        self.head = self._up(self.hips, 0.43)

    def _up(self, base: Point, length: float) -> Point:
        lean = math.radians(self._pose.lean)
        return base[0] + length * math.sin(lean), base[1] + length * math.cos(lean)

    def shoulder(self, side: int) -> Point:
        x, y = self._up(self.hips, 0.3)
        return x + side * 0.098, y

    def arm(self, side: int) -> tuple[Point, Point, Point]:
        pose = self._pose
        angle, bend = (pose.left_arm, pose.left_bend) if side > 0 else (pose.right_arm, pose.right_bend)
        shoulder = self.shoulder(side)
        elbow = _swung(shoulder, angle, 0.165, side)
        return shoulder, elbow, _swung(elbow, angle + bend, 0.155, side)

    def leg(self, side: int) -> tuple[Point, Point, Point]:
        pose = self._pose
        x, y = (pose.left_foot_x, pose.left_foot_y) if side > 0 else (pose.right_foot_x, pose.right_foot_y)
        hip, foot = (self.hips[0] + side * 0.05, self.hips[1] - 0.02), (x, y + 0.03)
        return hip, _knee(hip, foot, side), foot


def _swung(joint: Point, angle: float, length: float, side: int) -> Point:
    turn = math.radians(angle)
    return joint[0] + side * length * math.sin(turn), joint[1] - length * math.cos(turn)


def _knee(hip: Point, foot: Point, side: int) -> Point:
    """Return where thigh and shin of 0.222 each meet, on the outer side of the line from hip to foot."""
    across, down = foot[0] - hip[0], foot[1] - hip[1]
    length = math.hypot(across, down) or 1e-6
    out = math.sqrt(max(0.0, 0.222**2 - length * length / 4))
    return (hip[0] + foot[0]) / 2 - side * out * down / length, (hip[1] + foot[1]) / 2 + side * out * across / length


def _curve(x: float, y: float, across: float, down: float, begin: float, end: float) -> list[Point]:
    turns = [math.radians(begin + (end - begin) * step / 14) for step in range(15)]
    return [(x + across * math.cos(turn), y + down * math.sin(turn)) for turn in turns]


#: The digits 1 to 8 as lines in a box 0.6 wide and 1 high: no font is needed, and all are equally wide.
_DIGITS: tuple[list[list[Point]], ...] = (
    [[(0.12, 0.2), (0.34, 0.0), (0.34, 1.0)]],
    [[*_curve(0.3, 0.28, 0.28, 0.28, 190, 390), (0.03, 1.0), (0.6, 1.0)]],
    [_curve(0.28, 0.25, 0.26, 0.25, 200, 450), _curve(0.28, 0.74, 0.3, 0.26, 270, 520)],
    [[(0.46, 1.0), (0.46, 0.0), (0.0, 0.7), (0.62, 0.7)]],
    [[(0.54, 0.0), (0.1, 0.0), (0.05, 0.44), *_curve(0.27, 0.68, 0.31, 0.32, 240, 510)]],
    [[(0.44, 0.0), (0.08, 0.5)], _curve(0.3, 0.69, 0.29, 0.31, 0, 360)],
    [[(0.0, 0.0), (0.58, 0.0), (0.2, 1.0)]],
    [_curve(0.3, 0.24, 0.24, 0.24, 0, 360), _curve(0.3, 0.74, 0.29, 0.26, 0, 360)],
)
