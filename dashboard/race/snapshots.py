"""One snapshot of a race for all its viewers.

A race is read from the store once per tick, regardless of the number of viewers. `feed.py` looks for the
ticks of races that a stream watches. Of any other race the first request that finds the snapshot stale takes
a new one, the others keep the last until it is there.
"""

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import blake2b

import numpy as np

from dashboard.race import current, finish_list
from dashboard.race.big_race import BigRace
from dashboard.race.honours import Honours, Roster, honours
from dashboard.race.podiums import Known
from dashboard.race.sample import sample_of
from dashboard.race.snapshot import Field, Honoured, Outcome, Snapshot
from dashboard.race.split_times import SplitTimes
from dashboard.race.standing import guns_of, race_time, stand
from dashboard.race.ticks import next_whole
from dashboard.store import course_shape
from dashboard.store.protocol import (
    Competitor,
    Course,
    Every,
    Mark,
    Positions,
    Race,
    Store,
    StoreError,
)
from stream.arrays import Ints
from stream.race_states import ENDED
from stream.results import Rank

FRESH_FOR_S = 0.9
"""Seconds; just under one, so that a viewer polling every second always gets a new snapshot."""

LOOK_ANYWAY_AFTER_S = 1.5
"""Seconds; after that a race is read again even if no position has come, for its state may have changed."""

WHOLE_WITHIN_S = 1.0
"""Longest time in seconds for which a tick that arrives in batches is waited for."""

QUIET_S = 0.15
"""Seconds without another batch after which what has arrived of a tick is shown, if the tick before was not
whole either: then some trackers are silent, and not the store is late."""

STEP_S = 0.015
"""Seconds between two questions for the next batch."""

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

WATCHED_FOR_S = 900.0
"""Seconds until the snapshot of a race without viewers may be evicted: a wall goes on from race to race."""

COMPARED_WITH_S = 60.0
"""Seconds; figures are shown with their change over this time."""

FORGOTTEN_AFTER_S = 5.0
"""Seconds; an older moment is no basis for comparison, as there were no viewers since."""

PASSINGS_LATE_BY_S = 10.0
"""Seconds by which passings may arrive out of order; later ones appear only at the race's end."""

SETTLED_AFTER_S = 1.0
"""Seconds after which the rest of the competitors have a tick that the sample has; then it is read again."""

LOADING_FOR_S = 120.0
"""Seconds for which a store that shows less of a race than before is taken to be loading after a restart."""


class UnknownRaceError(LookupError):
    """The store does not have the race (yet)."""


