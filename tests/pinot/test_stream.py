"""How Pinot stores the events, with a real Kafka and Pinot."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.pinot.conftest import Pinot, Row

pytestmark = pytest.mark.stack


def test_newest_position_is_kept(pinot: Pinot, run: str, position: Callable[..., Row]) -> None:
    """A query sees only each competitor's newest position."""
    pinot.send("parkrun", [position(bib, second) for second in range(5) for bib in (1, 2)])
    newest = f"select competitorId, rawTime from parkrun where runId = '{run}' order by competitorId"
    pinot.wait_until(newest, [[1, 4], [2, 4]])


def test_every_position_is_kept(pinot: Pinot, run: str, position: Callable[..., Row]) -> None:
    """With skipUpsert a query sees all positions, as published."""
    pinot.send("parkrun", [position(1, second) for second in range(5)])
    history = (
        f"select rawTime, distance from parkrun where runId = '{run}' order by rawTime "
        "option(skipUpsert=true)"
    )
    pinot.wait_until(history, [[second, second * 4.0] for second in range(5)])


def test_late_event_does_not_win(pinot: Pinot, run: str, position: Callable[..., Row]) -> None:
    """An older position that arrives after a newer one does not replace it."""
    pinot.send("parkrun", [position(1, 9), position(1, 3)])
    count = f"select count(*) from parkrun where runId = '{run}' option(skipUpsert=true)"
    pinot.wait_until(count, [[2]])
    assert pinot.ask(f"select rawTime from parkrun where runId = '{run}'") == [[9]]


def test_repeated_event_is_harmless(pinot: Pinot, run: str, position: Callable[..., Row]) -> None:
    """The same event twice, as at-least-once delivery allows, is one row."""
    pinot.send("parkrun", [position(1, 9)] * 2)
    count = f"select count(*) from parkrun where runId = '{run}' option(skipUpsert=true)"
    pinot.wait_until(count, [[2]])
    assert pinot.ask(f"select count(*) from parkrun where runId = '{run}'") == [[1]]


def test_same_bib_in_two_races_is_two_competitors(
    pinot: Pinot, run: str, position: Callable[..., Row]
) -> None:
    """The same bib in another race is another competitor."""
    pinot.send("parkrun", [position(1, 9), position(1, 5, runId=f"{run}-2")])
    rows = f"select runId, rawTime from parkrun where runId in ('{run}', '{run}-2') order by runId"
    pinot.wait_until(rows, [[run, 9], [f"{run}-2", 5]])


def test_fields_arrive_as_sent(pinot: Pinot, run: str, position: Callable[..., Row]) -> None:
    """Every field of an event is in its column, exactly."""
    sent = position(3, 61, distance=287.123456789, elapsed=61.125, status="paused")
    pinot.send("parkrun", [sent])
    names = [name for name in sent if name != "timestamp"]
    select = f"select {', '.join(names)} from parkrun where runId = '{run}'"
    pinot.wait_until(select, [[sent[name] for name in names]])
    time = f"select ToEpochSeconds(\"timestamp\") from parkrun where runId = '{run}'"
    assert pinot.ask(time) == [[sent["timestamp"] // 1000]]


def test_location_is_lon_then_lat(pinot: Pinot, run: str, position: Callable[..., Row]) -> None:
    """`location` is the geography of `lon` and `lat`."""
    pinot.send("parkrun", [position(1, 1, lon=-0.0665, lat=51.4175)])
    select = f"select ST_AsText(location) from parkrun where runId = '{run}'"
    pinot.wait_until(select, [["POINT (-0.0665 51.4175)"]])
    apart = (
        "select ST_Distance(location, toSphericalGeography(ST_Point(-0.0665, 51.4185))) "
        f"from parkrun where runId = '{run}'"
    )
    assert pinot.ask(apart)[0][0] == pytest.approx(111.2, abs=0.1)


def test_race_changes_in_place(pinot: Pinot, run: str) -> None:
    """A race has one row with its newest state and a request of any length."""
    race: dict[str, Any] = {
        "runId": run,
        "name": "Parkrun",
        "course": "crystal-palace",
        "startTime": 1_700_000_000_000,
        "status": "running",
        "competitors": 100,
        "speed": 1.5,
        "seed": 2**63 - 1,
        "updatedAt": 1_700_000_000_000,
        "request": "x" * 600_000,
    }
    ended = race | {"status": "finished", "updatedAt": race["updatedAt"] + 1}
    pinot.send("races", [race, ended, race])
    select = f"select status, seed, speed, length(request) from races where runId = '{run}'"
    pinot.wait_until(select, [["finished", 2**63 - 1, 1.5, 600_000]])


def test_competitor_has_one_row(pinot: Pinot, run: str) -> None:
    """The last event of a competitor counts."""
    competitor = {"runId": run, "competitorId": 1, "name": "A", "category": "SW", "wave": 1}
    pinot.send("competitors", [competitor, competitor | {"name": "Zoë O'Hara"}])
    pinot.wait_until(f"select name from competitors where runId = '{run}'", [["Zoë O'Hara"]])


def test_each_passing_has_one_row(pinot: Pinot, run: str) -> None:
    """A passing is identified by competitor, kind, point and lap; repeats are deduplicated."""
    passing: dict[str, Any] = {
        "runId": run,
        "competitorId": 1,
        "kind": "split",
        "point": "1 km",
        "lap": 1,
        "distance": 1000.0,
        "elapsed": 251.125,
        "timestamp": 1_700_000_251_125,
    }
    pinot.send("passings", [passing, passing, passing | {"lap": 2}, passing | {"kind": "enter"}])
    count = f"select count(*) from passings where runId = '{run}'"
    pinot.wait_until(f"{count} option(skipUpsert=true)", [[4]])
    assert pinot.ask(count) == [[3]]


def test_nonsense_in_a_topic_does_not_stop_it(pinot: Pinot, run: str, position: Callable[..., Row]) -> None:
    """Malformed messages and tombstones are skipped, and later events are consumed."""
    pinot.send_raw("parkrun", [b"not json", b"", None])
    pinot.send("parkrun", [position(bib, 1) for bib in range(8)])
    pinot.wait_until(f"select count(*) from parkrun where runId = '{run}'", [[8]])


def test_course_is_found_by_lookup(pinot: Pinot, run: str, position: Callable[..., Row]) -> None:
    """A course in the courses folder is in `courses`, with its line, fence, start and finish."""
    pinot.send("parkrun", [position(1, 1)])
    columns = ("courseMap", "geoFenceLocation", "startLocation", "endLocation")
    shapes = ", ".join(f"ST_AsText(lookup('courses', '{c}', 'shortName', course))" for c in columns)
    pinot.wait_until(f"select count(*) from parkrun where runId = '{run}'", [[1]])
    (found,) = pinot.ask(f"select {shapes} from parkrun where runId = '{run}'")
    kinds = [re.match(r"\w+", wkt) for wkt in found]
    assert [kind and kind[0] for kind in kinds] == ["LINESTRING", "POLYGON", "POINT", "POINT"]
