"""What the dashboard reads: races, courses, competitors and their newest positions.

`Store` is the contract; `SqlStore` and `PinotStore` implement it and pass the same tests. Nothing here
depends on Streamlit, the map or a database.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from stream.arrays import Floats, Ints, Mask, Texts
from stream.contract import TABLES
from stream.cut_offs import CutOffs
from stream.results import WAVE_DELAY

STATUSES = TABLES["parkrun"].fields["status"].words
"""All statuses of a competitor, in the order in which the map numbers them."""

ON_COURSE = ("running", "paused")
OUT = ("dsq", "dnf", "dns")
"""Statuses that never have a place."""

MAX_RACES = 200
"""Maximum number of races offered, the newest first."""

MAX_COMPETITORS = 1_000_000
"""The API's limit per race; Pinot requires an explicit limit where SQLite does not."""

MAX_SPANS = 1_000_000
"""More than there are spans of time with arrivals, at all points of a race."""

MAX_PASSINGS = 10_000_000
"""More than a query's competitors have: one hundred each for 100,000."""

ANYWHERE = 1e9
"""Metres, more than any course has."""

Parameter = str | int | float | list[int]
"""A value in a query."""

_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SHORT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class StoreError(Exception):
    """The store cannot be read; the message gives the cause and the remedy."""


@dataclass(frozen=True)
class Race:
    """A race as the store has it.

    Attributes:
        run_id: its id in links and tables.
        name: its name, exactly as typed.
        course: the course's short name.
        course_name: its long name, or the short one if the store doesn't have the course.
        start_time: epoch milliseconds UTC.
        status: scheduled, running, paused, finished or cancelled.
        competitors: number of competitors on the start list.
        speed: race seconds per second.
        seed: the random seed that makes it repeatable.
        interval: race seconds between two ticks.
        updated_at: epoch milliseconds UTC of the newest change of this row.
        gps_error: standard deviation of positions, in metres.
        wave_delay: seconds between the guns of two waves.
        is_crowded: whether competitors hold each other up.
        width: metres that the course is wide at most, by the race's request; inf if it is unlimited.
        cut_offs: the time limits, or None.
    """

    run_id: str
    name: str
    course: str
    course_name: str
    start_time: int
    status: str
    competitors: int
    speed: float
    seed: int
    interval: float
    updated_at: int
    gps_error: float = 0.0
    wave_delay: float = WAVE_DELAY
    is_crowded: bool = False
    width: float = math.inf
    cut_offs: CutOffs | None = None


@dataclass(frozen=True, eq=False)
class Fence:
    """A geofence.

    Attributes:
        name: its name.
        rings: outer first, then holes, each of shape (n, 2) as lon, lat.
        visits: first and last metre of each stretch of the course inside it, all laps.
    """

    name: str
    rings: tuple[Floats, ...]
    visits: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class PointOnCourse:
    """A timing point: its name, and metres of the race covered there."""

    name: str
    distance: float


@dataclass(frozen=True, eq=False)
class Course:
    """A course to draw and to measure by.

    Attributes:
        short_name, long_name: its names.
        distance: metres from start to finish, all laps.
        line: degrees lon, lat of one lap, shape (n, 2); longitudes are continuous and may exceed ±180. Those
            of all other places continue from them.
        start, finish: lon, lat.
        fences: in the order of the course's file.
        altitudes: metres above sea level of each vertex of the line, shape (n,); None if unknown.
        points: the timing points in the order in which the race passes them, each lap's for itself.
        widths: where the width of a lap changes, metres, and how wide it is from there on; inf is unlimited.
    """

    short_name: str
    long_name: str
    distance: float
    line: Floats
    start: tuple[float, float]
    finish: tuple[float, float]
    fences: tuple[Fence, ...]
    altitudes: Floats | None = None
    points: tuple[PointOnCourse, ...] = ()
    widths: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Competitor:
    """A competitor's start list entry. The club may be empty; so may the sex (F, M or X), if unknown."""

    name: str
    category: str
    wave: int
    club: str = ""
    sex: str = ""