class _Watched:
    """A race that is read from the store by one thread at a time, which holds `taking`.

    Attributes:
        snapshot: the last one, however old.
        failure: the error of the last query, if it failed.
        asked: when the last query began, or when it failed.
    """

    def __init__(
        self,
        run_id: str,
        store: Store,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._run_id = run_id
        self._store = store
        self._clock = clock
        self._wall_clock = wall_clock
        self._pause = pause
        self.taking = threading.Lock()
        self.failure: StoreError | None = None
        self.asked = -math.inf
        self._forget()

    def _forget(self) -> None:
        """Begin without data: the race is new or gone, or its run id was reused."""
        self.snapshot: Snapshot | None = None
        self._mark: Mark | None = None  # of the positions that were read last
        self._next_whole = -math.inf  # the `raw_time` of the mark with which the next tick is whole
        self._big: BigRace | None = None
        self._sample_mark: Mark | None = None  # of the sample that was read last
        self._sample_since = math.inf  # when it was first seen
        self._sample_read_at = -math.inf
        self._fields: dict[Rank, Field] = {}
        self._outcomes: dict[Rank, Outcome] = {}
        self._honours: dict[Rank, Honoured] = {}
        self._roster: Roster | None = None
        self._names_asked = -math.inf
        self._course: Course | None = None
        self._course_asked = -math.inf
        self._is_run_elsewhere = False  # stays true once positions were off the stored course
        self._splits = SplitTimes()
        self._over_since = math.inf
        self._has_all_passings = False
        # The race times of the last minute with the time they were seen at, the oldest first.
        self._moments: deque[tuple[float, float]] = deque()
        self._less_since = math.inf  # when the store began to show less of the race than before

    def age(self) -> float:
        """Seconds since the last query."""
        return self._clock() - self.asked

    def look(self) -> None:
        """Take a new snapshot if there are new positions, or if the last one is old."""
        try:
            mark = self._read_mark()
            if mark == self._mark and self.failure is None and self.age() < LOOK_ANYWAY_AFTER_S:
                return
            if mark != self._mark:
                mark = self._whole(mark)
        except StoreError as failure:
            self.failure = failure
            self.asked = self._clock()
            return
        self._take()
        self._mark = mark
        if self.snapshot is not None:
            self._next_whole = next_whole(mark, self.snapshot.sampled, self.snapshot.race.interval)

    def _read_mark(self) -> Mark:
        return self._store.mark(self._run_id, self._sample)

    @property
    def _sample(self) -> Every | None:
        return self._big.sample if self._big else None

    def _whole(self, mark: Mark) -> Mark:
        """The mark as soon as a tick is whole, or no more of it comes."""
        begun = changed = self._clock()
        quiet = QUIET_S if self.snapshot is not None and not self.snapshot.is_whole else WHOLE_WITHIN_S
        while mark.raw_time < self._next_whole and self._clock() < min(
            begun + WHOLE_WITHIN_S, changed + quiet
        ):
            self._pause(STEP_S)
            last, mark = mark, self._read_mark()
            if mark != last:
                changed = self._clock()
        return mark

    def take(self) -> None:
        """Take a new snapshot unless the last one is fresh."""
        if self.age() >= FRESH_FOR_S:
            self._take()

    def _take(self) -> None:
        begun = self._clock()
        try:
            self.snapshot = self._read()
            if self.snapshot is not None:
                _ = self.snapshot.packed  # in the requesting thread, for all later ones
            self.failure = None
            # Measured from the start: a request one second later takes a new snapshot, however long this one
            # took.
            self.asked = begun
        except StoreError as failure:
            self.failure = failure
            self.asked = self._clock()

    def found(self, snapshot: Snapshot | None) -> Snapshot:
        """This snapshot; raises the last query's failure, and `UnknownRaceError` if there is no snapshot."""
        if self.failure is not None:
            raise self.failure
        if snapshot is None:
            raise UnknownRaceError(self._run_id)
        return snapshot

    def passings(self) -> SplitTimes:
        """A copy of the passings that have been read."""
        return self._splits.copy()

    def results(self, rank: Rank) -> Outcome:
        """The results of the last snapshot; raises `UnknownRaceError` if there is none."""
        field = self.field(rank)
        if rank not in self._outcomes or self._outcomes[rank].field is not field.results:
            self._outcomes[rank] = self._outcome(field, rank)
        return self._outcomes[rank]

    def field(self, rank: Rank) -> Field:
        """Those of all competitors, or of the sample; raises `UnknownRaceError` if there is no snapshot."""
        if (snapshot := self.snapshot) is None:
            raise UnknownRaceError(self._run_id)
        if rank not in self._fields or not _has_same_results(self._fields[rank].snapshot, snapshot):
            self._fields[rank] = self._field(snapshot, rank)
        return self._fields[rank]

    def honours(self, rank: Rank) -> Honoured:
        """What an announcer says of the finish; raises `UnknownRaceError` if there is no snapshot."""
        if (snapshot := self.snapshot) is None:
            raise UnknownRaceError(self._run_id)
        last = self._honours.get(rank)
        is_as_before = last is not None and last.snapshot.competitors is snapshot.competitors
        if last is None or not is_as_before or not _has_same_results(last.snapshot, snapshot):
            self._honours[rank] = Honoured(snapshot, self._honours_of(snapshot, rank))
        return self._honours[rank]

    def _honours_of(self, snapshot: Snapshot, rank: Rank) -> Honours:
        race = snapshot.race
        late_by = PASSINGS_LATE_BY_S * max(1.0, race.speed)
        if self._big is not None and snapshot.tally is not None:
            return self._big.honours(race, snapshot.tally, snapshot.sampled, snapshot.competitors, late_by)
        if self._roster is None or self._roster.competitors is not snapshot.competitors:
            self._roster = Roster.of(race, snapshot.competitors)
        now = snapshot.standing.race_time
        is_over = race.status == "finished" and snapshot.is_final
        return honours(
            self._roster,
            Known(snapshot.positions, self._splits, now - late_by),
            rank,
            is_whole=len(snapshot.competitors) >= race.competitors,
            over_at=now if is_over else None,
        )

    def finish_places(self, bibs: Ints) -> Ints:
        """Places of finishers, shape (n,); 0 for all others."""
        return np.zeros(len(bibs), np.int64) if self._big is None else self._big.finish_places(bibs)

    def _field(self, snapshot: Snapshot, rank: Rank) -> Field:
        positions, guns = snapshot.sampled, snapshot.standing.guns[snapshot.is_sampled]
        found = finish_list.results(positions, self._splits, guns, rank, snapshot.race.cut_offs)
        if snapshot.sample is not None:
            found = replace(found, visits=found.visits.take(snapshot.sample.mask(found.visits.bib)))
        return Field(snapshot, found)

    def _outcome(self, field: Field, rank: Rank) -> Outcome:
        snapshot, of_field = field.snapshot, field.results
        if self._big is None or snapshot.tally is None:
            times = of_field.time[of_field.finished]
            return Outcome(snapshot, of_field, of_field, times, snapshot.competitors)
        found, times = self._big.results(snapshot.tally, rank, is_final=snapshot.is_final)
        return Outcome(snapshot, found, of_field, times, self._big.names(found.bib))

    def _read(self) -> Snapshot | None:
        race = self._store.race(self._run_id)
        if race is None:
            self._expect_as_much(None)
            self._forget()
            return None
        last = self.snapshot
        if last is not None and _identity(last.race) != _identity(race):
            self._forget()
            last = None
        if last and last.is_final and last.race == race and self._has_names(last.competitors, race):
            course = self._read_course(race, last.positions)
            return last if course is last.course else replace(last, course=course)
        if self._big is None and (sample := sample_of(race.competitors)) is not None:
            self._big = BigRace(self._store, self._run_id, sample, self._clock)
        begun = self._clock()
        is_read = self._big is not None and self._has_all_of_sample()
        if is_read and last is not None and self._is_unchanged(race, last):
            course = self._read_course(race, last.sampled)
            return replace(last, race=race, course=course, taken_at=self._wall_clock())
        positions = self._store.positions(self._run_id, self._sample)
        self._expect_as_much(positions)
        after = self._read_passings(race)
        competitors = self._read_competitors(race)
        if self._big is not None:
            taken = self._read_big(self._big, race, positions, competitors, after)
            self._sample_read_at = begun
            return taken
        guns = guns_of(race, competitors, positions.competitor)
        standing = stand(positions, self._splits, guns, self._moment_before(race, positions))
        self._moments.append((self._clock(), standing.race_time))
        return Snapshot(
            race=race,
            course=self._read_course(race, positions),
            competitors=competitors,
            positions=positions,
            standing=standing,
            taken_at=self._wall_clock(),
            is_final=self._has_all_passings,
        )

    def _has_all_of_sample(self) -> bool:
        """Whether all positions of a race with a sample have been read, those of the others included."""
        mark = self._read_mark()
        if mark != self._sample_mark:
            self._sample_mark, self._sample_since = mark, self._clock()
        return self._sample_read_at >= self._sample_since + SETTLED_AFTER_S

    def _is_unchanged(self, race: Race, last: Snapshot) -> bool:
        """Whether nothing but positions could change a snapshot."""
        is_as_before = race.status == last.race.status and self._has_names(last.competitors, race)
        return is_as_before and (race.status not in ENDED or last.is_final)

    def _read_big(
        self,
        big: BigRace,
        race: Race,
        sampled: Positions,
        competitors: Mapping[int, Competitor],
        after: int | None,
    ) -> Snapshot:
        """A snapshot of a race of which `sampled` are the positions of the sample.

        `after` is the moment after which its passings were read, epoch milliseconds; None for all.
        """
        course = self._read_course(race, sampled)
        exact = big.read(race, course, is_last=self._has_all_passings)
        big.read_passings(exact.first, self._splits, after)
        shown = sampled.with_others(exact.first)
        known = {**competitors, **exact.competitors}
        standing = stand(shown, self._splits, guns_of(race, known, shown.competitor), None)
        over = None if race.status in ENDED else COMPARED_WITH_S
        return Snapshot(
            race=race,
            course=course,
            competitors=known,
            positions=shown,
            standing=big.exactly(standing, shown, exact, over),
            taken_at=self._wall_clock(),
            is_final=self._has_all_passings,
            sample=big.sample,
            tally=exact.tally,
        )

    def _expect_as_much(self, positions: Positions | None) -> None:
        """Raise `StoreError` if the store has less of a race than before, as while it loads after a restart.

        If this lasts, the data is taken to be lost for good.
        """
        known = -1 if self.snapshot is None else self.snapshot.positions.newest_emitted
        found = -1 if positions is None else positions.newest_emitted
        if found >= known:
            self._less_since = math.inf
            return
        self._less_since = min(self._less_since, self._clock())
        if self._clock() - self._less_since < LOADING_FOR_S:
            raise StoreError(
                "The store has less data on this race than before: it is still loading, or has restarted."
            )

    def _read_passings(self, race: Race) -> int | None:
        """Read new passings; all of them at first, and when the race is over again those that were late.

        Return the moment after which they were read, epoch milliseconds; None for all.
        """
        if self._has_all_passings:
            return self._splits.newest
        if race.status in ENDED:
            self._over_since = min(self._over_since, self._clock())
        is_last = self._clock() - self._over_since >= PASSINGS_LATE_BY_S
        late_by_ms = round(PASSINGS_LATE_BY_S * 1000 * max(1.0, race.speed))
        after = None if self.snapshot is None or is_last else self._splits.newest - late_by_ms
        if not is_last or self._sample or self._store.count_passings(race.run_id) != len(self._splits):
            self._splits.add(self._store.passings(race.run_id, after, self._sample))
        self._has_all_passings = is_last
        return after

    def _moment_before(self, race: Race, positions: Positions) -> float | None:
        """The race time a minute ago to compare with; None while no competitor is on the course."""
        if not len(positions) or race.status in ENDED:
            return None
        moments, then = self._moments, self._clock() - COMPARED_WITH_S
        while len(moments) > 1 and moments[1][0] <= then:
            moments.popleft()
        if not moments or moments[0][0] < then - FORGOTTEN_AFTER_S:
            moments.clear()
            moments.append((then, max(0.0, race_time(positions) - COMPARED_WITH_S * race.speed)))
        return moments[0][1]

    def _read_course(self, race: Race, positions: Positions) -> Course | None:
        fresh_for = COURSE_FRESH_FOR_S if self._course else MISSING_FRESH_FOR_S
        if self._clock() - self._course_asked >= fresh_for:
            # A store that is loading may briefly have no course.
            self._course = self._store.course(race.course) or self._course
            self._course_asked = self._clock()
        if self._course and not course_shape.is_run_on(self._course, positions, race.gps_error):
            self._is_run_elsewhere = True
        return None if self._is_run_elsewhere else self._course

    def _read_competitors(self, race: Race) -> Mapping[int, Competitor]:
        known = self.snapshot.competitors if self.snapshot else {}
        if not self._has_names(known, race) and self._clock() - self._names_asked >= MISSING_FRESH_FOR_S:
            self._names_asked = self._clock()
            return self._store.competitors(race.run_id, self._sample)
        return known

    def _has_names(self, known: Mapping[int, Competitor], race: Race) -> bool:
        """Whether the start list is complete; with a sample, whether that of its members is."""
        if self.snapshot is None or self.snapshot.sample is None:
            return len(known) >= race.competitors
        if not len(sampled := self.snapshot.sampled):
            return len(known) >= race.competitors // self.snapshot.sample.step
        return all(bib in known for bib in sampled.competitor.tolist())


def _has_same_results(one: Snapshot, other: Snapshot) -> bool:
    """Whether all that results show of two snapshots is the same."""
    same = one.standing is other.standing and one.course is other.course and one.is_final == other.is_final
    return same and one.race.status == other.race.status


def _identity(race: Race) -> tuple[int, int, str]:
    """What distinguishes a race from others of its run id, which a restarted simulator may use again."""
    return race.start_time, race.seed, race.course


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
                try:
                    self._races, self._races_failure = self._store.races(), None
                except StoreError as failure:
                    self._races_failure = failure
                finally:
                    self._races_asked = self._clock()
            if self._races_failure is not None and not self._races:
                raise self._races_failure
            return self._races

    def fresh(self, run_id: str) -> Snapshot | None:
        """The snapshot of a race if `get` would return it without a query."""
        watched = self._watched.get(run_id)
        is_fresh = watched and watched.age() < FRESH_FOR_S and not watched.failure
        return watched.snapshot if watched and is_fresh else None

    def get(self, run_id: str) -> Snapshot:
        """The snapshot of a race, taken again if it is older than `FRESH_FOR_S`.

        Raises `UnknownRaceError`, and `StoreError` if the store cannot be read. A failing store is also
        retried once a second, not once per viewer.
        """
        watched = self._watch(run_id)
        snapshot = watched.snapshot
        must_wait = snapshot is None or watched.age() >= TOO_OLD_TO_SHOW_S
        if watched.taking.acquire(blocking=must_wait):
            try:
                watched.take()
                snapshot = watched.snapshot
            finally:
                watched.taking.release()
        return watched.found(snapshot)

    def outline(self, run_id: str) -> str:
        """What changes with all that the pages draw besides positions: state, course and the races offered.

        Queries the store at most every `RACES_FRESH_FOR_S`; a store that cannot be read changes nothing.
        """
        with suppress(StoreError):
            self.races()
        snapshot, races = self.last(run_id), self._races
        newest = current.current(races, 1000 * self._wall_clock())
        drawn = (
            snapshot and (snapshot.race.status, snapshot.is_final, id(snapshot.course)),
            newest and newest.run_id,
            [(race.run_id, race.name, race.course_name, race.status, race.start_time) for race in races],
        )
        return blake2b(repr(drawn).encode(), digest_size=8).hexdigest()

    def look(self, run_id: str) -> Snapshot:
        """The snapshot of a race, taken again if the store has news of it; raises what `get` does."""
        watched = self._watch(run_id)
        with watched.taking:
            watched.look()
            return watched.found(watched.snapshot)

    def last(self, run_id: str) -> Snapshot | None:
        """The last snapshot of a race, however old; for while the store is unavailable."""
        watched = self._watched.get(run_id)
        return watched.snapshot if watched else None

    def results(self, run_id: str, rank: Rank = "gun") -> Outcome:
        """The results of a race, computed once for all viewers; raises what `get` does."""
        self.get(run_id)
        return self.last_results(run_id, rank)

    def last_results(self, run_id: str, rank: Rank = "gun") -> Outcome:
        """The results of the last snapshot, however old; raises `UnknownRaceError` if there is none."""
        watched = self._watch(run_id)
        with watched.taking:
            return watched.results(rank)

    def honours(self, run_id: str, rank: Rank = "gun") -> Honoured:
        """What an announcer says of the finish, computed once for all viewers; raises what `get` does."""
        self.get(run_id)
        watched = self._watch(run_id)
        with watched.taking:
            return watched.honours(rank)

    def field(self, run_id: str) -> Field:
        """The results by gun time of all competitors, or of the sample; raises what `get` does."""
        self.get(run_id)
        watched = self._watch(run_id)
        with watched.taking:
            return watched.field("gun")

    def with_passings(self, run_id: str) -> tuple[Snapshot, SplitTimes]:
        """The snapshot of a race, and a copy of all its passings that are known; raises what `get` does.

        Of a race that is watched, the last snapshot: its viewers should not wait for another reader.
        """
        watched = self._watch(run_id)
        if watched.age() >= TOO_OLD_TO_SHOW_S:
            self.get(run_id)
        with watched.taking:
            return watched.found(watched.snapshot), watched.passings()

    def positions_at(self, run_id: str, raw_time: int, some: Every) -> Positions:
        """Positions of some competitors at a tick, from the store; raises `StoreError`."""
        return self._store.positions_at(run_id, raw_time, 0, some)

    def finish_places(self, run_id: str, bibs: Ints) -> Ints:
        """Places of finishers of a race with a sample, shape (n,); 0 for all others."""
        watched = self._watch(run_id)
        with watched.taking:
            return watched.finish_places(bibs)

    def _watch(self, run_id: str) -> _Watched:
        with self._lock:
            if run_id not in self._watched:
                self._forget_some()
                self._watched[run_id] = _Watched(run_id, self._store, self._clock, self._wall_clock)
            self._watched.move_to_end(run_id)
            return self._watched[run_id]

    def _forget_some(self) -> None:
        """Make room for another race; one that has not been read yet has an infinite age, and stays."""
        while self._watched:
            age = next(iter(self._watched.values())).age()
            if len(self._watched) < MAX_RACES_WATCHED and not WATCHED_FOR_S <= age < math.inf:
                break
            self._watched.popitem(last=False)
