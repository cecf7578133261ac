"""Starts commands of the project as processes of their own, and ends them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from stream.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
STARTED_WITHIN_S = 60.0
ENDED_WITHIN_S = 20.0


class Running:
    """A process that answers at an address.

    Attributes:
        address: where it answers.
        log: the file with all that it has printed.
    """

    def __init__(self, address: str, log: Path, process: subprocess.Popen[bytes]) -> None:
        self.address = address
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def get(self, path: str) -> httpx.Response:
        """Ask it for something."""
        return httpx.get(self.address + path, trust_env=False, timeout=60)

    def metrics(self) -> dict[str, float]:
        """Return what `/metrics` tells, by name with labels."""
        return metrics_of(self.get("/metrics").text)

    def memory(self, *, peak: bool = False) -> float:
        """Return the MiB that it has in memory, or the most that it had."""
        wanted = "VmHWM" if peak else "VmRSS"
        with open(f"/proc/{self.pid}/status") as file:  # noqa: PTH123 - no file but the kernel's
            return sum(int(line.split()[1]) for line in file if line.startswith(wanted)) / 1024

    def wait_until_up(self, health: str) -> None:
        """Wait until the path `health` answers well."""
        wait_for(self.address, lambda: self._trouble(health), seconds=STARTED_WITHIN_S, say=print)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it, and return its exit status."""
        self._process.send_signal(how)
        try:
            return self._process.wait(ENDED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def end_if_running(self) -> None:
        """End it, unless it has ended."""
        if self._process.poll() is None:
            self.end()

    def _trouble(self, health: str) -> str | None:
        if self._process.poll() is not None:
            raise RuntimeError(f"it ended: {self.log.read_text()[-2000:]}")
        try:
            answer = httpx.get(self.address + health, trust_env=False)
        except httpx.HTTPError as error:
            return str(error)
        return None if answer.is_success else f"{health} answers {answer.status_code}"


def metrics_of(text: str) -> dict[str, float]:
    """Return what a page for Prometheus tells, by name with labels."""
    told = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in told}


def total(metrics: dict[str, float], name: str) -> float:
    """Return a metric's value, added up over its labels."""
    return sum(value for told, value in metrics.items() if told.partition("{")[0] == name)


@contextmanager
def simulator(folder: Path, *flags: str) -> Iterator[Running]:
    """Run the simulator on a free port; its log is in `folder`."""
    port = free_port()
    folders = ["--courses", str(ROOT / "courses"), "--uploads", str(folder / "uploads")]
    # Whoever has a Pinot that is to be told says so: of two flags the later one counts.
    command = ["simulator", "serve", "--port", str(port), *folders, "--pinot-controller", "", *flags]
    with _running(command, f"http://127.0.0.1:{port}", folder / "simulator.log") as running:
        running.wait_until_up("/healthz")
        yield running


@contextmanager
def dashboard(folder: Path, api: str, *flags: str, module: str = "dashboard") -> Iterator[Running]:
    """Run the dashboard, or a `module` that takes its flags, on a free port; its log is in `folder`."""
    port = free_port()
    command = [module, "--dashboard-port", str(port), "--api", api, *flags]
    with _running(command, f"http://127.0.0.1:{port}", folder / "dashboard.log") as running:
        running.wait_until_up("/_stcore/health")
        yield running


@contextmanager
def _running(command: list[str], address: str, log: Path) -> Iterator[Running]:
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    running = Running(address, log, process)
    try:
        yield running
    finally:
        running.end_if_running()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
