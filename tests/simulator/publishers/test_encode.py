from collections.abc import Callable

import numpy as np
import orjson
import pytest

from simulator.publishers.encode import encode
from simulator.race.events import (
    Entries,
    entries_of,
    passings_until,
    positions_at,
    positions_of_all,
    record_of,
)
from simulator.race.race import Race
from stream.contract import TABLES

MakeRace = Callable[..., Race]


def test_a_position_is_the_event_of_the_contract(make_race: MakeRace) -> None:
    """A position has exactly the fields of the topic `parkrun`, in their types and units."""
    race = make_race(competitors=1, seed=7)
    (batch,) = positions_at(race, 60, 5000)
    messages = encode(batch)

    assert messages.topic == "parkrun"
    assert messages.keys == [b"race-1:1"]
    assert orjson.loads(messages.values[0]) == {
        "runId": "race-1",
        "eventId": "race-1-1-60",
        "competitorId": 1,
        "rawTime": 60,
        "timestamp": 1777712460000,
        "lat": pytest.approx(50.0012, abs=0.01),
        "lon": 0.0,
        "distance": batch.distance[0],
        "course": "straight",
        "status": "running",
        "elapsed": 60.0,
        "emittedAt": 0,
    }


@pytest.mark.parametrize("ground_truth", [False, True])
def test_a_positions_fields_are_in_the_contracts_order(make_race: MakeRace, *, ground_truth: bool) -> None:
    """The line that the f-string writes has the contract's fields in their order."""
    (batch,) = positions_at(make_race(competitors=1, ground_truth=ground_truth), 1, 5000)
    table = TABLES["parkrun"]

    fields = tuple(orjson.loads(encode(batch).values[0]))
    assert fields == (tuple(table.fields) if ground_truth else table.columns)


def test_every_number_is_read_back_as_it_was(make_race: MakeRace) -> None:
    """What is read from a message is what the batch holds, to the last bit."""
    race = make_race(competitors=200, how_many_get_stopped=0.5)
    batch = positions_of_all(race, 400)
    read = [orjson.loads(value) for value in encode(batch).values]

    assert [event["lon"] for event in read] == batch.lon.tolist()
    assert [event["lat"] for event in read] == batch.lat.tolist()
    assert [event["distance"] for event in read] == batch.distance.tolist()
    assert [event["elapsed"] for event in read] == batch.elapsed.tolist()
    assert [event["status"] for event in read] == batch.status_names
    assert {type(event["distance"]) for event in read} == {float}


def test_a_finisher_carries_the_exact_time(make_race: MakeRace) -> None:
    """The event of a finisher says `finished`, the whole distance and the finish time to the millisecond."""
    race = make_race(competitors=50)
    read = [orjson.loads(value) for value in encode(positions_of_all(race, race.last_tick)).values]

    assert {event["status"] for event in read} == {"finished"}
    assert {event["distance"] for event in read} == {round(race.course.distance, 3)}
    assert [event["elapsed"] for event in read] == np.round(race.finish_times, 3).tolist()


def test_events_of_a_tick_have_ids_of_their_own(make_race: MakeRace) -> None:
    """No two events of a race have the same id."""
    race = make_race(competitors=5, interval=1.5)
    ids = [
        orjson.loads(value)["eventId"]
        for tick in range(race.last_tick + 1)
        for batch in positions_at(race, tick, 5000)
        for value in encode(batch).values
    ]

    assert len(set(ids)) == len(ids)


def test_raw_time_is_the_second_of_the_tick(make_race: MakeRace) -> None:
    """`rawTime` is the tick's whole second, though 100 ticks of 1.15 s are a little less than 115 s."""
    race = make_race(competitors=1, interval=1.15, slowest=3600, fastest=3600)
    raw_times = [int(positions_of_all(race, tick).raw_time[0]) for tick in range(2000)]

    assert raw_times == [tick * 115 // 100 for tick in range(2000)]


def test_a_passing_is_the_event_of_the_contract(make_race: MakeRace) -> None:
    """A passing has exactly the fields of the topic `passings`."""
    race = make_race(competitors=1)
    (batch,) = passings_until(race, 0, 5000)
    messages = encode(batch)

    assert messages.topic == "passings"
    assert messages.keys == [b"race-1:1"]
    assert orjson.loads(messages.values[0]) == {
        "runId": "race-1",
        "competitorId": 1,
        "kind": "start",
        "point": "Start",
        "lap": 1,
        "distance": 0.0,
        "elapsed": 0.0,
        "timestamp": 1777712400000,
    }


def test_an_entry_is_the_event_of_the_contract(make_race: MakeRace) -> None:
    """A competitor has exactly the fields of the topic `competitors`."""
    messages = encode(Entries("race-1", make_race(competitors=9).entrants, 7, 9))

    assert messages.topic == "competitors"
    assert messages.keys == [b"race-1:8", b"race-1:9"]
    assert orjson.loads(messages.values[1]) == {
        "runId": "race-1",
        "competitorId": 9,
        "name": "Runner 9",
        "category": "Open",
        "wave": 1,
        "club": "",
        "sex": "",
    }


def test_a_race_record_carries_its_whole_request(make_race: MakeRace) -> None:
    """A race's record has the fields of the topic `races`, and a request from which it can be run again."""
    race = make_race(competitors=12, seed=99)
    messages = encode(record_of(race, "running", 5, race.request.model_dump_json(exclude_none=True)))
    event = orjson.loads(messages.values[0])
    request = orjson.loads(event.pop("request"))

    assert messages.keys == [b"race-1"]
    assert event == {
        "runId": "race-1",
        "name": "A race",
        "course": "straight",
        "startTime": 1777712400000,
        "status": "running",
        "competitors": 12,
        "speed": 1.0,
        "seed": 99,
        "updatedAt": 5,
        "clockStart": 1777712400000,
        "deliveredUntil": -1.0,
    }
    assert request["seed"] == 99
    assert request["start_at"] == "2026-05-02T09:00:00Z"
    assert type(race.request).model_validate_json(orjson.dumps(request)) == race.request


def test_entries_come_in_batches(make_race: MakeRace) -> None:
    """The batches of a start list together contain each competitor once."""
    pieces = [(batch.first, batch.last) for batch in entries_of(make_race(competitors=25), 10)]

    assert pieces == [(0, 10), (10, 20), (20, 25)]
