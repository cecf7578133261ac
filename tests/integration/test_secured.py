"""A Kafka and a Pinot that let nobody in without a password, and speak TLS: reached by settings alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dashboard.app import make_store, make_stream
from dashboard.settings import Settings as DashboardSettings
from dashboard.store.protocol import StoreError
from pinot.admin.cluster import Cluster
from pinot.admin.topics import TopicError, kafka_trouble
from pinot.settings import Settings as SetupSettings
from stream.kafka import KafkaAccess
from stream.waiting import wait_for
from tests.conftest import need_java_and_jars
from tests.processes import ROOT, dashboard, simulator
from tests.secured import (
    KAFKA_PASSWORD,
    PINOT_PASSWORD,
    PINOTS_PASSWORD,
    PLAIN_PASSWORD,
    USER,
    secured,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.processes import Running
    from tests.secured import Secured

PASSWORDS = (KAFKA_PASSWORD, PINOTS_PASSWORD, PINOT_PASSWORD)
WRONG = "a-wrong-one"
RACE = {"course": "crystal-palace", "run_id": "secured", "competitors": 10, "speed": 1000, "interval": 60}
COURSE = (ROOT / "tests" / "courses" / "files" / "plain.kml").read_bytes()
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def secured_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """The stack, set up by nothing but variables of the environment."""
    need_java_and_jars()
    with secured(tmp_path_factory.mktemp("secured")) as place:
        done = run("pinot", "setup", **place.variables())
        assert done.returncode == 0, done.stderr
        assert not any(password in done.stdout + done.stderr for password in PASSWORDS)
        yield place


@pytest.fixture
def reached(secured_stack: Secured, monkeypatch: pytest.MonkeyPatch) -> Secured:
    """The same, with the variables in the environment of the test and of what it starts."""
    for name, value in secured_stack.variables().items():
        monkeypatch.setenv(name, value)
    return secured_stack


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a module to its end, with these variables besides those that there are."""
    words = [sys.executable, "-m", *command]
    environment = os.environ | variables
    return subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=100
    )


def reasons(running: Running) -> str:
    """Return why a simulator isn't ready; nothing if it is."""
    return " ".join(running.get("/readyz").json().get("reasons", []))


def test_a_race_goes_all_the_way(reached: Secured, tmp_path: Path) -> None:
    """A race and an uploaded course go from the simulator through Kafka into Pinot, and to the dashboard."""
    settings = DashboardSettings(store="pinot")
    store, stream = make_store(settings), make_stream(settings)

    def missing() -> str | None:
        race = store.race("secured")
        if race is None or race.status != "finished":
            return f"the race is {race and race.status}"
        there = len(store.positions("secured")), len(store.competitors("secured"))
        return None if there == (10, 10) and store.course("uploaded") else f"positions, names: {there}"

    flags = ["--publisher", "kafka", "--pinot-controller", reached.controller]
    with simulator(tmp_path, *flags) as running:
        sent = httpx.post(f"{running.address}/courses?name=uploaded", content=COURSE, trust_env=False)
        made = httpx.post(f"{running.address}/races", json=RACE, trust_env=False)
        assert (sent.status_code, made.status_code) == (201, 201)
        wait_for("the race in Pinot", missing, seconds=90, say=print)
        assert reasons(running) == ""
        assert running.end() == 0

    assert len(stream.newest(5, 0, run_id="secured", bib=None, course=None)) == 5
    assert not any(password in running.log.read_text() for password in PASSWORDS)


def test_pinot_reads_from_the_secured_door(reached: Secured) -> None:
    """The tables' consumers are told the address, TLS, and their own user."""
    settings = SetupSettings()
    config = Cluster(settings.pinot_controller, settings.pinot_auth()).table("parkrun")
    assert config is not None
    (stream,) = config["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"]

    assert stream["stream.kafka.broker.list"] == reached.kafka
    assert stream["security.protocol"] == "SASL_SSL"
    assert stream["ssl.truststore.certificates"] in reached.ca.read_text()


@pytest.mark.usefixtures("reached")
@pytest.mark.parametrize(
    ("variables", "part", "told"),
    [
        ({}, "", ""),
        ({"RACECAST_KAFKA_PASSWORD": WRONG}, "Kafka", "refuses the user in RACECAST_KAFKA_USERNAME"),
        ({"RACECAST_PINOT_PASSWORD": WRONG}, "Pinot", "refuses the user in RACECAST_PINOT_USERNAME"),
        ({"RACECAST_PINOT_CA": ""}, "Pinot", "Set RACECAST_PINOT_CA"),
    ],
)
def test_the_status_tells_what_is_wrong(variables: dict[str, str], part: str, told: str) -> None:
    """Probes are let in as all others are; a wrong password or certificate is a red light and a sentence."""
    done = run("pinot", "status", "--json", "--seconds", "0", **variables)
    parts = json.loads(done.stdout)["parts"]

    for name in ("Kafka", "Pinot"):
        assert parts[name]["light"] == ("red" if name == part else "green")
    assert not part or told in parts[part]["sentence"]
    assert WRONG not in done.stdout


@pytest.mark.usefixtures("reached")
def test_a_second_set_up_changes_nothing() -> None:
    """Repeating the set-up finds all tables as they are to be."""
    done = run("pinot", "setup")

    assert done.returncode == 0
    assert done.stdout.count("table") == done.stdout.count(": up to date") - 4 == 5


