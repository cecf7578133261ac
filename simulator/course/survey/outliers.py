"""Points that can't belong to a line: impossible ones, zeros of receivers without a position, and jumps."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from simulator.course.course import in_space
from simulator.course.drawing import CourseError, Line
from simulator.course.survey import limits
from simulator.course.survey.track import DEGREE, all_in_range, in_range
from stream.arrays import Floats, Ints, Mask


def without_impossible(lines: Sequence[Line], warnings: list[str]) -> list[Line]:
    """Return the lines without points off the globe, if there are few of them.

    Receivers write 180, 999 and the like while they have no position. Lines with more of them keep them all.
    """
    if all_in_range(lines):
        return list(lines)
    kept = []
    for line in lines:
        wrong = ~in_range(line.lon, line.lat)
        if 0 < wrong.sum() <= min(limits.MAX_IMPOSSIBLE, limits.MAX_GAPS * len(wrong)):
            at = int(wrong.argmax())
            reason = f"latitude {line.lat[at]:.9g}, longitude {line.lon[at]:.9g} is no place on the globe"
            warnings.append(_left_out(line, np.flatnonzero(wrong), reason))
            line = line.take(~wrong)  # noqa: PLW2901 - the rest of the loop is the same for both
        kept.append(line)
    return kept


def without_zeros(lines: Sequence[Line], warnings: list[str]) -> list[Line]:
    """Return the lines without points at latitude 0, longitude 0, if the rest is elsewhere.

    Receivers write them while they have no position. A line of nothing else, or one other point, is left out.
    """
    zeros = [(np.abs(line.lon) < limits.ZERO) & (np.abs(line.lat) < limits.ZERO) for line in lines]
    if not any(zero.any() for zero in zeros) or _is_near_zero(lines, zeros):
        return list(lines)
    kept = []
    for line, zero in zip(lines, zeros, strict=True):
        if zero.any():
            reason = "latitude 0, longitude 0 means that a receiver had no position"
            warnings.append(_left_out(line, np.flatnonzero(zero), reason))
        if (~zero).sum() > 1:
            kept.append(line.take(~zero))
    return kept


def _is_near_zero(lines: Sequence[Line], zeros: Sequence[Mask]) -> bool:
    """Return whether the other points are so near to 0, 0 that the course may pass it."""
    others = [line.take(~zero) for line, zero in zip(lines, zeros, strict=True) if not zero.all()]
    far = limits.ZERO_FAR / DEGREE
    return any((np.hypot(line.lon, line.lat) < far).any() for line in others)


class _Jumps(NamedTuple):
    """The unusually long steps of a line.

    Attributes:
        steps: metres of all steps, shape (n - 1,).
        jumps: numbers of the long ones, shape (k,).
        usual: metres of the longest other step.
    """

    steps: Floats
    jumps: Ints
    usual: float


def steps_of(line: Line) -> Floats:
    """Return the metres between the points of a line, shape (n - 1,)."""
    steps: Floats = np.linalg.norm(np.diff(in_space(line.lon, line.lat), axis=0), axis=1)
    return steps


def _jumps_of(line: Line) -> _Jumps:
    steps = steps_of(line)
    if len(steps) < limits.JUMP_STEPS or steps.max() <= limits.JUMP:
        return _Jumps(steps, np.empty(0, np.int64), 0.0)
    most_steps = float(np.percentile(steps, 60, method="lower"))
    is_jump = steps > max(limits.JUMP, limits.JUMP_MORE * most_steps)
    return _Jumps(steps, np.flatnonzero(is_jump), float(steps[~is_jump].max()))


def without_jumps(line: Line, proven: Floats, warnings: list[str]) -> Line:
    """Return the line without points that jump away from the others and back, with a warning for each.

    A drawn line has long straight parts too. So points are dropped only if the jumps there and back are far
    longer than every other step, and either the line has as many points as a recorded one, or the points are
    one or two, or at one place, and less than the line without them; or if the jumps are longer than anybody
    draws in a straight line, and than the rest of the line.

    Args:
        line: the line.
        proven: places in space of markers, shape (k, 3): points beside them are not wrong.
        warnings: corrections are added.
    """
    if len(line.lon) <= limits.JUMP_STEPS or not len((found := _jumps_of(line)).jumps):
        return line
    steps, places = found.steps, in_space(line.lon, line.lat)
    pairs = list(_there_and_back(places, found))
    rest = np.delete(steps, [step for pair in pairs for step in pair])
    longest, whole = float(rest.max(initial=0.0)), float(rest.sum())
    keep = np.ones(len(line.lon), dtype=bool)
    for jump, back in pairs:
        points, metres = np.arange(jump + 1, back + 1), float(steps[[jump, back]].min())
        times = metres / max(longest, limits.STUCK)
        is_recorded = len(steps) > limits.RECORDED and times >= limits.JUMP_CERTAIN_OF_MORE
        is_short = times >= limits.JUMP_CERTAIN and 2 * metres <= whole and _is_aside(places, jump, back)
        is_absurd = metres > max(limits.JUMP_ABSURD, whole)
        if (is_recorded or is_short or is_absurd) and not _beside(places[points], proven):
            keep[points] = False
            warnings.append(_left_out(line, points, f"the line jumps {metres:,.0f} m away"))
    return _without_ends(line.take(keep), proven, warnings)


def _there_and_back(places: Floats, found: _Jumps) -> Iterator[tuple[int, int]]:
    """Yield pairs of jumps, the nearest ones first; the second leads back to where the first one began."""
    steps, jumps, used = found.steps, found.jumps, set[int]()
    for ahead in range(1, min(limits.JUMP_POINTS + 1, len(jumps))):
        jump, back = jumps[:-ahead], jumps[ahead:]
        aside = np.linalg.norm(places[jump] - places[back + 1], axis=1)
        leads_back = aside <= limits.JUMP_ASIDE * np.minimum(steps[jump], steps[back])
        pairs = leads_back & (back - jump <= limits.JUMP_POINTS)
        for pair in zip(jump[pairs].tolist(), back[pairs].tolist(), strict=True):
            if not used.intersection(pair):
                used.update(pair)
                yield pair


def _is_aside(places: Floats, jump: int, back: int) -> bool:
    """Return whether the points between two jumps are one or two, or all at one place."""
    between = places[jump + 1 : back + 1]
    return len(between) <= 2 or bool(np.linalg.norm(np.diff(between, axis=0), axis=1).max() < limits.STUCK)


def _beside(points: Floats, proven: Floats) -> bool:
    return bool((np.linalg.norm(points[:, None] - proven[None], axis=2) <= limits.MARKER_NEAR).any())


def _without_ends(line: Line, proven: Floats, warnings: list[str]) -> Line:
    """Return the line without a few points at its ends that are far from the rest."""
    found = _jumps_of(line)
    long = found.jumps[found.steps[found.jumps] > max(limits.JUMP_AT_END, limits.STRAIGHT_MORE * found.usual)]
    count, few = len(line.lon), min(limits.JUMP_POINTS, len(line.lon) // 10)
    # The last of the jumps within the first few points, and the first of those within the last few.
    first = max((int(jump) + 1 for jump in long if jump < few), default=0)
    last = min((int(jump) + 1 for jump in long if jump >= count - 1 - few), default=count)
    keep = np.ones(count, dtype=bool)
    for points in (np.arange(first), np.arange(last, count)):
        if not len(points) or _beside(in_space(line.lon[points], line.lat[points]), proven):
            continue
        keep[points] = False
        jump = float(found.steps[min(int(points[-1]), last - 1)])
        them = "it" if len(points) == 1 else "them"
        warnings.append(
            _left_out(line, points, f"the line jumps {jump:,.0f} m between {them} and the others")
        )
    return line.take(keep)


def check_jumps(line: Line, warnings: list[str]) -> None:
    """Warn about jumps there and back, and about straight parts that are far longer than every other step.

    A line of which such parts are a large share is drawn that way.

    Raises:
        CourseError: one is longer than anybody draws.
    """
    found = _jumps_of(line)
    steps, jumps, usual = found
    places = in_space(line.lon, line.lat)
    # More would not be shown.
    few = islice(_there_and_back(places, found), limits.MAX_WARNINGS)
    pairs = [pair for pair in few if _is_aside(places, *pair)]
    long = jumps[steps[jumps] > limits.STRAIGHT_MORE * usual]
    is_style = steps[long].sum() > limits.STRAIGHT_SHARE * steps.sum()
    straights = long[steps[long] > (limits.STRAIGHT if is_style else 0.0)][: limits.MAX_WARNINGS].tolist()
    if len(absurd := long[steps[long] > limits.JUMP_ABSURD]):
        step = int(absurd[0])
        raise CourseError(
            f"the {line.where} jumps {_gap(line, step, steps)} (points {step + 1:,} and {step + 2:,}): "
            "delete what is wrong, or draw the part between them"
        )
    for jump, back in pairs:
        points, metres = np.arange(jump + 1, back + 1), steps[[jump, back]].min()
        where = f"At {_numbers(points)} of the {line.where}, the line jumps {metres:,.0f} m away and back"
        warnings.append(f"{where}: kept; delete what is wrong")
    warnings += [
        f"The {line.where} has no points for {_gap(line, step, steps)}: run in a straight line"
        for step in straights
        if not any(step in pair for pair in pairs)
    ]


def _gap(line: Line, step: int, steps: Floats) -> str:
    return f"{steps[step]:,.0f} m, from {at(line, step)} to {at(line, step + 1)}"


def at(line: Line, point: int) -> str:
    """Return a point's place as text: "51.41812, -0.07025" (latitude first, as maps expect it)."""
    return f"{line.lat[point]:.5f}, {line.lon[point]:.5f}"


def _left_out(line: Line, points: Ints, reason: str) -> str:
    are = "is" if len(points) == 1 else "are"
    return f"{_numbers(points).capitalize()} of the {line.where} {are} left out: {reason}"


def _numbers(points: Ints) -> str:
    """Describe points by their numbers, from 1: "point 17", "points 1 and 2", "points 3 to 9"."""
    first, last = int(points[0]) + 1, int(points[-1]) + 1
    if len(points) == 1:
        return f"point {first:,}"
    if last - first + 1 == len(points):
        return f"points {first:,} {'and' if len(points) == 2 else 'to'} {last:,}"
    shown = ", ".join(f"{number + 1:,}" for number in points[:5].tolist())
    return f"points {shown} and {len(points) - 5:,} more" if len(points) > 5 else f"points {shown}"
