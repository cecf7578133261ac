"""The forecasts of a race against what its stream has published, and the JSON that they are given out as."""

from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import pytest

from simulator.course.course import Course
from simulator.export import forecasts
from simulator.http.answers import ForecastsAnswer
from simulator.race.events import STATUS_NAMES, passings_until
from simulator.race.race import Race
from tests.simulator.conftest import resolved

REAL: dict[str, Any] = {
    "competitors": 120,
    "entrants": "drawn",
    "dns": 0.05,
    "dnf": 0.1,
    "wave_size": 50,
    "wave_delay": 90.0,
    "start_flow": 3.0,
    "how_many_get_stopped": 0.3,
    "lost": 0.1,
    "late": 0.1,
    "duplicates": 0.05,
    "dead_battery": 0.1,
}
MIDDLE = 600


@pytest.fixture
def race(make_race: Callable[..., Race]) -> Race:
    """Return a race in which everything happens."""
    return make_race(**REAL)


def given(race: Race, until: float) -> list[dict[str, Any]]:
    """Return the forecasts of the JSON, which has to be what its model says."""
    text = b"".join(forecasts.as_json(forecasts.of(race, until)))
    answer = ForecastsAnswer.model_validate_json(text, strict=True)
    assert answer.model_dump() == orjson.loads(text)
    assert answer.race_time == until
    return list(orjson.loads(text)["forecasts"])


def test_everyone_on_the_course_is_forecast(race: Race) -> None:
    """Competitors who run or pause are forecast, except those of whom nothing is known beyond the start."""
    status = np.array(STATUS_NAMES)[race.snapshot(MIDDLE).status]
    on_course = {*race.entrants.bib[np.isin(status, ("running", "paused"))].tolist()}
    found = {one["bib"] for one in given(race, MIDDLE)}

    assert found <= on_course
    assert len(found) > 0.95 * len(on_course)


@pytest.mark.parametrize("until", [-1, 0, 100_000])
def test_before_and_after_the_race_there_are_no_forecasts(race: Race, until: float) -> None:
    """Before the first tick, at the gun and after the end the course is empty."""
    assert given(race, until) == []


def test_only_what_is_published_is_known(race: Race) -> None:
    """The times that forecasts begin with are exactly the passings of the topic up to the tick."""
    route = forecasts.route_of(race.course)
    seen = forecasts.seen_at(race, route, MIDDLE)
    expected = np.full(seen.times.shape, np.nan)
    who = {bib: nth for nth, bib in enumerate(race.entrants.bib.tolist())}
    for tick in range(MIDDLE + 1):
        for batch in passings_until(race, tick, 1000):
            for _, bib, kind, _, _, metres, elapsed, _ in batch.rows():
                if kind in {"start", "split", "finish"}:
                    nth = int(np.argmin(np.abs(route.marks - float(str(metres)))))
                    expected[who[int(str(bib))], nth] = elapsed

    assert np.array_equal(seen.times, expected, equal_nan=True)
    assert (seen.elapsed[~np.isnan(seen.elapsed)] <= MIDDLE).all()


def test_only_published_positions_are_remembered(race: Race) -> None:
    """What is remembered are positions of earlier ticks, as trackers reported them."""
    found = forecasts.sightings_until(race, MIDDLE)
    remembered = set(zip(found.who.tolist(), found.elapsed.tolist(), found.distance.tolist(), strict=True))
    published = set()
    for tick in range(MIDDLE + 1):
        fixes = race.fixes_at(tick)
        elapsed, distance = np.round(fixes.reported.elapsed, 3), np.round(fixes.reported.distance, 3)
        published |= set(zip(fixes.who.tolist(), elapsed.tolist(), distance.tolist(), strict=True))

    assert remembered <= published
    assert len(remembered) > 300


def test_what_happens_later_changes_no_forecast(straight: Course) -> None:
    """Two races that differ only after the tick have the same forecasts at the tick."""
    plain, disqualified = (
        Race(straight, resolved(**(REAL | {"dnf": 0.0, "disqualified": share}))) for share in (0.0, 0.05)
    )
    verdicts = disqualified.field.disqualified_at
    first = int(verdicts.min()) - 1

    assert given(plain, first) == given(disqualified, first)


def test_the_next_point_is_the_next_one_of_the_course(race: Race) -> None:
    """Each competitor's next point is one that hasn't been passed, of any kind, fences included."""
    snapshot = race.snapshot(MIDDLE)
    distance = dict(zip(race.entrants.bib.tolist(), snapshot.distance.tolist(), strict=True))
    found = given(race, MIDDLE)
    kinds = {one["next"]["kind"] for one in found}

    assert {"exit", "split"} <= kinds
    for one in found:
        points = [point for point in race.course.timing_points if point.distance > distance[one["bib"]]]
        # Where trackers are silent, the last passing counts.
        assert one["next"]["distance"] <= points[0].distance + 0.001
        assert one["next"]["elapsed"]["low"] >= MIDDLE


def test_gun_and_chip_time_differ_by_the_start(race: Race) -> None:
    """The forecasts of both times of the finish count from the gun of the wave and from the own start."""
    start = dict(zip(race.entrants.bib.tolist(), race.field.start.tolist(), strict=True))
    wave = dict(zip(race.entrants.bib.tolist(), race.field.wave.tolist(), strict=True))
    for one in given(race, MIDDLE):
        own = start[one["bib"]] - 90.0 * (wave[one["bib"]] - 1)
        for name in ("low", "expected", "high"):
            assert one["gun_time"][name] - one["chip_time"][name] == pytest.approx(own, abs=0.002)
