"""Who is where: the final order, and leaderboard and positions at an event time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.answer_key.published import Published, Stream
from simulator.answer_key.query import AnswerQuery
from simulator.answer_key.rows import PositionRow, columns_of
from simulator.export import results
from simulator.race.events import STATUS_NAMES
from simulator.race.race import Fixes, Race, Status
from stream.arrays import Floats, Ints, Mask
from stream.results import Rank, rounded, since, wave_guns

EARTH = 6_371_008.8
"""Mean radius, metres."""


@dataclass(frozen=True)
class Reading:
    """How a consumer reads positions; the defaults are right.

    Attributes:
        newest: which event of a competitor it takes: the one with the highest event time, or the last to
            arrive.
        until: the event time that it compares with `at`.
        distance: the field `distance`, or the sum of the distances between the places.
    """

    newest: Literal["event", "arrival"] = "event"
    until: Literal["race", "tracker"] = "race"
    distance: Literal["field", "places"] = "field"


class _Newest(NamedTuple):
    """The event that counts of each of k competitors, with the distance that the consumer has."""

    race: Race
    fixes: Fixes
    raw_time: Ints
    distance: Floats


def order(stream: Stream, query: AnswerQuery) -> dict[str, list[Any]]:
    """Return the results, in their order: the columns of `OrderRow`."""
    found = results.of(stream.race, stream.until, query.rank)
    lines = [line for some in found.lines() for line in some.lines]
    return {
        "competitorId": [line.bib for line in lines],
        "place": [line.place for line in lines],
        "status": [line.status for line in lines],
        "gunTime": [line.gun_time for line in lines],
        "chipTime": [line.chip_time for line in lines],
    }


def order_of_positions(stream: Stream, query: AnswerQuery) -> dict[str, list[Any]]:
    """Return the results of a consumer that takes the tick of the first `finished` for the finish time."""
    race = stream.race
    tick = race.request.tick
    shown = race.field.end.copy()
    shown[race.finishes] = np.ceil(np.round(race.field.end[race.finishes] / tick, 6)) * tick
    return _order_with(stream, query, end=shown)


def order_of_one_gun(stream: Stream, query: AnswerQuery) -> dict[str, list[Any]]:
    """Return the results of a consumer that counts gun time from the first gun in all waves."""
    return _order_with(stream, query, wave=np.ones_like(stream.race.field.wave))


def order_without_verdicts(stream: Stream, query: AnswerQuery) -> dict[str, list[Any]]:
    """Return the results of a consumer that ignores disqualifications."""
    never = np.full(len(stream.race.field), np.inf)
    return _order_with(stream, query, disqualified_at=never)


def order_by_other_time(stream: Stream, query: AnswerQuery) -> dict[str, list[Any]]:
    """Return the results by the time that was not asked for: chip instead of gun, or gun instead of chip."""
    other: Rank = "chip" if query.rank == "gun" else "gun"
    return order(stream, query.model_copy(update={"rank": other}))


def _order_with(stream: Stream, query: AnswerQuery, **changed: Any) -> dict[str, list[Any]]:
    race = stream.race
    return order(Stream(race.with_field(replace(race.field, **changed)), stream.until), query)


def leaderboard(stream: Stream, query: AnswerQuery, reading: Reading | None = None) -> dict[str, list[Any]]:
    """Return the leaderboard at an event time, by place, then by bib: the columns of `LeaderboardRow`."""
    race = stream.race
    who, status = np.empty(0, np.int64), np.empty(0, np.uint8)
    distance, elapsed = np.empty(0), np.empty(0)
    for newest in _newest(stream, query, reading or Reading()):
        fixes = newest.fixes
        who, status = np.append(who, fixes.who), np.append(status, fixes.reported.status)
        distance = np.append(distance, newest.distance)
        elapsed = np.append(elapsed, np.round(fixes.reported.elapsed, 3))
    guns = wave_guns(race.field.wave[who], race.request.wave_delay)
    starts = np.where(np.isfinite(race.field.start[who]), race.field.start[who], 0.0)
    times = since(elapsed, guns if query.rank == "gun" else starts)
    place = _places(status, times, distance)
    bib = race.entrants.bib[who]
    in_order = np.lexsort((bib, np.where(place == 0, len(place) + 1, place)))
    return {
        "competitorId": bib[in_order].tolist(),
        "place": [number or None for number in place[in_order].tolist()],
        "status": [STATUS_NAMES[code] for code in status[in_order].tolist()],
        "distance": rounded(distance[in_order]),
        "elapsed": rounded(elapsed[in_order]),
    }


def positions(stream: Stream, query: AnswerQuery, reading: Reading | None = None) -> dict[str, list[Any]]:
    """Return everyone's position at an event time, by bib: the columns of `PositionRow`."""
    rows: list[tuple[Any, ...]] = []
    for race, fixes, raw_time, distance in _newest(stream, query, reading or Reading()):
        columns = (
            race.entrants.bib[fixes.who].tolist(),
            raw_time.tolist(),
            np.round(fixes.reported.lat, 7).tolist(),
            np.round(fixes.reported.lon, 7).tolist(),
            np.round(distance, 3).tolist(),
            [STATUS_NAMES[code] for code in fixes.reported.status.tolist()],
            np.round(fixes.reported.elapsed, 3).tolist(),
        )
        rows += zip(*columns, strict=True)
    return columns_of(PositionRow, sorted(rows))


