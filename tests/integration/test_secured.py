"""Clients of a Kafka and a Pinot with authentication and TLS, configured through settings only."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboard.app import make_store, make_stream
from dashboard.settings import Settings as DashboardSettings
from dashboard.store.protocol import StoreError
from pinot.admin.cluster import Cluster
from pinot.admin.topics import TopicError, kafka_trouble
from pinot.settings import Settings as SetupSettings
from stream.contract import read_topics
from stream.kafka import KafkaAccess
from stream.waiting import wait_for
from tests.conftest import need_java_and_jars
from tests.processes import ROOT, Running, dashboard, simulator
from tests.secured import (
    KAFKA_PASSWORD,
    PINOT_PASSWORD,
    PINOTS_PASSWORD,
    PLAIN_PASSWORD,
    USER,
    Secured,
    secured,
)

PASSWORDS = (KAFKA_PASSWORD, PINOTS_PASSWORD, PINOT_PASSWORD)
WRONG = "wrong-password"
RACE = {"course": "crystal-palace", "run_id": "secured", "competitors": 10, "speed": 1000, "interval": 60}
COURSE = (ROOT / "tests" / "simulator" / "course" / "files" / "plain.kml").read_bytes()
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def secured_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A secured stack whose tables were set up with environment variables only."""
    need_java_and_jars()
    with secured(tmp_path_factory.mktemp("secured")) as stack:
        done = run("pinot", "setup", **stack.variables())
        assert done.returncode == 0, done.stderr
        assert not any(password in done.stdout + done.stderr for password in PASSWORDS)
        yield stack


@pytest.fixture
def secured_environment(secured_stack: Secured, monkeypatch: pytest.MonkeyPatch) -> Secured:
    """The secured stack, with the environment variables set for the test and its processes."""
    for name, value in secured_stack.variables().items():
        monkeypatch.setenv(name, value)
    return secured_stack


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a module until it exits, with additional environment variables."""
    arguments = [sys.executable, "-m", *command]
    environment = os.environ | variables
    return subprocess.run(
        arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=100
    )


def reasons(running: Running) -> str:
    """Return why a simulator is not ready, or an empty string if it is ready."""
    return " ".join(running.get("/readyz").json().get("reasons", []))


def test_race_and_course_reach_the_dashboard(secured_environment: Secured, tmp_path: Path) -> None:
    """A race and an uploaded course pass from the simulator through Kafka and Pinot to the dashboard."""
    settings = DashboardSettings(store="pinot")
    store, stream = make_store(settings), make_stream(settings)

    def incomplete() -> str | None:
        race = store.race("secured")
        if race is None or race.status != "finished":
            return f"the race is {race and race.status}"
        found = len(store.positions("secured")), len(store.competitors("secured"))
        is_complete = found == (10, 10) and store.course("uploaded")
        return None if is_complete else f"positions and competitors: {found}"

    flags = ["--publisher", "kafka", "--pinot-controller", secured_environment.controller]
    with simulator(tmp_path, *flags) as running:
        uploaded = httpx.post(f"{running.address}/courses?name=uploaded", content=COURSE, trust_env=False)
        created = httpx.post(f"{running.address}/races", json=RACE, trust_env=False)
        assert (uploaded.status_code, created.status_code) == (201, 201)
        wait_for("the race in Pinot", incomplete, seconds=90, say=print)
        assert reasons(running) == ""
        assert running.end() == 0

    assert len(stream.newest(5, 0, run_id="secured", bib=None, course=None)) == 5
    assert not any(password in running.log.read_text() for password in PASSWORDS)


def test_pinot_consumes_from_the_secured_listener(secured_environment: Secured) -> None:
    """The stream configuration of the tables has the secured address, TLS and Pinot's own user."""
    settings = SetupSettings()
    config = Cluster(settings.pinot_controller, settings.pinot_auth()).table("parkrun")
    assert config is not None
    (stream,) = config["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"]

    assert stream["stream.kafka.broker.list"] == secured_environment.kafka
    assert stream["security.protocol"] == "SASL_SSL"
    assert stream["ssl.truststore.certificates"] in secured_environment.ca.read_text()


@pytest.mark.usefixtures("secured_environment")
@pytest.mark.parametrize(
    ("variables", "part", "message"),
    [
        ({}, "", ""),
        ({"RACECAST_KAFKA_PASSWORD": WRONG}, "Kafka", "rejects the credentials in RACECAST_KAFKA_USERNAME"),
        ({"RACECAST_PINOT_PASSWORD": WRONG}, "Pinot", "rejects the credentials in RACECAST_PINOT_USERNAME"),
        ({"RACECAST_PINOT_CA": ""}, "Pinot", "Set RACECAST_PINOT_CA"),
    ],
)
def test_status_reports_access_errors(variables: dict[str, str], part: str, message: str) -> None:
    """Probes authenticate; with a wrong password or certificate the light is red and gives the reason."""
    done = run("pinot", "status", "--json", "--seconds", "0", **variables)
    parts = json.loads(done.stdout)["parts"]

    for name in ("Kafka", "Pinot"):
        assert parts[name]["light"] == ("red" if name == part else "green")
    assert not part or message in parts[part]["sentence"]
    assert WRONG not in done.stdout


@pytest.mark.usefixtures("secured_environment")
def test_second_set_up_changes_nothing() -> None:
    """A second set-up reports all tables as up to date."""
    done = run("pinot", "setup")

    assert done.returncode == 0
    assert done.stdout.count("table") == done.stdout.count(": up to date") - len(read_topics()) == 5


