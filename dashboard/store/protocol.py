"""What the dashboard reads: races, courses, competitors and their newest positions.

`Store` is the contract; `sqlite_store` and `pinot_store` keep it, and both are held to the same tests.
Nothing here knows of Streamlit, of the map or of a database.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.arrays import Floats, Ints, Mask, Texts

STATUSES = ("running", "paused", "finished", "dnf", "dns", "dsq", "waiting")
"""Every status of a competitor, in the order in which the map numbers them."""

ON_COURSE = ("running", "paused")
OUT = ("dsq", "dnf", "dns")
"""Who has none of the places, whatever comes: disqualified, given up, not started."""

MAX_RACES = 200
"""So many races are offered, the newest first."""

MAX_COMPETITORS = 100_000
"""No race has more (the API's limit); Pinot wants a number where SQLite needs none."""

MAX_PASSINGS = 10_000_000
"""A hundred for each of the most competitors."""

_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SHORT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class StoreError(Exception):
    """The store can't be read just now; the text says why and what to do about it."""


@dataclass(frozen=True)
class Race:
    """A race as the store knows it.

    Attributes:
        run_id: what links and tables call it.
        name: what people call it, exactly as typed.
        course: the course's short name.
        course_name: its long name, or the short one if the course isn't in the store.
        start_time: epoch milliseconds UTC.
        status: scheduled, running, paused, finished or cancelled.
        competitors: how many start.
        speed: race seconds per second.
        seed: what makes it repeatable.
        interval: race seconds between two ticks.
        updated_at: epoch milliseconds UTC of the newest change of this row.
        gps_error: metres by which places are wrong, standard deviation.
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


@dataclass(frozen=True, eq=False)
class Fence:
    """A geofence: its name, and its rings (outer first, then holes), each of shape (n, 2) as lon, lat."""

    name: str
    rings: tuple[Floats, ...]


@dataclass(frozen=True, eq=False)
class Course:
    """A course to draw and to measure by.

    Attributes:
        short_name, long_name: its names.
        distance: metres from start to finish, all laps.
        line: degrees lon, lat of one lap, shape (n, 2); longitudes are continuous (they may leave ±180), and
            those of all other places go on from them.
        start, finish: lon, lat.
        fences: in the order of the course's file.
    """

    short_name: str
    long_name: str
    distance: float
    line: Floats
    start: tuple[float, float]
    finish: tuple[float, float]
    fences: tuple[Fence, ...]


@dataclass(frozen=True)
class Competitor:
    """Who wears a bib; a club may be empty."""

    name: str
    category: str
    wave: int
    club: str = ""


@dataclass(frozen=True, eq=False)
class Positions:
    """The newest position of each competitor of a race, in bib order; every array has shape (n,).

    Attributes:
        competitor: bib numbers.
        lon, lat: degrees.
        distance: metres of the course covered.
        status: one of `STATUSES`.
        elapsed: race time in seconds; the exact finish time of who has come there.
        newest_emitted: epoch milliseconds (wall clock) at which the newest of them left the simulator; 0 if
            there is none.
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

    def take(self, some: Mask) -> Positions:
        """Those of some competitors; a mask of shape (n,)."""
        return Positions(
            competitor=self.competitor[some],
            lon=self.lon[some],
            lat=self.lat[some],
            distance=self.distance[some],
            status=self.status[some],
            elapsed=self.elapsed[some],
            newest_emitted=self.newest_emitted,
        )


@dataclass(frozen=True, eq=False)
class Passings:
    """Passings of timing points, in the order of time, then of the bibs; every array has shape (k,).

    Attributes:
        competitor: bib numbers.
        kind: start, split, enter, exit, finish, dnf or dsq.
        point: the timing point's name: `1 km`, the geofence's, `Finish`.
        lap: counts the passings of this very point by one competitor.
        distance: metres of the course.
        elapsed: exact race time in seconds.
        timestamp: epoch milliseconds of the start, plus `elapsed`.
    """

    competitor: Ints
    kind: Texts
    point: Texts
    lap: Ints
    distance: Floats
    elapsed: Floats
    timestamp: Ints

    def __len__(self) -> int:
        return len(self.competitor)


class Store(Protocol):
    """Reads races; every method raises `StoreError` if the store can't be read."""

    def races(self) -> Sequence[Race]:
        """The newest `MAX_RACES` races, newest start first."""
        ...

    def race(self, run_id: str) -> Race | None:
        """One race, or None if the store has none of that name (yet)."""
        ...

    def course(self, short_name: str) -> Course | None:
        """One course, or None if the store doesn't have it."""
        ...

    def competitors(self, run_id: str) -> Mapping[int, Competitor]:
        """The competitors of a race by bib number; empty if nothing is known of them."""
        ...

    def positions(self, run_id: str) -> Positions:
        """The newest position of each competitor; of length 0 before the first tick."""
        ...

    def positions_at(self, run_id: str, raw_time: int, look_back: int = 0) -> Positions:
        """What each competitor told of this whole second of race time; of length 0 if nobody did.

        Of who told nothing of it, the newest of the `look_back` seconds before, in race time and not in the
        order in which positions came.
        """
        ...

    def passings(self, run_id: str, after_ms: int | None = None) -> Passings:
        """The passings of a race, or those whose timestamp is more than `after_ms`."""
        ...


def is_run_id(text: str) -> bool:
    """Whether `text` can be the name of a race at all: what is asked of a store must pass this."""
    return _RUN_ID.fullmatch(text) is not None


def is_short_name(text: str) -> bool:
    """Whether `text` can be the short name of a course; likewise."""
    return _SHORT_NAME.fullmatch(text) is not None
