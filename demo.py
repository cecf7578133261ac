"""`make demo`: the simulator and the dashboard with the embedded store, and a running race.

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

import httpx

FOLDER = Path(".run/demo")
RACE = {
    "course": "crystal-palace",
    "competitors": 100,
    "name": "The first 100 at Crystal Palace",
    "how_many_get_stopped": 0.2,
    "speed": 10,
    "interval": 10,
}
STARTS_WITHIN_S = 60.0
ENDS_WITHIN_S = 15.0


def main() -> None:
    """Start both programs and a race, and wait."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    api_port, page_port = _free_port(8080), _free_port(8501)
    api, page = f"http://127.0.0.1:{api_port}", f"http://127.0.0.1:{page_port}"
    with contextlib.ExitStack() as running:
        data = running.enter_context(tempfile.TemporaryDirectory(prefix="racecast-"))
        store = ("--sqlite", f"{data}/racecast.db")
        simulator = _start(
            running, "simulator", "serve", "--port", str(api_port), *store, "--uploads", f"{data}/uploads"
        )
        dashboard = _start(running, "dashboard", "--dashboard-port", str(page_port), "--api", api, *store)
        _wait_for(f"{api}/healthz", simulator)
        run_id = _create_race(api)
        _wait_for(f"{page}/_stcore/health", dashboard)
        print(
            f"\nA race of {RACE['competitors']} competitors is running at {RACE['speed']}x speed.\n\n"
            f"  live page   {page}/?run={run_id}\n"
            f"  API         {api}/\n\n"
            f"Logs are in {FOLDER}. Ctrl-C stops everything.",
            flush=True,
        )
        while simulator.poll() is None and dashboard.poll() is None:
            time.sleep(0.2)
        ended = "simulator" if simulator.poll() is not None else "dashboard"
        raise SystemExit(f"The {ended} has stopped unexpectedly: see {FOLDER / ended}.log")


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


def _create_race(api: str) -> str:
    """Create the race and return its run id."""
    # The simulator and the dashboard read the same variable.
    token = os.environ.get("RACECAST_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = httpx.post(f"{api}/races", json=RACE, headers=headers, timeout=10)
    return str(answer.raise_for_status().json()["run_id"])


def _free_port(usual: int) -> int:
    """Return the usual port, or any free one if it is in use."""
    for port in (usual, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            free: int = probe.getsockname()[1]
            return free
    raise SystemExit("There is no free port on 127.0.0.1")


if __name__ == "__main__":
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: sys.exit(0))
    os.environ["NO_PROXY"] = "127.0.0.1"
    try:
        main()
    except KeyboardInterrupt:
        print("\nStopped.")