@pytest.mark.usefixtures("secured_environment")
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
def test_set_up_reports_access_errors(variables: dict[str, str], message: str) -> None:
    """With a wrong or missing password or certificate, the set-up fails and names the setting."""
    done = run("pinot", "setup", **variables)

    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert WRONG not in done.stderr


@pytest.mark.usefixtures("secured_environment")
def test_replay_reports_access_errors(tmp_path: Path) -> None:
    """A replay exits with status 1 if Kafka rejects the password, and succeeds with the right one."""
    events = run(
        "simulator", "generate", "--course", "crystal-palace", "--competitors", "2", "--interval", "600"
    )
    (tmp_path / "race.ndjson").write_text(events.stdout)
    flags = ["--publisher", "kafka", "--speed", "1000", "--uploads", str(tmp_path / "uploads")]
    command = ["simulator", "replay", str(tmp_path / "race.ndjson"), *flags]
    rejected = run(*command, RACECAST_KAFKA_PASSWORD=WRONG)
    replayed = run(*command)

    assert rejected.returncode == 1
    assert "could not deliver everything" in rejected.stderr
    assert "rejects the credentials in RACECAST_KAFKA_USERNAME" in rejected.stderr
    assert "Traceback" not in rejected.stderr
    assert replayed.returncode == 0


def test_simulator_reports_rejected_credentials_and_recovers(
    secured_environment: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While Kafka rejects the user, `/readyz` and the log give the reason; then the simulator recovers."""
    monkeypatch.setenv("RACECAST_KAFKA_USERNAME", "a-late-user")
    with simulator(tmp_path, "--publisher", "kafka", health="/healthz") as running:
        error = "rejects the credentials in RACECAST_KAFKA_USERNAME"

        def not_reported() -> str | None:
            return None if error in reasons(running) else reasons(running)

        wait_for("the error", not_reported, seconds=60, say=print)
        secured_environment.add_user("a-late-user", KAFKA_PASSWORD)
        wait_for("the simulator", lambda: reasons(running) or None, seconds=60, say=print)
        created = httpx.post(f"{running.address}/races", json=RACE | {"run_id": "late"}, trust_env=False)
        assert created.status_code == 201
        assert running.end() == 0

    assert "Kafka rejects the credentials" in running.log.read_text()
    assert "Traceback" not in running.log.read_text()


def test_rejected_course_upload_is_logged(
    secured_environment: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a wrong password for Pinot, the log gives the reason, and the simulator is ready."""
    monkeypatch.setenv("RACECAST_PINOT_PASSWORD", WRONG)
    flags = ["--publisher", "kafka", "--pinot-controller", secured_environment.controller]
    with simulator(tmp_path, *flags) as running:
        httpx.post(f"{running.address}/courses?name=rejected", content=COURSE, trust_env=False)

        def not_reported() -> str | None:
            return None if "Pinot rejects the credentials in" in running.log.read_text() else "not logged yet"

        wait_for("the error", not_reported, seconds=60, say=print)
        wait_for("the simulator", lambda: reasons(running) or None, seconds=60, say=print)

    assert WRONG not in running.log.read_text()


@pytest.mark.usefixtures("secured_environment")
@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"PINOT_PASSWORD": WRONG}, "Pinot rejects the credentials in RACECAST_PINOT_USERNAME"),
        ({"PINOT_PASSWORD": "", "PINOT_USERNAME": ""}, "Pinot requires credentials"),
        ({"PINOT_CA": ""}, "Set RACECAST_PINOT_CA to a file"),
    ],
)
def test_store_reports_access_errors(
    variables: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a wrong or missing password or certificate, the error names the setting."""
    for name, value in variables.items():
        monkeypatch.setenv(f"RACECAST_{name}", value)
    with pytest.raises(StoreError, match=message) as rejected:
        make_store(DashboardSettings(store="pinot")).races()

    assert WRONG not in str(rejected.value)


@pytest.mark.usefixtures("secured_environment")
def test_dashboard_reports_access_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a wrong password the dashboard starts, and its feed returns 503 with the reason."""
    path = "/racecast/races/secured/positions"
    with dashboard(tmp_path, "http://127.0.0.1:1", "--store", "pinot") as running:
        assert running.get(path).status_code in {200, 404}
    monkeypatch.setenv("RACECAST_PINOT_PASSWORD", WRONG)
    with dashboard(tmp_path, "http://127.0.0.1:1", "--store", "pinot") as running:
        response = running.get(path)

    assert response.status_code == 503
    assert "RACECAST_PINOT_PASSWORD" in response.json()["detail"]
    assert "Traceback" not in running.log.read_text()


def test_plain_mechanism(secured_stack: Secured) -> None:
    """With the mechanism PLAIN, the correct password is accepted and a wrong one is rejected."""

    def trouble(password: str) -> str | None:
        settings: dict[str, Any] = {
            "kafka": secured_stack.kafka,
            "kafka_security_protocol": "SASL_SSL",
            "kafka_username": USER,
            "kafka_password": password,
            "kafka_ca": secured_stack.ca,
        }
        return kafka_trouble(KafkaAccess(**settings).client_config())

    assert trouble(PLAIN_PASSWORD) is None
    with pytest.raises(TopicError, match="rejects the credentials in RACECAST_KAFKA_USERNAME"):
        trouble(WRONG)
