"""The limits of a connection, on a clock of the test's own."""

from __future__ import annotations

from typing import Any, cast

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.resource import Resource

from simulator import site
from simulator.site import DEADLINE, LINGER, limited_site


class Hello(Resource):
    """Answers every request."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def render(self, request: Any) -> bytes:
        """Say how long the body was."""
        return f"{len(request.content.read())} bytes".encode()


class Transport(StringTransport):
    """A connection that can be broken off."""

    def abortConnection(self) -> None:  # noqa: N802 - Twisted's name
        """Break it off."""
        self.aborting = True

    aborting = False


class World:
    """A site, and connections to it."""

    def __init__(self) -> None:
        hello: Any = Hello
        self.clock: Any = Clock()
        self.site = cast("Any", limited_site(hello()))
        self.site.reactor = self.clock

    def connect(self) -> tuple[Any, Any] | None:
        """Open a connection; None if it is closed at once."""
        channel = self.site.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
        if channel is None:
            return None
        kind: Any = Transport
        transport = kind()
        channel.makeConnection(transport)
        return channel, transport

    def open(self) -> tuple[Any, Any]:
        """Open a connection that is there."""
        connection = self.connect()
        assert connection is not None
        return connection


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"


@pytest.mark.parametrize("text", [HEAD + b"12345", b"GET / HTTP/1.1\r\nX: " + b"y" * 40])
def test_a_request_that_trickles_is_refused_in_the_end(text: bytes) -> None:
    """A byte a second keeps a connection from being idle, and not beyond the deadline, in head or in body."""
    world = World()
    channel, transport = world.open()
    for nth in range(int(DEADLINE)):
        channel.dataReceived(text[nth : nth + 1])
        assert not transport.disconnecting
        world.clock.advance(1)

    assert transport.value().startswith(b"HTTP/1.1 408 ")
    assert b"within 30 s" in transport.value()
    assert transport.disconnecting
    world.clock.advance(LINGER)
    assert transport.aborting


def test_a_request_just_in_time_is_answered() -> None:
    """The last byte may come just before the deadline; and each request of a connection has its own."""
    world = World()
    channel, transport = world.open()
    for _ in range(3):
        transport.clear()
        channel.dataReceived(HEAD)
        world.clock.advance(DEADLINE - 0.1)
        channel.dataReceived(b"12345")
        assert b"5 bytes" in transport.value()
        world.clock.advance(20)

    assert not transport.disconnecting


def test_so_many_connections_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as the limit are served; one more is closed, until another one has gone."""
    monkeypatch.setattr(site, "MAX_CONNECTIONS", 3)
    world = World()
    channels = [world.open()[0] for _ in range(3)]
    assert world.connect() is None
    channels[0].connectionLost(None)

    assert world.connect() is not None
    assert world.connect() is None
