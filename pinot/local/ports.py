"""The ports of a stack, kept in its state folder: Pinot's parts know each other by host and port."""

import json
import socket
from collections.abc import Container, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from random import SystemRandom

HOST = "127.0.0.1"
PARTS = ("kafka", "pinot")
"""The processes of a stack."""
KAFKAS = ("kafka", "kafka_controller")
"""The ports that Kafka listens on; the others are Pinot's."""
OURS = range(20_000, 30_000)
"""Range of free ports, below the ephemeral ports: an outgoing connection could otherwise occupy the port of a
part that is restarting."""


class StackError(RuntimeError):
    """The local stack cannot do what was requested; the text says why and what to do."""


@dataclass(frozen=True)
class Ports:
    """TCP ports on HOST. The first three are for users, the others internal."""

    kafka: int
    controller: int
    broker: int
    kafka_controller: int
    zookeeper: int
    server: int
    server_admin: int


def choose(wanted: Mapping[str, int]) -> Ports:
    """Choose ports for a new stack: those of `wanted`, and free ones for the rest and for 0."""
    names = [field.name for field in fields(Ports)]
    found = dict(zip(names, free(len(names)), strict=True))
    return Ports(**(found | {name: port for name, port in wanted.items() if port}))


def check_free(ports: Ports, parts: Container[str] = PARTS) -> None:
    """Check that the ports of these parts are free.

    Raises:
        StackError: a port is in use; the text names it and the part.
    """
    for name, port in asdict(ports).items():
        if ("kafka" if name in KAFKAS else "pinot") not in parts:
            continue
        check_one_is_free(port, name.replace("_", " "))


def check_one_is_free(port: int, what: str) -> None:
    """Check that a port, needed for `what`, is free; raise StackError otherwise."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise StackError(
                f"port {port}, needed for {what}, is in use: stop the process that listens there or choose "
                "other ports (python -m pinot.local start --help)"
            ) from error


def load(path: Path) -> Ports | None:
    """Read the ports written by `save`; None if there is no such file."""
    return Ports(**json.loads(path.read_text())) if path.exists() else None


def save(ports: Ports, path: Path) -> None:
    """Write the ports to `path` as JSON."""
    path.write_text(json.dumps(asdict(ports), indent=2) + "\n")


def free(count: int) -> list[int]:
    """Return free ports; all are held at once, so that they differ."""
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
