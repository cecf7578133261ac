"""One picture of a race for all who watch it.

However many viewers there are, the store is asked once a second for each race that somebody watches:
whoever finds the picture too old takes the new one, the others go on with the last until it is there.
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

COMPARED_WITH_S = 60.0
"""Figures are shown with their change since so long ago."""

FORGOTTEN_AFTER_S = 5.0
"""A moment that is older by more than this is no measure: nobody has watched since."""

PASSINGS_LATE_BY_S = 10.0
"""Passings that come so much later than younger ones are still seen; later ones at the race's end."""

LOADING_FOR_S = 120.0
"""So long a store that shows less of a race than before is taken to be loading it after a restart."""


class UnknownRaceError(LookupError):
    """The store has no such race (yet)."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A race at one moment, with all that is shown of it; what is costly is worked out once.

    `taken_at` is epoch seconds. `course` is None if the store doesn't have it, or if the race is run on
    another line than the one that has its name in the store. `is_final`: the race is over and everything
    that it told has been read.
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
        """What the browsers are sent."""
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
        """The start list, as the browsers are sent it."""
        return payload.encode_names(self.competitors)


@dataclass(eq=False)
class _Watched:
    """What is kept of one race. `taking` is held by the one who takes the new picture.

    `asked` is when the store was last asked; `failure` what it said then instead of an answer. `course` is
    what the store has; once positions were seen off it, `is_run_elsewhere` stays true. `moments` are those of
    the last minute with the time they were seen at, the oldest first. `less_since` is when the store began to
    show less of the race than it had shown.
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
        """Forget what is known of the race: it is gone, or another one has got its run id."""
        self.snapshot, self.results = None, None
        self.names_asked = self.course_asked = -math.inf
        self.is_run_elsewhere = self.has_all_passings = False
        self.splits, self.moments = SplitTimes(), deque()
        self.over_since = self.less_since = math.inf


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
        """The newest races, as the store said at most `RACES_FRESH_FOR_S` ago, or before it was away.

        Raises `StoreError` if it has never said any, which is remembered as long.
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

    def last(self, run_id: str) -> Snapshot | None:
        """The newest picture of a race that there has been, however old; for while the store is away."""
        watched = self._watched.get(run_id)
        return watched.snapshot if watched else None

    def results(self, run_id: str) -> tuple[Snapshot, Results]:
        """The picture of a race and its results, worked out once for all who ask; raises what `get` does."""
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
                _ = watched.snapshot.packed  # here, in the thread that asks, for all who come after
            watched.failure = None
            # From its beginning: who asks a second later gets a new one, however long this one took.
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
        """Raise `StoreError` if there is less of a race than before, as while a store loads after a restart.

        A store that has lost it for good is believed after a while.
        """
        known = -1 if watched.snapshot is None else watched.snapshot.positions.newest_emitted
        found = -1 if positions is None else positions.newest_emitted
        if found >= known:
            watched.less_since = math.inf
            return
        watched.less_since = min(watched.less_since, self._clock())
        if self._clock() - watched.less_since < LOADING_FOR_S:
            raise StoreError("The store has less of this race than before: it is loading, or starting anew.")

    def _with_course(self, settled: Snapshot, watched: _Watched) -> Snapshot:
        """The picture of a race to which nothing is added any more; but its course may be loaded anew."""
        course = self._course(settled.race, settled.positions, watched)
        return settled if course is settled.course else replace(settled, course=course)

    def _read_passings(self, race: Race, watched: _Watched) -> None:
        """Read what is new; all of them at the beginning, and once more when the race is over."""
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
        """The moment a minute ago to compare with; None while nobody is under way."""
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
        """Read where the leader was before anybody watched."""
        then = race_time(positions) - COMPARED_WITH_S * race.speed
        if then <= 0:
            return Moment(0.0, 0.0)
        if watched.splits.count("finish", then):
            return Moment(then, float(positions.distance.max()))
        told = self._store.positions_at(race.run_id, raw_time_at(race, then))
        return Moment(then, float(told.distance.max()) if len(told) else None)

    def _course(self, race: Race, positions: Positions, watched: _Watched) -> Course | None:
        fresh_for = COURSE_FRESH_FOR_S if watched.course else MISSING_FRESH_FOR_S
        if self._clock() - watched.course_asked >= fresh_for:
            # A store that is loading has no course for a moment.
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
    """Whether nothing can be added to this picture of a race, which by now is `race` in the store."""
    has_names = len(snapshot.competitors) >= race.competitors
    return snapshot.is_final and has_names and snapshot.race == race


def _is_same(one: Race, other: Race) -> bool:
    """Whether it is one race, and not another that a simulator which was started anew gave the run id."""
    return (one.start_time, one.seed, one.course) == (other.start_time, other.seed, other.course)
