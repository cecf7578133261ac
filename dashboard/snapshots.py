"""One picture of a race for all who watch it.

However many viewers there are, the store is asked once a second for each race that somebody watches:
whoever finds the picture too old takes the new one, the others go on with the last until it is there.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from dashboard import ground, leaderboard, map_feed
from dashboard.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from dashboard.store import Competitor, Course, Positions, Race, Store

FRESH_FOR_S = 0.9
"""Just under a second, so that a viewer who asks every second always gets a new picture."""

TOO_OLD_TO_SHOW_S = 3.0
"""Older than this, a viewer waits for the new picture instead."""

MISSING_FRESH_FOR_S = 10.0
"""Names and the course can arrive after the first positions; so often what is missing is asked for."""

COURSE_FRESH_FOR_S = 60.0
"""A course can be loaded anew while it is raced on; so soon the map follows."""

RACES_FRESH_FOR_S = 2.0
"""So soon a new race is offered to those who watch another."""

MAX_RACES_WATCHED = 64
"""Pictures of more races than this aren't kept; the one that was asked for longest ago goes first."""

MAX_ROWS = 1000
"""The leaderboard shows so many; no screen shows more, and each row travels every second."""


class UnknownRaceError(LookupError):
    """The store has no such race (yet)."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A race at one moment, with all that is shown of it; what is costly is worked out once.

    `taken_at` is epoch seconds. `course` is None if the store doesn't have it, or if the race is run on
    another line than the one that has its name in the store.
    """

    race: Race
    course: Course | None
    competitors: Mapping[int, Competitor]
    positions: Positions
    taken_at: float

    @cached_property
    def ranking(self) -> leaderboard.Ranking:
        """Everybody's place."""
        return leaderboard.rank(self.positions)

    @cached_property
    def figures(self) -> leaderboard.Figures:
        """The header's numbers."""
        return leaderboard.figures(self.positions, self.ranking)

    @cached_property
    def table(self) -> pd.DataFrame:
        """The leaderboard's first `MAX_ROWS` rows."""
        distance = self.course.distance if self.course else None
        return leaderboard.table(self.positions, self.ranking, self.competitors, distance, limit=MAX_ROWS)

    @cached_property
    def feed(self) -> map_feed.Feed:
        """What the map's layer is sent."""
        return map_feed.encode(self.positions)


@dataclass(eq=False)
class _Watched:
    """What is kept of one race. `taking` is held by the one who takes the new picture.

    `asked` is when the store was last asked; `failure` what it said then instead of an answer. `course` is
    what the store has; once positions were seen off it, `is_run_elsewhere` stays true.
    """

    taking: threading.Lock = field(default_factory=threading.Lock)
    snapshot: Snapshot | None = None
    failure: StoreError | None = None
    asked: float = -math.inf
    names_asked: float = -math.inf
    course: Course | None = None
    course_asked: float = -math.inf
    is_run_elsewhere: bool = False


class Snapshots:
    """The newest picture of each race that somebody watches; any thread may ask.

    Args:
        store: where races are read.
        clock: seconds that only go forward.
        wall_clock: epoch seconds.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._clock = clock
        self._wall_clock = wall_clock
        self._watched: OrderedDict[str, _Watched] = OrderedDict()
        self._lock = threading.Lock()
        self._asking_races = threading.Lock()
        self._races: Sequence[Race] = ()
        self._races_failure: StoreError | None = None
        self._races_asked = -math.inf

    def races(self) -> Sequence[Race]:
        """The newest races, as the store said at most `RACES_FRESH_FOR_S` ago.

        Raises `StoreError`, which is remembered as long.
        """
        with self._asking_races:
            if self._clock() - self._races_asked >= RACES_FRESH_FOR_S:
                self._ask_for_races()
            if self._races_failure is not None:
                raise self._races_failure
            return self._races

    def _ask_for_races(self) -> None:
        try:
            self._races = self._store.races()
            self._races_failure = None
        except StoreError as failure:
            self._races_failure = failure
        finally:
            self._races_asked = self._clock()

    def last(self, run_id: str) -> Snapshot | None:
        """The last picture of a race, however old, without a question to the store."""
        watched = self._watched.get(run_id)
        return watched.snapshot if watched else None

    def fresh(self, run_id: str) -> Snapshot | None:
        """The picture of a race if it is so new that `get` would answer it without asking."""
        watched = self._watched.get(run_id)
        is_fresh = watched is not None and self._is_fresh(watched) and not watched.failure
        return watched.snapshot if watched and is_fresh else None

    def get(self, run_id: str) -> Snapshot:
        """The picture of a race, taken anew if it is older than `FRESH_FOR_S`.

        Raises `UnknownRaceError`, and `StoreError` if the store can't be read. A store that fails is asked
        again once a second too, not once per viewer.
        """
        watched = self._watch(run_id)
        snapshot = watched.snapshot
        must_wait = snapshot is None or self._age(watched) >= TOO_OLD_TO_SHOW_S
        if watched.taking.acquire(blocking=must_wait):
            try:
                if not self._is_fresh(watched):
                    self._take(run_id, watched)
                snapshot = watched.snapshot
            finally:
                watched.taking.release()
        if watched.failure is not None:
            raise watched.failure
        if snapshot is None:
            raise UnknownRaceError(run_id)
        return snapshot

    def _age(self, watched: _Watched) -> float:
        return self._clock() - watched.asked

    def _is_fresh(self, watched: _Watched) -> bool:
        return self._age(watched) < FRESH_FOR_S

    def _watch(self, run_id: str) -> _Watched:
        with self._lock:
            watched = self._watched.setdefault(run_id, _Watched())
            self._watched.move_to_end(run_id)
            while len(self._watched) > MAX_RACES_WATCHED:
                self._watched.popitem(last=False)
            return watched

    def _take(self, run_id: str, watched: _Watched) -> None:
        try:
            watched.snapshot = self._read(run_id, watched)
            watched.failure = None
        except StoreError as failure:
            watched.failure = failure
        finally:
            watched.asked = self._clock()

    def _read(self, run_id: str, watched: _Watched) -> Snapshot | None:
        race = self._store.race(run_id)
        if race is None:
            return None
        positions = self._store.positions(run_id)
        return Snapshot(
            race=race,
            course=self._course(race, positions, watched),
            competitors=self._competitors(race, watched),
            positions=positions,
            taken_at=self._wall_clock(),
        )

    def _course(self, race: Race, positions: Positions, watched: _Watched) -> Course | None:
        fresh_for = COURSE_FRESH_FOR_S if watched.course else MISSING_FRESH_FOR_S
        if self._clock() - watched.course_asked >= fresh_for:
            watched.course = self._store.course(race.course)
            watched.course_asked = self._clock()
        if watched.course and not ground.is_run_on(watched.course, positions):
            watched.is_run_elsewhere = True
        return None if watched.is_run_elsewhere else watched.course

    def _competitors(self, race: Race, watched: _Watched) -> Mapping[int, Competitor]:
        known = watched.snapshot.competitors if watched.snapshot else {}
        asked_lately = self._clock() - watched.names_asked < MISSING_FRESH_FOR_S
        if asked_lately or len(known) >= race.competitors:
            return known
        watched.names_asked = self._clock()
        return self._store.competitors(race.run_id)
