"""Questions to Pinot that don't wait for long, and what to say when nobody answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from pinot.health.sample import Failure
from pinot.health.words import reason
from stream.pinot import PinotError, query, request, without_password

if TYPE_CHECKING:
    from stream.pinot import PinotAuth

PATIENCE_S = 2.0
"""For one answer; a Pinot that is well answers in a tenth of a second."""

NO_ANSWER = (httpx.HTTPError, httpx.InvalidURL, PinotError)
"""What is raised if Pinot can't be reached or refuses."""
NOT_PINOT = (ValueError, LookupError, TypeError, AttributeError)
"""What comes of an answer that isn't Pinot's."""


class Asker:
    """Asks a part of Pinot, "controller" or "broker", at `url`; `setting` is where the url comes from.

    Every method raises one of `NO_ANSWER`, or one of `NOT_PINOT` if somebody else answers.
    """

    def __init__(self, part: str, url: str, pinot_auth: PinotAuth) -> None:
        self._part, self._url = part, url
        self._admission = pinot_auth

    def ask(self, path: str) -> httpx.Response:
        """The answer, whatever it is."""
        return request("GET", self._url + path, pinot_auth=self._admission, timeout=PATIENCE_S)

    def query(self, sql: str) -> dict[str, Any]:
        """A broker's answer."""
        return query(self._url, sql, self._admission, patience=PATIENCE_S)

    def failure(self, error: Exception) -> Failure:
        """What to say of an error that one of these has raised."""
        url, why = without_password(self._url), reason(error)
        where, setting = f"Pinot's {self._part} at {url}", f"RACECAST_PINOT_{self._part.upper()}"
        if isinstance(error, PinotError):  # it has its own words, and the setting that is wrong
            return Failure(f"{where} refuses. {why}.")
        if "CERTIFICATE_VERIFY" in why:
            return Failure(f"{where} isn't trusted. Set RACECAST_PINOT_CA to the certificates to trust.")
        if isinstance(error, NOT_PINOT):
            return Failure(f"What answers at {url} isn't Pinot's {self._part}. Set {setting} to where it is.")
        return Failure(
            f"{where} does not answer ({why}). Start it (make stack), or set {setting} to where it is."
        )
