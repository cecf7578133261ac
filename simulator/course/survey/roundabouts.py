"""Roundabouts among the lines: maps have the whole ring where a course runs a part of it."""

from collections.abc import Sequence

import numpy as np

from simulator.course.course import in_space
from simulator.course.drawing import Line
from simulator.course.survey import limits
from simulator.course.survey.ends import apart, shown
from simulator.course.survey.track import length
from stream.arrays import Floats

_POINTS = 200
"""Maximum points of a roundabout."""
_ENDS = 200
"""Maximum ends near a roundabout that are compared with it."""


def cut(lines: Sequence[Line], warnings: list[str]) -> list[Line]:
    """Return the lines, with the shorter side of each roundabout on which two others end."""
    kept, is_ring = list(lines), [_is_ring(line) for line in lines]
    if not 0 < sum(is_ring) <= limits.MAX_ROUNDABOUTS:
        return kept
    places = [
        (line.lon[end], line.lat[end])
        for line, closed in zip(lines, is_ring, strict=True)
        for end in (0, -1)
        if not closed
    ]
    ends = in_space(*np.reshape(places, (-1, 2)).T)
    for number in np.flatnonzero(is_ring).tolist():
        kept[number] = _between(lines[number], ends)
    if shorter := [
        line.where for line, side in zip(lines, kept, strict=True) if len(side.lon) < len(line.lon)
    ]:
        warnings.append(f"Roundabouts are run on their shorter side only: {shown(shorter)}")
    return kept


def _is_ring(line: Line) -> bool:
    is_closed = 3 < len(line.lon) <= _POINTS and (line.lon[0], line.lat[0]) == (line.lon[-1], line.lat[-1])
    return is_closed and length(line) <= limits.ROUNDABOUT


def _between(line: Line, ends: Floats) -> Line:
    """Return the shorter part of a ring between two ends of others, or the ring from where all are."""
    ring = in_space(line.lon[1:], line.lat[1:])
    near = ends[apart(ends, ring[0]) <= length(line) / 2 + limits.MIN_MEET][:_ENDS]
    metres = apart(near[:, None], ring[None])
    joints = np.sort(metres.argmin(axis=1)[metres.min(axis=1) <= limits.MIN_MEET]) + 1
    # More ends at several places are a crossing.
    if not len(joints) or (len(joints) > 2 and joints[0] < joints[-1]):
        return line
    one, other = joints[0], joints[-1]
    across = np.append(np.arange(other, len(line.lon)), np.arange(1, one + 1))
    sides = [across] if one == other else [across, np.arange(one, other + 1)]
    return min((line.take(side) for side in sides), key=length)
