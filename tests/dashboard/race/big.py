"""A simulated race in a fake store: as all of it is read, and as one that is shown by a sample."""

import gzip
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from dashboard.race.payload import Packed
from dashboard.store import rows
from dashboard.store.protocol import Competitor
from simulator.course.library import load_folder
from simulator.race.events import positions_of_all
from simulator.race.race import BEFORE_THE_START, Race
from simulator.race.request import RaceRequest
from stream.cut_offs import CutOffs
from tests.dashboard.fakes import COURSE, FakeStore, race

ROOT = Path(__file__).parents[3]
EMITTED = 1_790_000_000_000
COMPETITORS = 700
CLAIMED = 60_000
"""Competitors that the race says it has, so that a sample shows it: every seventh bib."""

_COURSE = load_folder(ROOT / "courses").courses["crystal-palace"]


def simulated(**options: Any) -> Race:
    """A race with everything that can happen to its competitors."""
    request = RaceRequest(
        course="crystal-palace",
        competitors=COMPETITORS,
        entrants="drawn",
        pace_model="parkrun",
        how_many_get_stopped=0.2,
        dns=0.02,
        dnf=0.05,
        disqualified=0.02,
        interval=10,
        **options,
    ).resolved(run_id="run_1", name="Big", seed=7, start_at=datetime(2026, 1, 1, 9, tzinfo=UTC))
    return Race(_COURSE, request)


def store_at(simulated_race: Race, time: float, *, is_big: bool) -> FakeStore:
    """A store with the race as it is at a tick, in race seconds."""
    course = replace(
        COURSE,
        distance=round(_COURSE.distance, 3),
        line=np.column_stack([_COURSE.lon, _COURSE.lat]),
        fences=tuple(
            replace(COURSE.fences[0], name=name, visits=tuple(visits))
            for name, visits in _COURSE.visits_by_fence().items()
        ),
    )
    limits = simulated_race.cut_offs
    record = race(
        competitors=CLAIMED if is_big else COMPETITORS,
        start_time=0,
        interval=10.0,
        wave_delay=simulated_race.request.wave_delay,
        cut_offs=limits and CutOffs(tuple(limits.published()), limits.since),
    )
    store = FakeStore(known=[record], courses=[course])
    tell(store, simulated_race, time)
    return store


def tell(store: FakeStore, simulated_race: Race, time: float) -> None:
    """Let a store have the race as it is at a tick."""
    now = positions_of_all(simulated_race, round(time / 10))
    columns = (now.bib, now.lon, now.lat, now.distance)
    some = zip(*(column.tolist() for column in columns), now.status_names, now.elapsed.tolist(), strict=True)
    store.now = rows.positions([(*row, EMITTED + round(time * 1000)) for row in some])
    found = simulated_race.passings(BEFORE_THE_START, time)
    store.passed = []
    for nth, elapsed, distance, who in zip(
        found.point.tolist(), found.elapsed.tolist(), found.distance.tolist(), found.who.tolist(), strict=True
    ):
        point = simulated_race.points[nth]
        bib = int(simulated_race.entrants.bib[who])
        store.passed.append((bib, point.kind, point.name, point.lap, round(distance, 3), round(elapsed, 3)))
    store.names = {
        one.bib: Competitor(one.name, one.category, one.wave, one.club, one.sex)
        for one in simulated_race.entrants.some(0, COMPETITORS)
    }


def body(packed: Packed) -> dict[str, Any]:
    """The decoded payload."""
    said: dict[str, Any] = orjson.loads(gzip.decompress(packed.body))
    return said


def lines(said: dict[str, Any], count: int | None = None) -> list[dict[str, Any]]:
    """The rows of a payload's columns, the first `count` of them."""
    names, columns = zip(*said["columns"].items(), strict=True)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)][:count]
