"""Shared by the tests of the real Pinot: publishing events, querying, and waiting for results."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from confluent_kafka import Producer

from pinot.local.stack import Stack
from stream.waiting import wait_for

Row = dict[str, Any]


class Pinot:
    """A running stack, to publish to and query."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._producer = Producer({"bootstrap.servers": stack.kafka, "partitioner": "murmur2_random"})

    def send(self, topic: str, rows: Iterable[Row]) -> None:
        """Publish events with their keys, and wait until Kafka has them."""
        for row in rows:
            key = row["runId"] if topic == "races" else f"{row['runId']}:{row['competitorId']}"
            self._producer.produce(topic, orjson.dumps(row), key)
        assert self._producer.flush(30) == 0

    def send_raw(self, topic: str, values: Iterable[bytes | None]) -> None:
        """Publish malformed messages to every partition."""
        for value in values:
            for partition in self._producer.list_topics(topic, timeout=30).topics[topic].partitions:
                self._producer.produce(topic, value, "key", partition=partition)
        assert self._producer.flush(30) == 0

    def ask(self, sql: str) -> list[list[Any]]:
        """Return the rows of a query."""
        answer = httpx.post(self.stack.queries, json={"sql": sql}, trust_env=False).json()
        assert answer["exceptions"] == []
        rows: list[list[Any]] = answer["resultTable"]["rows"]
        return rows

    def wait_until(self, sql: str, expected: list[list[Any]]) -> None:
        """Wait until a query returns `expected`."""
        wait_for(sql, partial(self._difference, sql, expected), seconds=60, say=print)

    def _difference(self, sql: str, expected: list[list[Any]]) -> str | None:
        found = self.ask(sql)
        return None if found == expected else f"{found} instead of {expected}"


@pytest.fixture
def pinot(stack: Stack) -> Pinot:
    """The session's stack."""
    return Pinot(stack)


@pytest.fixture
def dead_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment with an HTTP proxy that does not exist."""
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")


@pytest.fixture
def answering() -> Iterator[Callable[[int, bytes], str]]:
    """Starts a server that responds to every request with a status and a body; returns its address."""
    with ExitStack() as ends:

        def start(status: int, body: bytes) -> str:
            server = ends.enter_context(HTTPServer(("127.0.0.1", 0), partial(_Answer, status, body)))
            ends.callback(server.shutdown)
            Thread(target=server.serve_forever, daemon=True).start()
            return f"http://127.0.0.1:{server.server_port}"

        yield start


class _Answer(BaseHTTPRequestHandler):
    def __init__(self, status: int, body: bytes, *rest: Any) -> None:
        self._status, self._body = status, body
        super().__init__(*rest)

    def do_GET(self) -> None:
        self.send_response(self._status)
        self.end_headers()
        self.wfile.write(self._body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def run() -> str:
    """A unique run id."""
    return f"t-{uuid4().hex[:12]}"


@pytest.fixture
def position(run: str) -> Callable[..., Row]:
    """Makes a position of a competitor, by default at the start of Crystal Palace's course."""
    return partial(_position, run)


def _position(run: str, competitor: int, raw_time: int, **rest: Any) -> Row:
    start = 1_700_000_000_000
    return {
        "runId": run,
        "eventId": f"{run}-{competitor}-{raw_time}",
        "competitorId": competitor,
        "rawTime": raw_time,
        "timestamp": start + raw_time * 1000,
        "lat": 51.419232,
        "lon": -0.063215,
        "distance": raw_time * 4.0,
        "course": "crystal-palace",
        "status": "running",
        "elapsed": float(raw_time),
        "emittedAt": start + raw_time * 1000 + 7,
    } | rest
