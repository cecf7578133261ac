"""Request durations by method, route template and status class.

Grouping limits the number of series to a few hundred, whatever clients send.
"""

from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

from simulator.histogram import HTTP_SECONDS, histogram

METHODS = ("GET", "HEAD", "POST", "OPTIONS")
OTHER = "other"
"""Label of all other methods, and of unknown paths."""


class Kind(NamedTuple):
    """The labels of a request: `GET`, `/races/{run_id}`, `2xx`."""

    method: str
    route: str
    status: str


class RequestMetrics:
    """Counts requests.

    Args:
        routes: the known routes.

    Attributes:
        durations: seconds from a request's last byte to the end of its response, by kind.
        connections: number of open connections.
    """

    def __init__(self, routes: Map) -> None:
        self._routes = routes.bind("")
        self.durations = histogram(
            "racecast_http_request_duration_seconds",
            "Time from a request's last byte to the end of its response.",
            Kind._fields,
            HTTP_SECONDS,
        )
        self.connections = 0

    def answered(self, method: bytes, path: bytes, status: int, seconds: float) -> None:
        """Count a request."""
        known = method.decode("latin-1")
        name = known if known in METHODS else OTHER
        kind = Kind(name, self._route(name, path), f"{status // 100}xx")
        self.durations.labels(*kind).observe(seconds)

    def _route(self, method: str, path: bytes) -> str:
        try:
            text = unquote_to_bytes(path).decode()
            rule, _ = self._routes.match(text, method, return_rule=True)
        except (UnicodeDecodeError, HTTPException):
            return OTHER
        return rule.rule.replace("<", "{").replace(">", "}")
