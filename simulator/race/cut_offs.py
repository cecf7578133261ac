"""Cut-offs in a race: their places on the course, and the field without those who are too late.

They act on the finished field. So those who are in time run exactly as without cut-offs, also where a crowd
holds them up: those who are stopped still count in the queues that they would have reached.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from simulator.course.course import Course
from simulator.race.cut_off_times import written
from simulator.race.field import Field, Lost, Stop, interpolate
from simulator.race.paces import to_flat
from simulator.race.request import RaceRequest
from simulator.race.start_list.limits import FASTEST
from stream.arrays import Floats, Mask
from stream.cut_offs import FINISH, CutOff, CutOffs, names_of
from stream.results import DECIMALS, wave_guns

SHOWN = 20
"""Maximum number of points' names in a message."""


class CutOffError(ValueError):
    """Cut-offs that a race can't have.

    Attributes:
        reasons: at least one; each continues "cut_offs".
    """

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def of(course: Course, request: RaceRequest) -> CutOffs | None:
    """Return a race's cut-offs by distance, or None; raises CutOffError if they don't fit the course."""
    if request.cut_offs is None:
        return None
    points = _points(course)
    folded = {name.casefold(): name for name in points}
    found: dict[str, CutOff] = {}
    reasons = []
    for written_name, limit in request.cut_offs.items():
        name = written_name if written_name in points else folded.get(written_name.strip().casefold())
        if name is None:
            reasons.append(_unknown(written_name, list(points)))
        elif name in found:
            reasons.append(f"must not have two times for {name}")
        else:
            found[name] = points[name]._replace(limit=round(limit, DECIMALS))
    limits = sorted(found.values(), key=lambda one: (one.distance, one.is_finish, one.limit))
    reasons += [*_too_short(limits), *_not_rising(limits)]
    if reasons:
        raise CutOffError(*reasons)
    return CutOffs(tuple(limits), request.cut_offs_from)


def _points(course: Course) -> dict[str, CutOff]:
    """Return the points that can have a limit, by name, with the limit 0."""
    splits = [point for point in course.timing_points if point.kind == "split"]
    names = names_of([(point.name, point.lap) for point in splits])
    points = {
        name: CutOff(name, point.name, point.lap, point.distance, 0.0)
        for name, point in zip(names, splits, strict=True)
    }
    finish = course.timing_points[-1]
    return points | {FINISH: CutOff(FINISH, finish.name, finish.lap, finish.distance, 0.0)}


def _unknown(name: str, known: list[str]) -> str:
    names = ", ".join([*known[:SHOWN][:-1], known[-1]] if len(known) > SHOWN else known)
    more = f" ({len(known):,} in all)" if len(known) > SHOWN else ""
    return f"must name timing points of the course, not {name[:40]!r}; they are {names}{more}"


def _too_short(limits: list[CutOff]) -> list[str]:
    return [
        f"can't be reached: {one.name} within {written(one.limit)} is faster than {FASTEST:.0f} seconds per "
        f"kilometre, which take {written(np.ceil(least))}"
        for one in limits
        if one.limit < (least := one.distance / 1000.0 * FASTEST)
    ]


def _not_rising(limits: list[CutOff]) -> list[str]:
    reasons = []
    for before, after in pairwise(limits):
        if round(before.distance, DECIMALS) == round(after.distance, DECIMALS):
            reasons.append(
                f"must not have limits for both {before.name} and {after.name}: they are one place"
            )
        elif before.limit >= after.limit:
            reasons.append(
                f"must rise with the distance: {after.name}, {written(after.limit)}, is not later than "
                f"{before.name}, {written(before.limit)}"
            )
    return reasons


def stopped(field: Field, free: Field, limits: CutOffs, wave_delay: float) -> Field:
    """Return the field in which those who are too late end where they are stopped.

    Args:
        field: the field.
        free: the same without crowding.
        limits: the cut-offs.
        wave_delay: seconds between the guns of two waves.

    Raises:
        CutOffError: the course closes before all have started.
    """
    everyone, starts = np.arange(len(field)), np.isfinite(field.start)
    deadlines = limits.deadlines(wave_guns(field.wave, wave_delay))
    until, end, until_moving = field.until.copy(), field.end.copy(), field.until_moving.copy()
    late = np.zeros(len(field), np.bool_)
    for one, deadline in zip(limits.limits, deadlines.T, strict=True):
        if one.is_finish:
            _check_starts(field, starts, deadline, limits)
            # They are on the course at that moment, and not at the finish a fraction of a millisecond early.
            closed = starts & (np.round(end, DECIMALS) > deadline)
            there = np.minimum(field.distance(deadline), np.nextafter(one.distance, 0.0))
            until[closed], end[closed] = there[closed], deadline[closed]
            until_moving[closed] = field.moved(deadline)[closed]
            late |= closed
        else:
            times = field.elapsed(everyone, np.full(len(field), one.distance))
            here = starts & ~late & (one.distance <= field.until) & (np.round(times, DECIMALS) > deadline)
            until[here], end[here] = one.distance, times[here]
            flat = to_flat(field.ground, np.full(len(everyone[here]), one.distance))
            until_moving[here] = interpolate(field.marks, field.moving, everyone[here], flat)
            late |= here
    ended = replace(
        field,
        until=until,
        until_moving=until_moving,
        end=end,
        disqualified_at=np.where(late, np.inf, field.disqualified_at),
        stops=_stops_before(field, late, end),
    )
    return replace(ended, lost=_lost(ended, free, late))


def _check_starts(field: Field, starts: Mask, deadline: Floats, limits: CutOffs) -> None:
    """Raise CutOffError if someone is still behind the start line when the course closes."""
    behind = np.flatnonzero(starts & (field.start >= deadline))
    if len(behind):
        last = behind[np.argmax(field.start[behind] - deadline[behind])]
        limit = limits.limits[-1].limit
        since = deadline[last] - limit
        raise CutOffError(
            f"must not close the course before all have started: the finish closes after {written(limit)}, "
            f"and the last start is after {written(np.ceil(field.start[last] - since))}"
        )


def _stops_before(field: Field, late: Mask, end: Floats) -> tuple[Stop, ...]:
    """Return the stops without those that would have begun after the end."""
    stops = []
    began = field.start.copy()
    for stop in field.stops:
        gone = late & (began + stop.start >= end)
        began += stop.length
        columns = zip(stop, (np.inf, np.inf, 0.0, False), strict=True)
        stops.append(Stop(*(np.where(gone, nothing, column) for column, nothing in columns)))
    return tuple(stops)


def _lost(field: Field, free: Field, late: Mask) -> Lost | None:
    """Return the seconds lost to crowding up to the end."""
    if field.lost is None:
        return None
    who = np.flatnonzero(late)
    unhindered = interpolate(free.marks, free.moving, who, field.until_flat[who])
    on_course = field.lost.on_course.copy()
    on_course[who] = np.maximum(field.until_moving[who] - unhindered, 0.0)
    return field.lost._replace(on_course=on_course)