def _newest(stream: Stream, query: AnswerQuery, reading: Reading) -> Iterator[_Newest]:
    """Yield the event that counts of each competitor with one, a part of the race at a time."""
    for part in stream:
        counts = part.is_known & _is_in_time(part, query, reading)
        ticks = np.arange(part.first.shape[1])
        rank = np.broadcast_to(ticks, part.first.shape)
        if reading.newest == "arrival":
            # At a tick, the delayed and the repeated positions come after the others.
            rank = (2 * part.latest.astype(np.int64) + (part.latest > ticks)) * len(ticks) + ticks
        column = np.where(counts, rank, -1).argmax(axis=1)
        some = np.flatnonzero(counts.any(axis=1))
        who, column = part.who[some], column[some]
        time = column * part.race.request.tick
        fixes = part.race.fixes(who, time, part.race.snapshot(time, who))
        distance = np.round(fixes.reported.distance, 3)
        if reading.distance == "places":
            distance = _along_places(part, counts)[some]
        yield _Newest(part.race, fixes, part.raw_time[column], distance)


def _is_in_time(part: Published, query: AnswerQuery, reading: Reading) -> Mask:
    if query.at is None:
        return np.ones(part.first.shape, np.bool_)
    is_in_time: Mask = part.when(reading.until) - part.race.start_ms <= query.at * 1000
    return is_in_time


def _along_places(part: Published, counts: Mask) -> Floats:
    """Return the metres between the published places of each competitor, summed up, shape (k,)."""
    total = np.zeros(len(counts))
    before: Floats | None = None
    for tick in range(counts.shape[1]):
        fixes = part.race.fixes_of_all(tick).reported
        here: Floats = np.radians([fixes.lat, fixes.lon])
        before = here if before is None else before
        north, east = here - before
        metres = EARTH * np.hypot(north, east * np.cos(here[0]))
        total += np.where(counts[:, tick], metres, 0.0)
        before = np.where(counts[:, tick], here, before)
    return np.round(total, 3)


def _places(status: NDArray[np.uint8], time: Floats, distance: Floats) -> Ints:
    """Return places: finishers by time, then those on the course by distance; 0 without one, shape (k,)."""
    finished = status == Status.FINISHED
    group = np.select([finished, np.isin(status, (Status.RUNNING, Status.PAUSED))], [0, 1], 2)
    key = np.where(finished, time, -distance)
    in_order = np.lexsort((key, group))
    nth = np.arange(len(in_order))
    is_behind = (np.diff(key[in_order], prepend=-np.inf) != 0) | (np.diff(group[in_order], prepend=-1) != 0)
    places = np.empty(len(in_order), np.int64)
    places[in_order] = np.maximum.accumulate(np.where(is_behind, nth, 0)) + 1
    places[group == 2] = 0
    return places
