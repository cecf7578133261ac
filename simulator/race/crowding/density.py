"""How crowded a race is: density, flow, speed and delay for each section and minute, and warnings.

The quantities are those of Edie (1963): in a part of the course and a part of the time, density is the time
that runners spend there, and flow the distance that they run, each over the area and the duration. So they
hold for any section and any minute, and density times mean speed is flow.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from simulator.race.crowding.cells import Cells
from simulator.race.field import Field
from simulator.steps import Steps, done
from stream.arrays import Floats, Ints

MINUTE = 60.0


class Visits(NamedTuple):
    """Runners in a section, without those who stand aside; arrays of shape (k,).

    Attributes:
        since, until: seconds from the gun.
        pace: metres of the course per second.
        ratio: seconds without crowding, as a share of those with it.
    """

    since: Floats
    until: Floats
    pace: Floats
    ratio: Floats


@dataclass(frozen=True, eq=False)
class Density:
    """How crowded each of s sections is in each of t minutes from the first gun; arrays of shape (s, t).

    Attributes:
        first, last: metres from the start of each section, shape (s,).
        width: metres, shape (s,); inf where it is unlimited.
        runners: mean number of competitors in the section.
        density: runners per square metre; 0 where the width is unlimited.
        flow: runners per minute and metre of width; 0 where the width is unlimited.
        ratio: speed as a share of that without crowding; 1 without runners.
        lost: runner-seconds lost.
        started: competitors who cross the start line, by wave, shape (w, t).
        waiting: mean number of competitors whose wave has started and who wait at the line, shape (t,).
    """

    first: Floats
    last: Floats
    width: Floats
    runners: Floats
    density: Floats
    flow: Floats
    ratio: Floats
    lost: Floats
    started: Ints
    waiting: Floats


class Level(NamedTuple):
    """A level above which an organiser should act.

    Attributes:
        quantity: `density` (runners per square metre) or `flow` (runners per minute and metre).
        above: the level.
        source: where it comes from.
    """

    quantity: Literal["density", "flow"]
    above: float
    source: str


class Warned(NamedTuple):
    """A part of the course that is too crowded.

    Attributes:
        quantity, level, source: those of the level that is exceeded.
        first, last: metres from the start.
        since, until: minutes from the first gun; the last one excluded.
        peak: the highest value.
        at: metres from the start to the middle of the section with the peak.
        minute: the minute of the peak.
    """

    quantity: Literal["density", "flow"]
    level: float
    source: str
    first: float
    last: float
    since: int
    until: int
    peak: float
    at: float
    minute: int


def measured(free: Field, crowded: Field, cells: Cells) -> Density:
    """Return how crowded a race is; its sections are the cells.

    Args:
        free: the field without crowding.
        crowded: the field with it.
        cells: the cells of the course.
    """
    return done(measuring(free, crowded, cells))


def measuring(free: Field, crowded: Field, cells: Cells) -> Steps[Density]:
    """Do the work of `measured` in steps, one section in each."""
    ends = crowded.end[np.isfinite(crowded.end)]
    minutes = int(ends.max(initial=0.0) // MINUTE) + 1
    spent, run, unhindered = (np.zeros((len(cells), minutes)) for _ in range(3))
    for cell in range(len(cells)):
        for visits in _visits(free, crowded, cells, cell):
            for minute, seconds, some in _by_minute(visits):
                for row, weight in ((spent, 1.0), (run, visits.pace[some]), (unhindered, visits.ratio[some])):
                    row[cell] += np.bincount(minute, seconds * weight, minutes)
        yield (cell + 1) / len(cells)
    area = (cells.width * cells.length)[:, None]
    starts = np.flatnonzero(np.isfinite(crowded.start))
    minute = (crowded.start[starts] // MINUTE).astype(np.int64)
    started = np.zeros((int(crowded.wave.max(initial=1)), minutes), np.int64)
    np.add.at(started, (crowded.wave[starts] - 1, minute), 1)
    one = np.ones(len(starts))
    queue = Visits(free.start[starts], crowded.start[starts], one, one)
    waiting = np.zeros(minutes)
    for minute, seconds, _ in _by_minute(queue):
        waiting += np.bincount(minute, seconds, minutes)
    return Density(
        first=cells.places[:-1],
        last=cells.places[1:],
        width=cells.width,
        runners=spent / MINUTE,
        density=spent / MINUTE / area,
        flow=run / area,
        ratio=np.divide(unhindered, spent, out=np.ones_like(spent), where=spent > 0),
        lost=spent - unhindered,
        started=started,
        waiting=waiting / MINUTE,
    )


def _visits(free: Field, crowded: Field, cells: Cells, cell: int) -> Iterator[Visits]:
    """Yield the times that competitors run in a cell: up to a stop, and after it."""
    first, last = cells.flat[cell], cells.flat[cell + 1]
    metres = float(cells.length[cell])
    who = np.flatnonzero(np.isfinite(crowded.start) & (crowded.until > cells.places[cell]))
    since = crowded.times_at(first)[who]
    moved = (crowded.moving_at(last) - crowded.moving_at(first))[who]
    pace = metres / moved
    ratio = (free.moving_at(last) - free.moving_at(first))[who] / moved
    # Those who end here run up to that place.
    runs = np.minimum(moved, (crowded.until_moving - crowded.moving_at(first))[who])
    for stop in crowded.stops:
        aside = np.flatnonzero((stop.place[who] >= first) & (stop.place[who] < last))
        if len(aside):
            until = (stop.start - crowded.moving_at(first))[who[aside]]
            before = np.minimum(until, runs[aside])
            yield Visits(since[aside], since[aside] + before, pace[aside], ratio[aside])
            since[aside] += until + stop.length[who[aside]]
            runs[aside] = np.maximum(runs[aside] - until, 0.0)
    yield Visits(since, since + runs, pace, ratio)


def _by_minute(visits: Visits) -> Iterator[tuple[Ints, Floats, Ints]]:
    """Yield the minutes of visits, the seconds in them, and which visits they are; each of shape (k,)."""
    some = np.flatnonzero(visits.until > visits.since)
    minute = (visits.since[some] // MINUTE).astype(np.int64)
    begin = visits.since[some]
    while len(some):
        end = np.minimum(visits.until[some], (minute + 1) * MINUTE)
        yield minute, end - begin, some
        more = visits.until[some] > end
        some, minute, begin = some[more], minute[more] + 1, end[more]


def warnings(found: Density, levels: Iterable[Level]) -> list[Warned]:
    """Return the parts of the course that exceed a level, by distance.

    A part is a run of sections, each of which exceeds it in some minute.
    """
    warned = [one for level in levels for one in _exceeding(found, level)]
    return sorted(warned, key=lambda one: (one.first, one.quantity))


def _exceeding(found: Density, level: Level) -> Iterator[Warned]:
    values = found.density if level.quantity == "density" else found.flow
    above = values > level.above
    sections = np.flatnonzero(above.any(axis=1))
    runs = np.split(sections, np.flatnonzero(np.diff(sections) > 1) + 1) if len(sections) else []
    for run in runs:
        minutes = np.flatnonzero(above[run].any(axis=0))
        section, minute = divmod(int(values[run].argmax()), values.shape[1])
        at = run[section]
        yield Warned(
            quantity=level.quantity,
            level=level.above,
            source=level.source,
            first=float(found.first[run[0]]),
            last=float(found.last[run[-1]]),
            since=int(minutes[0]),
            until=int(minutes[-1]) + 1,
            peak=float(values[at, minute]),
            at=float(found.first[at] + found.last[at]) / 2.0,
            minute=minute,
        )
