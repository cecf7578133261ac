"""`python -m pinot status`, with and without the real parts."""

import json
import socket
from pathlib import Path

import httpx
import pytest

from pinot.__main__ import main
from pinot.health.report import report
from pinot.health.sample import Failure, Races
from pinot.local.stack import Stack
from stream.waiting import wait_for
from tests.pinot.samples import NOW, race, sample
from tests.processes import simulator

UNUSED = "http://127.0.0.1:9"


def addresses(stack: Stack, api: str) -> list[str]:
    """Return the flags for a stack and an API."""
    return [
        *("--kafka", stack.kafka, "--pinot-controller", stack.controller),
        *("--pinot-broker", stack.broker, "--api", api),
    ]


def test_race_under_way(stack: Stack, run: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """While a race runs, its parts are green and the figures match it."""
    flags = ("--publisher", "kafka", "--kafka", stack.kafka)
    with simulator(tmp_path, *flags) as api:
        body = {"course": "crystal-palace", "competitors": 20, "speed": 2, "interval": 1, "run_id": run}
        httpx.post(f"{api.address}/races", json=body, trust_env=False).raise_for_status()
        wait_for("ticks", lambda: None if _tick(api.address, run) > 3 else "none yet", seconds=60, say=print)
        capsys.readouterr()
        main(["status", *addresses(stack, api.address), "--seconds", "4", "--json"])
        printed = json.loads(capsys.readouterr().out)
        main(["status", *addresses(stack, api.address), "--seconds", "0"])
        text = capsys.readouterr().out
        httpx.post(f"{api.address}/races/{run}/cancel", trust_env=False).raise_for_status()
    parts = printed["parts"]
    assert {parts[part]["light"] for part in ("Kafka", "Pinot")} == {"green"}
    assert parts["Simulator"]["light"] != "red"  # a busy machine may be late
    assert parts["Simulator"]["races"] >= 1
    assert parts["Simulator"]["ticks_per_second"] > 1.2
    assert printed["topics"]["parkrun"]["per_second"] > 25
    assert printed["tables"]["parkrun"]["fresh"] < 5
    row = printed["simulators"][f"{socket.gethostname()}-{api.pid}"]
    assert row["partitions"] == printed["topics"]["progress"]["partitions"]
    assert (row["parts"] >= 1, row["competitors"] >= 20, row["lag_seconds"] < 5) == (True, True, True)
    assert [line.split()[1] for line in text.splitlines()[:3]] == ["Simulator", "Kafka", "Pinot"]


def test_json_by_a_variable(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Like every flag, `--json` has a variable with the common prefix; one without it is ignored."""
    unreachable = ["--kafka", "127.0.0.1:9", "--pinot-controller", UNUSED, "--pinot-broker", UNUSED]
    for name, is_json in (("JSON", False), ("RACECAST_JSON", True)):
        monkeypatch.setenv(name, "true")
        main(["status", *unreachable, "--api", UNUSED, "--seconds", "0"])
        assert capsys.readouterr().out.startswith("{") is is_json


def test_unreachable_parts(capsys: pytest.CaptureFixture[str]) -> None:
    """If all parts are unreachable, all are red, each with the remedy, and the exit status is 1."""
    unreachable = ["--kafka", "127.0.0.1:9", "--pinot-controller", UNUSED, "--pinot-broker", UNUSED]
    assert main(["status", *unreachable, "--api", UNUSED, "--seconds", "0"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["red"] * 4
    assert all("Start it" in line for line in lines[:4])


def test_exit_status_is_that_of_the_lights() -> None:
    """All green or grey is healthy; a single amber or red light is not."""
    idle = sample(races=Races((), NOW), simulator=Failure("Away. Start it."))
    assert report([sample()]).is_well
    assert not report([idle]).is_well
    assert not report([sample(race(age=7.0))]).is_well


@pytest.mark.parametrize("arguments", [["status", "--seconds", "-1"], ["state", "--seconds"], []])
def test_usage_errors(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A usage error exits with 2 and names what is allowed."""
    assert main(arguments) == 2
    printed = capsys.readouterr().err
    assert ("--seconds must be at least 0" if "status" in arguments else "usage: python -m pinot") in printed


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The commands are listed."""
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert all(command in printed for command in ("setup", "status", "reset"))


def _tick(api: str, run: str) -> float:
    seconds: float = httpx.get(f"{api}/races/{run}", trust_env=False).json()["race_time"]
    return seconds
