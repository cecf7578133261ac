"""A Docker engine: the running one, or a private one that is removed afterwards."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from stream.waiting import wait_for
from tests.processes import ROOT, STOP_TIMEOUT_S

STARTED_WITHIN_S = 60.0
FETCHED = ROOT / ".cache" / "compose" / "docker-compose"
"""Where tests/tools.sh puts Compose, if the machine has none."""
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


class NoEngineError(RuntimeError):
    """There is no Docker engine and none can be started; the text says what is missing."""


class CommandError(RuntimeError):
    """A Docker command failed; the text contains its output."""


@dataclass(frozen=True)
class Engine:
    """A Docker engine.

    Attributes:
        environment: variables through which `docker` and Compose find it.
        compose: the command that runs Docker Compose.
        private: whether it was started for the tests and contains nothing else.
    """

    environment: Mapping[str, str]
    compose: tuple[str, ...]
    private: bool

    def docker(self, *arguments: str) -> str:
        """Return the output of a `docker` command; raises CommandError."""
        return self._run("docker", *arguments)

    def run_compose(self, *arguments: str, **environment: str) -> str:
        """Return the output of a Compose command; raises CommandError."""
        return self._run(*self.compose, *arguments, **environment)

    def versions(self) -> str:
        """Return the versions of the engine and of Compose."""
        engine = self.docker("version", "--format", "{{.Server.Version}}").strip()
        compose = self.run_compose("version", "--short").strip()
        return f"Docker {engine}, Compose {compose}"

    def _run(self, *command: str, **environment: str) -> str:
        done = subprocess.run(
            command,
            env={**os.environ, **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            output = (done.stdout + done.stderr)[-3000:].strip()
            raise CommandError(f"{' '.join(command)} exited with {done.returncode}: {output}")
        return done.stdout


@contextmanager
def docker_engine() -> Iterator[Engine]:
    """Find the running engine, or start a private one; raises NoEngineError."""
    compose = _compose()
    if shutil.which("docker") is None:
        raise NoEngineError("there is no Docker (Debian: apt install docker.io)")
    if _answers({}):
        yield Engine({}, compose, private=False)
        return
    if os.getuid() != 0 or shutil.which("dockerd") is None:
        raise NoEngineError("no Docker engine is running, and only root can start a private one")
    with ExitStack() as cleanup:
        folder = Path(tempfile.mkdtemp(prefix="racecast-docker-"))
        cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
        cleanup.enter_context(_network_restored())
        environment = cleanup.enter_context(_started(folder))
        yield Engine(environment, compose, private=True)


def _compose() -> tuple[str, ...]:
    """Return the command that runs Compose 2 or newer."""
    for command in (("docker", "compose"), ("docker-compose",), (str(FETCHED),)):
        if shutil.which(command[0]) is None:
            continue
        done = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False)
        if done.returncode == 0 and re.match(r"v?([2-9]|\d\d)\.", done.stdout):
            return command
    raise NoEngineError("there is no Docker Compose 2 (the plugin docker-compose)")


def _answers(environment: Mapping[str, str]) -> bool:
    done = subprocess.run(
        ["docker", "version"], env={**os.environ, **environment}, capture_output=True, check=False
    )
    return done.returncode == 0


@contextmanager
def _started(folder: Path) -> Iterator[dict[str, str]]:
    """Run an engine that keeps all its files in a folder."""
    socket = f"unix://{folder}/socket"
    command = ["dockerd", "--host", socket, "--exec-opt", "native.cgroupdriver=cgroupfs"]
    command += ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/run", "--pidfile", f"{folder}/pid"]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def trouble() -> str | None:
        if process.poll() is not None:
            raise NoEngineError(f"dockerd exited: {log.read_text()[-1000:]}")
        return None if _answers(environment) else "it does not respond"

    environment = {"DOCKER_HOST": socket}
    try:
        wait_for("the Docker engine", trouble, seconds=STARTED_WITHIN_S, say=print)
        yield environment
    finally:
        process.terminate()
        process.wait(STOP_TIMEOUT_S)


@contextmanager
def _network_restored() -> Iterator[None]:
    """Restore what an engine changes in the machine's network: its bridge, firewall rules and forwarding."""
    forwarding, rules = FORWARDING.read_text(), [_rules("filter"), _rules("nat")]
    had_bridge = Path("/sys/class/net/docker0").exists()
    try:
        yield
    finally:
        for table in rules:
            subprocess.run(["iptables-restore"], input=table, check=True)
        if not had_bridge:
            subprocess.run(["ip", "link", "delete", "docker0"], check=True)
        FORWARDING.write_text(forwarding)


def _rules(table: str) -> bytes:
    return subprocess.check_output(["iptables-save", "--table", table])
