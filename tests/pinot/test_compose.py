"""docker-compose.yml and Dockerfile: what a run of the services does not show (tests/compose runs them)."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from dashboard.settings import Settings as DashboardSettings
from pinot.settings import Settings as SetupSettings
from simulator.commands.settings import ServeSettings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
MONITORING = {name: how for name, how in SERVICES.items() if how.get("profiles") == ["monitoring"]}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OURS: dict[str, type[BaseSettings]] = {
    "setup": SetupSettings,
    "simulator": ServeSettings,
    "dashboard": DashboardSettings,
}


def test_ports_are_published_on_loopback_only() -> None:
    """Other machines reach no service, and each port can be changed by a variable when it is taken."""
    published = {port for service in SERVICES.values() for port in service.get("ports", [])}
    pattern = re.compile(r"127\.0\.0\.1:\$\{RACECAST_(\w+_)?PORT:-(\d+)\}:(\d+)")
    ports = [pattern.fullmatch(port) for port in published]
    assert all(ports)
    assert {(found[2], found[3]) for found in ports if found} == {
        (port, port) for port in ("3000", "8080", "8501", "9000", "9090")
    }


def test_monitoring_reaches_only_those_it_needs() -> None:
    """Grafana reaches Prometheus only, and Prometheus the programs that it measures."""
    reached = {
        name: {
            other
            for other in SERVICES
            if other != name and set(SERVICES[name]["networks"]) & set(SERVICES[other]["networks"])
        }
        for name in MONITORING
    }
    measured = {"simulator", "worker", "dashboard"}
    assert reached == {"grafana": {"prometheus"}, "prometheus": {"grafana", *measured}}


def test_mounted_files_exist() -> None:
    """A file or folder that is mounted from the checkout exists, is read-only, and readable under SELinux."""
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]
    for mount in [mount for mount in mounts if mount.startswith(".")]:
        source, _, how = mount.split(":")
        assert ((ROOT / source).exists(), how) == (True, "ro,z")


@pytest.mark.parametrize("name", OURS)
def test_variables_are_settings(name: str) -> None:
    """Every RACECAST_ variable of a container is a setting of the program that runs in it."""
    variables = SERVICES[name].get("environment", {})
    given = {key.removeprefix("RACECAST_").lower() for key in variables if key.startswith("RACECAST_")}
    assert given <= set(OURS[name].model_fields)


def test_image_runs_by_itself() -> None:
    """The image's default command can write its file: the folder exists and belongs to its user."""
    (file,) = re.findall(r"^ENV RACECAST_SQLITE=(\S+)$", DOCKERFILE, re.MULTILINE)
    made = re.search(r"install -d -o (\d+) -g (\d+) (\S+)$", DOCKERFILE, re.MULTILINE)
    user = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)[-1]
    assert made is not None
    assert (f"{made[1]}:{made[2]}", made[3]) == (user, str(PurePosixPath(file).parent))


@pytest.mark.usefixtures("dead_proxy")
@pytest.mark.parametrize("status", [200, 503])
def test_health_check_uses_no_proxy(status: int, answering: Callable[[int, bytes], str]) -> None:
    """The health check of simulator and dashboard asks its own container, whatever proxy is configured."""
    _, _, *code = SERVICES["simulator"]["healthcheck"]["test"]
    variables = os.environ | {"HEALTH_URL": answering(status, b"")}
    done = subprocess.run([sys.executable, *code], env=variables, capture_output=True, check=False)
    assert (done.returncode == 0) is (status == 200)


def test_dockerignore_shows_what_the_image_copies() -> None:
    """.dockerignore hides everything but what the Dockerfile copies."""
    ignored = (ROOT / ".dockerignore").read_text().split()
    copied = re.findall(r"^COPY (\S+)", DOCKERFILE, re.MULTILINE)
    shown = {line.removeprefix("!").partition("/")[0] for line in ignored if line.startswith("!")}
    assert ignored[0] == "*"
    assert set(copied) == shown
