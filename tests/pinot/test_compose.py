"""docker-compose.yml and Dockerfile: what can be said about them without Docker."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import chain, combinations
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from dashboard.settings import Settings as DashboardSettings
from pinot.settings import Settings as SetupSettings
from simulator.settings import ServeSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_settings import BaseSettings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OURS: dict[str, type[BaseSettings]] = {
    "setup": SetupSettings,
    "simulator": ServeSettings,
    "dashboard": DashboardSettings,
}
FOUND = {
    frozenset(pair)
    for pair in [
        # Each of Pinot's parts finds the others in ZooKeeper,
        ("pinot-controller", "pinot-broker"),
        ("pinot-controller", "pinot-server"),
        ("pinot-broker", "pinot-server"),
        # and the tables say where Kafka is.
        ("pinot-controller", "kafka"),
        ("pinot-server", "kafka"),
    ]
}
"""Who talks to whom without being given the address in docker-compose.yml."""
WRITTEN = ("ZOO_CONF_DIR", "KAFKA_LOG_DIRS", "RACECAST_UPLOADS")
"""Variables that name a folder to write into."""
MONITORING = {"prometheus", "grafana"}
NEVER = {
    frozenset(pair)
    for pair in [
        ("dashboard", "zookeeper"),
        ("simulator", "pinot-broker"),
        ("simulator", "pinot-server"),
        ("simulator", "zookeeper"),
        ("grafana", "simulator"),
        ("grafana", "dashboard"),
    ]
}
"""Who must not reach whom, whatever addresses are given."""


def test_all_parts_are_there() -> None:
    """`docker compose up` brings up Kafka, Pinot with its ZooKeeper, the set-up, simulator and dashboard.

    With the profile `monitoring` there are Prometheus and Grafana beside them.
    """
    assert {name for name, how in SERVICES.items() if how.get("profiles") == ["monitoring"]} == MONITORING
    assert {name for name, how in SERVICES.items() if "profiles" not in how} == {
        "zookeeper",
        "kafka",
        "pinot-controller",
        "pinot-broker",
        "pinot-server",
        "setup",
        "simulator",
        "dashboard",
    }


def test_only_the_pages_are_published_and_only_on_loopback() -> None:
    """The host sees the API, the dashboard, Pinot's page and those of monitoring; nobody else sees these."""
    published = {port for service in SERVICES.values() for port in service.get("ports", [])}
    assert published == {f"127.0.0.1:{port}:{port}" for port in (3000, 8080, 8501, 9000, 9090)}


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_service_has_no_more_rights_and_memory_than_it_needs(service: dict[str, Any]) -> None:
    """Every container runs without capabilities, can't gain any, and has a bound on memory and log."""
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "mem_limit" in service
    assert 0 < service["pids_limit"] <= 1024
    assert "max-size" in service["logging"]["options"]
    assert not service.get("privileged", False)


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_nobody_is_root(service: dict[str, Any]) -> None:
    """Every container runs as a user other than root: its own, or the one of our image."""
    ours = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)[-1]
    user = str(service.get("user", ours))
    assert user.partition(":")[0] not in {"", "0", "root"}


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_roots_are_read_only(service: dict[str, Any]) -> None:
    """No container changes its image; what needn't outlast it has a bounded place in its memory."""
    assert service["read_only"] is True
    sizes = [re.findall(r"\bsize=(\d+)m\b", mount) for mount in service.get("tmpfs", [])]
    memory, unit = service["mem_limit"][:-1], service["mem_limit"][-1]
    assert sum(int(size) for (size,) in sizes) <= int(memory) * {"m": 1, "g": 1024}[unit] / 4


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_what_is_written_has_a_place(service: dict[str, Any]) -> None:
    """Whatever a container is told to write into, and /tmp, is in one of its volumes or tmpfs."""
    mounts = [mount.split(":") for mount in service.get("volumes", [])]
    places = [inside for source, inside, *_ in mounts if not source.startswith(".")]
    places += [mount.partition(":")[0] for mount in service.get("tmpfs", [])]
    written = ["/tmp", *re.findall(r"-\w+Dir (\S+)", _command(service))]
    written += [folder for name, folder in service.get("environment", {}).items() if name in WRITTEN]
    for folder in written:
        assert any(PurePosixPath(folder).is_relative_to(place) for place in places), folder


