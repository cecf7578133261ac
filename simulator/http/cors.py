"""CORS: web pages of other origins may use the API only if their origin is configured."""

from collections.abc import Collection

from twisted.web.server import Request

from simulator.http import responses

ALLOWED_METHODS = "GET, HEAD, POST"
ALLOWED_HEADERS = "Authorization, Content-Type, X-Request-Id"
SHOWN_HEADERS = "Location, Retry-After, X-Request-Id"
MAX_AGE = 600
"""Seconds for which a browser may cache a preflight response."""


class Cors:
    """Answers cross-origin requests.

    Args:
        origins: allowed origins, as browsers write them: `https://example.org`.
    """

    def __init__(self, origins: Collection[str]) -> None:
        self.origins = frozenset(origins)

    def allow(self, request: Request) -> bool:
        """Add the headers for a request from an allowed origin; return whether it is a preflight."""
        if not self.origins:
            return False
        # The response depends on the origin: caches must not share it.
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
