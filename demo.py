"""`make demo`: the simulator and the dashboard with the embedded store, and one race after another.

Runs until Ctrl-C, then stops everything that it started.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from stream.race_states import ENDED

FOLDER = Path(".run/demo")
FIELD = {
    "competitors": 200,
    "pace_model": "parkrun",
    "entrants": "drawn",
    "start_flow": 15,
    "corrals": True,
    "dnf": 0.01,
    "walking": 0.01,
    "how_many_get_stopped": 0.03,
    "gps_error": 2.5,
}
RACES: tuple[dict[str, Any], ...] = (
    {**FIELD, "course": "crystal-palace", "name": "Crystal Palace 5 km", "speed": 10},
    {
        **FIELD,
        "course": "track-10000m",
        "name": "Track night 10,000 m",
        "competitors": 24,
        "pace_model": "normal",
        "fastest": 175,
        "slowest": 285,
        "how_many_get_stopped": 0,
        "speed": 8,
    },
    {**FIELD, "course": "city-10k", "name": "City 10 km", "speed": 20},
    {
        **FIELD,
        "course": "hilly-half",
        "name": "Hilly half marathon",
        "pace_model": "marathon",
        "fatigue": "split",
        "gradient": True,
        "speed": 40,
    },
)
"""One after the other, again and again with other competitors. Each lasts four to six minutes."""
HISTORY_MB = 300
"""Keeps the file small: the positions of the last hours, and the results of all races."""
LOOK_EVERY_S = 1.0
STARTS_WITHIN_S = 60.0
ENDS_WITHIN_S = 15.0
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """Start both programs, and one race after another."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    api_port, page_port = _free_port(8080), _free_port(8501)
    api, page = f"http://127.0.0.1:{api_port}", f"http://127.0.0.1:{page_port}"
    with contextlib.ExitStack() as running:
        data = running.enter_context(tempfile.TemporaryDirectory(prefix="racecast-"))
        store = ("--sqlite", f"{data}/racecast.db")
        limits = ("--uploads", f"{data}/uploads", "--history-mb", str(HISTORY_MB))
        simulator = _start(running, "simulator", "serve", "--port", str(api_port), *store, *limits)
        dashboard = _start(running, "dashboard", "--dashboard-port", str(page_port), "--api", api, *store)
        _wait_for(f"{api}/readyz", simulator)
        _wait_for(f"{page}/_stcore/health", dashboard)
        programme = Programme(api)
        programme.follow()
        print(
            f"\nA race is running. When it ends, the next one starts.\n\n"
            f"  live page   {page}/\n"
            f"  API         {api}/\n\n"
            f"Logs are in {FOLDER}. Ctrl-C stops everything.",
            flush=True,
        )
        while simulator.poll() is None and dashboard.poll() is None:
            time.sleep(LOOK_EVERY_S)
            with contextlib.suppress(httpx.TransportError):  # if the simulator has stopped, the loop ends
                programme.follow()
        ended = "simulator" if simulator.poll() is not None else "dashboard"
        raise SystemExit(f"The {ended} has stopped unexpectedly: see {FOLDER / ended}.log")


class Programme:
    """The races of the demo, run by the API at this address."""

    def __init__(self, api: str) -> None:
        # The simulator and the dashboard read the same variable.
        token = os.environ.get("RACECAST_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._api = httpx.Client(base_url=api, headers=headers, timeout=10)
        self._number = 0
        self._run_id: str | None = None

    def follow(self) -> None:
        """Start the next race if the last one has ended."""
        if self._run_id is not None and self._status() not in ENDED:
            return
        race = RACES[self._number % len(RACES)]
        self._number += 1
        name = f"{race['name']}, race {self._number}"
        answer = self._api.post("/races", json={**race, "name": name, "seed": self._number})
        self._run_id = str(answer.raise_for_status().json()["run_id"])

    def _status(self) -> str:
        answer = self._api.get(f"/races/{self._run_id}")
        return str(answer.raise_for_status().json()["status"])


def _start(running: contextlib.ExitStack, module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a program; it is stopped when `running` closes."""
    log = running.enter_context((FOLDER / f"{module}.log").open("wb"))
    # In its own session, so that Ctrl-C reaches only this process, which stops the others in order.
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    running.callback(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"A program could not be started; see the logs in {FOLDER}")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, timeout=2).is_success:
                return
        time.sleep(0.1)
    raise SystemExit(f"{url} does not respond; see the logs in {FOLDER}")


def _free_port(usual: int) -> int:
    """Return the usual port, or any free one if it is in use."""
    for port in (usual, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            free: int = probe.getsockname()[1]
            return free
    raise SystemExit("There is no free port on 127.0.0.1")


def _leave(*_: object) -> None:
    """End, and let no other signal interrupt that: make passes one on that its whole group gets, too."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    for ending in ENDINGS:
        signal.signal(ending, _leave)
    os.environ["NO_PROXY"] = "127.0.0.1"
    try:
        main()
    except KeyboardInterrupt:
        print("\nStopped.")
