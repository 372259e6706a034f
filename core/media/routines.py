"""What the figure of the demo does: poses on the counts of a routine, and the pose at any moment between.

Angles are degrees: an arm hangs at 0, points sideways at 90 and up at 180; a bend turns the forearm further
the same way. Lengths are shares of the figure's height. "Left" is the figure's own left, which a viewer sees
on the right.
"""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Pose:
    """One moment of the figure, seen from the front."""

    left_arm: float = 8
    left_bend: float = 8
    right_arm: float = 8
    right_bend: float = 8
    left_foot_x: float = 0.09
    left_foot_y: float = 0.0
    right_foot_x: float = -0.09
    right_foot_y: float = 0.0
    hip_x: float = 0.0
    hip_drop: float = 0.0
    lean: float = 0.0


_STAND = Pose()
_WIDE = {"left_foot_x": 0.17, "right_foot_x": -0.17, "hip_drop": 0.045}
_SQUAT = {"left_foot_x": 0.17, "right_foot_x": -0.17, "hip_drop": 0.19}

#: Eight counts each; the last leads back to the first, so that a video of eight counts loops.
ROUTINES = {
    "arms": (
        _STAND,
        Pose(left_arm=90, left_bend=0, right_arm=90, right_bend=0, **_WIDE),
        Pose(left_arm=150, left_bend=12, right_arm=150, right_bend=12, **_WIDE),
        Pose(left_arm=90, left_bend=90, right_arm=90, right_bend=90, **_WIDE),
        Pose(left_arm=28, left_bend=-95, right_arm=28, right_bend=-95),
        Pose(left_arm=152, left_bend=0, right_arm=45, right_bend=-100, hip_x=-0.05, lean=5, **_WIDE),
        Pose(left_arm=45, left_bend=-100, right_arm=152, right_bend=0, hip_x=0.05, lean=-5, **_WIDE),
        Pose(left_arm=158, left_bend=40, right_arm=158, right_bend=40),
    ),
    "steps": (
        _STAND,
        Pose(left_arm=75, left_bend=45, right_arm=75, right_bend=45, **_SQUAT),
        Pose(left_arm=160, left_bend=8, right_arm=160, right_bend=8),
        Pose(left_arm=75, left_bend=45, right_arm=75, right_bend=45, **_SQUAT),
        _STAND,
        Pose(
            left_arm=100,
            left_bend=0,
            right_arm=30,
            right_bend=-90,
            right_foot_x=-0.16,
            right_foot_y=0.2,
            hip_x=0.03,
        ),
        Pose(left_arm=90, left_bend=0, right_arm=90, right_bend=0, **_WIDE),
        Pose(
            right_arm=100,
            right_bend=0,
            left_arm=30,
            left_bend=-90,
            left_foot_x=0.16,
            left_foot_y=0.2,
            hip_x=-0.03,
        ),
    ),
}

COUNTS = 8
_REST = 0.3  # the share of a beat for which a pose is held after it was reached


def pose_at(routine: str, beat: float) -> Pose:
    """Return the pose `beat` counts after the start: each pose is reached exactly on its count."""
    poses = ROUTINES[routine]
    count, share = divmod(beat, 1.0)
    start, end = poses[int(count) % COUNTS], poses[int(count + 1) % COUNTS]
    return _between(start, end, _eased(max(0.0, (share - _REST) / (1 - _REST))))


def resized(pose: Pose, reach: float) -> Pose:
    """Return the pose done less far (`reach` below 1): how someone moves who is still learning it."""
    return _between(_STAND, pose, reach)


def _eased(share: float) -> float:
    return share * share * (3 - 2 * share)


def _between(start: Pose, end: Pose, share: float) -> Pose:
    steps = ((getattr(start, field.name), getattr(end, field.name)) for field in fields(Pose))
    return Pose(*(a + (b - a) * share for a, b in steps))
