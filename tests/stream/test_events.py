"""The events' JSON Schemas agree with the encoder, the API and the documentation."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from typing import Any, get_args

import jsonschema_rs
import orjson
import pytest
from jsonschema_rs import Draft202012Validator

from dashboard.store.protocol import STATUSES
from simulator.course.library import load_folder
from simulator.http.openapi import document
from simulator.publishers.encode import encode
from simulator.race.events import (
    STATUS_NAMES,
    Streamed,
    entries_of,
    passings_until,
    positions_at,
    record_of,
)
from simulator.race.race import Race
from stream.contract import ALL_TOPICS, TABLES, TOPICS, read_event, table_of
from stream.courses import PassingKind
from stream.race_states import RACE_STATES
from tests.processes import ROOT
from tests.simulator.conftest import COURSES, resolved

Event = dict[str, Any]

STREAM = (ROOT / "docs" / "stream.md").read_text()
EVERY_OPTION = {
    "competitors": 40,
    "how_many_get_stopped": 0.5,
    "interval": 20,
    "pace_model": "parkrun",
    "fatigue": "split",
    "gradient": True,
    "wave_size": 25,
    "wave_delay": 40,
    "start_flow": 2,
    "corrals": True,
    "entrants": "drawn",
    "dns": 0.1,
    "dnf": 0.2,
    "disqualified": 0.1,
    "walking": 0.1,
    "wrong_turn": 0.1,
    "cut_offs": {"2 km": 1000, "finish": 2400},
    "gps_error": 2.5,
    "gps_noise": 1,
    "lost": 0.05,
    "frozen": 0.05,
    "late": 0.05,
    "duplicates": 0.05,
    "clock_skew": 3,
    "dead_battery": 0.1,
    "ground_truth": True,
}


def fields(topic: str) -> dict[str, Any]:
    """Return the fields of a topic's events."""
    found: dict[str, Any] = read_event(topic)["properties"]
    return found


def allowed(topic: str, field: str) -> set[str]:
    """Return the words that a field may have."""
    return set(fields(topic)[field]["enum"])


def batches() -> Iterator[Streamed]:
    """Yield all events of a race in which everything happens."""
    course = load_folder(COURSES).courses["crystal-palace"]
    race = Race(course, resolved(**EVERY_OPTION))
    yield from entries_of(race, 1000)
    yield from entries_of(Race(course, resolved(start_list="name,sex\nKim,X\nSam,\n")), 1000)
    for status in RACE_STATES:
        yield record_of(race, status, race.start_ms, race.request.text())
    for tick in range(race.last_tick + 1):
        yield from passings_until(race, tick, 1000)
        for batch in positions_at(race, tick, 1000):
            yield replace(batch, emitted_at=race.start_ms + 1000 * int(race.time_of(tick)))


@pytest.fixture(scope="module")
def events() -> dict[str, list[Event]]:
    """The encoded events by topic."""
    made: dict[str, list[Event]] = {topic: [] for topic in TOPICS}
    for batch in batches():
        messages = encode(batch)
        made[messages.topic] += [orjson.loads(value) for value in messages.values]
    return made


@pytest.mark.parametrize("topic", TOPICS)
def test_schemas_are_valid(topic: str) -> None:
    """Each schema follows draft 2020-12, describes every field, and has valid examples."""
    schema = read_event(topic)
    jsonschema_rs.meta.validate(schema)
    valid = Draft202012Validator(schema)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert all(field["description"] for field in fields(topic).values())
    assert schema["examples"]
    assert [valid.is_valid(example) for example in schema["examples"]] == [True] * len(schema["examples"])


@pytest.mark.parametrize("topic", TOPICS)
def test_every_event_is_valid(topic: str, events: dict[str, list[Event]]) -> None:
    """Whatever happens in a race, each of its events is valid for its topic's schema."""
    valid = Draft202012Validator(read_event(topic))
    wrong = [error.message for event in events[topic] for error in valid.iter_errors(event)]

    assert wrong == []
    assert events[topic]


@pytest.mark.parametrize("topic", TOPICS)
def test_every_field_and_word_of_a_schema_occurs(topic: str, events: dict[str, list[Event]]) -> None:
    """A schema has exactly the fields and the words that events have."""
    assert {name for event in events[topic] for name in event} == set(fields(topic))
    for name, field in fields(topic).items():
        if "enum" in field:
            assert {event[name] for event in events[topic]} == set(field["enum"])


