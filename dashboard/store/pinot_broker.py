"""Client of the Pinot broker: queries in, rows out, and error messages for the page.

pinotdb interpolates parameters into the query text, so only our own numbers and validated texts (letters and
digits) are passed; a list becomes its elements with commas. Every query states its limit, as the broker's
default is ten rows.
"""

import logging
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pinotdb

from dashboard.store.protocol import Parameter, StoreError
from stream.pinot import OPEN, PinotAuth, denied, refusal, without_password

TIMEOUT_S = 5.0

_log = logging.getLogger(__name__)


class Broker:
    """The broker at `address`, such as http://127.0.0.1:8099, with the credentials of `pinot_auth`."""

    dialect: Final = "pinot"

    def __init__(self, address: str, pinot_auth: PinotAuth = OPEN) -> None:
        self._has_shown = pinot_auth.auth is not None
        self._shown = without_password(address.rstrip("/"))
        parts = urlsplit(address)
        # One client for all threads (httpx clients are thread-safe), without the machine's proxy settings.
        client = httpx.Client(
            auth=pinot_auth.auth, verify=pinot_auth.trusted, timeout=TIMEOUT_S, trust_env=False
        )
        self._connection = pinotdb.connect(
            host=parts.hostname,
            port=parts.port or {"http": 80, "https": 443}[parts.scheme],
            scheme=parts.scheme,
            session=client,
        )

    def ask(self, query: str, **parameters: Parameter) -> list[list[Any]]:
        """The rows of a query; raises `StoreError`."""
        cursor = self._connection.cursor()
        try:
            found: list[list[Any]] = cursor.execute(query, parameters).fetchall()
        except httpx.HTTPError as error:
            raise StoreError(self._unreachable(error)) from error
        except pinotdb.exceptions.Error as error:
            if _is_refused(cursor.raw_query_response):
                why = refusal(has_shown=self._has_shown)
                raise StoreError(
                    f"Pinot's broker at {self._shown} rejects the credentials. {why}."
                ) from error
            _log.warning("Pinot refused a query: %s", error)
            raise StoreError(
                f"Pinot's broker at {self._shown} cannot answer yet: its tables are missing or still "
                "loading. Set it up with python -m pinot setup, or wait a moment."
            ) from error
        if cursor.query_stats.get("numGroupsLimitReached"):
            raise StoreError(
                "Too many competitors for one Pinot query. "
                "Raise pinot.server.query.executor.num.groups.limit on its servers, "
                "or choose a shorter time span."
            )
        return found

    def _unreachable(self, error: httpx.HTTPError) -> str:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return (
                f"The certificate of the Pinot broker at {self._shown} is not trusted. "
                "Set RACECAST_PINOT_CA to a file with the trusted certificates."
            )
        return (
            f"Pinot's broker at {self._shown} does not respond. Start it (make stack), "
            "or set RACECAST_PINOT_BROKER to its address."
        )


def _is_refused(raw: dict[str, Any] | None) -> bool:
    """Whether a response, as pinotdb wraps it, means that the broker rejects the credentials."""
    if raw is None:
        return False
    return raw["status_code"] in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} or denied(raw["response"])
