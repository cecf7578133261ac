"""A race day at one moment: its cut-offs and its places of arrivals, computed as they are requested."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from dashboard.race.forecasts import RaceForecasts
from dashboard.race.snapshot import Snapshot
from dashboard.race.split_times import SplitTimes
from dashboard.race.standing import stopped_by
from dashboard.raceday import chances, limits
from dashboard.raceday.arrivals import Arrivals, Coming, arrivals, counted
from dashboard.raceday.exact import Dropped, Exact, Point
from dashboard.raceday.limits import Close, Out, State
from dashboard.store import course_shape
from dashboard.store.protocol import ON_COURSE, OUT
from stream.arrays import Floats, Ints
from stream.courses import PassingKind, TimingPoint
from stream.cut_offs import CutOff, CutOffs

MOST_PLACES = 8
"""Maximum number of places whose arrivals are shown."""
BUDGET = 40_000
"""Forecasts that are computed for counts at one moment: competitors times places. Beyond that the
competitors are thinned out, evenly over the bibs."""
FEWEST = 500
"""Minimum number of competitors that counts are made of."""
MOST_CLOSE = 4000
"""Maximum number of competitors whose chance at a cut-off is computed one by one: those who are latest."""
ENOUGH = 20
"""Minimum number of competitors who have started, from which others' times are assumed."""
LIKE = 20
"""Number of quantiles of their times."""


@dataclass(frozen=True, eq=False)
class Ahead:
    """Some of those who are on the course and have forecasts; arrays of shape (k,).

    Attributes:
        nth: indices into the forecasts.
        at: indices into the snapshot's positions.
        rows: in what the forecasts were made of.
        bib: the bibs.
        guns: race seconds of the own wave's gun.
        weight: how many competitors each stands for.
    """

    nth: Ints
    at: Ints
    rows: Ints
    bib: Ints
    guns: Floats
    weight: Floats

    def __len__(self) -> int:
        return len(self.bib)

    def take(self, some: Ints, weight: float) -> "Ahead":
        """Return some of them, each of whom stands for `weight` competitors."""
        columns = {name: column[some] for name, column in vars(self).items()}
        return replace(self, **(columns | {"weight": np.full(len(some), float(weight))}))


