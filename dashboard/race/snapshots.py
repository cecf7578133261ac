"""One snapshot of a race for all its viewers.

The store is queried once a second per watched race, regardless of the number of viewers: the first request
that finds the snapshot stale takes a new one, the others keep the last until it is there.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from dashboard.race import finish_list, payload
from dashboard.race.history import raw_time_at
from dashboard.race.split_times import SplitTimes
from dashboard.race.standing import Moment, race_time, stand
from dashboard.store import ground
from dashboard.store.protocol import StoreError
from stream.race_states import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dashboard.race.finish_list import Results
    from dashboard.race.standing import Standing
    from dashboard.store.protocol import Competitor, Course, Positions, Race, Store

FRESH_FOR_S = 0.9
"""Seconds; just under one, so that a viewer polling every second always gets a new snapshot."""

TOO_OLD_TO_SHOW_S = 3.0
"""Seconds; a request waits for the new snapshot if the last one is older."""

MISSING_FRESH_FOR_S = 10.0
"""Retry interval in seconds for missing names and courses, which can arrive after the first positions."""

COURSE_FRESH_FOR_S = 60.0
"""Seconds; a course can be replaced during a race, and the map follows within this time."""

RACES_FRESH_FOR_S = 2.0
"""Seconds until viewers of another race are offered a new one."""

MAX_RACES_WATCHED = 64
"""Maximum number of races with a cached snapshot; the least recently requested is evicted."""

COMPARED_WITH_S = 60.0
"""Seconds; figures are shown with their change over this time."""

FORGOTTEN_AFTER_S = 5.0
"""Seconds; an older moment is no basis for comparison, as there were no viewers since."""

PASSINGS_LATE_BY_S = 10.0
"""Seconds by which passings may arrive out of order and still be seen; later ones appear at the race's end.
"""

LOADING_FOR_S = 120.0
"""Seconds for which a store that shows less of a race than before is taken to be loading after a restart."""


class UnknownRaceError(LookupError):
    """The store does not have the race (yet)."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A race at one moment, with everything shown of it; expensive parts are computed once.

    `taken_at` is epoch seconds. `course` is None if the store doesn't have it, or if the race is run on a
    different line than the stored course of that name. `is_final`: the race is over and all its data has been
    read.
    """

    race: Race
    course: Course | None
    competitors: Mapping[int, Competitor]
    positions: Positions
    standing: Standing
    taken_at: float
    is_final: bool

    @cached_property
    def packed(self) -> payload.Packed:
        """The browsers' payload."""
        return payload.encode(
            self.race,
            self.course,
            self.positions,
            self.standing,
            names=len(self.competitors),
            taken_at=self.taken_at,
        )

    @cached_property
    def packed_names(self) -> payload.Packed:
        """The start list's payload."""
        return payload.encode_names(self.competitors)


@dataclass(eq=False)
class _Watched:
    """Cached state of one race. The thread that takes a new snapshot holds `taking`.

    `asked` is the time of the last query, `failure` its error. `course` is the stored course; once positions
    were seen off it, `is_run_elsewhere` stays true. `moments` are those of the last minute with the time they
    were seen at, the oldest first. `less_since` is when the store began to show less of the race than before.
    """

    taking: threading.Lock = field(default_factory=threading.Lock)
    snapshot: Snapshot | None = None
    failure: StoreError | None = None
    asked: float = -math.inf
    names_asked: float = -math.inf
    course: Course | None = None
    course_asked: float = -math.inf
    is_run_elsewhere: bool = False
    splits: SplitTimes = field(default_factory=SplitTimes)
    over_since: float = math.inf
    has_all_passings: bool = False
    moments: deque[tuple[float, Moment]] = field(default_factory=deque)
    less_since: float = math.inf
    results: tuple[Snapshot, Results] | None = None

    def forget(self) -> None:
        """Reset the state: the race is gone, or its run id was reused."""
        self.snapshot, self.results = None, None
        self.names_asked = self.course_asked = -math.inf
        self.is_run_elsewhere = self.has_all_passings = False
        self.splits, self.moments = SplitTimes(), deque()
        self.over_since = self.less_since = math.inf


