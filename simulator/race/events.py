"""What a race tells: the batches that go from the engine to a publisher.

A batch is columns, as the core makes them; each publisher makes of it what its store takes (`encode` for
Kafka, rows for SQLite). The topics, tables and fields are those of the stream's contract.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, get_args

import numpy as np

from simulator.race.race import BEFORE_THE_START, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from simulator.course.course import Course, TimingPoint
    from simulator.race.entrants import Entrants
    from simulator.race.race import Fixes, Passings, Race
    from simulator.race.request import RaceRequest
    from stream.race_states import RaceState

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

Topic = Literal["parkrun", "races", "competitors", "passings"]
TOPICS: tuple[Topic, ...] = get_args(Topic)
STATUS_NAMES = tuple(status.name.lower() for status in Status)


@dataclass(frozen=True, eq=False)
class Positions:
    """Positions of one race at one tick (topic and table `parkrun`); arrays of shape (k,).

    Attributes:
        run_id: the race.
        course: the course's short name.
        emitted_at: epoch milliseconds when the batch was handed over.
        bib: 1…
        raw_time: whole seconds since the gun.
        timestamp: epoch milliseconds of the start, plus `raw_time`, by the tracker's clock.
        lon, lat: degrees, by the tracker.
        distance: metres.
        status: values of `Status`.
        elapsed: seconds since the gun; a finisher's finish time.
        true_lon, true_lat: degrees; None if they are not to be told.
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

    def status_names(self) -> list[str]:
        """Return each competitor's status as the events say it."""
        return [STATUS_NAMES[code] for code in self.status.tolist()]


@dataclass(frozen=True, eq=False)
class Passed:
    """Passings of one race (topic and table `passings`); arrays of shape (k,).

    Attributes:
        point: index into `points`.
        elapsed: exact seconds since the gun.
        distance: metres.
    """

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
class Entries:
    """The start list of one race, or a part of it (topic and table `competitors`).

    Attributes:
        entrants: those of the whole race.
        first: index of the first one.
        last: index behind the last one.
    """

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
            yield self.run_id, who.bib, who.name, who.category, who.wave, who.club


@dataclass(frozen=True)
class RaceRecord:
    """A race's own row (topic and table `races`).

    Attributes:
        request: the whole resolved request as JSON: enough to run the race again.
        updated_at: epoch milliseconds; rises with every record of one race.
        clock_start: epoch milliseconds of the gun, plus all pauses since: ticks are due relative to it.
        delivered_until: race seconds of a tick up to which everything is delivered; -1 if nothing is.
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

    def __len__(self) -> int:
        return 1

    def row(self) -> tuple[object, ...]:
        """Return the columns of `races`: the attributes, in their order."""
        return astuple(self)


@dataclass(frozen=True, eq=False)
class CourseRecord:
    """A course (table `courses`; no topic leads there: Pinot gets it through its controller)."""

    course: Course

    def __len__(self) -> int:
        return 1

    def row(self) -> tuple[object, ...]:
        """Return the columns of `courses`."""
        course = self.course
        return (
            course.short_name,
            course.long_name,
            round(course.distance, 3),
            course.line_wkt(),
            course.fences_wkt(),
            course.start_wkt(),
            course.finish_wkt(),
            course.fences_json(),
        )


class RaceSource(Protocol):
    """What tells a race tick by tick: a `Race` that is computed, or a `Recording` of one.

    Attributes:
        run_id: the race's id.
        start_ms: when the gun goes, epoch milliseconds.
        points: the timing points of its passings.
    """

    run_id: str
    course: Course
    request: RaceRequest
    start_ms: int
    entrants: Entrants
    points: tuple[TimingPoint, ...]

    @property
    def last_tick(self) -> int:
        """The number of the tick that tells the last event; the first tick, at the gun, is 0."""
        ...

    def time_of(self, tick: int) -> float:
        """Return a tick's race time in seconds."""
        ...

    def fixes_at(self, tick: int) -> Fixes:
        """Return what the trackers tell at a tick, in the order in which they do."""
        ...

    def passings(self, after: float, until: float) -> Passings:
        """Return all passings in the race seconds (after, until], in the order of time."""
        ...


Streamed = Positions | Passed | Entries | RaceRecord
"""Batches that have a topic."""
Batch = Streamed | CourseRecord


def positions_at(race: RaceSource, tick: int, size: int) -> Iterator[Positions]:
    """Yield the positions that are told at a tick, `size` of them a batch.

    They are taken once, at the first step; `emitted_at` is 0 until the batch is handed over.
    """
    fixes = race.fixes_at(tick)
    for first in range(0, len(fixes.who), size):
        yield _positions(race, fixes, slice(first, first + size))


def positions_of_all(race: Race, tick: int) -> Positions:
    """Return the positions of everybody at a tick, those included who have nothing new to tell."""
    return _positions(race, race.fixes_of_all(tick), slice(None))


def _positions(race: RaceSource, fixes: Fixes, part: slice) -> Positions:
    told, truth = fixes.told, race.request.ground_truth
    # 100 ticks of 1.15 s are 114.99999999999999 s.
    raw_time = np.round(fixes.time[part], 6).astype(np.int64)
    return Positions(
        run_id=race.run_id,
        course=race.course.short_name,
        emitted_at=0,
        bib=race.entrants.bib[fixes.who[part]],
        raw_time=raw_time,
        timestamp=race.start_ms + raw_time * 1000 + fixes.skew[part],
        # What the events say is rounded once, here, so that every store holds the same numbers:
        # seven decimals of a degree are a centimetre.
        lon=np.round(told.lon[part], 7),
        lat=np.round(told.lat[part], 7),
        distance=np.round(told.distance[part], 3),
        status=told.status[part],
        elapsed=np.round(told.elapsed[part], 3),
        true_lon=np.round(fixes.lon[part], 7) if truth else None,
        true_lat=np.round(fixes.lat[part], 7) if truth else None,
    )


def passings_until(race: RaceSource, tick: int, size: int) -> Iterator[Passed]:
    """Yield the passings since the tick before, `size` of them a batch; tick 0 has the starts."""
    since = race.time_of(tick - 1) if tick else BEFORE_THE_START
    passings = race.passings(since, race.time_of(tick))
    bibs = race.entrants.bib[passings.who]
    for first in range(0, len(bibs), size):
        part = slice(first, first + size)
        yield Passed(
            race.run_id,
            race.start_ms,
            race.points,
            bibs[part],
            passings.point[part],
            passings.elapsed[part],
            passings.distance[part],
        )


def entries_of(race: RaceSource, size: int) -> Iterator[Entries]:
    """Yield the race's start list, `size` competitors a batch."""
    count = len(race.entrants)
    for first in range(0, count, size):
        yield Entries(race.run_id, race.entrants, first, min(first + size, count))


def record_of(  # noqa: PLR0913, PLR0917 - a race's row has as many
    race: RaceSource,
    status: RaceState,
    updated_at: int,
    request_json: str,
    clock_start: int | None = None,
    delivered_until: float = -1.0,
) -> RaceRecord:
    """Return the race's own row.

    Args:
        race: the race.
        status: where it stands.
        updated_at: epoch milliseconds.
        request_json: the whole resolved request, its points included.
        clock_start: epoch milliseconds of the gun, later by all pauses; the gun itself if there were none.
        delivered_until: race seconds up to which everything is delivered; -1 if nothing is.
    """
    request = race.request
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
    )