def test_nobody_reaches_whom_it_does_not_need() -> None:
    """Two services share a network if one has the other's address or finds it, and only then."""
    needed = set(FOUND)
    for name, service in SERVICES.items():
        said = " ".join(
            [_command(service), *service.get("environment", {}).values(), *_configurations(service)]
        )
        hosts = set(re.findall(r"\b([a-z][a-z-]*):\d+\b", said)) & set(SERVICES)
        needed |= {frozenset({name, host}) for host in hosts - {name}}
    together = {
        frozenset({one, other})
        for one, other in combinations(SERVICES, 2)
        if set(SERVICES[one]["networks"]) & set(SERVICES[other]["networks"])
    }
    assert together == needed
    assert not together & NEVER


def test_only_who_is_published_has_a_way_out() -> None:
    """Only networks through which the host reaches who publishes a port aren't cut off from the world."""
    ways_out = {name for name, how in COMPOSE["networks"].items() if not (how or {}).get("internal")}
    used = {network for service in SERVICES.values() for network in service["networks"]}
    assert used == set(COMPOSE["networks"])
    for service in SERVICES.values():
        assert bool(ways_out & set(service["networks"])) is bool(service.get("ports"))


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_image_is_pinned(service: dict[str, Any]) -> None:
    """Every image has a version with a number, or is built here."""
    assert "build" in service or re.search(r":v?\d+\.\d+\.\d+$", service["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_starts_too_early(name: str) -> None:
    """What a service needs is waited for: until it is healthy, or if it ends by itself, until it is done."""
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        ends = SERVICES[needed].get("restart") == "no"
        assert how["condition"] == ("service_completed_successfully" if ends else "service_healthy")
        built = "build" in SERVICES[needed]
        assert ends or built or "test" in SERVICES[needed]["healthcheck"]


def test_set_up_comes_between_the_cluster_and_its_users() -> None:
    """Topics and tables are there before the first event and the first query."""
    assert {"kafka", "pinot-controller", "pinot-broker", "pinot-server"} == set(
        SERVICES["setup"]["depends_on"]
    )
    assert "setup" in SERVICES["simulator"]["depends_on"]
    assert "setup" in SERVICES["dashboard"]["depends_on"]


def test_data_outlives_the_containers() -> None:
    """What Kafka, ZooKeeper, Pinot and the simulator write lies in named volumes; every volume is used."""
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]
    named = {mount.partition(":")[0] for mount in mounts if not mount.startswith(".")}
    assert named == set(COMPOSE["volumes"])
    for keeper in ("zookeeper", "kafka", "pinot-controller", "pinot-server", "simulator"):
        assert [mount for mount in SERVICES[keeper]["volumes"] if not mount.startswith(".")]


def test_uploads_lie_in_the_simulators_volume() -> None:
    """Uploaded courses are kept in the volume, which is mounted where the image's user may write."""
    (volume,) = [mount for mount in SERVICES["simulator"]["volumes"] if not mount.startswith(".")]
    made = re.search(r"install -d -o \d+ -g \d+ (\S+)$", DOCKERFILE, re.MULTILINE)
    inside = re.findall(r"^ENV RACECAST_UPLOADS=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert made is not None
    assert volume.partition(":")[2] == made[1]
    for folder in (SERVICES["simulator"]["environment"]["RACECAST_UPLOADS"], *inside):
        assert PurePosixPath(folder).is_relative_to(made[1])
    assert inside


def test_mounted_files_exist() -> None:
    """A file or folder that is mounted from the checkout is there, and can't be written to."""
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]
    for mount in [mount for mount in mounts if mount.startswith(".")]:
        source, _, how = mount.split(":")
        assert ((ROOT / source).exists(), how) == (True, "ro")


@pytest.mark.parametrize("name", OURS)
def test_variables_are_settings(name: str) -> None:
    """Every RACECAST_ variable of a container is a setting of the program that runs in it."""
    variables = SERVICES[name].get("environment", {})
    given = {key.removeprefix("RACECAST_").lower() for key in variables if key.startswith("RACECAST_")}
    assert given <= set(OURS[name].model_fields)


def test_addresses_are_of_services() -> None:
    """Every address that a container is given is a service of this file, or its own."""
    text = " ".join(
        [(ROOT / "docker-compose.yml").read_text(), *chain(*map(_configurations, SERVICES.values()))]
    )
    hosts = set(
        re.findall(
            r"(?:http://|\b)([a-z-]+|127\.0\.0\.1):(?:2181|3000|8080|8099|8501|9000|9090|9092)\b", text
        )
    )
    assert hosts <= set(SERVICES) | {"127.0.0.1"}


def test_image_is_built_of_pinned_parts() -> None:
    """Our image starts from a fixed version and takes only packages whose hashes are known."""
    assert re.search(r"^FROM python:3\.11\.\d+-slim-bookworm$", DOCKERFILE, re.MULTILINE)
    assert "--require-hashes" in DOCKERFILE


def test_image_runs_by_itself() -> None:
    """What the image runs unless told otherwise can write its file: the folder is there, its user's."""
    (file,) = re.findall(r"^ENV RACECAST_SQLITE=(\S+)$", DOCKERFILE, re.MULTILINE)
    made = re.search(r"install -d -o (\d+) -g (\d+) (\S+)$", DOCKERFILE, re.MULTILINE)
    user = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)[-1]
    assert made is not None
    assert (f"{made[1]}:{made[2]}", made[3]) == (user, str(PurePosixPath(file).parent))


