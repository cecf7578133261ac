"""The events of a race: the batches that the engine hands to a publisher.

A batch holds columns, as the core computes them. `rows()` gives them as rows of the contract's table; for
Kafka, `simulator.publishers.encode` makes messages of them.
"""

import re
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from itertools import repeat
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.course.course import Course
from simulator.race import cut_offs
from simulator.race.chance import Bits
from simulator.race.entrants import Entrants
from simulator.race.race import BEFORE_THE_START, Fixes, Passings, Race, Status
from simulator.race.reads import LINES, NO_ONE, Mat, Mats, Reads
from simulator.race.request import RaceRequest
from stream.arrays import Floats, Ints
from stream.contract import READS, TABLES, Topic
from stream.courses import TimingPoint
from stream.race_states import RaceState

UNKNOWN_TIME = READS.fields["elapsed"].default
"""`elapsed` of a raw read that is not of a reference chip."""
ANTENNAS = ("main", "backup")
"""The names of a mat's lines."""
STATUS_NAMES = tuple(status.name.lower() for status in Status)
ATTRIBUTES = {column: re.sub("([A-Z])", r"_\1", column).lower() for column in TABLES["parkrun"].columns} | {
    "competitorId": "bib",
    "status": "status_names",
}
"""The attribute of `Positions` for each column, in their order: the snake-case name, with two exceptions."""


@dataclass(frozen=True, eq=False)
class Positions:
    """Positions of one race at one tick (topic and table `parkrun`); arrays of shape (k,).

    The attributes are the contract's fields, with their units. `bib` is the `competitorId`, `status` holds
    values of `Status`, and the true places are None if they are not published.
    """

    topic: ClassVar[Topic] = "parkrun"
    run_id: str
    course: str
    emitted_at: int
    bib: Ints
    raw_time: Ints
    timestamp: Ints
    lon: Floats
    lat: Floats
    distance: Floats
    status: NDArray[np.uint8]
    elapsed: Floats
    true_lon: Floats | None = None
    true_lat: Floats | None = None

    def __len__(self) -> int:
        return len(self.bib)

    def take(self, part: slice) -> "Positions":
        """Return some of the positions."""
        columns: dict[str, Any] = {
            name: value[part] for name, value in vars(self).items() if isinstance(value, np.ndarray)
        }
        return replace(self, **columns)

    @property
    def event_id(self) -> list[str]:
        """The positions' event ids."""
        pairs = zip(self.bib.tolist(), self.raw_time.tolist(), strict=True)
        return [f"{self.run_id}-{bib}-{raw_time}" for bib, raw_time in pairs]

    @property
    def status_names(self) -> list[str]:
        """The competitors' statuses, as in the events."""
        return [STATUS_NAMES[code] for code in self.status.tolist()]

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Return the columns of `parkrun`."""
        values = (getattr(self, attribute) for attribute in ATTRIBUTES.values())
        lists = (value.tolist() if isinstance(value, np.ndarray) else value for value in values)
        columns = (value if isinstance(value, list) else repeat(value) for value in lists)
        return zip(*columns, strict=False)


@dataclass(frozen=True, eq=False)
class Passed:
    """Passings of one race (topic and table `passings`): bibs and the other columns of `Passings`."""

    topic: ClassVar[Topic] = "passings"
    run_id: str
    start_ms: int
    points: tuple[TimingPoint, ...]
    bib: Ints
    point: Ints
    elapsed: Floats
    distance: Floats

    def __len__(self) -> int:
        return len(self.bib)

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Yield the columns of `passings`."""
        elapsed = np.round(self.elapsed, 3)
        timestamps = self.start_ms + np.rint(elapsed * 1000).astype(np.int64)
        columns = (self.bib, self.point, np.round(self.distance, 3), elapsed, timestamps)
        lists = (column.tolist() for column in columns)
        for bib, nth, metres, seconds, timestamp in zip(*lists, strict=True):
            point = self.points[nth]
            yield self.run_id, bib, point.kind, point.name, point.lap, metres, seconds, timestamp