@dataclass(frozen=True, eq=False)
class Positions:
    """The newest position of each competitor of a race, in bib order; every array has shape (n,).

    Attributes:
        competitor: bib numbers.
        lon, lat: degrees.
        distance: metres of the course covered.
        status: one of `STATUSES`.
        elapsed: race time in seconds since the first gun; for finishers, of the exact finish.
        newest_emitted: epoch milliseconds (wall clock) at which the simulator emitted the newest of them; 0
            if there is none.
    """

    competitor: Ints
    lon: Floats
    lat: Floats
    distance: Floats
    status: Texts
    elapsed: Floats
    newest_emitted: int

    def __len__(self) -> int:
        return len(self.competitor)

    def columns(self) -> dict[str, Any]:
        """The arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)[:-1]}

    def take(self, some: Mask | NDArray[np.intp]) -> "Positions":
        """The positions that a mask of shape (n,) or indices select."""
        return replace(self, **{name: column[some] for name, column in self.columns().items()})

    def with_others(self, others: "Positions") -> "Positions":
        """These positions, completed with those of all other competitors; of these if one has both."""
        rest = others.take(~np.isin(others.competitor, self.competitor)).columns()
        both: dict[str, Any] = {
            name: np.concatenate([column, rest[name]]) for name, column in self.columns().items()
        }
        return replace(self, **both).take(np.argsort(both["competitor"], kind="stable"))


@dataclass(frozen=True, eq=False)
class Passings:
    """Passings of one timing point, in any order; the arrays have shape (k,).

    Attributes:
        kind: start, split, enter, exit, finish, dnf or dsq.
        point: the timing point's name: `1 km`, the geofence's, `Finish`.
        lap: counts one competitor's passings of this point.
        distance: metres of the course.
        newest: epoch milliseconds of the start, plus the longest `elapsed`.
        competitor: bib numbers.
        elapsed: exact race time in seconds.
    """

    kind: str
    point: str
    lap: int
    distance: float
    newest: int
    competitor: Ints
    elapsed: Floats

    def __len__(self) -> int:
        return len(self.competitor)


@dataclass(frozen=True)
class Every:
    """The competitors whose bib is a multiple of `step`: always the same ones, spread over the field."""

    step: int

    def __contains__(self, bib: int) -> bool:
        return bib % self.step == 0

    def mask(self, bibs: Ints) -> Mask:
        """Which of these bibs are among them, shape (n,)."""
        found: Mask = bibs % self.step == 0
        return found


Selection = Every | Sequence[int]
"""Some of a race's competitors: by a rule, or these bibs."""


@dataclass(frozen=True)
class Tally:
    """The newest positions of a race in numbers.

    Attributes:
        counts: competitors by status; a status without competitors may be missing.
        race_time: race seconds of the newest position, or of the tick that shows a disqualification; 0 before
            the first.
        newest_emitted: epoch milliseconds at which the newest was emitted; 0 if there is none.
        last_bib: the highest bib; 0 if there is none.
        finish: metres that the finishers have covered; 0 before the first.
    """

    counts: Mapping[str, int]
    race_time: float
    newest_emitted: int
    last_bib: int
    finish: float

    def count(self, *statuses: str) -> int:
        """Number of competitors with one of these statuses."""
        return sum(self.counts.get(status, 0) for status in statuses)


class Finishes(NamedTuple):
    """Competitors who have finished; all arrays of shape (k,).

    Attributes:
        competitor: bib numbers, rising.
        elapsed: exact race time in seconds.
        counts: False for disqualified ones.
        newest_emitted: epoch milliseconds at which the newest was emitted; 0 if there is none.
    """

    competitor: Ints
    elapsed: Floats
    counts: Mask
    newest_emitted: int


class Arrived(NamedTuple):
    """Arrivals at a timing point in a span of time.

    Attributes:
        kind, point, lap: as passings have them.
        span: its number.
        many: number of arrivals.
    """

    kind: str
    point: str
    lap: int
    span: int
    many: int


