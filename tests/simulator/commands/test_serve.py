"""The simulator as a process: start, limits of the real socket, shutdown."""

import json
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.http.bodies import MAX_BODY
from stream.waiting import wait_for
from tests.processes import ROOT, Running, simulator


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """Return the simulator on the embedded store."""
    with simulator(tmp_path, "--sqlite", str(tmp_path / "race.db")) as running:
        yield running


def command(*flags: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m simulator` until it ends."""
    arguments = [sys.executable, "-m", "simulator", *flags]
    return subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def create(running: Running, **fields: Any) -> dict[str, Any]:
    """Create a race."""
    body = {"course": "crystal-palace", "seed": 1, **fields}
    answer = httpx.post(f"{running.address}/races", json=body, trust_env=False)
    assert answer.status_code == 201, answer.text
    race: dict[str, Any] = answer.json()
    return race


def test_a_race_runs_to_its_end_in_the_embedded_store(running: Running, tmp_path: Path) -> None:
    """All competitors finish, each tick is in the history, and SIGTERM ends the process with status 0."""
    race = create(running, competitors=20, speed=1000, interval=60)
    url = running.address + race["links"]["self"]

    def status() -> str | None:
        found = httpx.get(url, trust_env=False).json()["status"]
        return None if found == "finished" else f"the race is {found}"

    wait_for("the finish", status, seconds=30, say=print)
    assert running.end() == 0
    with sqlite3.connect(tmp_path / "race.db") as file:
        statuses = file.execute("SELECT status, count(*) FROM parkrun GROUP BY 1").fetchall()
        events = dict(
            file.execute("SELECT competitorId, count(*) FROM parkrun_history GROUP BY 1").fetchall()
        )
        finishes = dict(file.execute("SELECT competitorId, elapsed FROM parkrun").fetchall())
        courses = file.execute("SELECT count(*) FROM courses").fetchone()
        last = file.execute("SELECT status FROM races").fetchall()

    assert statuses == [("finished", 20)]
    assert events == {bib: -(-elapsed // 60) + 1 for bib, elapsed in finishes.items()}
    assert courses == (4,)
    assert last == [("finished",)]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_all_delivered(running: Running, how: signal.Signals) -> None:
    """SIGTERM and Ctrl-C in the middle of a race end the process with status 0."""
    create(running, competitors=1000, speed=100, interval=1)

    assert running.end(how) == 0
    assert "Traceback" not in running.log.read_text()


def test_a_body_over_the_limit_is_refused(running: Running) -> None:
    """A body one byte too long is answered 413 with problem details; one at the limit is read."""
    at_the_limit = httpx.post(f"{running.address}/races", content=b" " * MAX_BODY, trust_env=False)
    beyond = raw_post(running, MAX_BODY + 1, chunked=False)

    assert at_the_limit.status_code == 400
    assert beyond.startswith("HTTP/1.1 413 ")
    assert "8 MiB" in beyond


def test_a_body_of_unknown_length_is_limited_too(running: Running) -> None:
    """A chunked body is cut off at the limit."""
    assert raw_post(running, MAX_BODY + 1, chunked=True).startswith("HTTP/1.1 413")


def raw_post(running: Running, length: int, *, chunked: bool) -> str:
    """Post blanks through a socket, and return the response."""
    port = int(running.address.rsplit(":", 1)[1])
    head = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {length}"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"POST /races HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode())
        if chunked:
            connection.sendall(f"{length:x}\r\n".encode())
            connection.sendall(b" " * length)
        return connection.makefile("rb").read().decode()


def post_course(running: Running, query: str, file: str) -> httpx.Response:
    """Send a file of the tests' corpus."""
    content = (ROOT / "tests" / "simulator" / "course" / "files" / file).read_bytes()
    return httpx.post(f"{running.address}/courses{query}", content=content, trust_env=False)


def test_an_upload_survives_a_restart(tmp_path: Path) -> None:
    """An uploaded course is in the embedded store, and the next process knows it and runs races on it."""
    store = ("--sqlite", str(tmp_path / "race.db"))
    with simulator(tmp_path, *store) as running:
        taken = post_course(running, "?name=my-park", "kmz-doc.kmz")
        assert running.end() == 0
    with sqlite3.connect(tmp_path / "race.db") as file:
        row = file.execute("SELECT longName, fences FROM courses WHERE shortName = 'my-park'").fetchone()
    with simulator(tmp_path, *store) as running:
        listed = httpx.get(f"{running.address}/courses", trust_env=False).json()["courses"]
        race = create(running, course="my-park")
        again = post_course(running, "?name=my-park", "kmz-doc.kmz")

    assert (taken.status_code, again.status_code) == (201, 200)
    assert taken.json() in listed
    assert again.json() == taken.json()
    assert (row[0], [fence["name"] for fence in json.loads(row[1])]) == ("Test", ["Park"])
    assert race["course"] == "my-park"


def test_uploads_are_read_after_the_courses(tmp_path: Path) -> None:
    """An upload that has a shipped course's name, or can't be used, is left out at start-up and logged."""
    (tmp_path / "uploads").mkdir()
    files = {"hilly-half.kml": "plain.kml", "bad.gpx": "cut-short.kml", "good.kml": "plain.kml"}
    for name, file in files.items():
        content = (ROOT / "tests" / "simulator" / "course" / "files" / file).read_bytes()
        (tmp_path / "uploads" / name).write_bytes(content)
    with simulator(tmp_path, "--sqlite", str(tmp_path / "race.db")) as running:
        listed = httpx.get(f"{running.address}/courses", trust_env=False).json()["courses"]
        log = running.log.read_text()

    assert {course["short_name"]: course["long_name"] for course in listed}["hilly-half"] != "Test"
    assert [course["short_name"] for course in listed] == [
        "city-10k",
        "crystal-palace",
        "good",
        "hilly-half",
        "track-10000m",
    ]
    assert "hilly-half is an upload, and a shipped course now has the same name" in log
    assert "bad.gpx isn't well-formed XML" in log
    # So do the warnings of the courses that are used.
    assert "crystal-palace.kml" in log
    assert "runs from the finish marker to the start marker" in log


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    """If the folder can't be created, an upload gets 503 with the system's reason and no path."""
    (tmp_path / "uploads").write_text("a file where the folder ought to be")
    with simulator(
        tmp_path, "--sqlite", str(tmp_path / "race.db"), "--uploads", str(tmp_path / "uploads" / "x")
    ) as running:
        answer = post_course(running, "", "plain.kml")

    assert answer.status_code == 503
    assert answer.json()["detail"] == "The course can't be stored: Not a directory"


def test_the_api_answers_while_a_file_is_read(running: Running) -> None:
    """A course of the maximum size is read in a thread: meanwhile the API answers other requests."""
    points = " ".join(f"{nth / 1e5:.6f},{51 + (nth % 2) / 1e5:.6f}" for nth in range(100_000))
    kml = f"<kml><Placemark><LineString><coordinates>{points}</coordinates></LineString></Placemark></kml>"
    with ThreadPoolExecutor(1) as thread:
        sending = thread.submit(
            httpx.post, f"{running.address}/courses", content=kml.encode(), trust_env=False, timeout=60
        )
        slowest = 0.0
        while not sending.done():
            slowest = max(
                slowest, httpx.get(f"{running.address}/healthz", trust_env=False).elapsed.total_seconds()
            )

    assert sending.result().status_code == 201
    assert slowest < 2


def test_a_port_in_use_is_reported(running: Running, tmp_path: Path) -> None:
    """A second process on the same port ends with status 1 and says why."""
    port = running.address.rsplit(":", 1)[1]
    second = command("serve", "--port", port, "--sqlite", str(tmp_path / "other.db"))

    assert second.returncode == 1
    assert "can't listen" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_store_that_cannot_be_opened_is_reported(tmp_path: Path) -> None:
    """A missing folder ends the process with status 1 and a message."""
    ended = command("serve", "--sqlite", str(tmp_path / "nowhere" / "race.db"))

    assert ended.returncode == 1
    assert "can't be opened" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_invalid_setting_is_reported_by_its_flag() -> None:
    """A setting out of range ends the command with its name and limit."""
    ended = command("serve", "--port", "99999")

    assert ended.returncode == 1
    assert ended.stderr == "--port must be at most 65,535\n"


def test_a_setting_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RACECAST_… sets what no flag sets."""
    monkeypatch.setenv("RACECAST_SQLITE", str(tmp_path / "from-the-environment.db"))
    monkeypatch.setenv("RACECAST_LOG_FORMAT", "json")
    with simulator(tmp_path) as running:
        assert '\n{"address"' in running.log.read_text()

    assert (tmp_path / "from-the-environment.db").exists()


def test_without_a_command_the_usage_is_shown() -> None:
    """`python -m simulator` lists the commands; so does --help."""
    assert command().returncode == 2
    assert "generate" in command().stderr
    assert "serve" in command("--help").stdout


def test_generate_is_a_command() -> None:
    """`python -m simulator generate` writes lines to standard output."""
    ended = command("generate", "--course", "crystal-palace", "--competitors", "2", "--interval", "600")

    assert ended.returncode == 0
    assert ended.stdout.count('"status":"finished"') == 2


def test_without_kafka_no_race_is_accepted(tmp_path: Path) -> None:
    """While no broker answers, earlier races are unknown: creating one gets 503. SIGTERM ends the process."""
    kafka = ("--publisher", "kafka", "--kafka", "127.0.0.1:1")
    with simulator(tmp_path, *kafka, health="/healthz") as running:

        def not_named() -> str | None:
            ready = httpx.get(f"{running.address}/readyz", trust_env=False)
            assert ready.status_code == 503
            return None if "no broker answers" in ready.text else ready.text

        wait_for("the reason", not_named, seconds=60, say=print)
        refused = httpx.post(f"{running.address}/races", json={"course": "crystal-palace"}, trust_env=False)
        assert running.end() == 0

    assert refused.status_code == 503
    assert refused.json()["detail"].startswith("The races are still being read")
    assert "Traceback" not in running.log.read_text()


def test_a_shutdown_with_undelivered_events_is_reported(running: Running, tmp_path: Path) -> None:
    """While the store takes no writes, SIGTERM ends the process in time, with status 1 and the reason."""
    with closing(sqlite3.connect(tmp_path / "race.db", isolation_level=None)) as file:
        run_id = create(running, competitors=10)["run_id"]
        wait_for("a tick", lambda: _no_tick(running, run_id), seconds=60, say=print)
        file.execute("BEGIN IMMEDIATE")
        wait_for("a write that fails", lambda: _no_writes(running), seconds=60, say=print)
        assert running.end() == 1

    assert "could not deliver everything" in running.log.read_text()
    assert "Traceback" not in running.log.read_text()


def _no_tick(running: Running, run_id: str) -> str | None:
    return None if running.get(f"/races/{run_id}").json()["race_time"] >= 0 else "there is none"


def _no_writes(running: Running) -> str | None:
    reasons = running.get("/readyz").json()["reasons"]
    return None if any("takes no writes" in reason for reason in reasons) else f"the reasons are {reasons}"


def test_accepted_requests_outlive_a_shutdown(running: Running, tmp_path: Path) -> None:
    """Races answered 201 and changes answered 200 just before SIGTERM are in the store, and go on later."""
    ids = [create(running, competitors=20_000, run_id=f"race-{nth}")["run_id"] for nth in range(4)]
    httpx.post(f"{running.address}/races/{ids[0]}/cancel", trust_env=False)
    assert running.end() == 0
    with sqlite3.connect(tmp_path / "race.db") as file:
        statuses = dict(file.execute("SELECT runId, status FROM races").fetchall())
        assert statuses == {ids[0]: "cancelled"} | dict.fromkeys(ids[1:], "running")

        def not_whole() -> str | None:
            entries = dict(file.execute("SELECT runId, count(*) FROM competitors GROUP BY 1").fetchall())
            missing = [run_id for run_id in ids[1:] if entries.get(run_id) != 20_000]
            return f"entries of {missing} are missing" if missing else None

        with simulator(tmp_path, "--sqlite", str(tmp_path / "race.db")):
            wait_for("the start lists", not_whole, seconds=60, say=print)


def test_a_second_simulator_with_one_file_is_refused(running: Running, tmp_path: Path) -> None:
    """It says why, and ends with status 1; the first goes on."""
    ended = command("serve", "--port", "0", "--sqlite", str(tmp_path / "race.db"))

    assert ended.returncode == 1
    assert "another simulator uses it: stop that one, or name another file (--sqlite)" in ended.stderr
    assert running.get("/readyz").status_code == 200
