"""Requests to Pinot with a short timeout, and their error messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from pinot.health.sample import Failure
from pinot.health.words import reason
from stream.pinot import PinotError, query, request, without_password

if TYPE_CHECKING:
    from stream.pinot import PinotAuth

PATIENCE_S = 2.0
"""Timeout of one request; a healthy Pinot responds in a tenth of a second."""

NO_ANSWER = (httpx.HTTPError, httpx.InvalidURL, PinotError)
"""Raised if Pinot is unreachable or rejects the request."""
NOT_PINOT = (ValueError, LookupError, TypeError, AttributeError)
"""Raised when a response is not Pinot's."""


class Asker:
    """Sends requests to a part of Pinot, "controller" or "broker", at `url`.

    Every method raises one of `NO_ANSWER`, or one of `NOT_PINOT` if another server responds.
    """

    def __init__(self, part: str, url: str, pinot_auth: PinotAuth) -> None:
        self._part, self._url = part, url
        self._auth = pinot_auth

    def ask(self, path: str) -> httpx.Response:
        """Return the response, whatever its status."""
        return request("GET", self._url + path, pinot_auth=self._auth, timeout=PATIENCE_S)

    def query(self, sql: str) -> dict[str, Any]:
        """Return a broker's response."""
        return query(self._url, sql, self._auth, patience=PATIENCE_S)

    def failure(self, error: Exception) -> Failure:
        """Return the message for an error raised by one of these methods."""
        url, why = without_password(self._url), reason(error)
        where, setting = f"Pinot's {self._part} at {url}", f"RACECAST_PINOT_{self._part.upper()}"
        if isinstance(error, PinotError):  # its text names the setting
            return Failure(f"{where} rejects the request. {why}.")
        if "CERTIFICATE_VERIFY" in why:
            return Failure(
                f"{where} has an untrusted certificate. Set RACECAST_PINOT_CA to the certificates to trust."
            )
        if isinstance(error, NOT_PINOT):
            return Failure(f"The server at {url} is not Pinot's {self._part}. Set {setting} to its address.")
        return Failure(
            f"{where} does not answer ({why}). Start it (make stack), or set {setting} to its address."
        )
