"""How good forecasts are: what a reader of the stream would have forecast, against what then happened.

A reader follows races tick by tick, with the events in the order in which they are published: late, lost and
duplicate ones, pauses, wrong turns and dropouts. Once a minute it makes forecasts for the competitors who
have passed a split since, and they are scored with the race's own times. Constant pace is the baseline.
"""

import timeit
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from simulator.commands.settings import EPOCH
from simulator.course.course import Course
from simulator.course.library import load_folder
from simulator.export.forecasts import OUT, route_of, seen_at, sightings_until
from simulator.race.race import BEFORE_THE_START, Race
from simulator.race.request import RaceRequest
from stream.arrays import Floats, Ints, Mask
from stream.forecasts.between import Sightings
from stream.forecasts.earlier import EARLIER, Earlier
from stream.forecasts.forecast import LEVELS, Learned, forecast, learn
from stream.forecasts.route import Route
from stream.forecasts.seen import Anchors, Seen
from stream.results import wave_guns

TICK_S = 30.0
FORECAST_EVERY = 2
"""Ticks."""
FORECAST_ALL_EVERY = 10
LEARN_AFTER = 1.05
"""Growth of the number of passings after which forecasts are based on what the race has taught by then."""
COMPETITORS = 400
SEEDS = range(201, 217)
"""The model was developed with the seeds 1 to 8, 101 to 108, 301 to 316 and 601 to 616: these are others."""
TARGET = (0.78, 0.82)
"""Share of arrivals that should be inside the interval, at every split after the first."""
PARTS = ((0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.0))
"""Parts of the race by share of the splits passed."""
ENSEMBLE = (np.arange(20) + 0.5) / 20
"""Levels of the quantiles that stand for a whole distribution in the CRPS."""
REALISTIC: dict[str, Any] = {
    "gradient": True,
    "fatigue": "wall",
    "dns": 0.02,
    "dnf": 0.05,
    "disqualified": 0.005,
    "walking": 0.03,
    "wrong_turn": 0.02,
    "how_many_get_stopped": 0.2,
    "start_flow": 10.0,
    "corrals": True,
    "gps_error": 3.0,
    "lost": 0.05,
    "frozen": 0.05,
    "late": 0.05,
    "duplicates": 0.02,
    "clock_skew": 2.0,
    "dead_battery": 0.02,
}
"""The options of all races that are scored."""


class Scenario(NamedTuple):
    """Races on one course, `laps` times if that is set, with options beyond `REALISTIC`."""

    name: str
    course: str
    options: dict[str, Any]
    laps: int | None = None


SCENARIOS = (
    Scenario("crystal-palace", "crystal-palace", {"pace_model": "parkrun"}),
    Scenario("city-10k", "city-10k", {"pace_model": "parkrun"}),
    Scenario("track-10000m", "track-10000m", {"pace_model": "uniform", "fastest": 170.0, "slowest": 330.0}),
    Scenario("hilly-half", "hilly-half", {"pace_model": "marathon", "wave_size": 200}),
    Scenario("marathon, flat", "track-10000m", {"pace_model": "marathon"}, laps=106),
    Scenario("marathon, hilly", "hilly-half", {"pace_model": "marathon"}, laps=2),
)
"""The shipped courses, and two of them as often as makes a marathon."""
OTHERWISE = (
    Scenario(
        "marathon, hilly, not as published",
        "hilly-half",
        {"pace_model": "uniform", "fatigue": "none", "gradient": False, "walking": 0.1},
        laps=2,
    ),
)
"""A race that disagrees with the published figures with which forecasts begin."""