@dataclass(frozen=True, eq=False)
class ChipReads:
    """Raw reads of one race (topic `reads`): bibs, 0 for reference chips; event numbers; `Reads`."""

    topic: ClassVar[Topic] = "reads"
    run_id: str
    start_ms: int
    mats: tuple[Mat, ...]
    bib: Ints
    event_id: Bits
    reads: Reads

    def __len__(self) -> int:
        return len(self.bib)

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Yield the columns of `reads`; only reads of reference chips have `elapsed`."""
        found = self.reads
        timestamps = self.start_ms + np.rint(found.clock * 1000.0).astype(np.int64)
        columns = (self.event_id, self.bib, found.mat, found.line, timestamps, found.rssi, found.elapsed)
        lists = (column.tolist() for column in columns)
        for event, bib, nth, line, timestamp, rssi, elapsed in zip(*lists, strict=True):
            kind, point = self.mats[nth]
            reader, event_id = LINES * nth + line + 1, f"{self.run_id}-{event:016x}"
            truth = UNKNOWN_TIME if bib else elapsed
            yield self.run_id, event_id, bib, reader, kind, point, ANTENNAS[line], timestamp, rssi, truth


@dataclass(frozen=True, eq=False)
class Entries:
    """A part of a race's start list (topic and table `competitors`): the indices in [first, last)."""

    topic: ClassVar[Topic] = "competitors"
    run_id: str
    entrants: Entrants
    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Yield the columns of `competitors`."""
        for who in self.entrants.some(self.first, self.last):
            yield self.run_id, who.bib, who.name, who.category, who.wave, who.club, who.sex


@dataclass(frozen=True)
class RaceRecord:
    """A race's own row (topic and table `races`).

    Attributes:
        request: the whole resolved request as JSON: enough to run the race again.
        updated_at: epoch milliseconds; rises with every record of one race.
        clock_start: epoch milliseconds of the gun, plus all pauses since: ticks are due relative to it.
        delivered_until: race seconds of a tick up to which everything is delivered; -1 if nothing is.
        cut_offs: the time limits as JSON; empty without any.
        cut_offs_from: what they count from; empty without any.
    """

    topic: ClassVar[Topic] = "races"
    run_id: str
    name: str
    course: str
    start_ms: int
    status: RaceState
    competitors: int
    speed: float
    seed: int
    updated_at: int
    request: str
    clock_start: int
    delivered_until: float
    cut_offs: str = ""
    cut_offs_from: str = ""

    def __len__(self) -> int:
        return 1

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Yield the columns of `races`: the attributes, in their order."""
        yield astuple(self)


@dataclass(frozen=True)
class Progress:
    """How far a part of a race is delivered (topic `progress`, which Pinot doesn't ingest).

    Attributes:
        part: the number of the part; parts are ranges of competitors.
        delivered_until: race seconds of a tick up to which everything is delivered.
        updated_at: epoch milliseconds.
    """

    run_id: str
    part: int
    delivered_until: float
    updated_at: int

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Yield the columns of `progress`: the attributes, in their order."""
        yield astuple(self)


@dataclass(frozen=True, eq=False)
class CourseRecord:
    """A course (table `courses`, which has no topic: Pinot gets it through its controller)."""

    course: Course

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Yield the columns of `courses`."""
        course = self.course
        yield (
            course.short_name,
            course.long_name,
            round(course.distance, 3),
            course.line_wkt(),
            course.fences_wkt(),
            course.start_wkt(),
            course.finish_wkt(),
            course.fences_json(),
            course.altitudes_json(),
            course.timing_points_json(),
            course.widths_json(),
        )


class Identified(Protocol):
    """What a race's own row says of it; `start_ms` is the gun time in epoch milliseconds."""

    run_id: str
    course: Course
    request: RaceRequest
    start_ms: int


class RaceSource(Identified, Protocol):
    """Source of a race's events, tick by tick: a `Race`, which is computed, or a `Recording`.

    `points` are the timing points of the passings, `members` the indices of the competitors whose events it
    has.
    """

    entrants: Entrants
    members: range
    points: tuple[TimingPoint, ...]

    def part(self, first: int, last: int, /) -> "RaceSource":
        """Return the source of the events of the competitors with the indices [first, last)."""
        ...

    @property
    def last_tick(self) -> int:
        """Number of the tick with the last event; the first tick, at the gun, is 0."""
        ...

    def time_of(self, tick: int) -> float:
        """Return a tick's race time in seconds."""
        ...

    def fixes_at(self, tick: int) -> Fixes:
        """Return the positions that the trackers report at a tick, in publishing order."""
        ...

    def passings(self, after: float, until: float) -> Passings:
        """Return all passings in the race seconds (after, until], by time."""
        ...


Streamed = Positions | Passed | ChipReads | Entries | RaceRecord
"""Batches that have a topic."""
Batch = Streamed | CourseRecord | Progress