class Mark(NamedTuple):
    """The newest positions of a race in sum: those of another moment have another mark.

    Attributes:
        emitted: epoch milliseconds UTC at which the newest was emitted; 0 if there are none.
        raw_time: sum of their race seconds.
        competitors: number of those with a position.
    """

    emitted: int
    raw_time: int
    competitors: int


class Store(Protocol):
    """Reads races; every method raises `StoreError` if the store cannot be read."""

    def races(self) -> Sequence[Race]:
        """The newest `MAX_RACES` races, newest start first."""
        ...

    def race(self, run_id: str) -> Race | None:
        """One race, or None if the store doesn't have it (yet)."""
        ...

    def course(self, short_name: str) -> Course | None:
        """One course, or None if the store doesn't have it."""
        ...

    # Those with `some` return what there is of these competitors only; by default, of all.

    def competitors(self, run_id: str, some: Selection | None = None) -> Mapping[int, Competitor]:
        """The competitors of a race by bib number; empty if unknown."""
        ...

    def positions(self, run_id: str, some: Selection | None = None) -> Positions:
        """The newest position of each competitor; of length 0 before the first tick."""
        ...

    def mark(self, run_id: str, some: Every | None = None) -> Mark:
        """What changes with every position that comes; much cheaper than the positions."""
        ...

    def positions_at(
        self, run_id: str, raw_time: int, look_back: int = 0, some: Every | None = None
    ) -> Positions:
        """Each competitor's position at this whole second of race time; of length 0 if there are none.

        For competitors without one, the newest of the `look_back` seconds before, by race time and not by
        arrival order.
        """
        ...

    def passings(
        self, run_id: str, after_ms: int | None = None, some: Selection | None = None
    ) -> Sequence[Passings]:
        """The passings of a race by point, or those whose timestamp is greater than `after_ms`.

        A point's may come in several parts.
        """
        ...

    # The next ones answer what is shown of a race that is too large to read all positions.

    def tally(self, run_id: str) -> Tally:
        """The newest positions in numbers, exact."""
        ...

    def front(self, run_id: str, most: int) -> Positions:
        """The newest positions of the first competitors on the course, by distance, then by bib."""
        ...

    def between(self, run_id: str, first: float, last: float = ANYWHERE) -> int:
        """Number of competitors on the course between two distances, in metres; `last` is excluded."""
        ...

    def finishes(self, run_id: str, bibs: range, after_ms: int = 0) -> Finishes:
        """Finishers with these bibs, disqualified ones included; those emitted after a moment, epoch ms."""
        ...

    def waves(self, run_id: str, bibs: range) -> tuple[Ints, Ints]:
        """Bibs, rising, and waves of the competitors with these bibs who start in a later wave than 1."""
        ...

    def starts(self, run_id: str, bibs: range) -> tuple[Ints, Floats]:
        """Bibs, rising, and race seconds of the own starts of the competitors with these bibs."""
        ...

    def count_competitors(self, run_id: str) -> int:
        """Length of the start list as far as it is there."""
        ...

    def find(self, run_id: str, text: str, most: int) -> Mapping[int, Competitor]:
        """Competitors with a text in their name or club, in any case; the first ones by bib."""
        ...

    def count_arrivals(self, run_id: str, offset: float, step: float) -> Sequence[Arrived]:
        """The arrivals at splits, geofences and the finish by spans of `step` seconds.

        The span with the number 0 begins `offset` seconds before the first gun.
        """
        ...

    def dropped(self, run_id: str) -> tuple[Ints, Floats, Floats]:
        """Bibs, rising, metres and race seconds of those who gave up or were stopped; shape (k,) each."""
        ...

    def count_passings(self, run_id: str) -> int:
        """The number of a race's passings; much cheaper than these."""
        ...


def is_run_id(text: str) -> bool:
    """Whether `text` can be a run id; only such texts may reach a store."""
    return _RUN_ID.fullmatch(text) is not None


def is_short_name(text: str) -> bool:
    """Whether `text` can be the short name of a course; only such texts may reach a store."""
    return _SHORT_NAME.fullmatch(text) is not None