@pytest.mark.parametrize("topic", TOPICS)
def test_every_required_field_is_needed(topic: str) -> None:
    """An event is invalid without a required field; it is valid without another field or with a new one."""
    valid = Draft202012Validator(read_event(topic))
    (example, *_) = read_event(topic)["examples"]
    needed = {
        name
        for name in example
        if not valid.is_valid({other: value for other, value in example.items() if other != name})
    }

    assert needed == set(read_event(topic)["required"])
    assert valid.is_valid({**example, "heartRate": 150})


def test_a_true_place_has_both_coordinates() -> None:
    """An event has both coordinates of the true place or none."""
    (example, *_) = read_event("parkrun")["examples"]
    valid = Draft202012Validator(read_event("parkrun"))

    assert not valid.is_valid({**example, "trueLat": 51.4})
    assert valid.is_valid({**example, "trueLat": 51.4, "trueLon": -0.06})


@pytest.mark.parametrize("topic", TOPICS)
def test_pinots_defaults_are_impossible_values(topic: str) -> None:
    """The value that Pinot stores for a missing required field is invalid in an event."""
    for name in read_event(topic)["required"]:
        assert not Draft202012Validator(fields(topic)[name]).is_valid(TABLES[topic].fields[name].missing)


def test_words_are_the_codes() -> None:
    """The encoder, the API and the page have the same statuses and kinds."""
    answers = document()["components"]["schemas"]

    assert allowed("parkrun", "status") == set(STATUS_NAMES) == set(STATUSES)
    assert allowed("parkrun", "status") == set(answers["ResultAnswer"]["properties"]["status"]["enum"])
    assert allowed("races", "status") == set(RACE_STATES)
    assert allowed("races", "status") == set(answers["RaceAnswer"]["properties"]["status"]["enum"])
    assert allowed("passings", "kind") == set(get_args(PassingKind))


def test_bounds_are_those_of_the_request() -> None:
    """A race's event has the bounds of its request."""
    asked = document()["components"]["schemas"]["RaceRequest"]["properties"]
    published = fields("races")
    for topic in TOPICS:
        assert pattern(fields(topic)["runId"]) == pattern(asked["run_id"])
    assert pattern(published["course"]) == pattern(fields("parkrun")["course"]) == pattern(asked["course"])
    for name in ("competitors", "speed", "seed"):
        assert bounds(published[name]) == bounds(asked[name])
    assert published["name"]["maxLength"] == one_of(asked["name"])["maxLength"]


def one_of(field: Event) -> Event:
    """Return the schema of a field that may be null, without the null."""
    return next((part for part in field.get("anyOf", ()) if part["type"] != "null"), field)


def pattern(field: Event) -> object:
    """Return the pattern of a string."""
    return one_of(field)["pattern"]


def bounds(field: Event) -> tuple[object, object]:
    """Return the minimum and the maximum of a number."""
    return one_of(field)["minimum"], one_of(field)["maximum"]


def first_column(title: str) -> dict[str, str]:
    """Return the rest of each row of the first table below a line, by the names in the first column."""
    lines = STREAM.split(f"{title}\n")[1].strip().splitlines()
    table = takewhile(lambda line: line.startswith("|"), lines)
    rows = [line.split(" | ", 1) for line in table if line.startswith("| `")]
    return {name: rest for names, rest in rows for name in re.findall(r"`(\w+)`", names)}


def test_documented_example_is_the_schemas() -> None:
    """The event in the documentation is the schema's example."""
    (shown,) = re.findall(r"```json\n(.*?)```", STREAM, re.DOTALL)

    assert [json.loads(shown)] == read_event("parkrun")["examples"]


def test_topics_and_keys_are_documented() -> None:
    """The documentation has each topic with its table's key."""
    documented = {topic: rest.split(" | ")[0] for topic, rest in first_column("## Topics").items()}

    assert documented == {topic: ", ".join(table_of(topic).key) for topic in ALL_TOPICS}


def test_statuses_are_documented() -> None:
    """The documentation has the statuses of the schema."""
    assert set(first_column("| `status` | meaning |")) == allowed("parkrun", "status")
