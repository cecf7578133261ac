"""Pinot's broker: queries in, rows out, and what is wrong in words for the page.

pinotdb writes parameters into the query's text. So nothing goes in but whole numbers of ours and ids that can
be some, letters and digits; and every query says its limit: the broker's own is ten rows.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pinotdb

from dashboard.store.protocol import StoreError
from stream.pinot import OPEN, denied, refusal, without_password

if TYPE_CHECKING:
    from stream.pinot import PinotAuth

TIMEOUT_S = 5.0

NO_VALUE = "null"
"""What Pinot answers for a text that isn't there; its `lookup` too, for a course that it doesn't have."""

_log = logging.getLogger(__name__)


class Broker:
    """The broker at `address`, such as http://127.0.0.1:8099, that lets us in by `pinot_auth`."""

    def __init__(self, address: str, pinot_auth: PinotAuth = OPEN) -> None:
        self._has_shown = pinot_auth.auth is not None
        self._shown = without_password(address.rstrip("/"))
        parts = urlsplit(address)
        # One client for all threads (httpx's may be shared), and none of the machine's proxy settings.
        client = httpx.Client(
            auth=pinot_auth.auth, verify=pinot_auth.trusted, timeout=TIMEOUT_S, trust_env=False
        )
        self._connection = pinotdb.connect(
            host=parts.hostname,
            port=parts.port or {"http": 80, "https": 443}[parts.scheme],
            scheme=parts.scheme,
            session=client,
        )

    def ask(self, query: str, **parameters: str | int) -> list[list[Any]]:
        """The rows of an answer; raises `StoreError`."""
        cursor = self._connection.cursor()
        try:
            found: list[list[Any]] = cursor.execute(query, parameters).fetchall()
        except httpx.HTTPError as error:
            raise StoreError(self._unreachable(error)) from error
        except pinotdb.exceptions.Error as error:
            if _is_refused(cursor.raw_query_response):
                why = refusal(has_shown=self._has_shown)
                raise StoreError(f"Pinot's broker at {self._shown} lets nobody in. {why}.") from error
            _log.warning("Pinot refused a query: %s", error)
            raise StoreError(
                f"Pinot's broker at {self._shown} can't answer yet: its tables are missing or still "
                "being loaded. Set it up with python -m pinot setup, or wait a moment."
            ) from error
        if cursor.query_stats.get("numGroupsLimitReached"):
            raise StoreError(
                "There are more competitors here than Pinot counts at once. "
                "Raise pinot.server.query.executor.num.groups.limit of its servers, or look at less time."
            )
        return found

    def _unreachable(self, error: httpx.HTTPError) -> str:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return (
                f"Pinot's broker at {self._shown} has a certificate that isn't trusted. "
                "Set RACECAST_PINOT_CA to the file of those to trust."
            )
        return (
            f"Pinot's broker at {self._shown} does not answer. Start it (make stack), "
            "or set RACECAST_PINOT_BROKER to where it is."
        )


def _is_refused(raw: dict[str, Any] | None) -> bool:
    """Whether an answer, as pinotdb keeps it, says that the broker doesn't let us in."""
    if raw is None:
        return False
    return raw["status_code"] in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} or denied(raw["response"])
