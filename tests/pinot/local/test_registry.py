"""The schema registry of the local stack, a real one."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinot.local import __main__ as command
from pinot.local import ports
from pinot.local.ports import StackError
from pinot.local.registry import PROFILE, LocalRegistry
from stream.registry import Schemas
from tests.conftest import need_java_and_jars


@pytest.fixture
def own_registry(tmp_path: Path) -> Iterator[LocalRegistry]:
    """A running registry for one test."""
    need_java_and_jars("a schema registry", [PROFILE])
    running = LocalRegistry.at(tmp_path)
    try:
        running.start(lambda _: None)
        yield running
    finally:
        running.stop()


@pytest.mark.stack
def test_schemas_survive_a_stop(own_registry: LocalRegistry) -> None:
    """A registry that starts again in its folder has its port and the ids of its schemas."""
    before = Schemas(own_registry.url, "AVRO").register("parkrun")
    own_registry.stop()
    assert "does not respond" in str(Schemas(own_registry.url, "AVRO").trouble())
    again = LocalRegistry.at(own_registry.folder)
    again.start(lambda _: None)

    assert again == own_registry
    assert Schemas(again.url, "AVRO").register("parkrun") == before


@pytest.mark.stack
def test_starting_twice_changes_nothing(own_registry: LocalRegistry) -> None:
    """A registry that is running is left running."""
    pid = own_registry.process.pid()
    own_registry.start(lambda _: None)

    assert own_registry.process.pid() == pid


@pytest.mark.stack
def test_the_command_stops_it(own_registry: LocalRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m pinot.local stop` also stops a registry in the folder."""
    monkeypatch.setattr("sys.argv", ["pinot.local", "stop", "--state", str(own_registry.folder)])

    assert command.main() == 0
    assert own_registry.process.pid() is None


@pytest.mark.stack
def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    """A port in use is rejected with its number."""
    need_java_and_jars("a schema registry", [PROFILE])
    with socket.create_server((ports.HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port}, needed for the schema registry, is in use"):
            LocalRegistry.at(tmp_path, port).start(lambda _: None)
