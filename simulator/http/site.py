"""HTTP limits and request ids.

Neither twisted.web nor klein limits body size, clients or the time that a request may take to arrive.
"""

import logging
import re
import secrets
from collections.abc import Callable
from http import HTTPStatus
from math import ceil
from typing import Any
from urllib.parse import unquote_to_bytes

import structlog
from structlog.contextvars import bound_contextvars
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from simulator.http import responses
from simulator.http.cors import Cors
from simulator.http.rate import Rate
from simulator.http.request_metrics import RequestMetrics
from stream.problems import Problem

MAX_BODY = 8 * 1024 * 1024
"""Maximum size of a request body in bytes: a course of 100,000 points takes about 5 MB."""
IDLE = 60.0
"""Idle timeout of a connection, seconds."""
DEADLINE = 30.0
"""Seconds within which a request must arrive completely, including its body."""
LINGER = 5.0
"""Seconds allowed for sending the response to a request that timed out."""
MAX_CONNECTIONS = 2000
"""Maximum number of open connections."""
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
"""Request ids that a client may set."""
MAX_PATH = 200
"""Maximum length of a path in a log line, characters."""


class LimitedRequest(Request):
    """A request with a body limit (413 above `MAX_BODY`) and an id.

    The id comes from the client (`X-Request-Id`) or is generated; the response and the log lines carry it.
    """

    channel: Any
    request_id = ""
    _began = 0.0
    _received = 0
    _refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """Reject a body whose declared length is too large."""
        super().gotLength(min(length or 0, MAX_BODY))
        if length is not None and length > MAX_BODY:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Accept a part of the body, or reject it."""
        self._received += len(data)
        if self._received > MAX_BODY:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def requestReceived(self, *args: Any) -> None:  # noqa: N802 - Twisted's name
        """Serve the request unless it was rejected."""
        if not self._refused:
            super().requestReceived(*args)

    def process(self) -> None:
        """Serve the request unless the client has exceeded its rate limit."""
        site: LimitedSite = self.channel.site
        given = responses.header(self, b"x-request-id") or ""
        self.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        self._began = site.seconds()
        self.setHeader("X-Request-Id", self.request_id)
        with bound_contextvars(request_id=self.request_id):
            wait = ceil(site.rate.wait(self._client()))
            is_preflight = site.cors.allow(self)
            if wait:
                self.setHeader("Retry-After", str(wait))
                detail = f"Too many requests from {self._client()}: retry in {wait} s"
                self._answer(HTTPStatus.TOO_MANY_REQUESTS, detail)
            elif is_preflight:
                self.setResponseCode(HTTPStatus.NO_CONTENT)
                self.finish()
            elif not self._is_text():
                self._answer(HTTPStatus.BAD_REQUEST, "The URL is not valid UTF-8")
            else:
                super().process()

    def finish(self) -> None:
        """Finish the response, count it, and log it if it changed state or failed."""
        if self.request_id and self.channel is not None:
            self._report(self.channel.site.request_metrics, self.channel.site.seconds() - self._began)
        super().finish()

    def _report(self, request_metrics: RequestMetrics, seconds: float) -> None:
        request_metrics.answered(self.method, self.path, self.code, seconds)
        is_reading = self.method in {b"GET", b"HEAD"} or self.code == HTTPStatus.TOO_MANY_REQUESTS
        structlog.get_logger().log(
            logging.DEBUG if is_reading and self.code != HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO,
            "request",
            request_id=self.request_id,
            method=self.method.decode("latin-1"),
            path=self.path.decode("latin-1")[:MAX_PATH],
            status=self.code,
            client=self._client(),
            ms=round(seconds * 1000, 1),
        )

    def _is_text(self) -> bool:
        """Return whether path and host are valid UTF-8: Klein would answer 500 otherwise."""
        try:
            unquote_to_bytes(self.path).decode()
            (responses.header(self, b"host") or "").encode("latin-1").decode()
        except UnicodeDecodeError:
            return False
        return True

    def _client(self) -> str:
        return str(getattr(self.getClientAddress(), "host", ""))

    def _answer(self, status: HTTPStatus, detail: str) -> None:
        self.write(responses.problem(self, Problem(status, detail)))
        self.finish()

    def _refuse(self) -> None:
        if not self._refused:
            self._refused = True
            detail = f"The request body exceeds {MAX_BODY // 1024**2} MiB"
            self.channel.transport.write(_answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail))
            self.channel.loseConnection()


class LimitedChannel(HTTPChannel):
    """A connection whose requests must arrive completely within `DEADLINE`."""

    site: "LimitedSite"
    transport: Any
    _deadline: Any = None
    _is_answering = False

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Count the connection."""
        self.site.request_metrics.connections += 1
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Receive bytes; the first ones of a request start its deadline."""
        if self._deadline is None and not self._is_answering:
            self._deadline = self.callLater(DEADLINE, self._refuse)
        super().dataReceived(data)

    def allContentReceived(self) -> None:  # noqa: N802 - Twisted's name
        """Answer a complete request."""
        self._is_answering = True
        self._end_deadline()
        super().allContentReceived()

    def requestDone(self, request: Request) -> None:  # noqa: N802 - Twisted's name
        """Continue with the next request."""
        self._is_answering = False
        super().requestDone(request)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # noqa: N802 - Twisted's name
        """Stop counting the connection."""
        self.site.request_metrics.connections -= 1
        self._end_deadline()
        super().connectionLost(reason)

    def _end_deadline(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None

    def _refuse(self) -> None:
        detail = f"The request did not arrive within {DEADLINE:.0f} s"
        self.transport.write(_answer(HTTPStatus.REQUEST_TIMEOUT, detail))
        # A client that sends slowly may also read slowly: do not wait for it.
        self.loseConnection()
        self.callLater(LINGER, self.transport.abortConnection)


class LimitedSite(Site):
    """A site that serves up to `MAX_CONNECTIONS` connections and closes any beyond that.

    Args:
        resource: answers the requests.
        seconds: the clock.
        rate: limits the requests of each client.
        cors: allows requests from pages of other origins.
        request_metrics: counts connections and responses.
    """

    protocol = LimitedChannel  # type: ignore[assignment]

    def __init__(
        self,
        resource: Resource,
        seconds: Callable[[], float],
        rate: Rate,
        cors: Cors,
        request_metrics: RequestMetrics,
    ) -> None:
        super().__init__(resource, requestFactory=LimitedRequest, timeout=IDLE)
        self.seconds, self.rate, self.cors, self.request_metrics = seconds, rate, cors, request_metrics

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - Twisted's name
        """Return the protocol of a connection; None closes it."""
        return super().buildProtocol(addr) if self.request_metrics.connections < MAX_CONNECTIONS else None


def _answer(status: HTTPStatus, detail: str) -> bytes:
    """Return a raw response, for use before the request has been read."""
    body = Problem(status, detail).body()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "Content-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
