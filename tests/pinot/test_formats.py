"""Races as Avro and as Protobuf in the real Pinot, with a real schema registry, compared with JSON."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pinot.__main__ import main
from pinot.admin.setup import set_up
from pinot.local.stack import Stack
from stream.contract import TABLES, TOPICS
from stream.formats import FORMATTED
from stream.registry import Schemas
from stream.waiting import wait_for
from tests.conftest import need_java_and_jars
from tests.pinot.conftest import Pinot
from tests.processes import ROOT
from tests.stacks import stack_settings, started

pytestmark = pytest.mark.stack

CLOCKS = {"emittedAt", "updatedAt"}
"""Columns with the time of publishing, which differs."""
Rows = dict[str, list[list[Any]]]


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Kafka and a Pinot for these tests only."""
    need_java_and_jars()
    with started(tmp_path_factory.mktemp("formats")) as stack:
        yield stack


@pytest.fixture(scope="module")
def as_json(own_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Return the rows of the race published as JSON."""
    set_up(stack_settings(own_stack), lambda _: None)
    return rows_of_a_race(own_stack, tmp_path_factory.mktemp("race"))


@pytest.mark.parametrize("name", ["avro", "protobuf"])
def test_rows_equal_those_of_json(
    own_stack: Stack, registry: str, as_json: Rows, tmp_path: Path, name: str
) -> None:
    """A race published in another format has the same rows in all tables as one published as JSON."""
    flags = ["--format", name, "--schema-registry", registry]
    assert main(["reset", "--yes", *addresses(own_stack), *flags]) == 0

    assert rows_of_a_race(own_stack, tmp_path, *flags) == as_json


def test_a_change_from_json_keeps_the_rows(
    own_stack: Stack, registry: str, as_json: Rows, tmp_path: Path
) -> None:
    """The set-up alone changes a cluster from JSON to Avro: its rows stay, and new events are read."""
    assert main(["reset", "--yes", *addresses(own_stack)]) == 0
    assert rows_of_a_race(own_stack, tmp_path) == as_json
    for topic in FORMATTED:
        Schemas(registry, "AVRO").delete(topic)
    flags = ["--format", "avro", "--schema-registry", registry]
    assert main(["setup", *addresses(own_stack), *flags]) == 0
    later = rows_of_a_race(own_stack, tmp_path, *flags, day="2026-11-21")

    assert {topic: len(rows) for topic, rows in later.items()} == {
        topic: len(rows) for topic, rows in as_json.items()
    }
    assert rows_of(own_stack, "2026-11-28") == as_json


def test_a_registry_that_does_not_respond_is_reported(
    own_stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """The set-up waits for the registry; then it ends with the registry's URL and what to do."""
    flags = ["--format", "avro", "--schema-registry", "http://127.0.0.1:9", "--wait", "0.3"]
    assert main(["setup", *addresses(own_stack), *flags]) == 1

    said = capsys.readouterr().err
    assert "waited 0.3 s for the schema registry" in said
    assert "http://127.0.0.1:9 does not respond" in said
    assert "start it, or correct --schema-registry" in said


def addresses(stack: Stack) -> list[str]:
    """Return the flags of the set-up for a stack."""
    kafka, controller = ["--kafka", stack.kafka], ["--pinot-controller", stack.controller]
    return [*kafka, *controller, "--pinot-broker", stack.broker]


def rows_of_a_race(stack: Stack, folder: Path, *flags: str, day: str = "2026-11-28") -> Rows:
    """Publish a race of a day with the command `backfill`, and return its rows when Pinot has all."""
    race = {"course": "track-10000m", "races": 1, "competitors": 20, "interval": 30, "seed": 3}
    command = [sys.executable, "-m", "simulator", "backfill", "--publisher", "kafka", "--kafka", stack.kafka]
    command += ["--pinot-controller", "", "--uploads", str(folder), "--first", f"{day}T09:00:00Z"]
    command += [f"--{name}={value}" for name, value in race.items()]
    done = subprocess.run([*command, *flags], cwd=ROOT, check=True, capture_output=True, text=True)
    (events,) = re.findall(r"season published .*events=(\d+)", done.stdout + done.stderr)

    def missing() -> str | None:
        found = sum(map(len, rows_of(stack, day).values()))
        return None if found == int(events) else f"{found} of {events} rows"

    wait_for("the rows", missing, seconds=60, say=print)
    return rows_of(stack, day)


def rows_of(stack: Stack, day: str) -> Rows:
    """Return the rows of the race of a day, of positions all, sorted, without the times of publishing."""
    found: Rows = {}
    for topic in TOPICS:
        columns = ", ".join(f'"{name}"' for name in TABLES[topic].columns if name not in CLOCKS)
        where = f"where runId = 'track-10000m-{day.replace('-', '')}-0900' limit 100000"
        rows = Pinot(stack).ask(f"select {columns} from {topic} {where} option(skipUpsert=true)")
        found[topic] = sorted(rows, key=str)
    return found
