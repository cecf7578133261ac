"""The ports of a stack. A state folder keeps them: Pinot's parts know each other by host and port."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, fields
from random import SystemRandom
from typing import TYPE_CHECKING

from pinot.local.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from pathlib import Path

HOST = "127.0.0.1"
PARTS = ("kafka", "pinot")
"""The processes of a stack."""
KAFKAS = ("kafka", "kafka_controller")
"""The ports that Kafka listens on; the others are Pinot's."""
OURS = range(20_000, 30_000)
"""Whence free ports are taken: below those that systems give to outgoing connections, one of which could
sit on the port of a part that is being restarted."""


@dataclass(frozen=True)
class Ports:
    """Each is a TCP port of HOST. The first three are for users, the others only for the stack itself."""

    kafka: int
    controller: int
    broker: int
    kafka_controller: int
    zookeeper: int
    server: int
    server_admin: int


def choose(wanted: Mapping[str, int]) -> Ports:
    """Ports for a new stack: those of `wanted`, and free ones for the rest and where it says 0."""
    names = [field.name for field in fields(Ports)]
    free = dict(zip(names, _free(len(names)), strict=True))
    return Ports(**(free | {name: port for name, port in wanted.items() if port}))


def check_free(ports: Ports, parts: Container[str] = PARTS) -> None:
    """Make sure that nobody listens on those that these parts of a stack need.

    Raises:
        StackError: somebody does; the text names the port and what was to run there.
    """
    for name, port in asdict(ports).items():
        if ("kafka" if name in KAFKAS else "pinot") not in parts:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                raise StackError(
                    f"port {port}, wanted for {name.replace('_', ' ')}, is taken: end what listens there "
                    "or choose other ports (python -m pinot.local start --help)"
                ) from error


def load(path: Path) -> Ports | None:
    """The ports written to `path` by `save`, or None if there is no such file."""
    return Ports(**json.loads(path.read_text())) if path.exists() else None


def save(ports: Ports, path: Path) -> None:
    """Write them to `path` as JSON."""
    path.write_text(json.dumps(asdict(ports), indent=2) + "\n")


def _free(count: int) -> list[int]:
    """Ports that nobody uses just now; held all at once, so that they differ."""
    with ExitStack() as held:
        found: list[int] = []
        for port in SystemRandom().sample(OURS, len(OURS)):
            if len(found) == count:
                break
            probe = held.enter_context(socket.socket())
            with suppress(OSError):
                probe.bind((HOST, port))
                found.append(port)
        return found