@pytest.mark.usefixtures("dead_proxy")
@pytest.mark.parametrize("status", [200, 503])
def test_health_is_asked_without_proxies(status: int, answering: Callable[[int, bytes], str]) -> None:
    """The image's health check asks what runs beside it, whatever proxy the environment names."""
    (command,) = re.findall(r"^  CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    _, *code = json.loads(command)
    variables = os.environ | {"HEALTH_URL": answering(status, b"")}
    done = subprocess.run([sys.executable, *code], env=variables, capture_output=True, check=False)
    assert (done.returncode == 0) is (status == 200)


def test_what_the_image_copies_is_let_through() -> None:
    """.dockerignore hides everything but what the Dockerfile copies."""
    ignored = (ROOT / ".dockerignore").read_text().split()
    copied = re.findall(r"^COPY (\S+)", DOCKERFILE, re.MULTILINE)
    shown = {line.removeprefix("!").partition("/")[0] for line in ignored if line.startswith("!")}
    assert ignored[0] == "*"
    assert set(copied) == shown


def test_nobody_logs_in_to_grafana() -> None:
    """Grafana has no user at all, default password or not: who reaches it may look, and change nothing."""
    said = SERVICES["grafana"]["environment"]
    wanted = {
        "GF_AUTH_ANONYMOUS_ENABLED": "true",
        "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
        "GF_AUTH_BASIC_ENABLED": "false",
        "GF_AUTH_DISABLE_LOGIN_FORM": "true",
        "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
    }
    assert said.items() >= wanted.items()
    assert not [name for name in said if "PASSWORD" in name]


def _configurations(service: dict[str, Any]) -> list[str]:
    """The YAML files that are mounted from the checkout: they name addresses too."""
    mounts = [mount.partition(":")[0] for mount in service.get("volumes", []) if mount.startswith(".")]
    files = [file for mount in mounts for file in ((ROOT / mount), *(ROOT / mount).rglob("*"))]
    return [file.read_text() for file in files if file.suffix in {".yml", ".yaml"}]


def _command(service: dict[str, Any]) -> str:
    command: str | list[str] = service.get("command", "")
    return command if isinstance(command, str) else " ".join(command)
