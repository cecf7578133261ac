"""Requests to Pinot, and what is told when they fail. It knows nothing of what is in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    import ssl

REQUEST_SECONDS = 60.0
ACCESS_DENIED = 180
"""The code in an answer of the broker that otherwise looks well: it doesn't let us in."""


class PinotError(RuntimeError):
    """Pinot refuses something, or can't be reached; the text has its own words."""


@dataclass(frozen=True)
class Admission:
    """What Pinot is shown to be let in, and how Pinot is known.

    Attributes:
        auth: user and password, or None if Pinot asks for none, or they are in its address.
        trusted: the certificates to trust, with https://; True for the usual ones.
    """

    auth: httpx.Auth | None = None
    trusted: ssl.SSLContext | bool = True


OPEN = Admission()
"""For a Pinot that lets everybody in."""


def request(method: str, url: str, *, admission: Admission = OPEN, **rest: Any) -> httpx.Response:
    """Ask without the machine's proxy settings: Pinot is here or on this network.

    Raises:
        PinotError: Pinot doesn't let us in, which it won't a moment later either.
        httpx.HTTPError, httpx.InvalidURL: it doesn't answer.
    """
    trusted = _usual_certificates() if admission.trusted is True else admission.trusted
    answer = httpx.request(method, url, auth=admission.auth, verify=trusted, trust_env=False, **rest)
    if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise shut_out(answer)
    return answer


@cache
def _usual_certificates() -> ssl.SSLContext:
    """Read them once: that takes ten times as long as a question."""
    return httpx.create_ssl_context(trust_env=False)


def ask(
    method: str, controller: str, path: str, *, admission: Admission = OPEN, **rest: Any
) -> httpx.Response:
    """Return what the controller (a URL) answers; raises PinotError if it can't be reached."""
    url = controller + path
    try:
        return request(method, url, admission=admission, timeout=REQUEST_SECONDS, **rest)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PinotError(unreachable(url, error)) from error


def checked(answer: httpx.Response) -> httpx.Response:
    """Return the answer, or raise PinotError if it is a refusal."""
    if answer.is_success:
        return answer
    try:
        words = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        words = answer.text
    raise PinotError(f"Pinot answers {answer.status_code} to {answer.request.url.path}: {words}")


def shut_out(answer: httpx.Response) -> PinotError:
    """Return the error that an answer is which doesn't let us in."""
    why = refusal(has_shown="authorization" in answer.request.headers)
    where = answer.request.url.copy_with(query=None)
    return PinotError(f"{without_password(str(where))}: {why}")


def refusal(*, has_shown: bool) -> str:
    """Return which setting is missing, or wrong if a password was shown."""
    if has_shown:
        return (
            "Pinot refuses the user in RACECAST_PINOT_USERNAME, the password in RACECAST_PINOT_PASSWORD, or "
            "what this user wants to do"
        )
    return "Pinot asks for a user and a password: set RACECAST_PINOT_USERNAME and RACECAST_PINOT_PASSWORD"


def unreachable(url: str, error: Exception) -> str:
    """Return what is wrong with an address that doesn't answer."""
    words = str(error) or type(error).__name__
    hint = "; RACECAST_PINOT_CA names the file of those to trust" if "CERTIFICATE_VERIFY" in words else ""
    return f"{without_password(url)}: {words}{hint}"


def without_password(url: str) -> str:
    """Return an address as it may be shown: without the user and the password that may be in it."""
    return re.sub(r"//[^/]*@", "//", url)


def denied(answer: Any) -> bool:
    """Tell whether an answer of the broker, from JSON, says that it doesn't let us in."""
    exceptions = answer.get("exceptions") if isinstance(answer, dict) else None
    return any(exception.get("errorCode") == ACCESS_DENIED for exception in exceptions or ())