class Snapshots:
    """The newest snapshot of each watched race; thread-safe.

    Args:
        store: where races are read.
        clock: monotonic seconds.
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
        """The newest races, at most `RACES_FRESH_FOR_S` old; the last known if the store is unavailable.

        Raises `StoreError` if there is no last known list; the error is cached for as long.
        """
        with self._asking_races:
            if self._clock() - self._races_asked >= RACES_FRESH_FOR_S:
                self._ask_for_races()
            if self._races_failure is not None and not self._races:
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

    def fresh(self, run_id: str) -> Snapshot | None:
        """The snapshot of a race if `get` would return it without a query."""
        watched = self._watched.get(run_id)
        is_fresh = watched is not None and self._is_fresh(watched) and not watched.failure
        return watched.snapshot if watched and is_fresh else None

    def get(self, run_id: str) -> Snapshot:
        """The snapshot of a race, taken again if it is older than `FRESH_FOR_S`.

        Raises `UnknownRaceError`, and `StoreError` if the store cannot be read. A failing store is also
        retried once a second, not once per viewer.
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

    def last(self, run_id: str) -> Snapshot | None:
        """The last snapshot of a race, however old; for while the store is unavailable."""
        watched = self._watched.get(run_id)
        return watched.snapshot if watched else None

    def results(self, run_id: str) -> tuple[Snapshot, Results]:
        """The snapshot of a race and its results, computed once for all viewers; raises what `get` does."""
        self.get(run_id)
        watched = self._watch(run_id)
        with watched.taking:
            if watched.snapshot is None:
                raise UnknownRaceError(run_id)
            if watched.results is None or watched.results[0] is not watched.snapshot:
                found = finish_list.results(watched.snapshot.positions, watched.splits)
                watched.results = (watched.snapshot, found)
            return watched.results

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
        begun = self._clock()
        try:
            watched.snapshot = self._read(run_id, watched)
            if watched.snapshot is not None:
                _ = watched.snapshot.packed  # in the requesting thread, for all later ones
            watched.failure = None
            # Measured from the start: a request one second later takes a new snapshot, however long this one
            # took.
            watched.asked = begun
        except StoreError as failure:
            watched.failure = failure
            watched.asked = self._clock()

    def _read(self, run_id: str, watched: _Watched) -> Snapshot | None:
        race = self._store.race(run_id)
        if race is None:
            self._expect_as_much(watched, None)
            watched.forget()
            return None
        if watched.snapshot is not None and not _is_same(watched.snapshot.race, race):
            watched.forget()
        if watched.snapshot is not None and _is_settled(watched.snapshot, race):
            return self._with_course(watched.snapshot, watched)
        positions = self._store.positions(run_id)
        self._expect_as_much(watched, positions)
        self._read_passings(race, watched)
        standing = stand(positions, watched.splits, self._before(race, positions, watched))
        watched.moments.append((self._clock(), Moment(standing.race_time, standing.figures.leader_distance)))
        return Snapshot(
            race=race,
            course=self._course(race, positions, watched),
            competitors=self._competitors(race, watched),
            positions=positions,
            standing=standing,
            taken_at=self._wall_clock(),
            is_final=watched.has_all_passings,
        )

    def _expect_as_much(self, watched: _Watched, positions: Positions | None) -> None:
        """Raise `StoreError` if the store has less of a race than before, as while it loads after a restart.

        If this lasts, the data is taken to be lost for good.
        """
        known = -1 if watched.snapshot is None else watched.snapshot.positions.newest_emitted
        found = -1 if positions is None else positions.newest_emitted
        if found >= known:
            watched.less_since = math.inf
            return
        watched.less_since = min(watched.less_since, self._clock())
        if self._clock() - watched.less_since < LOADING_FOR_S:
            raise StoreError(
                "The store has less data on this race than before: it is still loading, or has restarted."
            )

    def _with_course(self, settled: Snapshot, watched: _Watched) -> Snapshot:
        """The snapshot of a finished race; its course may still be replaced."""
        course = self._course(settled.race, settled.positions, watched)
        return settled if course is settled.course else replace(settled, course=course)

    def _read_passings(self, race: Race, watched: _Watched) -> None:
        """Read new passings; all of them at first, and once more when the race is over."""
        if watched.has_all_passings:
            return
        if race.status in ENDED:
            watched.over_since = min(watched.over_since, self._clock())
        is_first = watched.snapshot is None
        is_last = self._clock() - watched.over_since >= PASSINGS_LATE_BY_S
        late_by_ms = round(PASSINGS_LATE_BY_S * 1000 * max(1.0, race.speed))
        after = None if is_first or is_last else watched.splits.newest - late_by_ms
        watched.splits.add(self._store.passings(race.run_id, after))
        watched.has_all_passings = is_last

    def _before(self, race: Race, positions: Positions, watched: _Watched) -> Moment | None:
        """The moment a minute ago to compare with; None while no competitor is on the course."""
        if not len(positions) or race.status in ENDED:
            return None
        moments, then = watched.moments, self._clock() - COMPARED_WITH_S
        while len(moments) > 1 and moments[1][0] <= then:
            moments.popleft()
        if not moments or moments[0][0] < then - FORGOTTEN_AFTER_S:
            moments.clear()
            moments.append((then, self._moment_ago(race, positions, watched)))
        return moments[0][1]

    def _moment_ago(self, race: Race, positions: Positions, watched: _Watched) -> Moment:
        """Read the leader's position before the first viewer came."""
        then = race_time(positions) - COMPARED_WITH_S * race.speed
        if then <= 0:
            return Moment(0.0, 0.0)
        if watched.splits.count("finish", then):
            return Moment(then, float(positions.distance.max()))
        past = self._store.positions_at(race.run_id, raw_time_at(race, then))
        return Moment(then, float(past.distance.max()) if len(past) else None)

    def _course(self, race: Race, positions: Positions, watched: _Watched) -> Course | None:
        fresh_for = COURSE_FRESH_FOR_S if watched.course else MISSING_FRESH_FOR_S
        if self._clock() - watched.course_asked >= fresh_for:
            # A store that is loading may briefly have no course.
            watched.course = self._store.course(race.course) or watched.course
            watched.course_asked = self._clock()
        if watched.course and not ground.is_run_on(watched.course, positions, race.gps_error):
            watched.is_run_elsewhere = True
        return None if watched.is_run_elsewhere else watched.course

    def _competitors(self, race: Race, watched: _Watched) -> Mapping[int, Competitor]:
        known = watched.snapshot.competitors if watched.snapshot else {}
        asked_lately = self._clock() - watched.names_asked < MISSING_FRESH_FOR_S
        if asked_lately or len(known) >= race.competitors:
            return known
        watched.names_asked = self._clock()
        return self._store.competitors(race.run_id)


def _is_settled(snapshot: Snapshot, race: Race) -> bool:
    """Whether this snapshot is final; `race` is the race's current row in the store."""
    has_names = len(snapshot.competitors) >= race.competitors
    return snapshot.is_final and has_names and snapshot.race == race


def _is_same(one: Race, other: Race) -> bool:
    """Whether both are the same race, rather than a reused run id after a simulator restart."""
    return (one.start_time, one.seed, one.course) == (other.start_time, other.seed, other.course)
