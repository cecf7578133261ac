"""The forecasts of a race at a tick, from what its stream has published by then; and their JSON.

Of the race, only the passings, positions and statuses published up to the tick are used, and of the positions
those at the tick and at a few earlier ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulator.course.course import ALTITUDE_DECIMALS, Course
from simulator.export.formats import Format, json_with_list
from simulator.race.race import Race, Status
from stream.arrays import Floats, Ints
from stream.courses import TimingPoint, profile
from stream.forecasts.between import Sightings, chosen, remembered
from stream.forecasts.forecast import Forecasts, forecast, learn
from stream.forecasts.route import Route, ahead
from stream.forecasts.seen import KNOWN_FOR, Seen
from stream.results import rounded, wave_guns

PIECE = 2_000
"""Competitors written together."""
OUT = (Status.FINISHED, Status.DNF, Status.DNS, Status.DSQ)


@dataclass(frozen=True, eq=False)
class RaceForecasts:
    """The forecasts of a race at one moment; create with `of`.

    Attributes:
        race: the race.
        until: race seconds of the forecasts; negative before the first tick.
        points: the points whose next one is forecast, by distance; the finish is the last.
        found: the forecasts.
    """

    race: Race
    until: float
    points: tuple[TimingPoint, ...]
    found: Forecasts


def of(race: Race, until: float) -> RaceForecasts:
    """Return the forecasts `until` race seconds after the first gun; none before the first tick."""
    route = route_of(race.course)
    seen = seen_at(race, route, until)
    learned = learn(route, seen, sightings_until(race, until))
    return RaceForecasts(race, until, ahead(race.course.timing_points), forecast(route, seen, learned))


def route_of(course: Course) -> Route:
    """Return a course as readers find it in the table `courses`."""
    alt = course.alt
    altitudes = None if alt is None else profile(course.along, np.round(alt, ALTITUDE_DECIMALS), course.laps)
    return Route.along(course.timing_points, altitudes)


def seen_at(race: Race, route: Route, until: float) -> Seen:
    """Return what a reader knows at a tick: all passings so far, and the last positions that are not old."""
    n = len(race.field)
    guns = wave_guns(race.field.wave, race.request.wave_delay)
    times = np.full((n, len(route.marks)), np.nan)
    distance, elapsed = np.full((2, n), np.nan)
    status = race.snapshot(until).status
    if until >= 0:
        everyone = np.arange(n)
        for nth, metres in enumerate(route.marks.tolist()):
            passed = np.round(race.field.elapsed(everyone, np.full(n, metres)), 3)
            known = (passed <= until) & (metres <= race.field.until)
            times[known, nth] = passed[known]
        tick = round(until / race.request.tick)
        who, ticks = race.last_known(tick, max(1, int(KNOWN_FOR / race.request.tick)))
        true = race.snapshot(ticks.astype(np.float64) * race.request.tick, who)
        distance[who], elapsed[who] = np.round(true.distance, 3), np.round(true.elapsed, 3)
        metres, times_there = race.last_passed(until)
        is_further = ~np.isnan(metres) & ~(distance >= metres)
        distance = np.where(is_further, metres, distance)
        elapsed = np.where(is_further, np.round(times_there, 3), elapsed)
    return Seen(max(until, 0.0), guns, times, distance, elapsed, np.isin(status, OUT))


def sightings_until(race: Race, until: float) -> Sightings:
    """Return what a reader remembers of the positions at some earlier ticks."""
    sightings, now = Sightings.none(), round(until / race.request.tick)
    some = np.flatnonzero(race.entrants.bib % chosen(len(race.field)) == 0)
    for tick in remembered(until, race.request.tick):
        who = some[race.is_known(some, np.full(len(some), tick), now)]
        true = race.snapshot(race.time_of(tick), who)
        distance, elapsed = np.round(true.distance, 3), np.round(true.elapsed, 3)
        sightings = sightings.and_those(who, distance, elapsed)
    return sightings


def as_json(forecasts: RaceForecasts) -> Iterator[bytes]:
    """Return the forecasts as one JSON object."""
    race, found = forecasts.race, forecasts.found
    head = {"run_id": race.run_id, "name": race.request.name, "race_time": forecasts.until}
    pieces = (
        list(_lines(forecasts, slice(first, first + PIECE))) for first in range(0, len(found.who), PIECE)
    )
    return json_with_list(head, "forecasts", pieces)


def _lines(forecasts: RaceForecasts, some: slice) -> Iterator[dict[str, object]]:
    found, entrants = forecasts.found, forecasts.race.entrants
    who: Ints = found.who[some]
    times = zip(*map(_intervals, (found.there[some], found.gun[some], found.chip[some])), strict=True)
    for nth, point, (there, gun, chip) in zip(who.tolist(), found.point[some].tolist(), times, strict=True):
        entrant, ahead = next(iter(entrants.some(nth, nth + 1))), forecasts.points[point]
        yield {
            "bib": entrant.bib,
            "name": entrant.name,
            "next": {
                "kind": ahead.kind,
                "point": ahead.name,
                "lap": ahead.lap,
                "distance": round(ahead.distance, 3),
                "elapsed": there,
            },
            "gun_time": gun,
            "chip_time": chip,
        }


def _intervals(times: Floats) -> list[dict[str, float | None]]:
    columns = map(rounded, times.T)
    return [
        {"low": low, "expected": middle, "high": high} for low, middle, high in zip(*columns, strict=True)
    ]


JSON = Format("json", "application/json", as_json)
