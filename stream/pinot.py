"""Pinot's controller and broker: the settings to reach them, requests, and error messages.

Nothing here depends on what a request is about.
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import httpx
from pydantic import BaseModel, Field, SecretStr, model_validator

from stream.settings import Certificates, Secret, Url, contradiction

REQUEST_SECONDS = 60.0
ACCESS_DENIED = 180
"""The broker's error code for rejected credentials, in a response with HTTP status 200."""


NO_SERVER = "no server serves it yet"
"""The error for a table that was just created."""


class PinotError(RuntimeError):
    """Pinot rejects a request or is unreachable. The text contains Pinot's message."""


@dataclass(frozen=True)
class PinotAuth:
    """Credentials for Pinot, and the certificates to trust.

    Attributes:
        auth: user and password; None if Pinot requires none or they are in its URL.
        trusted: the CA certificates to trust with https://; True for the usual ones.
    """

    auth: httpx.Auth | None = None
    trusted: ssl.SSLContext | bool = True


OPEN = PinotAuth()
"""For a Pinot without authentication."""


class PinotAccess(BaseModel):
    """Mixin: the Pinot settings of every process that connects to Pinot."""

    pinot_controller: Url = Field(default="http://127.0.0.1:9000", description="URL of Pinot's controller.")
    pinot_username: str = Field(
        default="",
        description="User for Pinot, if it requires one. The password is in RACECAST_PINOT_PASSWORD.",
    )
    pinot_password: Secret = Field(default=SecretStr(""), description="Pinot's password.")
    pinot_ca: Certificates = Field(
        default=None,
        description="PEM file of CA certificates to trust for Pinot (https://). If unset, the system's.",
    )

    @model_validator(mode="after")
    def _pinot_agrees(self) -> Self:
        if bool(self.pinot_username) is not bool(self.pinot_password.get_secret_value()):
            raise contradiction("--pinot-username and RACECAST_PINOT_PASSWORD need each other")
        addresses = [url for url in (self.pinot_controller, str(getattr(self, "pinot_broker", ""))) if url]
        is_open = addresses and not any(url.startswith("https:") for url in addresses)
        if self.pinot_ca is not None and is_open:
            raise contradiction("--pinot-ca needs https:// URLs for Pinot")
        return self

    def pinot_auth(self) -> PinotAuth:
        """Return the credentials and certificates for requests to Pinot."""
        auth = None
        if self.pinot_username:
            auth = httpx.BasicAuth(self.pinot_username, self.pinot_password.get_secret_value())
        trusted = self.pinot_ca is None or ssl.create_default_context(cafile=str(self.pinot_ca))
        return PinotAuth(auth, trusted)


def request(method: str, url: str, *, pinot_auth: PinotAuth = OPEN, **rest: Any) -> httpx.Response:
    """Send a request to Pinot. Ignores proxy settings: Pinot is on this machine or network.

    Raises:
        PinotError: Pinot rejects the credentials; a retry would not help.
        httpx.HTTPError, httpx.InvalidURL: Pinot does not respond.
    """
    trusted = _usual_certificates() if pinot_auth.trusted is True else pinot_auth.trusted
    answer = httpx.request(method, url, auth=pinot_auth.auth, verify=trusted, trust_env=False, **rest)
    if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise _rejected(answer)
    return answer


@cache
def _usual_certificates() -> ssl.SSLContext:
    """Read the certificates once: reading takes ten times as long as a query."""
    return httpx.create_ssl_context(trust_env=False)


def ask(
    method: str, controller: str, path: str, *, pinot_auth: PinotAuth = OPEN, **rest: Any
) -> httpx.Response:
    """Return the response of the controller (a URL); raise PinotError if it is unreachable."""
    url = controller + path
    try:
        return request(method, url, pinot_auth=pinot_auth, timeout=REQUEST_SECONDS, **rest)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PinotError(unreachable(url, error)) from error


def checked(answer: httpx.Response) -> httpx.Response:
    """Return the response, or raise PinotError if it is an error."""
    if answer.is_success:
        return answer
    try:
        words = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        words = answer.text
    raise PinotError(f"Pinot returned {answer.status_code} for {answer.request.url.path}: {words}")


def _rejected(answer: httpx.Response) -> PinotError:
    """Return the error for a response that rejects the credentials."""
    why = refusal(has_shown="authorization" in answer.request.headers)
    where = without_password(str(answer.request.url.copy_with(query=None)))
    return PinotError(f"{where}: {why}")


def refusal(*, has_shown: bool) -> str:
    """Say which setting is missing, or wrong if credentials were sent."""
    if has_shown:
        return (
            "Pinot rejects the credentials in RACECAST_PINOT_USERNAME and RACECAST_PINOT_PASSWORD, or the "
            "user lacks permission"
        )
    return "Pinot requires credentials: set RACECAST_PINOT_USERNAME and RACECAST_PINOT_PASSWORD"


def unreachable(url: str, error: Exception) -> str:
    """Return the error message for a URL that does not respond."""
    words = str(error) or type(error).__name__
    hint = "; set RACECAST_PINOT_CA to the CA certificates to trust" if "CERTIFICATE_VERIFY" in words else ""
    return f"{without_password(url)}: {words}{hint}"


def without_password(url: str) -> str:
    """Return a URL without the user and password in it, safe to show."""
    return re.sub(r"//[^/]*@", "//", url)


def denied(answer: Any) -> bool:
    """Return whether a broker's response (parsed JSON) rejects the credentials."""
    exceptions = answer.get("exceptions") if isinstance(answer, dict) else None
    return any(exception.get("errorCode") == ACCESS_DENIED for exception in exceptions or ())


def query(broker: str, sql: str, pinot_auth: PinotAuth = OPEN, *, patience: float) -> dict[str, Any]:
    """Return the raw response of the broker (a URL), waiting up to `patience` seconds.

    Raises:
        PinotError: the broker rejects the credentials.
        httpx.HTTPError, httpx.InvalidURL: it does not respond.
        ValueError: the response is not from a Pinot broker.
    """
    answer = request(
        "POST", f"{broker}/query/sql", pinot_auth=pinot_auth, json={"sql": sql}, timeout=patience
    )
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("exceptions"), list):
        raise ValueError("the response is not from a Pinot broker")  # noqa: TRY004 - not an argument's type
    if denied(found):
        raise _rejected(answer)
    return found


def trouble(answer: Mapping[str, Any]) -> str:
    """Return the errors in a response, in one line; empty if there are none."""
    said = "; ".join(" ".join(str(one["message"]).split())[:200] for one in answer["exceptions"])
    return said or ("" if answer.get("resultTable") else NO_SERVER)