@dataclass(eq=False)
class Day:
    """A race day at one moment; thread-safe.

    Attributes:
        snapshot: the race.
        splits: its passings; with a sample, those of the sample and of the first competitors.
        forecasts: the newest ones; they may be some seconds older.
        exact: what is exact besides, of a race with a sample; None without one.
    """

    snapshot: Snapshot
    splits: SplitTimes
    forecasts: RaceForecasts
    exact: Exact | None = None
    _times: dict[float, Floats] = field(default_factory=dict)
    _arrivals: dict[TimingPoint, Arrivals] = field(default_factory=dict)
    _close: dict[int, list[Close]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def now(self) -> float:
        """Race seconds."""
        return self.snapshot.standing.race_time

    @property
    def has_forecasts(self) -> bool:
        """Whether anyone has forecasts."""
        return len(self.forecasts.competitor) > 0

    @property
    def cut_offs(self) -> CutOffs | None:
        """The race's."""
        return self.snapshot.race.cut_offs

    @cached_property
    def waiting(self) -> int:
        """Number of competitors who have not started; they have no forecasts."""
        if self.snapshot.tally is not None:
            return self.snapshot.tally.count("waiting")
        return int((self.snapshot.positions.status == "waiting").sum())

    @cached_property
    def points(self) -> tuple[TimingPoint, ...]:
        """The places that have arrivals, by distance: splits, entries of geofences, and the finish."""
        course = self.snapshot.course
        known = course_shape.timing_points(course) if course else ()
        return tuple(point for point in known if point.kind in {"split", "enter", "finish"})

    # Cut-offs

    @cached_property
    def _dropped(self) -> Dropped:
        """Those who gave up or were stopped."""
        if self.exact is not None:
            return self.exact.dropped
        positions, guns = self.snapshot.positions, self.snapshot.standing.guns
        out = np.flatnonzero(positions.status == "dnf")
        some = positions.take(out)
        stopped = stopped_by(self.cut_offs, some, guns[out])
        return Dropped(some.competitor, some.distance, some.elapsed, guns[out], stopped)

    @cached_property
    def states(self) -> tuple[State, ...]:
        """The cut-offs, by distance."""
        with self._lock:
            return tuple(self._state(nth, one) for nth, one in enumerate(self._limits))

    @property
    def _limits(self) -> tuple[CutOff, ...]:
        return self.cut_offs.limits if self.cut_offs else ()

    def _state(self, nth: int, one: CutOff) -> State:
        out = int((self._dropped.stopped == nth).sum())
        here = 0 if one.is_finish else out
        deadlines = self._deadlines(self.snapshot.standing.guns)[:, nth]
        return State(
            cut_off=one,
            deadlines=(float(deadlines.min(initial=np.inf)), float(deadlines.max(initial=-np.inf)))
            if len(deadlines)
            else (one.limit, one.limit),
            through=self._passed(one) - here,
            out=out,
            ahead=self._count_ahead(one),
            too_late=self._too_late(nth),
        )

    def _deadlines(self, guns: Floats) -> Floats:
        """Race seconds of each limit, shape (n, c)."""
        return self.cut_offs.deadlines(guns) if self.cut_offs else np.empty((len(guns), 0))

    def _passed(self, one: CutOff) -> int:
        """Number of competitors who have passed a limit's point, in time or not."""
        kind: PassingKind = "finish" if one.is_finish else "split"
        _, counts = self._known(TimingPoint(one.distance, kind, one.point, one.lap))
        return int(counts.sum())

    def _count_ahead(self, one: CutOff) -> int:
        """Number of competitors who may still come."""
        positions, tally = self.snapshot.positions, self.snapshot.tally
        if tally is None:
            return int(limits.may_come(positions.status, positions.distance, one.distance).sum())
        # All who are in the race but those who have passed and go on.
        beyond = int((self._dropped.distance >= one.distance).sum()) if not one.is_finish else 0
        going_on = self._passed(one) - tally.count("finished", "dsq") - beyond
        return max(0, tally.count(*ON_COURSE, "waiting") - max(0, going_on))

    def _too_late(self, nth: int) -> float | None:
        """How many a limit is expected to stop: those whom no earlier one does."""
        if not self.has_forecasts:
            return None
        some = self._counted
        late = [self._late(some, other) for other in range(nth + 1)]
        before = np.max([*late[:-1], np.zeros(len(some))], axis=0)
        return float((np.maximum(late[-1] - before, 0.0) * some.weight).sum())

    def _late(self, some: Ahead, nth: int) -> Floats:
        """The chances of being too late at a limit, shape (k,); 0 for those who have passed it."""
        times = self._times_at(self._limits[nth].distance)
        return np.nan_to_num(chances.late(times, self._deadlines(some.guns)[:, nth], self.now))

    def out(self, nth: int) -> list[Out]:
        """Those whom a limit has stopped."""
        some = self._dropped.stopped == nth
        bib, distance, elapsed, guns, _ = (column[some] for column in self._dropped)
        one = self._limits[nth]
        return limits.stopped(bib, elapsed, distance, self._deadlines(guns)[:, nth], closed=one.is_finish)

    def close(self, nth: int) -> list[Close]:
        """Those who may be too late at a limit, the next arrival first; of the latest `MOST_CLOSE`."""
        with self._lock:
            if nth not in self._close:
                self._close[nth] = self._find_close(nth)
            return self._close[nth]

    def _find_close(self, nth: int) -> list[Close]:
        one, course, everyone = self._limits[nth], self.snapshot.course, self._everyone
        if course is None or not len(everyone):
            return []
        some = self.snapshot.positions.take(everyone.at)
        deadlines = self._deadlines(everyone.guns)[:, nth]
        # A rough order, by their pace to the finish, is enough to find those who may be late.
        share = (one.distance - some.distance) / np.maximum(course.distance - some.distance, 1.0)
        finish = self.forecasts.found.finish[everyone.nth, 1]
        late = self.now + share * (finish - self.now) - deadlines
        comes = np.flatnonzero(limits.may_come(some.status, some.distance, one.distance))
        latest = np.sort(comes[np.argsort(-late[comes], kind="stable")[:MOST_CLOSE]])
        times = self.forecasts.arrivals(everyone.rows[latest], np.array([one.distance]))[:, 0]
        return limits.close(everyone.bib[latest], times, deadlines[latest], self.now)

    # Arrivals

    def arrivals(self, place: TimingPoint) -> Arrivals:
        """Arrivals at one of `points`, so far and expected."""
        with self._lock:
            if place not in self._arrivals:
                gun = self.snapshot.race.start_time / 1000
                self._arrivals[place] = arrivals(gun, self.now, self._known(place), self._coming(place))
            return self._arrivals[place]

    def _known(self, place: TimingPoint) -> tuple[Ints, Ints]:
        """Arrivals so far at a place, by five minutes since the epoch."""
        nothing = np.empty(0, np.int64), np.empty(0, np.int64)
        point: Point = (place.kind, place.name, place.lap)
        if self.exact is not None:
            return self.exact.arrived.get(point, nothing)
        elapsed = self._passings(place)
        return counted(self.snapshot.race.start_time / 1000, elapsed[~np.isnan(elapsed)])

    def _passings(self, place: TimingPoint) -> Floats:
        """Race seconds of the passings of a place, shape (n,) as the positions; NaN for all others."""
        bibs = self.snapshot.positions.competitor
        points = self.splits.points(place.kind)
        wanted = (place.kind, place.name, place.lap)
        if wanted not in points:
            return np.full(len(bibs), np.nan)
        times: Floats = self.splits.matrix(place.kind, bibs)[1][:, points.index(wanted)]
        return times

    def _coming(self, place: TimingPoint) -> Coming:
        """Forecasts of those who are on their way to a place, started or not."""
        if not self.has_forecasts:
            return Coming.none()
        some = self._counted
        times = self._times_at(place.distance)
        stopped = np.zeros(len(some))
        for nth, one in enumerate(self._limits):
            if one.distance < place.distance and not one.is_finish:
                stopped = np.maximum(stopped, self._late(some, nth))
        started = Coming(times, self._closes(some.guns), some.weight * (1.0 - stopped))
        others = self._like_those(place, times, some)
        return Coming(*(np.concatenate(both) for both in zip(started, others, strict=True)))

    def _closes(self, guns: Floats) -> Floats:
        """Race seconds at which the course closes, shape (k,)."""
        last = self._limits[-1] if self._limits else None
        return self._deadlines(guns)[:, -1] if last and last.is_finish else np.full(len(guns), np.inf)

    def _like_those(self, place: TimingPoint, times: Floats, some: Ahead) -> Coming:
        """Those who have not started: they are assumed to take as long from their gun as those who have."""
        positions, guns = self.snapshot.positions, self.snapshot.standing.guns
        scale = self.snapshot.sample.step if self.snapshot.sample else 1
        waits = np.flatnonzero((positions.status == "waiting") & self.snapshot.is_sampled)
        took = np.concatenate([self._passings(place) - guns, times[:, 1] - some.guns])
        took = took[~np.isnan(took)]
        if not len(waits) or len(took) < ENOUGH:
            return Coming.none()
        edges = np.quantile(took, (np.arange(LIKE) + 0.5) / LIKE)
        spread = np.maximum(np.gradient(edges), 1.0)
        levels = np.column_stack([edges - spread, edges, edges + spread])
        waves, counts = np.unique(guns[waits], return_counts=True)
        until = np.repeat(self._closes(waves), LIKE)
        weight = np.repeat(counts * scale / LIKE, LIKE).astype(float)
        return Coming((waves[:, None, None] + levels).reshape(-1, 3), until, weight)

    # Forecasts

    @cached_property
    def _everyone(self) -> Ahead:
        """All who have forecasts and are still in the race."""
        forecasts, positions = self.forecasts, self.snapshot.positions
        bibs = forecasts.competitor
        # Forecasts may be some seconds older than positions, and with a sample the first ones change.
        at = np.searchsorted(positions.competitor, bibs)
        is_known = np.append(positions.competitor, -1)[at] == bibs
        ended = np.isin(np.append(positions.status, "dns")[at], ("finished", *OUT))
        some = np.flatnonzero(is_known & ~ended)
        rows = forecasts.found.who[some]
        guns = forecasts.snapshot.standing.guns[rows]
        return Ahead(some, at[some], rows, bibs[some], guns, np.ones(len(some)))

    @cached_property
    def _counted(self) -> Ahead:
        """Those by whom arrivals are counted: of the sample, if there is one, and thinned out if many."""
        everyone, sample = self._everyone, self.snapshot.sample
        some = np.arange(len(everyone)) if sample is None else np.flatnonzero(sample.mask(everyone.bib))
        most = max(FEWEST, BUDGET // (MOST_PLACES + len(self._limits)))
        every = max(1, -(-len(some) // most))
        return everyone.take(some[::every], every * (sample.step if sample else 1))

    @property
    def thinned(self) -> int:
        """How many competitors each of those stands for by whom arrivals are counted."""
        weight = self._counted.weight
        return int(weight[0]) if len(weight) else 1

    def _times_at(self, metres: float) -> Floats:
        """Forecasts of those by whom arrivals are counted, shape (k, 3); NaN for those who have passed."""
        if metres not in self._times:
            times = self.forecasts.arrivals(self._counted.rows, np.array([metres]))
            self._times[metres] = times[:, 0]
        return self._times[metres]


def usual_places(points: Sequence[TimingPoint]) -> list[TimingPoint]:
    """The places that are shown at first, at most `MOST_PLACES`.

    Entries of geofences; without any, the timing points of the course's file; without these, every few
    kilometres. The finish is always among them.
    """
    finish = [point for point in points if point.kind == "finish"]
    for chosen in (
        [point for point in points if point.kind == "enter"],
        [point for point in points if point.kind == "split" and not _is_kilometre(point)],
        [point for point in points if point.kind == "split"],
    ):
        if chosen:
            every = -(-len(chosen) // (MOST_PLACES - 1))
            return [*chosen[every - 1 :: every], *finish]
    return finish


def _is_kilometre(point: TimingPoint) -> bool:
    return point.name == f"{point.distance / 1000:.0f} km"
