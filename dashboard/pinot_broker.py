"""Pinot's broker: queries in, rows out, and what is wrong in words for the page.

pinotdb writes parameters into the query's text. So nothing goes in but whole numbers of ours and ids that can
be some, letters and digits; and every query says its limit: the broker's own is ten rows.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

import httpx
import pinotdb

from dashboard import formatting
from dashboard.store import StoreError

TIMEOUT_S = 5.0

NO_VALUE = "null"
"""What Pinot answers for a text that isn't there; its `lookup` too, for a course that it doesn't have."""

_log = logging.getLogger(__name__)


class Broker:
    """The broker at `address`, such as http://127.0.0.1:8099."""

    def __init__(self, address: str) -> None:
        self._shown = formatting.address(address.rstrip("/"))
        parts = urlsplit(address)
        # One client for all threads (httpx's may be shared), and none of the machine's proxy settings.
        client = httpx.Client(timeout=TIMEOUT_S, trust_env=False)
        self._connection = pinotdb.connect(
            host=parts.hostname,
            port=parts.port or {"http": 80, "https": 443}[parts.scheme],
            scheme=parts.scheme,
            session=client,
        )

    def ask(self, query: str, **parameters: str | int) -> list[list[Any]]:
        """The rows of an answer; raises `StoreError`."""
        try:
            cursor = self._connection.cursor()
            found: list[list[Any]] = cursor.execute(query, parameters).fetchall()
        except httpx.HTTPError as error:
            raise StoreError(
                f"Pinot's broker at {self._shown} does not answer. Start it (make stack), "
                "or set RACECAST_PINOT_BROKER to where it is."
            ) from error
        except pinotdb.exceptions.Error as error:
            _log.warning("Pinot refused a query: %s", error)
            raise StoreError(
                f"Pinot's broker at {self._shown} can't answer yet: its tables are missing or still "
                "being loaded. Set it up with python -m pinot setup, or wait a moment."
            ) from error
        return found