@dataclass(frozen=True, eq=False)
class Scored:
    """Forecasts with their outcomes; one row for each of k forecasts. All times are race seconds.

    Attributes:
        split: number of the mark behind which the forecast was made, from 1, shape (k,).
        low, middle, high: the interval and the forecast.
        ensemble: quantiles at `ENSEMBLE`, shape (k, 20).
        even: arrival at constant pace.
        made: when the forecast was made.
        arrived: when the competitor arrived.
        race: seed of the race.
    """

    split: Ints
    low: Floats
    middle: Floats
    high: Floats
    ensemble: Floats
    even: Floats
    made: Floats
    arrived: Floats
    race: Ints

    def take(self, some: Mask) -> "Scored":
        """Return some of the forecasts."""
        return Scored(**{name: column[some] for name, column in vars(self).items()})

    @classmethod
    def joined(cls, parts: Iterable["Scored"]) -> "Scored":
        """Return the forecasts of all parts."""
        columns = [list(vars(part).values()) for part in parts]
        return cls(*(np.concatenate(column) for column in zip(*columns, strict=True)))

    def __len__(self) -> int:
        return len(self.split)

    @property
    def covered(self) -> float:
        """Share of arrivals inside the interval."""
        return float(((self.low <= self.arrived) & (self.arrived <= self.high)).mean())

    @property
    def error(self) -> float:
        """Mean absolute error of the forecast, seconds."""
        return float(np.abs(self.middle - self.arrived).mean())

    @property
    def even_error(self) -> float:
        """Mean absolute error of constant pace, seconds: the CRPS of a forecast without an interval."""
        return float(np.abs(self.even - self.arrived).mean())

    @property
    def crps(self) -> float:
        """Continuous ranked probability score, seconds."""
        return _crps(self.arrived, self.ensemble)

    @property
    def even_crps(self) -> float:
        """The score of constant pace, with the best interval in hindsight at each split."""
        total = 0.0
        for split in np.unique(self.split).tolist():
            some = self.take(self.split == split)
            left = np.maximum(some.even - some.made, 1.0)
            errors = np.quantile((some.arrived - some.made) / left, ENSEMBLE)
            total += _crps(some.arrived, some.made[:, None] + left[:, None] * errors) * len(some)
        return total / len(self)


class Coverage(NamedTuple):
    """Share of arrivals inside the interval at each split, shape (s,) each.

    Attributes:
        split: its number.
        share: over all races.
        error: standard error of that, from how much the races differ: errors in one race can go together.
    """

    split: Ints
    share: Floats
    error: Floats

    @classmethod
    def of(cls, found: Scored) -> "Coverage":
        """Return it for all splits after the first."""
        found = found.take(found.split > 1)
        splits, nth = np.unique(found.split, return_inverse=True)
        races, race = np.unique(found.race, return_inverse=True)
        inside = (found.low <= found.arrived) & (found.arrived <= found.high)
        shape = len(races), len(splits)
        counts, covered = np.zeros(shape), np.zeros(shape)
        np.add.at(counts, (race, nth), 1.0)
        np.add.at(covered, (race, nth), inside)
        share = covered.sum(axis=0) / counts.sum(axis=0)
        # Of a ratio of two sums over races.
        squares = ((covered - share * counts) ** 2).sum(axis=0) * len(races) / max(len(races) - 1, 1)
        return cls(splits, share, np.sqrt(squares) / counts.sum(axis=0))

    @property
    def is_met(self) -> Mask:
        """Whether the target is met, shape (s,)."""
        return (self.share >= TARGET[0]) & (self.share <= TARGET[1])

    @property
    def is_clearly_missed(self) -> Mask:
        """Whether the share is outside the target by more than two standard errors, shape (s,)."""
        low, high = self.share - 2 * self.error, self.share + 2 * self.error
        return (high < TARGET[0]) | (low > TARGET[1])


def _crps(arrived: Floats, ensemble: Floats) -> float:
    import scoringrules  # noqa: PLC0415 - a development dependency that only this measurement needs

    return float(np.mean(scoringrules.crps_ensemble(arrived, ensemble)))


