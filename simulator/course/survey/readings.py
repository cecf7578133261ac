"""Which of several lines are the course: the ways in which they can be meant, and the likeliest.

Lines that meet are joined, unless they look like several courses or several versions of one.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import shapely

from simulator.course.drawing import Line
from simulator.course.survey import limits
from simulator.course.survey.chains import Chain
from simulator.course.survey.ends import Ends, apart, flat, reach
from simulator.course.survey.track import length
from stream.arrays import Floats

_SAMPLES = 16
"""Points of a line that are compared with another line."""
_GROUPS = 20
"""Groups of lines that are examined; the others are shorter."""


class Reading(NamedTuple):
    """A possible course: its lines, and why the others aren't part of it, if not for a gap."""

    order: Chain
    reason: str = ""


def likeliest(ends: Ends, starts: Floats, finishes: Floats) -> Reading:
    """Return the likeliest course: the longest, unless only another one fits the start and finish markers."""
    readings = [list(_readings(ends, group)) for group in ends.groups()[:_GROUPS]]
    best = max((some[0] for some in readings), key=lambda reading: ends.metres(reading.order))
    if not len(starts) or not len(finishes) or _fits(ends, best.order, starts, finishes):
        return best
    fitting = (one for some in readings for one in some if _fits(ends, one.order, starts, finishes))
    if reading := next(fitting, None):
        return Reading(
            reading.order, "only this one begins and ends at the markers of the start and the finish"
        )
    return best


def _fits(ends: Ends, order: Chain, starts: Floats, finishes: Floats) -> bool:
    """Return whether lines run from a start to a finish, or back."""
    begin, end = ends.of(order)
    places = np.array([begin[0], end[-1]])
    at_start, at_finish = (
        apart(places[:, None], some[None]).min(axis=1) <= limits.MEET for some in (starts, finishes)
    )
    return bool(at_start[0] and at_finish[1]) or bool(at_start[1] and at_finish[0])


def _readings(ends: Ends, group: list[int]) -> Iterator[Reading]:
    """Yield the possible courses of lines that are near each other, the likeliest first."""
    in_file = tuple(ends.in_file[number] for number in group)
    follow = ends.follow(in_file)
    longest = max(group, key=lambda number: ends.lengths[number])
    alone = (ends.in_file[longest],)
    if len(group) == 1:
        yield Reading(alone)
        return
    copies = _copies(ends.lines[longest], [ends.lines[number] for number in group])
    among = ends.without_versions([number for number, copy in zip(group, copies, strict=True) if not copy])
    main = ends.linked_once(among, group)[0]
    if reason := _why_alone(ends, group, longest, follow=follow):
        yield Reading(alone, reason)
    elif follow or _nearly_follow(ends, in_file):
        yield Reading(in_file)
    elif len(main) > 1 and _one_end(ends, [piece.number for piece in main], longest):
        yield Reading(alone, "those that meet it begin or end where it does, so each is taken for a course")
    else:
        yield Reading(main, "" if len(main) < len(among) else "they repeat a part of it")
    # Only if the markers say so.
    yield Reading(in_file if follow else main)
    yield from (Reading((ends.in_file[number],)) for number in group)


def _why_alone(ends: Ends, group: list[int], longest: int, *, follow: bool) -> str:
    """Return why the longest of some lines is a course by itself, or ""."""
    rest = float(ends.lengths[group].sum() - ends.lengths[longest])
    is_whole = bool(ends.closed[longest]) and float(ends.lengths[longest]) > rest
    if ends.closed[group].all():
        return "each is closed, so each is taken for a course"
    if end := _one_end(ends, group, longest):
        return f"all {end} at one place, so each is taken for a course"
    # A loop between two other lines, each of which begins where the one before ends, is a part.
    if is_whole and (longest in {group[0], group[-1]} or not follow):
        return "it is closed and longer than the others together"
    return ""


def _one_end(ends: Ends, some: list[int], longest: int) -> str:
    """Return "begin" or "end" if all lines do so at one place, else ""."""
    near = reach(float(ends.lengths[some].min()))
    for places, end in ((ends.starts, "begin"), (ends.finishes, "end")):
        if (apart(places[some], places[longest]) <= near).all():
            return end
    return ""


def _nearly_follow(ends: Ends, order: Chain) -> bool:
    """Return whether there are only short gaps between the lines."""
    gaps = float(ends.gaps(order).sum())
    return gaps <= limits.MAX_GAPS * ends.metres(order) and ends.follow(order, limits.NEAR)


def _copies(longest: Line, lines: Sequence[Line]) -> list[bool]:
    """Return for each line whether it runs along a part of the longest one; very many are not compared."""
    metres = length(longest)
    if len(lines) * max(len(lines), len(longest.lon)) > limits.MAX_COMPARED:
        return [False] * len(lines)
    run = shapely.LineString(flat(longest, longest))
    shapely.prepare(run)

    def is_copy(line: Line) -> bool:
        if line is longest or (own := length(line)) > metres / limits.COPY_MORE:
            return False
        samples = line.take(np.linspace(0, len(line.lon) - 1, _SAMPLES).astype(np.int64))
        return bool(shapely.dwithin(run, shapely.points(flat(samples, longest)), reach(own)).all())

    return [is_copy(line) for line in lines]
