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
from twisted.web.http_headers import Headers
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from simulator.http import responses
from simulator.http.bodies import Head
from simulator.http.cors import Cors
from simulator.http.rate import Rate
from simulator.http.request_metrics import RequestMetrics
from stream.problems import Problem

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
ABSOLUTE = re.compile(rb"https?://([^/?]*)(.*)", re.IGNORECASE | re.DOTALL)
"""A request target with a host, as a client writes it that takes the simulator for a proxy."""
MAX_PATH = 200
"""Maximum length of a path in a log line, characters."""


class LimitedRequest(Request):
    """A request whose body is judged by `bodies`, and an id.

    The id comes from the client (`X-Request-Id`) or is generated; the response and the log lines carry it.
    """

    channel: Any
    request_id = ""
    _began = 0.0
    _received = 0
    _head: Head

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """Reject a body by its head; the length is None if it isn't declared."""
        self._head = self.channel.head(self.requestHeaders)
        refusal = self._head.refusal(length)
        super().gotLength(0 if refusal else length)
        if refusal:
            self.channel.refuse(refusal)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Accept a part of the body, or reject it."""
        self._received += len(data)
        if self._received > self._head.max_size:
            self.channel.refuse(self._head.too_large(None))
        else:
            super().handleContentChunk(data)

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


class LimitedChannel(HTTPChannel):
    """A connection whose requests must arrive completely within `DEADLINE`."""

    site: "LimitedSite"
    transport: Any
    _deadline: Any = None
    _is_answering = False
    _is_refused = False
    _command: Any
    _path: Any

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Count the connection."""
        self.site.request_metrics.connections += 1
        super().connectionMade()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Receive bytes; the first ones of a request start its deadline."""
        if self._is_refused:
            return
        if self._deadline is None and not self._is_answering:
            self._deadline = self.callLater(DEADLINE, self._refuse)
        super().dataReceived(data)

    def allHeadersReceived(self) -> None:  # noqa: N802 - Twisted's name
        """Take the host out of the request target, if it has one."""
        if absolute := ABSOLUTE.fullmatch(self._path):
            host, path = absolute.groups()
            self.requests[-1].requestHeaders.setRawHeaders(b"Host", [host])
            self._path = path if path.startswith(b"/") else b"/" + path
        super().allHeadersReceived()

    def head(self, headers: Headers) -> Head:
        """Return the head of the request that is arriving."""
        return Head(self._command, self._path, headers)

    def _send100Continue(self) -> None:  # noqa: N802 - Twisted's name
        if not self._is_refused:
            super()._send100Continue()

    def refuse(self, problem: Problem) -> None:
        """Answer a request before its body has arrived, and close the connection.

        What the client still sends is read and dropped until the deadline: a connection closed at once would
        be reset, and many clients would not see the answer.
        """
        if self._is_refused:
            return
        self._is_refused = True
        self.transport.write(_answer(problem))
        self.transport.loseWriteConnection()
        self._end_deadline()
        self._deadline = self.callLater(DEADLINE, self.transport.abortConnection)

    def allContentReceived(self) -> None:  # noqa: N802 - Twisted's name
        """Answer a complete request."""
        if self._is_refused:
            return
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
        self.transport.write(_answer(Problem(HTTPStatus.REQUEST_TIMEOUT, detail)))
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
        super().__init__(resource, requestFactory=LimitedRequest, timeout=IDLE, parsePOSTFormSubmission=False)
        self.seconds, self.rate, self.cors, self.request_metrics = seconds, rate, cors, request_metrics

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - Twisted's name
        """Return the protocol of a connection; None closes it."""
        return super().buildProtocol(addr) if self.request_metrics.connections < MAX_CONNECTIONS else None


def _answer(problem: Problem) -> bytes:
    """Return a raw response, for use before the request has been read."""
    body = problem.body()
    head = (
        f"HTTP/1.1 {problem.status.value} {problem.status.phrase}\r\n"
        "Content-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