def positions_at(race: RaceSource, tick: int, size: int) -> Iterator[Positions]:
    """Yield the positions of a tick, `size` per batch; `emitted_at` is 0 until they are published."""
    fixes = race.fixes_at(tick)
    for first in range(0, len(fixes.who), size):
        yield _positions(race, fixes, slice(first, first + size))


def positions_of_all(race: Race, tick: int) -> Positions:
    """Return all competitors' positions at a tick, reported or not."""
    return _positions(race, race.fixes_of_all(tick), slice(None))


def _positions(race: RaceSource, fixes: Fixes, part: slice) -> Positions:
    reported, truth = fixes.reported, race.request.ground_truth
    # 100 ticks of 1.15 s are 114.99999999999999 s.
    raw_time = np.round(fixes.time[part], 6).astype(np.int64)
    return Positions(
        run_id=race.run_id,
        course=race.course.short_name,
        emitted_at=0,
        bib=race.entrants.bib[fixes.who[part]],
        raw_time=raw_time,
        timestamp=race.start_ms + raw_time * 1000 + fixes.skew[part],
        # Rounded once, here, so that every store has the same numbers; 1e-7 degrees are a centimetre.
        lon=np.round(reported.lon[part], 7),
        lat=np.round(reported.lat[part], 7),
        distance=np.round(reported.distance[part], 3),
        status=reported.status[part],
        elapsed=np.round(reported.elapsed[part], 3),
        true_lon=np.round(fixes.lon[part], 7) if truth else None,
        true_lat=np.round(fixes.lat[part], 7) if truth else None,
    )


def passings_until(race: RaceSource, tick: int, size: int) -> Iterator[Passed]:
    """Yield the passings since the previous tick, `size` per batch; tick 0 has the starts."""
    since = race.time_of(tick - 1) if tick else BEFORE_THE_START
    passings = race.passings(since, race.time_of(tick))
    for first in range(0, len(passings.who), size):
        some = passings.take(slice(first, first + size))
        bib = race.entrants.bib[some.who]
        yield Passed(race.run_id, race.start_ms, race.points, bib, some.point, some.elapsed, some.distance)


def positions_on_time(race: Race, tick: int, size: int) -> Iterator[Positions]:
    """Yield the positions of one tick, as if it had been published on time."""
    emitted_at = race.start_ms + int(round(race.time_of(tick), 6)) * 1000
    for positions in positions_at(race, tick, size):
        yield replace(positions, emitted_at=emitted_at)


def reads_until(mats: Mats, tick: int, size: int) -> Iterator[ChipReads]:
    """Yield the raw reads since the previous tick, `size` per batch at most; tick 0 has those before."""
    race = mats.race
    since = race.time_of(tick - 1) if tick else BEFORE_THE_START
    for piece in mats.reads(since, race.time_of(tick)):
        for first in range(0, len(piece.who), size):
            reads = piece.take(slice(first, first + size))
            bib = np.where(reads.who == NO_ONE, 0, race.entrants.bib[reads.who])
            yield ChipReads(race.run_id, race.start_ms, mats.mats, bib, mats.ids(reads), reads)


def entries_of(race: RaceSource, size: int) -> Iterator[Entries]:
    """Yield the start list of a race's members, `size` competitors per batch."""
    for first in race.members[::size]:
        yield Entries(race.run_id, race.entrants, first, min(first + size, race.members.stop))


def record_of(  # noqa: PLR0913, PLR0917 - a race's row has as many
    race: Identified,
    status: RaceState,
    updated_at: int,
    request_json: str,
    clock_start: int | None = None,
    delivered_until: float = -1.0,
) -> RaceRecord:
    """Return the race's own row. By default, there were no pauses and nothing is delivered.

    Raises CutOffError if its cut-offs don't fit the course.
    """
    request = race.request
    limits = cut_offs.of(race.course, request)
    return RaceRecord(
        run_id=race.run_id,
        name=request.name or race.course.long_name,
        course=race.course.short_name,
        start_ms=race.start_ms,
        status=status,
        competitors=request.competitors,
        speed=request.speed,
        seed=request.seed or 0,
        updated_at=updated_at,
        request=request_json,
        clock_start=race.start_ms if clock_start is None else clock_start,
        delivered_until=delivered_until,
        cut_offs=limits.text() if limits else "",
        cut_offs_from=limits.since if limits else "",
    )
