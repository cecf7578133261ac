"""A Kafka and a Pinot with authentication and TLS, reached through settings alone."""

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
COURSE = (ROOT / "tests" / "simulator" / "course" / "files" / "plain.kml").read_bytes()
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def secured_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """The stack, set up with environment variables only."""
    need_java_and_jars()
    with secured(tmp_path_factory.mktemp("secured")) as place:
        done = run("pinot", "setup", **place.variables())
        assert done.returncode == 0, done.stderr
        assert not any(password in done.stdout + done.stderr for password in PASSWORDS)
        yield place


@pytest.fixture
def reached(secured_stack: Secured, monkeypatch: pytest.MonkeyPatch) -> Secured:
    """The same, with the variables set for the test and the processes that it starts."""
    for name, value in secured_stack.variables().items():
        monkeypatch.setenv(name, value)
    return secured_stack


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a module to its end, with additional environment variables."""
    words = [sys.executable, "-m", *command]
    environment = os.environ | variables
    return subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=100
    )


def reasons(running: Running) -> str:
    """Return why a simulator is not ready; empty if it is."""
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


def test_pinot_consumes_from_the_secured_listener(reached: Secured) -> None:
    """The tables' stream configs have the address, TLS and Pinot's own user."""
    settings = SetupSettings()
    config = Cluster(settings.pinot_controller, settings.pinot_auth()).table("parkrun")
    assert config is not None
    (stream,) = config["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"]

    assert stream["stream.kafka.broker.list"] == reached.kafka
    assert stream["security.protocol"] == "SASL_SSL"
    assert stream["ssl.truststore.certificates"] in reached.ca.read_text()


@pytest.mark.usefixtures("reached")
@pytest.mark.parametrize(
    ("variables", "part", "message"),
    [
        ({}, "", ""),
        ({"RACECAST_KAFKA_PASSWORD": WRONG}, "Kafka", "rejects the credentials in RACECAST_KAFKA_USERNAME"),
        ({"RACECAST_PINOT_PASSWORD": WRONG}, "Pinot", "rejects the credentials in RACECAST_PINOT_USERNAME"),
        ({"RACECAST_PINOT_CA": ""}, "Pinot", "Set RACECAST_PINOT_CA"),
    ],
)
def test_the_status_reports_what_is_wrong(variables: dict[str, str], part: str, message: str) -> None:
    """Probes authenticate; a wrong password or certificate is a red light with a sentence."""
    done = run("pinot", "status", "--json", "--seconds", "0", **variables)
    parts = json.loads(done.stdout)["parts"]

    for name in ("Kafka", "Pinot"):
        assert parts[name]["light"] == ("red" if name == part else "green")
    assert not part or message in parts[part]["sentence"]
    assert WRONG not in done.stdout


@pytest.mark.usefixtures("reached")
def test_a_second_set_up_changes_nothing() -> None:
    """A repeated set-up finds all tables up to date."""
    done = run("pinot", "setup")

    assert done.returncode == 0
    assert done.stdout.count("table") == done.stdout.count(": up to date") - 4 == 5


@pytest.mark.usefixtures("reached")
@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"RACECAST_KAFKA_PASSWORD": WRONG}, "rejects the credentials in RACECAST_KAFKA_USERNAME"),
        ({"RACECAST_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512"}, "RACECAST_KAFKA_SASL_MECHANISM"),
        ({"RACECAST_KAFKA_CA": ""}, "set RACECAST_KAFKA_CA to the CA certificates"),
        ({"RACECAST_PINOT_PASSWORD": WRONG}, "Pinot rejects the credentials in RACECAST_PINOT_USERNAME"),
        ({"RACECAST_PINOT_PASSWORD": "", "RACECAST_PINOT_USERNAME": ""}, "Pinot requires credentials"),
        ({"RACECAST_PINOT_CA": "", "RACECAST_WAIT": "0.1"}, "set RACECAST_PINOT_CA to the CA certificates"),
    ],
)
def test_the_set_up_reports_what_is_wrong(variables: dict[str, str], message: str) -> None:
    """With a wrong or missing password or certificate the set-up fails with the name of the setting."""
    done = run("pinot", "setup", **variables)

    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert WRONG not in done.stderr


@pytest.mark.usefixtures("reached")
def test_a_replay_reports_what_is_wrong(tmp_path: Path) -> None:
    """If Kafka rejects the password, a replay exits with status 1; with the right one it succeeds."""
    events = run(
        "simulator", "generate", "--course", "crystal-palace", "--competitors", "2", "--interval", "600"
    )
    (tmp_path / "race.ndjson").write_text(events.stdout)
    flags = ["--publisher", "kafka", "--speed", "1000", "--uploads", str(tmp_path / "uploads")]
    command = ["simulator", "replay", str(tmp_path / "race.ndjson"), *flags]
    refused = run(*command, RACECAST_KAFKA_PASSWORD=WRONG)
    replayed = run(*command)

    assert refused.returncode == 1
    assert "could not deliver everything" in refused.stderr
    assert "rejects the credentials in RACECAST_KAFKA_USERNAME" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert replayed.returncode == 0


def test_the_simulator_reports_rejected_credentials_and_recovers(
    reached: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While Kafka rejects the user, `/readyz` and the log say so; then the simulator recovers."""
    monkeypatch.setenv("RACECAST_KAFKA_USERNAME", "a-late-user")
    with simulator(tmp_path, "--publisher", "kafka") as running:
        made = httpx.post(f"{running.address}/races", json=RACE | {"run_id": "late"}, trust_env=False)
        assert made.status_code == 201
        refusal = "rejects the credentials in RACECAST_KAFKA_USERNAME"

        def unheard() -> str | None:
            return None if refusal in reasons(running) else reasons(running)

        wait_for("the refusal", unheard, seconds=30, say=print)
        reached.add_user("a-late-user", KAFKA_PASSWORD)
        wait_for("the simulator", lambda: reasons(running) or None, seconds=30, say=print)
        assert running.end() == 0

    assert "Kafka rejects the credentials" in running.log.read_text()
    assert "Traceback" not in running.log.read_text()


