"""What keeps the HTTP server within its means; neither twisted.web nor klein limits a body."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from twisted.web.server import Request, Site

from simulator.problems import Problem

if TYPE_CHECKING:
    from twisted.web.resource import Resource

MAX_BODY = 8 * 1024 * 1024
"""Bytes of a request's body: a course of 100,000 points takes five million."""
IDLE = 60.0
"""Seconds for which a connection may say nothing."""


class LimitedRequest(Request):
    """A request whose body is read up to `MAX_BODY` bytes, and answered 413 beyond that."""

    _received = 0
    _refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """Refuse a body that says beforehand that it is too large."""
        super().gotLength(min(length or 0, MAX_BODY))  # type: ignore[no-untyped-call]
        if length is not None and length > MAX_BODY:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Take a part of the body, or refuse it."""
        self._received += len(data)
        if self._received > MAX_BODY:
            self._refuse()
        else:
            super().handleContentChunk(data)  # type: ignore[no-untyped-call]

    def requestReceived(self, *args: Any) -> None:  # noqa: N802 - Twisted's name
        """Serve the request, unless it is refused already."""
        if not self._refused:
            super().requestReceived(*args)  # type: ignore[no-untyped-call]

    def _refuse(self) -> None:
        if self._refused:
            return
        self._refused = True
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        limit = f"{MAX_BODY // 1024**2} MiB"
        body = Problem(status, f"A request's body may have {limit} at most").body()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            "Content-Type: application/problem+json\r\n"
            f"Content-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n"
        )
        # The answer goes out before the body is in: so it is written past the request's own machinery.
        channel: Any = self.channel
        channel.transport.write(head.encode() + body)
        channel.loseConnection()


def limited_site(resource: Resource) -> Site:
    """Return the site that serves a resource within the limits."""
    site = Site(resource, requestFactory=LimitedRequest, timeout=IDLE)
    site.displayTracebacks = False
    return site