class Reader:
    """What a reader of the stream knows of one race, from its events only."""

    def __init__(self, race: Race, route: Route) -> None:
        self._race = race
        self._route = route
        n = len(race.entrants.bib)
        self._guns = wave_guns(race.field.wave, race.request.wave_delay)
        self._times = np.full((n, len(route.marks)), np.nan)
        self._distance, self._elapsed = np.full(n, np.nan), np.full(n, np.nan)
        self._is_out = np.zeros(n, np.bool_)
        places = np.array([point.distance for point in race.points])
        self._kinds = kinds = np.array([point.kind for point in race.points])
        nth = np.searchsorted(route.marks, places - 1e-6)
        on_mark = np.abs(route.marks[np.minimum(nth, len(route.marks) - 1)] - places) < 1e-3
        self._mark = np.where(np.isin(kinds, ("start", "split", "finish")) & on_mark, nth, -1)

    def read(self, tick: int) -> Seen:
        """Read a tick's events, and return what is known then."""
        race = self._race
        fixes = race.fixes_at(tick)
        # By the time of the position, not of its arrival: late ones change nothing.
        newest = fixes.reported.elapsed >= np.nan_to_num(self._elapsed[fixes.who], nan=-1.0)
        order = np.flatnonzero(newest)
        order = order[np.argsort(fixes.reported.elapsed[order], kind="stable")]
        who = fixes.who[order]
        # Of several positions of one competitor, the last assignment counts.
        self._elapsed[who] = fixes.reported.elapsed[order]
        self._distance[who] = fixes.reported.distance[order]
        self._is_out[who[np.isin(fixes.reported.status[order], OUT)]] = True
        since = race.time_of(tick - 1) if tick else BEFORE_THE_START
        passings = race.passings(since, race.time_of(tick))
        mark = self._mark[passings.point]
        timed = mark >= 0
        self._times[passings.who[timed], mark[timed]] = np.round(passings.elapsed[timed], 3)
        kinds = self._kinds[passings.point]
        self._is_out[passings.who[np.isin(kinds, ("finish", "dnf", "dsq"))]] = True
        return Seen(
            race.time_of(tick),
            self._guns,
            self._times.copy(),
            self._distance.copy(),
            self._elapsed.copy(),
            self._is_out.copy(),
        )


class Forecast(NamedTuple):
    """The forecasts of a scenario, scored: of the finish and of the next split.

    Those made when a split is passed, and those made every few minutes for everyone on the course.
    """

    finish: Scored
    there: Scored
    finish_anywhere: Scored
    there_anywhere: Scored

    @classmethod
    def joined(cls, parts: Iterable["Forecast"]) -> "Forecast":
        """Return the forecasts of all parts."""
        return cls(*(Scored.joined(kind) for kind in zip(*parts, strict=True)))


def measure() -> Iterator[tuple[str, Forecast]]:
    """Yield the name of each scenario with its forecasts, of all seeds."""
    for scenario in (*SCENARIOS, *OTHERWISE):
        yield scenario.name, Forecast.joined(races(scenario, SEEDS))


def races(scenario: Scenario, seeds: Iterable[int], earlier: Earlier = EARLIER) -> list[Forecast]:
    """Return the forecasts of races with these seeds, on all processors."""
    with ProcessPoolExecutor() as processes:
        return list(processes.map(partial(scored, scenario, earlier=earlier), seeds))


def scored(scenario: Scenario, seed: int, earlier: Earlier = EARLIER) -> Forecast:
    """Return the forecasts of one race.

    Args:
        scenario: the race.
        seed: of the race.
        earlier: what earlier races have shown.
    """
    race = _race(scenario, seed, COMPETITORS)
    route = route_of(race.course)
    route = replace(route, points=route.marks[1:])
    found = Forecast.joined(_followed(race, route, _truth(race, route), earlier))
    return Forecast(*(replace(kind, race=np.full(len(kind), seed)) for kind in found))


def course_of(scenario: Scenario) -> Course:
    """Return the course of a scenario's races."""
    course = load_folder(Path("courses")).courses[scenario.course]
    return course if scenario.laps is None else replace(course, laps=scenario.laps)


