"""`python -m pinot reset`, on its own stack."""

import io
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from pinot.__main__ import main
from pinot.admin import reset as resetting
from pinot.admin.cluster import Cluster
from pinot.admin.setup import set_up
from pinot.admin.topics import TopicError, delete_topic
from pinot.local.stack import Stack
from stream.contract import TABLES, read_topics
from stream.waiting import wait_for
from tests.conftest import need_java_and_jars
from tests.pinot.conftest import Pinot
from tests.processes import ROOT, simulator
from tests.stacks import stack_settings, started

NOWHERE = ["--kafka", "127.0.0.1:9", "--pinot-controller", "http://127.0.0.1:9", "--wait", "0.1"]


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Kafka and a Pinot for these tests only."""
    need_java_and_jars()
    with started(tmp_path_factory.mktemp("reset")) as stack:
        set_up(stack_settings(stack), lambda _: None)
        yield stack


pytestmark = pytest.mark.stack


def test_race_before_and_race_after(
    own_stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reset deletes all of a race in Kafka and Pinot; the next race works as before."""
    pinot = Pinot(own_stack)
    before = _run_a_race(own_stack, tmp_path, "before")
    assert before > 0
    assert main(["reset", "--yes", *_flags(own_stack)]) == 0
    said = capsys.readouterr().out.splitlines()
    for table in TABLES:
        assert f"table {table}: deleted" in said
        assert f"table {table}: created" in said
        assert Cluster(own_stack.controller).schema(table) is not None
        assert pinot.ask(f"select count(*) from {table}") == [[4 if table == "courses" else 0]]
    for topic in read_topics():
        assert f"topic {topic}: deleted" in said
        assert any(line.startswith(f"topic {topic}: created") for line in said)
    assert _run_a_race(own_stack, tmp_path, "after") == before
    assert pinot.ask("select distinctcount(runId) from parkrun") == [[1]]
    lookup = "select lookup('courses', 'longName', 'shortName', course) from races"
    assert pinot.ask(lookup) == [["Crystal Palace"]]


def test_failed_deletions_are_named(
    own_stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failed deletions are named, missing things skipped, and everything is set up again."""

    def refuse(access: Mapping[str, Any], name: str) -> bool:
        if name == "races":
            raise TopicError("Kafka rejects topic races: not allowed")
        return delete_topic(access, name)

    cluster = Cluster(own_stack.controller)
    assert cluster.delete_table("passings")
    wait_for("its end", partial(cluster.traces, "passings"), seconds=60, say=print)
    monkeypatch.setattr(resetting, "delete_topic", refuse)
    assert main(["reset", "--yes", *_flags(own_stack)]) == 1
    printed = capsys.readouterr()
    assert "topic races: cannot be deleted: Kafka rejects topic races: not allowed" in printed.out
    assert printed.err.endswith("could not delete: topic races\n")
    assert "topic races: up to date" in printed.out
    assert "topic parkrun: deleted" in printed.out
    assert "table passings: does not exist" in printed.out
    assert cluster.table("passings") is not None


def test_without_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal and without --yes it does nothing and says why."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("reset\n"))
    assert main(["reset", *NOWHERE]) == 1
    assert "--yes" in capsys.readouterr().err


@pytest.mark.parametrize("typed", ["reset", "no"])
def test_confirmation(typed: str) -> None:
    """At a terminal it says what it deletes and where, and continues only after confirmation."""
    said, status = _at_a_terminal(typed)
    assert re.search(r"in the Kafka at 127.0.0.1:9 the topics parkrun, passings", said)
    assert "in the Pinot at http://127.0.0.1:9 the tables" in said
    assert status == 1
    assert ("nothing was deleted" in said) is (typed != "reset")
    assert ("for Kafka" in said) is (typed == "reset")


def _at_a_terminal(typed: str) -> tuple[str, int]:
    """Return the command's output and exit status when a user types a line."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pinot", "reset", *NOWHERE],
        cwd=ROOT,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    os.write(ours, f"{typed}\n".encode())
    said, _ = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    return " ".join(said.split()), process.returncode


def _run_a_race(stack: Stack, folder: Path, run: str) -> int:
    """Run a race and return the number of its positions in Pinot."""
    pinot = Pinot(stack)
    flags = ("--publisher", "kafka", "--kafka", stack.kafka, "--pinot-controller", stack.controller)
    with simulator(folder, *flags) as api:
        body = {"course": "crystal-palace", "competitors": 10, "speed": 1000, "interval": 60, "seed": 1}
        httpx.post(f"{api.address}/races", json=body | {"run_id": run}, trust_env=False).raise_for_status()
        pinot.wait_until(f"select status from races where runId = '{run}'", [["finished"]])
    count = f"select count(*) from parkrun where runId = '{run}' option(skipUpsert=true)"
    finished = f"select count(*) from parkrun where runId = '{run}' and status = 'finished'"
    pinot.wait_until(finished, [[10]])
    ((positions,),) = pinot.ask(count)
    return int(positions)


def _flags(stack: Stack) -> list[str]:
    return [
        *("--kafka", stack.kafka, "--pinot-controller", stack.controller),
        *("--pinot-broker", stack.broker),
    ]
