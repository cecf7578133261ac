"""Forecasts of the races that are watched: who arrives when at the next timing point and at the finish.

They follow from what the store has of a race, as in stream/forecasts, and are computed only while they are
requested. They take longer than a tick, so they are made of the last snapshot beside the pictures, in another
process, and are somewhat older than these.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.race.payload import Packed, pack
from dashboard.race.snapshot import Snapshot
from dashboard.race.snapshots import Snapshots
from dashboard.race.split_times import SplitTimes
from dashboard.race.standing import raw_time_at
from dashboard.store import course_shape
from dashboard.store.protocol import OUT, Every, Positions
from stream.arrays import Floats, Ints, Mask
from stream.aside import at_once
from stream.courses import TimingPoint
from stream.forecasts import forecast as model
from stream.forecasts.between import Sightings, chosen, remembered
from stream.forecasts.forecast import Forecasts, Learned
from stream.forecasts.outlook import Outlook, outlook
from stream.forecasts.route import Route, ahead
from stream.forecasts.seen import KNOWN_FOR, Seen, furthest

SHORTEST_PERIOD_S = 3.0
"""Seconds between two computations for a race."""
LONGEST_PERIOD_S = 30.0
"""Seconds after which forecasts are computed again, however long it takes."""
SHARE = 0.2
"""Share of the time that is spent on the forecasts of a race, between these two periods."""
MAX_RACES = 16
"""Maximum number of races whose forecasts are kept; those of the least recently computed are dropped."""
SAME_PLACE_M = 0.01
"""Metres within which a split's distance is a mark's: stores round to millimetres."""
Call = Callable[..., Any]
"""As `at_once`."""

FORECAST = ("running", "paused")
"""States of races that have forecasts: before the start and after the end there is no one on the course."""
PASSED = ("start", "split", "enter", "exit", "finish", "dnf")
"""Kinds of passings that forecasts use; disqualifications are in the standing."""
SETTLED_S = 120.0
"""Race seconds after which a tick's positions are not read again: by then late ones have arrived, too."""
ROUNDING = 0.001
"""Tolerance of times of positions, seconds."""
SOON_S = 300.0
"""Race seconds over which arrivals at all timing points are listed."""
NAMED = 8
"""Maximum number of competitors that are listed at each point; all are counted."""
DECIMALS = 1
"""Decimals of the moment and of metres for browsers; forecasts are whole seconds."""


@dataclass(frozen=True, eq=False)
class RaceForecasts:
    """The forecasts of a race at one moment, for k competitors on the course.

    Attributes:
        snapshot: of which they were made. If it has a sample, they are those of the sample and of the first
            competitors on the course.
        points: the timing points that can be ahead, by distance; the finish is the last. There are none if
            the race is not running, or if its course is not known.
        competitor: bib numbers, shape (k,), rising.
        found: the forecasts; their `who` are indices into the snapshot's positions, the `point` one into
            `points`. Times are race seconds, gun or chip times, shape (k, 3): at the levels 0.1, 0.5, 0.9.
        soon: who arrives where within `SOON_S`, by time: indices into `competitor` and `points`, and race
            seconds, shape (r,) each.
        basis: what they were made of; None without points.
        period: seconds until there may be newer ones.
        call: calls a function that takes long.
    """

    snapshot: Snapshot
    points: tuple[TimingPoint, ...]
    competitor: Ints
    found: Forecasts
    soon: tuple[Ints, Ints, Floats]
    basis: tuple[Route, Seen, Learned] | None
    period: float = SHORTEST_PERIOD_S
    call: Call = at_once

    @property
    def time(self) -> float:
        """Race seconds of the moment at which they were made."""
        return self.snapshot.standing.race_time

    @property
    def is_sampled(self) -> Mask:
        """Which competitors are of the snapshot's sample, shape (k,)."""
        return self.snapshot.is_sampled[self.found.who]

    def arrivals(self, rows: Ints, metres: Floats) -> Floats:
        """When some competitors arrive at any places of the course, race seconds, shape (r, p, 3).

        It takes half as long per place as all forecasts together.

        Args:
            rows: the competitors, as indices into the snapshot's positions, shape (r,).
            metres: the places, in any order, from the start with all laps, shape (p,).

        Returns:
            NaN for places that a competitor has passed, and for those who are not on the course.
        """
        times = np.full((len(rows), len(metres), len(model.LEVELS)), np.nan)
        if self.basis is not None and len(rows):
            route, seen, learned = self.basis
            who, found = self.call(model.expected, route, seen.take(rows), learned, metres)
            times[who] = found
        return times

    @cached_property
    def packed(self) -> Packed:
        """The browsers' payload; see `routes`.

        `step` is the sample's: one of so many competitors is in it; 1 if all are. `soon` has, for each point,
        the number of those who arrive within `SOON_S` and the first of them. `again` is the period.
        """
        found = self.found
        columns: dict[str, NDArray[Any]] = {
            "competitor": self.competitor,
            "point": found.point,
            **_interval("there", found.there),
            **_interval("gun", found.gun),
            **_interval("chip", found.chip),
        }
        said = {
            "time": round(self.time, DECIMALS),
            "points": [
                {"name": name, "lap": lap, "kind": kind, "distance": round(metres, DECIMALS)}
                for metres, kind, name, lap in self.points
            ],
            "soon": [self._soon_at(nth) for nth in range(len(self.points))],
            "step": self.snapshot.sample.step if self.snapshot.sample else 1,
        }
        return pack(columns, said, again=round(self.period, 1))

    def _soon_at(self, point: int) -> dict[str, Any]:
        who, _, time = (column[self.soon[1] == point] for column in self.soon)
        return {
            "count": int(self.is_sampled[who].sum()),
            "competitor": self.competitor[who[:NAMED]].tolist(),
            "there": np.rint(time[:NAMED]).astype(np.int64).tolist(),
        }