def _race(scenario: Scenario, seed: int, competitors: int) -> Race:
    course = course_of(scenario)
    options = REALISTIC | scenario.options
    request = RaceRequest(
        course=course.short_name,
        competitors=competitors,
        interval=TICK_S,
        **{**options, "gradient": options["gradient"] and course.alt is not None},
    ).resolved(run_id="bench", name="Bench", seed=seed, start_at=EPOCH)
    return Race(course, request)


class Cost(NamedTuple):
    """Seconds of one call, with all competitors on the course whose number is `on_course`."""

    on_course: int
    learn: float
    forecast: float


def cost(scenario: Scenario, at: float, competitors: int) -> Cost:
    """Return what forecasts cost `at` seconds after the gun: the best of three calls."""
    race = _race(scenario, SEEDS[0], competitors)
    route = route_of(race.course)
    seen = seen_at(race, route, at)
    sightings = sightings_until(race, at)
    learned = learn(route, seen, sightings)
    found = forecast(route, seen, learned)
    return Cost(
        len(found.who),
        min(timeit.repeat(lambda: learn(route, seen, sightings), number=1, repeat=3)),
        min(timeit.repeat(lambda: forecast(route, seen, learned), number=1, repeat=3)),
    )


def _truth(race: Race, route: Route) -> Floats:
    """Return everyone's times at the marks, shape (n, m + 1); NaN for those who don't finish."""
    who = np.flatnonzero(race.finishes)
    times = np.full((len(race.finishes), len(route.marks)), np.nan)
    for nth, metres in enumerate(route.marks.tolist()):
        times[who, nth] = np.round(race.field.elapsed(who, np.full(len(who), metres)), 3)
    return times


def _followed(race: Race, route: Route, truth: Floats, earlier: Earlier) -> Iterator[Forecast]:
    reader, learned, known = Reader(race, route), None, 0.0
    behind, sightings = np.zeros(len(truth), np.int64), Sightings.none()
    finishes = ~np.isnan(truth[:, -1])
    for tick in range(race.last_tick + 1):
        seen = reader.read(tick)
        if tick % FORECAST_EVERY:
            continue
        sightings = sightings.also(seen)
        passings = float((~np.isnan(seen.times)).sum())
        if learned is None or passings > LEARN_AFTER * known:
            learned, known = learn(route, seen, sightings, earlier), passings
        passed = np.where(np.isnan(seen.times), 0, np.arange(len(route.marks))).max(axis=1)
        due = (passed > behind) & finishes
        behind = passed
        # At a split the passing is the newest position: those of the ticks since are later.
        nowhere = np.full(len(truth), np.nan)
        at_splits = replace(seen, distance=nowhere, elapsed=nowhere)
        everyone = finishes & (passed > 0) & (tick % FORECAST_ALL_EVERY == 0)
        yield Forecast(
            *_made(route, at_splits.take(due), learned, truth[due]),
            *_made(route, seen.take(everyone), learned, truth[everyone]),
        )


def _made(route: Route, seen: Seen, learned: Learned, truth: Floats) -> tuple[Scored, Scored]:
    """Return the forecasts for these competitors, of the finish and of the next split."""
    found = forecast(route, seen, learned, (*LEVELS, *ENSEMBLE))
    then, known = truth[found.who], seen.take(found.who)
    anchors = Anchors.of(known.clean(), route)
    start = known.times[:, 0]
    parts = []
    for times, metres, arrived in (
        (found.finish, np.full(len(then), route.distance), then[:, -1]),
        (found.there, route.points[found.point], then[np.arange(len(then)), found.point + 1]),
    ):
        part = Scored(
            anchors.mark,
            times[:, 0],
            times[:, 1],
            times[:, 2],
            times[:, 3:],
            np.maximum(start + (anchors.time - start) * metres / anchors.distance, seen.now),
            np.full(len(then), seen.now),
            arrived,
            np.zeros(len(then), np.int64),
        )
        # Competitors who are at the next split by now, while their passing is on its way, don't count.
        parts.append(part.take(arrived > seen.now))
    return parts[0], parts[1]
