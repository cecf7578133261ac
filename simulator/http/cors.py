"""Which web pages of other origins may use the API (CORS): none, unless they are named."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from simulator.http import responses
from simulator.http.auth import AccessError

if TYPE_CHECKING:
    from collections.abc import Collection

    from twisted.web.server import Request

ALLOWED_METHODS = "GET, HEAD, POST"
ALLOWED_HEADERS = "Authorization, Content-Type, X-Request-Id"
SHOWN_HEADERS = "Location, Retry-After, X-Request-Id"
MAX_AGE = 600
"""Seconds for which a browser may remember a preflight's answer."""


class Cors:
    """Answers browsers that ask for pages of other origins.

    Args:
        origins: those that are named, as browsers write them: `https://example.org`.
    """

    def __init__(self, origins: Collection[str]) -> None:
        self.origins = frozenset(origins)

    def allow(self, request: Request) -> bool:
        """Add the headers for a request from a named origin; tell whether it is a preflight of one."""
        if not self.origins:
            return False
        # What one origin is answered is of no use to another one.
        request.setHeader("Vary", "Origin")
        origin = responses.header(request, b"origin")
        if origin not in self.origins:
            return False
        request.setHeader("Access-Control-Allow-Origin", origin)
        request.setHeader("Access-Control-Expose-Headers", SHOWN_HEADERS)
        if request.method != b"OPTIONS":
            return False
        request.setHeader("Access-Control-Allow-Methods", ALLOWED_METHODS)
        request.setHeader("Access-Control-Allow-Headers", ALLOWED_HEADERS)
        request.setHeader("Access-Control-Max-Age", str(MAX_AGE))
        return True


def origins_of(text: str) -> frozenset[str]:
    """Return the origins in a list with commas between; raises AccessError at what is none."""
    origins = frozenset(one.strip() for one in text.split(",") if one.strip())
    for origin in origins:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or origin != f"{parts.scheme}://{parts.netloc.lower()}":
            raise AccessError(f"{origin} is no origin: write it as https://example.org, without a path")
    return origins
