"""The limits of a connection, on a simulated clock."""

import re
from typing import Any, cast

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from werkzeug.routing import Map, Rule

from simulator.http import rate, site
from simulator.http.cors import Cors
from simulator.http.rate import BURST, Rate
from simulator.http.request_metrics import RequestMetrics
from simulator.http.site import DEADLINE, LINGER, LimitedSite


class Hello(Resource):
    """Answers every request."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def render(self, request: Any) -> bytes:
        """Return the length of the body."""
        return f"{len(request.content.read())} bytes".encode()


class Transport(StringTransport):
    """A connection that can be aborted."""

    def abortConnection(self) -> None:  # noqa: N802 - Twisted's name
        """Abort it."""
        self.aborting = True

    def loseWriteConnection(self) -> None:  # noqa: N802 - Twisted's name
        """Close the direction to the client."""
        self.is_half_closed = True

    aborting = False
    is_half_closed = False


class World:
    """A site, and connections to it."""

    def __init__(self, per_second: float = 0) -> None:
        hello: Any = Hello
        self.clock: Any = Clock()
        rate, traffic = Rate(self.clock.seconds, per_second), RequestMetrics(Map([Rule("/any")]))
        site = LimitedSite(hello(), self.clock.seconds, rate, Cors(()), traffic)
        self.site = cast("Any", site)
        self.site.reactor = self.clock

    def connect(self, client: str = "127.0.0.1") -> tuple[Any, Any] | None:
        """Open a connection; None if it is closed at once."""
        address = IPv4Address("TCP", client, 1)
        channel = self.site.buildProtocol(address)
        if channel is None:
            return None
        kind: Any = Transport
        transport = kind(peerAddress=address)
        channel.makeConnection(transport)
        return channel, transport

    def open(self, client: str = "127.0.0.1") -> tuple[Any, Any]:
        """Open a connection; it must not be closed at once."""
        connection = self.connect(client)
        assert connection is not None
        return connection

    def ask(
        self, client: str = "127.0.0.1", head: bytes = b"", path: bytes = b"/any", host: bytes = b"x"
    ) -> tuple[int, str]:
        """Send a request on a connection of its own; return the status and the whole answer."""
        channel, transport = self.open(client)
        channel.dataReceived(b"GET %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (path, host, head))
        answer = transport.value().decode("latin-1")
        channel.connectionLost(Failure(ConnectionDone()))
        return int(answer.split()[1]), answer


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"


@pytest.mark.parametrize("text", [HEAD + b"12345", b"GET / HTTP/1.1\r\nX: " + b"y" * 40])
def test_a_slow_request_times_out(text: bytes) -> None:
    """A byte per second keeps a connection from being idle, but the deadline still ends it."""
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


def test_a_refused_body_is_dropped_until_the_deadline() -> None:
    """The answer comes at once; then the client may go on sending for a while, without any effect."""
    world = World()
    channel, transport = world.open()
    channel.dataReceived(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
    answer = transport.value()
    for _ in range(int(DEADLINE)):
        assert not transport.aborting
        channel.dataReceived(HEAD + b"12345")
        world.clock.advance(1)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert transport.value() == answer
    assert transport.is_half_closed
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


def test_connections_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections up to the limit are served; a further one is closed until another has ended."""
    monkeypatch.setattr(site, "MAX_CONNECTIONS", 3)
    world = World()
    channels = [world.open()[0] for _ in range(3)]
    assert world.connect() is None
    channels[0].connectionLost(None)

    assert world.connect() is not None
    assert world.connect() is None


def test_the_requests_of_a_client_are_limited() -> None:
    """A burst of two seconds' requests is served; the next one gets the time to wait, then is served."""
    world = World(per_second=5)
    statuses = [world.ask()[0] for _ in range(int(5 * BURST) + 1)]
    status, answer = world.ask()

    assert statuses == [200] * 10 + [429]
    assert "Too many requests from 127.0.0.1: retry in 1 s" in answer
    assert "Retry-After: 1" in answer
    assert "X-Content-Type-Options: nosniff" in answer
    assert world.ask("127.0.0.2")[0] == 200
    world.clock.advance(0.19)
    assert world.ask()[0] == status == 429
    world.clock.advance(0.01)
    assert world.ask()[0] == 200
    assert world.ask()[0] == 429


def test_every_response_is_counted() -> None:
    """Responses, rate-limited ones included, are counted by method and route, and open connections too."""
    world = World(per_second=0.5)
    assert [world.ask()[0], world.ask()[0], world.ask("127.0.0.2", path=b"/odd")[0]] == [200, 429, 200]
    world.open()
    (family,) = world.site.request_metrics.durations.collect()
    samples = [s for s in family.samples if s.name.endswith("_count")]
    counts = {(s.labels["method"], s.labels["route"], s.labels["status"]): s.value for s in samples}

    assert counts == {("GET", "/any", "2xx"): 1, ("GET", "/any", "4xx"): 1, ("GET", "other", "2xx"): 1}
    assert world.site.request_metrics.connections == 1


@pytest.mark.parametrize("per_second", [0, 0.5])
def test_the_rate_may_be_any(per_second: float) -> None:
    """Zero means no limit; below one per second, one request is allowed at a time."""
    world = World(per_second=per_second)
    statuses = [world.ask()[0] for _ in range(300)]

    assert statuses.count(200) == (1 if per_second else 300)


def test_clients_are_remembered_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit, only the client that has been idle longest is forgotten."""
    monkeypatch.setattr(rate, "MAX_CLIENTS", 2)
    world = World(per_second=0.5)
    for client in ("127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.3"):
        world.ask(client)

    assert [world.ask(f"127.0.0.{nth}")[0] for nth in (1, 2)] == [429, 200]


@pytest.mark.parametrize("given", ["a-1_b.C", "x" * 64])
def test_a_request_keeps_a_given_id(given: str) -> None:
    """A client's request id is in the response."""
    _, answer = World().ask(head=f"X-Request-Id: {given}\r\n".encode())

    assert f"\r\nX-Request-Id: {given}\r\n" in answer


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "<script>", "\xe9"])
def test_a_request_gets_an_id_of_its_own(given: str) -> None:
    """An invalid or missing id is replaced by a unique one."""
    head = f"X-Request-Id: {given}\r\n".encode("latin-1")
    found = [re.search(r"X-Request-Id: ([0-9a-f]{16})\r\n", World().ask(head=head)[1]) for _ in range(2)]

    assert found[0]
    assert found[1]
    assert found[0][1] != found[1][1]


@pytest.mark.parametrize(("path", "host"), [(b"/%ff", b"x"), (b"/a%c3%28", b"x"), (b"/", b"\xff")])
def test_a_url_that_is_not_utf_8_is_rejected(path: bytes, host: bytes) -> None:
    """A URL that is not UTF-8 is the client's error, and is not logged as a fault."""
    status, answer = World().ask(path=path, host=host)

    assert status == 400
    assert "application/problem+json" in answer
    assert "The URL is not valid UTF-8" in answer
