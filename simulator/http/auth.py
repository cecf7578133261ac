"""Access control: which requests may change state. Read access is open to any client that reaches the API.

With a token, requests that change state must present it. Without one, the API listens on a loopback address
only, and rejects state changes sent by web pages of another origin, including pages whose host name was
rebound to this machine (DNS rebinding).
"""

import hmac
import ipaddress
from collections.abc import Container
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from twisted.web.server import Request

from simulator.http import responses
from stream.problems import Problem

LEAST = 16
"""Minimum length of a token, characters."""
CHALLENGE = "Bearer"


class AccessError(Exception):
    """The settings allow no access, or unprotected access; the text explains."""


class Access:
    """Checks requests that change state.

    Args:
        token: bearer token they must present; None if none is required.
        origins: origins of web pages that are trusted like the API's own.
    """

    def __init__(self, token: str | None, origins: Container[str] = ()) -> None:
        self._token = None if token is None else token.encode()
        self._origins = origins

    def check(self, request: Request) -> None:
        """Raise Problem unless a request may change state: 401 without the token, 403 from another origin."""
        origin = responses.header(request, b"origin")
        if not (origin is None or origin in self._origins or self._is_own(request, origin)):
            raise Problem(HTTPStatus.FORBIDDEN, "Web pages of another origin may not change state here")
        if self._token is None:
            return
        kind, _, shown = (responses.header(request, b"authorization") or "").partition(" ")
        # Constant time, so that it reveals nothing about the token.
        is_right = hmac.compare_digest(shown.strip().encode(), self._token)
        if kind.casefold() != CHALLENGE.casefold() or not is_right:
            detail = "This request requires the simulator's token: Authorization: Bearer TOKEN"
            raise Problem(HTTPStatus.UNAUTHORIZED, detail)

    def _is_own(self, request: Request, origin: str) -> bool:
        """Return whether an origin is the API's own and its host name can be trusted."""
        try:
            where = urlsplit(origin)
            is_known = self._token is not None or is_loopback(where.hostname or "")
        except ValueError:
            return False
        return where.netloc == responses.header(request, b"host") and is_known


def token_of(given: str, file: Path | None, host: str) -> str | None:
    """Return the required token, or None; raises AccessError if one is missing or invalid, OSError.

    Args:
        given: the token from the environment, or an empty string.
        file: file that contains the token, or None.
        host: address to listen on.
    """
    token = (file.read_text("utf-8") if file is not None else given).strip()
    if not token:
        if file is not None:
            raise AccessError(f"the token file {file} is empty")
        if not is_loopback(host):
            raise AccessError(
                f"listening on {host} requires a token: set RACECAST_TOKEN, "
                "or write it to a file and pass --token-file"
            )
        return None
    if len(token) < LEAST or not (token.isascii() and token.isprintable() and " " not in token):
        raise AccessError(f"a token must have at least {LEAST} printable ASCII characters and no spaces")
    return token


def is_loopback(host: str) -> bool:
    """Return whether an address is a loopback address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