def test_a_course_that_pinot_rejects_is_logged(
    reached: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a wrong password for Pinot the log says why courses are not loaded; races are still published."""
    monkeypatch.setenv("RACECAST_PINOT_PASSWORD", WRONG)
    flags = ["--publisher", "kafka", "--pinot-controller", reached.controller]
    with simulator(tmp_path, *flags) as running:
        httpx.post(f"{running.address}/courses?name=refused", content=COURSE, trust_env=False)

        def unheard() -> str | None:
            return None if "Pinot rejects the credentials in" in running.log.read_text() else "not logged yet"

        wait_for("the refusal", unheard, seconds=30, say=print)
        wait_for("the simulator", lambda: reasons(running) or None, seconds=30, say=print)

    assert WRONG not in running.log.read_text()


@pytest.mark.usefixtures("reached")
@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"PINOT_PASSWORD": WRONG}, "Pinot rejects the credentials in RACECAST_PINOT_USERNAME"),
        ({"PINOT_PASSWORD": "", "PINOT_USERNAME": ""}, "Pinot requires credentials"),
        ({"PINOT_CA": ""}, "Set RACECAST_PINOT_CA to a file"),
    ],
)
def test_the_store_reports_what_is_wrong(
    variables: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a wrong or missing password or certificate the page names the setting."""
    for name, value in variables.items():
        monkeypatch.setenv(f"RACECAST_{name}", value)
    with pytest.raises(StoreError, match=message) as refused:
        make_store(DashboardSettings(store="pinot")).races()

    assert WRONG not in str(refused.value)


@pytest.mark.usefixtures("reached")
def test_the_dashboard_says_why_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a wrong password the dashboard is still served, and responds with the error."""
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
    """With the mechanism PLAIN the correct password is accepted and a wrong one rejected."""

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
    with pytest.raises(TopicError, match="rejects the credentials in RACECAST_KAFKA_USERNAME"):
        trouble(WRONG)