def _interval(name: str, times: Floats) -> dict[str, Ints]:
    low, middle, high = np.ascontiguousarray(np.rint(times.T).astype(np.int64))
    return {name: middle, f"{name}_low": low, f"{name}_high": high}


def of(
    snapshot: Snapshot, splits: SplitTimes, earlier: Sequence[Positions] = (), call: Call = at_once
) -> RaceForecasts:
    """Return the forecasts of a race.

    Args:
        snapshot: the race now.
        splits: its passings.
        earlier: positions of some competitors at earlier ticks, the oldest first.
        call: calls a function with arguments and returns its result.
    """
    course = snapshot.course
    if course is None or snapshot.race.status not in FORECAST:
        who, times = np.empty(0, np.int64), np.empty((0, len(model.LEVELS)))
        nothing = Forecasts(who, who, times, times, times, times)
        return RaceForecasts(snapshot, (), who, nothing, (who, who, np.empty(0)), None)
    points = course_shape.timing_points(course)
    route = Route.along(points, course_shape.profile(course))
    seen = seen_at(snapshot, splits, route)
    # The first ones, who are known besides the sample, are not a sample of the field.
    sampled = snapshot.sampled.competitor
    of_sample = seen.take(snapshot.is_sampled) if snapshot.sample else seen
    sightings = _sightings(sampled, earlier)
    expected: Outlook = call(outlook, route, seen, of_sample, sightings, SOON_S)
    learned, found, (who, point, time) = expected
    soon = np.searchsorted(found.who, who), point, time
    bibs = snapshot.positions.competitor[found.who]
    return RaceForecasts(snapshot, ahead(points), bibs, found, soon, (route, seen, learned), call=call)


def _sightings(bibs: Ints, earlier: Sequence[Positions]) -> Sightings:
    """Return earlier positions of competitors with these bibs."""
    sightings = Sightings.none()
    for then in earlier:
        known = then.take(np.isin(then.competitor, bibs))
        who = np.searchsorted(bibs, known.competitor)
        sightings = sightings.and_those(who, known.distance, known.elapsed)
    return sightings


