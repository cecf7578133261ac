"""The events' JSON Schemas hold for the encoder, the API and the documentation alike."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any, get_args

import jsonschema_rs
import orjson
import pytest
from jsonschema_rs import Draft202012Validator

from dashboard.store.protocol import STATUSES
from simulator.course.course import PassingKind
from simulator.course.library import load_folder
from simulator.http.openapi import document
from simulator.publishers.encode import encode
from simulator.race.events import (
    STATUS_NAMES,
    entries_of,
    passings_until,
    positions_at,
    record_of,
)
from simulator.race.race import Race
from stream.contract import TABLES, TOPICS, read_event
from stream.race_states import RACE_STATES
from tests.processes import ROOT
from tests.simulator.conftest import COURSES, resolved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.race.events import Streamed

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
    """The fields of a topic's events."""
    found: dict[str, Any] = read_event(topic)["properties"]
    return found


def allowed(topic: str, field: str) -> set[str]:
    """The words that a field may have."""
    return set(fields(topic)[field]["enum"])


def batches() -> Iterator[Streamed]:
    """All that is told of a race in which everything happens."""
    race = Race(load_folder(COURSES).courses["crystal-palace"], resolved(**EVERY_OPTION))
    yield from entries_of(race, 1000)
    for status in RACE_STATES:
        yield record_of(race, status, race.start_ms, race.request.text())
    for tick in range(race.last_tick + 1):
        yield from passings_until(race, tick, 1000)
        for batch in positions_at(race, tick, 1000):
            yield replace(batch, emitted_at=race.start_ms + 1000 * int(race.time_of(tick)))


@pytest.fixture(scope="module")
def events() -> dict[str, list[Event]]:
    """Of each topic, the events that the encoder makes of them."""
    made: dict[str, list[Event]] = {topic: [] for topic in TOPICS}
    for batch in batches():
        messages = encode(batch)
        made[messages.topic] += [orjson.loads(value) for value in messages.values]
    return made


@pytest.mark.parametrize("topic", TOPICS)
def test_schemas_are_of_the_newest_draft(topic: str) -> None:
    """Each schema is one of draft 2020-12, says what every field means, and gives examples that hold."""
    schema = read_event(topic)
    jsonschema_rs.meta.validate(schema)
    valid = Draft202012Validator(schema)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert all(field["description"] for field in fields(topic).values())
    assert schema["examples"]
    assert [valid.is_valid(example) for example in schema["examples"]] == [True] * len(schema["examples"])


@pytest.mark.parametrize("topic", TOPICS)
def test_every_event_is_as_its_schema_says(topic: str, events: dict[str, list[Event]]) -> None:
    """Whatever happens in a race, each of its events keeps to its topic's schema."""
    valid = Draft202012Validator(read_event(topic))
    wrong = [error.message for event in events[topic] for error in valid.iter_errors(event)]

    assert wrong == []
    assert events[topic]


@pytest.mark.parametrize("topic", TOPICS)
def test_every_field_and_word_of_a_schema_occurs(topic: str, events: dict[str, list[Event]]) -> None:
    """The schema names no field and no word that no event has, and leaves none out that one has."""
    assert {name for event in events[topic] for name in event} == set(fields(topic))
    for name, field in fields(topic).items():
        if "enum" in field:
            assert {event[name] for event in events[topic]} == set(field["enum"])


@pytest.mark.parametrize("topic", TOPICS)
def test_every_required_field_is_needed(topic: str) -> None:
    """Without a required field an event isn't valid; without any other, or with a new one, it is."""
    valid = Draft202012Validator(read_event(topic))
    (example, *_) = read_event(topic)["examples"]
    needed = {
        name
        for name in example
        if not valid.is_valid({other: value for other, value in example.items() if other != name})
    }

    assert needed == set(read_event(topic)["required"])
    assert valid.is_valid({**example, "heartRate": 150})


def test_a_true_place_is_whole() -> None:
    """Of a true place there are both numbers or none."""
    (example, *_) = read_event("parkrun")["examples"]
    valid = Draft202012Validator(read_event("parkrun"))

    assert not valid.is_valid({**example, "trueLat": 51.4})
    assert valid.is_valid({**example, "trueLat": 51.4, "trueLon": -0.06})


@pytest.mark.parametrize("topic", TOPICS)
def test_pinots_defaults_are_no_values(topic: str) -> None:
    """What Pinot puts where a required field is missing is nothing that an event may have in it."""
    for name in read_event(topic)["required"]:
        assert not Draft202012Validator(fields(topic)[name]).is_valid(TABLES[topic].fields[name].missing)


def test_words_are_the_codes() -> None:
    """What statuses and kinds there are is the same to the encoder, the API and the page."""
    answers = document()["components"]["schemas"]

    assert allowed("parkrun", "status") == set(STATUS_NAMES) == set(STATUSES)
    assert allowed("parkrun", "status") == set(answers["ResultAnswer"]["properties"]["status"]["enum"])
    assert allowed("races", "status") == set(RACE_STATES)
    assert allowed("races", "status") == set(answers["RaceAnswer"]["properties"]["status"]["enum"])
    assert allowed("passings", "kind") == set(get_args(PassingKind))


def test_bounds_are_the_requests() -> None:
    """A race's event has the bounds that its request has to keep to."""
    asked = document()["components"]["schemas"]["RaceRequest"]["properties"]
    told = fields("races")
    for topic in TOPICS:
        assert pattern(fields(topic)["runId"]) == pattern(asked["run_id"])
    assert pattern(told["course"]) == pattern(fields("parkrun")["course"]) == pattern(asked["course"])
    for name in ("competitors", "speed", "seed"):
        assert bounds(told[name]) == bounds(asked[name])
    assert told["name"]["maxLength"] == one_of(asked["name"])["maxLength"]


def one_of(field: Event) -> Event:
    """What a field that may be null is else."""
    return next((part for part in field.get("anyOf", ()) if part["type"] != "null"), field)


def pattern(field: Event) -> object:
    """What a text has to look like."""
    return one_of(field)["pattern"]


def bounds(field: Event) -> tuple[object, object]:
    """The least and the most that a number may be."""
    return one_of(field)["minimum"], one_of(field)["maximum"]


def first_column(title: str) -> dict[str, str]:
    """What the first table under a line of the documentation says, by each name in its first column."""
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
    told = {topic: rest.split(" | ")[0] for topic, rest in first_column("## Topics").items()}

    assert told == {topic: ", ".join(TABLES[topic].key) for topic in TOPICS}


@pytest.mark.parametrize("topic", TOPICS)
def test_fields_are_documented(topic: str) -> None:
    """The documentation has each field with its type, and says which are optional."""
    told = {
        name: (row.split(" | ")[0], row.split(" | ")[1].startswith("optional: "))
        for name, row in first_column(f"### Events of `{topic}`").items()
    }

    assert told == {name: (field.type, not field.required) for name, field in TABLES[topic].fields.items()}


def test_statuses_are_documented() -> None:
    """The documentation has the statuses of the schema."""
    assert set(first_column("| `status` | meaning |")) == allowed("parkrun", "status")
