"""Who may change something. Reading is open to everybody who reaches the API; what changes something isn't.

With a token, whoever wants to change something shows it. Without one the API listens to this machine alone,
and a request that a web page of another origin sends through somebody's browser changes nothing; nor does one
of a page whose name was made to lead to this machine (DNS rebinding).
"""

from __future__ import annotations

import hmac
import ipaddress
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from simulator.http import responses
from stream.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from twisted.web.server import Request

LEAST = 16
"""Characters of a token."""
CHALLENGE = "Bearer"


class AccessError(Exception):
    """The settings let nobody in, or everybody; the text says why."""


class Access:
    """Lets in who may.

    Args:
        token: what those who change something have to show; None if nothing is asked for.
        origins: of web pages that may change something as if they were ours.
    """

    def __init__(self, token: str | None, origins: Container[str] = ()) -> None:
        self._token = None if token is None else token.encode()
        self._origins = origins

    def check(self, request: Request) -> None:
        """Raise Problem unless a request may change something: 401 without the token, 403 from elsewhere."""
        origin = responses.header(request, b"origin")
        if origin is not None and origin not in self._origins:
            self._check_own(origin, responses.header(request, b"host"))
        if self._token is None:
            return
        kind, _, shown = (responses.header(request, b"authorization") or "").partition(" ")
        # The time that this takes tells nothing of how much of the token was right.
        is_right = hmac.compare_digest(shown.strip().encode(), self._token)
        if kind.casefold() != CHALLENGE.casefold() or not is_right:
            detail = "To change something the simulator's token is needed: Authorization: Bearer TOKEN"
            raise Problem(HTTPStatus.UNAUTHORIZED, detail)

    def _check_own(self, origin: str, host: str | None) -> None:
        """Raise Problem unless the origin is where the API is asked, and its name can be trusted."""
        try:
            where = urlsplit(origin)
            is_own = where.netloc == host
            is_known = self._token is not None or is_loopback(where.hostname or "")
        except ValueError:
            is_own = is_known = False
        if not is_own or not is_known:
            raise Problem(HTTPStatus.FORBIDDEN, "A web page of another origin may not change anything here")


def token_of(given: str, file: Path | None, host: str) -> str | None:
    """Return the token to ask for, or None; raises AccessError if one is needed and isn't there, OSError.

    Args:
        given: the one from the environment, or nothing.
        file: the file that it stands in, or None.
        host: where the API listens.
    """
    token = (file.read_text("utf-8") if file is not None else given).strip()
    if not token:
        if file is not None:
            raise AccessError(f"the token file {file} is empty")
        if not is_loopback(host):
            raise AccessError(
                f"who listens on {host} needs a token: put one into RACECAST_TOKEN, "
                "or into a file and name it with --token-file"
            )
        return None
    if len(token) < LEAST or not (token.isascii() and token.isprintable() and " " not in token):
        raise AccessError(f"a token has at least {LEAST} printable ASCII characters and no spaces")
    return token


def is_loopback(host: str) -> bool:
    """Tell whether an address is this machine's own, and nobody else's."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