@pytest.mark.usefixtures("reached")
@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"RACECAST_KAFKA_PASSWORD": WRONG}, "refuses the user in RACECAST_KAFKA_USERNAME, the password"),
        ({"RACECAST_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512"}, "RACECAST_KAFKA_SASL_MECHANISM"),
        ({"RACECAST_KAFKA_CA": ""}, "RACECAST_KAFKA_CA names the file"),
        ({"RACECAST_PINOT_PASSWORD": WRONG}, "Pinot refuses the user in RACECAST_PINOT_USERNAME, the passw"),
        ({"RACECAST_PINOT_PASSWORD": "", "RACECAST_PINOT_USERNAME": ""}, "Pinot asks for a user and a passw"),
        ({"RACECAST_PINOT_CA": "", "RACECAST_WAIT": "0.1"}, "RACECAST_PINOT_CA names the file"),
    ],
)
def test_the_set_up_tells_what_is_wrong(variables: dict[str, str], told: str) -> None:
    """A wrong or missing password or certificate ends the set-up with a sentence that names the setting."""
    done = run("pinot", "setup", **variables)

    assert done.returncode == 1
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert WRONG not in done.stderr


@pytest.mark.usefixtures("reached")
def test_a_replay_tells_what_is_wrong(tmp_path: Path) -> None:
    """A replay whose password Kafka refuses ends with status 1; with the right one it is told whole."""
    events = run(
        "simulator", "generate", "--course", "crystal-palace", "--competitors", "2", "--interval", "600"
    )
    (tmp_path / "race.ndjson").write_text(events.stdout)
    flags = ["--publisher", "kafka", "--speed", "1000", "--uploads", str(tmp_path / "uploads")]
    command = ["simulator", "replay", str(tmp_path / "race.ndjson"), *flags]
    refused = run(*command, RACECAST_KAFKA_PASSWORD=WRONG)
    told = run(*command)

    assert refused.returncode == 1
    assert "could not deliver everything" in refused.stderr
    assert "refuses the user in RACECAST_KAFKA_USERNAME, the password" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert told.returncode == 0


def test_the_simulator_tells_what_is_wrong_and_goes_on(
    reached: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While Kafka refuses the user `/readyz` and the log say so; once it doesn't, the simulator goes on."""
    monkeypatch.setenv("RACECAST_KAFKA_USERNAME", "a-late-user")
    with simulator(tmp_path, "--publisher", "kafka") as running:
        made = httpx.post(f"{running.address}/races", json=RACE | {"run_id": "late"}, trust_env=False)
        assert made.status_code == 201
        refusal = "refuses the user in RACECAST_KAFKA_USERNAME, the password"

        def unheard() -> str | None:
            return None if refusal in reasons(running) else reasons(running)

        wait_for("the refusal", unheard, seconds=30, say=print)
        reached.let_in("a-late-user", KAFKA_PASSWORD)
        wait_for("the simulator", lambda: reasons(running) or None, seconds=30, say=print)
        assert running.end() == 0

    assert "Kafka lets nobody in" in running.log.read_text()
    assert "Traceback" not in running.log.read_text()


def test_a_course_that_pinot_does_not_take_is_told(
    reached: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a wrong password for Pinot the log says why courses don't get there; races are told anyway."""
    monkeypatch.setenv("RACECAST_PINOT_PASSWORD", WRONG)
    flags = ["--publisher", "kafka", "--pinot-controller", reached.controller]
    with simulator(tmp_path, *flags) as running:
        httpx.post(f"{running.address}/courses?name=refused", content=COURSE, trust_env=False)

        def unheard() -> str | None:
            return None if "Pinot refuses the user in" in running.log.read_text() else "nothing is told yet"

        wait_for("the refusal", unheard, seconds=30, say=print)
        wait_for("the simulator", lambda: reasons(running) or None, seconds=30, say=print)

    assert WRONG not in running.log.read_text()


@pytest.mark.usefixtures("reached")
@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"PINOT_PASSWORD": WRONG}, "Pinot refuses the user in RACECAST_PINOT_USERNAME, the password in"),
        ({"PINOT_PASSWORD": "", "PINOT_USERNAME": ""}, "Pinot asks for a user and a password: set RACECAST"),
        ({"PINOT_CA": ""}, "Set RACECAST_PINOT_CA to the file"),
    ],
)
def test_the_store_tells_what_is_wrong(
    variables: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong or missing password or certificate is a sentence for the page that names the setting."""
    for name, value in variables.items():
        monkeypatch.setenv(f"RACECAST_{name}", value)
    with pytest.raises(StoreError, match=told) as refused:
        make_store(DashboardSettings(store="pinot")).races()

    assert WRONG not in str(refused.value)


@pytest.mark.usefixtures("reached")
def test_the_dashboard_says_why_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a wrong password the dashboard is served all the same, and answers with the sentence."""
    asked = "/racecast/races/secured/positions"
    with dashboard(tmp_path, "http://127.0.0.1:1", "--store", "pinot") as running:
        assert running.get(asked).status_code in {200, 404}
    monkeypatch.setenv("RACECAST_PINOT_PASSWORD", WRONG)
    with dashboard(tmp_path, "http://127.0.0.1:1", "--store", "pinot") as running:
        answer = running.get(asked)

    assert answer.status_code == 503
    assert "RACECAST_PINOT_PASSWORD" in answer.json()["detail"]
    assert "Traceback" not in running.log.read_text()


def test_plain_passwords_work_too(secured_stack: Secured) -> None:
    """With the mechanism PLAIN the right password is let in, and a wrong one is told as such."""

    def trouble(password: str) -> str | None:
        given: dict[str, Any] = {
            "kafka": secured_stack.kafka,
            "kafka_security_protocol": "SASL_SSL",
            "kafka_username": USER,
            "kafka_password": password,
            "kafka_ca": secured_stack.ca,
        }
        return kafka_trouble(KafkaAccess(**given).client_config())

    assert trouble(PLAIN_PASSWORD) is None
    with pytest.raises(TopicError, match="refuses the user in RACECAST_KAFKA_USERNAME"):
        trouble(WRONG)
