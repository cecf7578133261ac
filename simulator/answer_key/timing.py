"""What timing points see: passings, and the time in each geofence."""

from typing import Any

import numpy as np

from simulator.answer_key.published import Stream
from simulator.answer_key.query import AnswerQuery
from simulator.race.race import BEFORE_THE_START
from stream.arrays import Floats
from stream.results import rounded


def passings(stream: Stream, _: AnswerQuery) -> dict[str, list[Any]]:
    """Return all passings, by time: the columns of `PassingRow`."""
    race = stream.race
    found = race.passings(BEFORE_THE_START, max(stream.until, BEFORE_THE_START))
    points = [race.points[point] for point in found.point.tolist()]
    return {
        "competitorId": race.entrants.bib[found.who].tolist(),
        "kind": [point.kind for point in points],
        "point": [point.name for point in points],
        "lap": [point.lap for point in points],
        "elapsed": rounded(found.elapsed),
        "distance": rounded(found.distance),
    }


def passings_of_positions(stream: Stream, query: AnswerQuery) -> dict[str, list[Any]]:
    """Return the passings as positions show them: at the first tick at or after each."""
    return _at_ticks(stream, passings(stream, query), {"elapsed": np.ceil})


def passings_of_first_laps(stream: Stream, query: AnswerQuery) -> dict[str, list[Any]]:
    """Return the passings of a consumer whose key lacks the lap: the first of each point."""
    return _first_laps(passings(stream, query))


def dwell(stream: Stream, query: AnswerQuery) -> dict[str, list[Any]]:
    """Return the visits of geofences, by bib and time: the columns of `DwellRow`.

    A visit without an exit so far has neither `exit` nor `seconds`.
    """
    found = passings(stream, query)
    columns = (found[name] for name in ("competitorId", "kind", "point", "lap", "elapsed"))
    entered: dict[tuple[int, str, int], float] = {}
    left: dict[tuple[int, str, int], float] = {}
    for bib, kind, point, lap, elapsed in zip(*columns, strict=True):
        if kind in {"enter", "exit"}:
            (entered if kind == "enter" else left)[bib, point, lap] = elapsed
    visits = sorted(entered, key=lambda visit: (visit[0], entered[visit], visit[1]))
    exits = [left.get(visit) for visit in visits]
    return {
        "competitorId": [bib for bib, _, _ in visits],
        "geofence": [fence for _, fence, _ in visits],
        "lap": [lap for _, _, lap in visits],
        "enter": [entered[visit] for visit in visits],
        "exit": exits,
        "seconds": [
            None if out is None else round(out - entered[visit], 3)
            for visit, out in zip(visits, exits, strict=True)
        ],
    }


def dwell_of_positions(stream: Stream, query: AnswerQuery) -> dict[str, list[Any]]:
    """Return the visits as positions show them: from the first to the last tick inside."""
    found = _at_ticks(stream, dwell(stream, query), {"enter": np.ceil, "exit": np.floor})
    spans = zip(found["enter"], found["exit"], strict=True)
    seconds = [None if out is None else round(out - into, 3) for into, out in spans]
    return {**found, "seconds": seconds}


def dwell_of_first_laps(stream: Stream, query: AnswerQuery) -> dict[str, list[Any]]:
    """Return the visits of a consumer whose key lacks the lap: the first of each geofence."""
    return _first_laps(dwell(stream, query))


def _at_ticks(stream: Stream, found: dict[str, list[Any]], columns: dict[str, Any]) -> dict[str, list[Any]]:
    """Return columns with some times moved to a tick."""
    tick, moved = stream.race.request.tick, dict(found)
    for name, to_tick in columns.items():
        times: Floats = np.array(found[name], float)
        moved[name] = rounded(to_tick(np.round(times / tick, 6)) * tick)
    return moved


def _first_laps(found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    some = [nth for nth, lap in enumerate(found["lap"]) if lap == 1]
    return {name: [column[nth] for nth in some] for name, column in found.items()}
