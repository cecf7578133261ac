"""Run the project's commands as separate processes."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from stream.waiting import wait_for

ROOT = Path(__file__).parents[1]
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0


class Running:
    """A running server process.

    Attributes:
        address: its base URL.
        log: the file with its output.
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
        """Send a GET request."""
        return httpx.get(self.address + path, trust_env=False, timeout=60)

    def metrics(self) -> dict[str, float]:
        """Return the values in `/metrics`, by name with labels."""
        return metrics_of(self.get("/metrics").text)

    def memory(self, *, peak: bool = False) -> float:
        """Return its resident memory, or the peak, in MiB."""
        wanted = "VmHWM" if peak else "VmRSS"
        with open(f"/proc/{self.pid}/status") as file:  # noqa: PTH123 - /proc is not a regular file
            return sum(int(line.split()[1]) for line in file if line.startswith(wanted)) / 1024

    def wait_until_up(self, health: str) -> None:
        """Wait until the path `health` responds successfully."""
        wait_for(self.address, lambda: self._not_up(health), seconds=START_TIMEOUT_S, say=print)

    def send(self, what: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(what)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop it and return its exit status."""
        self._process.send_signal(how)
        try:
            return self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def end_if_running(self) -> None:
        """Stop it if it is running."""
        if self._process.poll() is None:
            self.end()

    def _not_up(self, health: str) -> str | None:
        if self._process.poll() is not None:
            raise RuntimeError(f"the process exited: {self.log.read_text()[-2000:]}")
        try:
            response = httpx.get(self.address + health, trust_env=False)
        except httpx.HTTPError as error:
            return str(error)
        return None if response.is_success else f"{health} returned {response.status_code}"


def metrics_of(text: str) -> dict[str, float]:
    """Parse metrics in Prometheus' text format: values by name with labels."""
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def total(metrics: dict[str, float], name: str) -> float:
    """Return the sum of a metric over its labels."""
    return sum(value for series, value in metrics.items() if series.partition("{")[0] == name)


@contextmanager
def simulator(
    folder: Path, *flags: str, host: str = "127.0.0.1", health: str = "/readyz"
) -> Iterator[Running]:
    """Run the simulator on a free port; its log is `simulator.log` in `folder`.

    It accepts races when it is ready; without a broker `health` has to be `/healthz`.
    """
    port = free_port()
    folders = ["--courses", str(ROOT / "courses"), "--uploads", str(folder / "uploads")]
    # Without Pinot, unless `flags` override this: the last occurrence of a flag counts.
    command = ["simulator", "serve", "--host", host, "--port", str(port), *folders, "--pinot-controller", ""]
    shown = f"[{host}]" if ":" in host else host
    with _running([*command, *flags], f"http://{shown}:{port}", folder / "simulator.log") as running:
        running.wait_until_up(health)
        yield running


@contextmanager
def dashboard(
    folder: Path, api: str, *flags: str, module: str = "dashboard", port: int | None = None
) -> Iterator[Running]:
    """Run the dashboard, or a `module` with the same flags, on a free port or this one; it logs to a file."""
    port = port or free_port()
    # Without a street map, unless `flags` override this.
    command = [module, "--dashboard-port", str(port), "--api", api, "--tiles", "none", *flags]
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
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