class _Earlier:
    """Earlier positions of some competitors of a race, of the ticks that forecasts learn from."""

    def __init__(self) -> None:
        self._known: dict[int, Positions] = {}
        self._race: tuple[int, int] = (0, 0)

    def read(self, snapshots: Snapshots, now: Snapshot) -> list[Positions]:
        """Read those that are needed at a moment and not known yet, the oldest first; raises `StoreError`."""
        race, time = now.race, now.standing.race_time
        if self._race != (race.start_time, race.seed):
            self._race, self._known = (race.start_time, race.seed), {}
        of_sample = now.sample.step if now.sample else 1
        some = Every(of_sample * chosen(race.competitors // of_sample))
        found: dict[int, Positions] = {}
        for tick in remembered(time, race.interval):
            then = tick * race.interval
            if (known := self._known.get(tick)) is None:
                known = snapshots.positions_at(race.run_id, raw_time_at(race, then), some)
            found[tick] = known
        self._known = {tick: known for tick, known in found.items() if _is_settled(tick, now)}
        return list(found.values())


def _is_settled(tick: int, now: Snapshot) -> bool:
    """Whether no more positions of a tick are to be expected, of trackers that are late."""
    return now.standing.race_time - tick * now.race.interval >= SETTLED_S


def seen_at(snapshot: Snapshot, splits: SplitTimes, route: Route) -> Seen:
    """Return what the store has of the competitors of a snapshot, in the order of its positions."""
    positions, now = snapshot.positions, snapshot.standing.race_time
    bibs = positions.competitor
    times = np.full((len(bibs), len(route.marks)), np.nan)
    passed = {kind: splits.matrix(kind, bibs) for kind in PASSED}
    for kind in ("start", "split", "finish"):
        metres, there = passed[kind]
        for nth, mark in enumerate(route.marks.tolist()):
            if (same := np.abs(metres - mark) < SAME_PLACE_M).any():
                times[:, nth] = np.fmin.reduce(there[:, same], axis=1)
    known_for = max(KNOWN_FOR, snapshot.race.interval)
    is_old = positions.elapsed < now - known_for - ROUNDING
    position = np.where(is_old, np.nan, positions.distance), np.where(is_old, np.nan, positions.elapsed)
    for kind in ("split", "enter", "exit"):
        position = furthest(position, passed[kind], now)
    gave_up = ~np.isnan(passed["dnf"][1]).all(axis=1) | ~np.isnan(snapshot.standing.verdicts)
    is_out = gave_up | np.isin(positions.status, ("finished", *OUT))
    return Seen(now, snapshot.standing.guns, times, *position, is_out)


class _Forecast:
    """The forecasts of one race, computed by one thread at a time, which holds `computing`.

    Attributes:
        newest: the last ones.
        due: when others may be computed, seconds on the clock.
    """

    def __init__(self) -> None:
        self.computing = threading.Lock()
        self.newest: RaceForecasts | None = None
        self.earlier = _Earlier()
        self.due = -math.inf


class Forecaster:
    """The newest forecasts of each race; thread-safe.

    Args:
        snapshots: the races.
        clock: monotonic seconds.
        call: calls a function that takes long, in a process of its own so that pictures are not held up.
    """

    def __init__(
        self, snapshots: Snapshots, clock: Callable[[], float] = time.monotonic, call: Call = at_once
    ) -> None:
        self._snapshots = snapshots
        self._clock = clock
        self._call = call
        self._races: OrderedDict[str, _Forecast] = OrderedDict()
        self._lock = threading.Lock()
        # One race at a time: pictures of all races come first.
        self._one = threading.Lock()

    def known(self, run_id: str) -> RaceForecasts | None:
        """The forecasts of a race if `get` would return them at once: others are not due, or under way."""
        race = self._races.get(run_id)
        return race.newest if race and (self._clock() < race.due or race.computing.locked()) else None

    def get(self, run_id: str) -> RaceForecasts:
        """The forecasts of a race, computed again if they are due, in this thread.

        While another thread computes them, the last ones. Raises `UnknownRaceError`, and `StoreError` if the
        store cannot be read.
        """
        race = self._race(run_id)
        if not race.computing.acquire(blocking=race.newest is None):
            return race.newest or self.get(run_id)
        try:
            if race.newest is None or self._clock() >= race.due:
                race.newest = self._computed(run_id, race)
            return race.newest
        finally:
            race.computing.release()

    def _computed(self, run_id: str, race: _Forecast) -> RaceForecasts:
        last = race.newest
        with self._one:
            snapshot, splits = self._snapshots.with_passings(run_id)
            begun = self._clock()
            if last is None or not _has_same_forecasts(last.snapshot, snapshot):
                is_under_way = snapshot.course is not None and snapshot.race.status in FORECAST
                earlier = race.earlier.read(self._snapshots, snapshot) if is_under_way else ()
                last = of(snapshot, splits, earlier, self._call)
            took = self._clock() - begun
        period = min(max(took / SHARE, SHORTEST_PERIOD_S), LONGEST_PERIOD_S)
        race.due = begun + period
        newest = last if last is race.newest else replace(last, period=period)
        _ = newest.packed  # in this thread, for all later requests
        return newest

    def _race(self, run_id: str) -> _Forecast:
        with self._lock:
            if run_id not in self._races:
                self._races[run_id] = _Forecast()
                if len(self._races) > MAX_RACES:
                    self._races.popitem(last=False)
            self._races.move_to_end(run_id)
            return self._races[run_id]


def _has_same_forecasts(one: Snapshot, other: Snapshot) -> bool:
    """Whether two snapshots have the same forecasts."""
    return one.packed.version == other.packed.version and one.course is other.course
