"""Pinot's controller and broker: the settings to reach them, requests, and error messages.

Nothing here depends on what a request is about.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Self

import httpx
from pydantic import AfterValidator, BaseModel, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from stream.certificates import Certificates
from stream.settings import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_SECONDS = 60.0
ACCESS_DENIED = 180
"""The code in an answer of the broker that otherwise looks well: it doesn't let us in."""


NO_SERVER = "no server has it yet"
"""What is wrong with a table that was made a moment ago."""


class PinotError(RuntimeError):
    """Pinot refuses something, or can't be reached; the text has its own words."""


@dataclass(frozen=True)
class PinotAuth:
    """What Pinot is shown to be let in, and how Pinot is known.

    Attributes:
        auth: user and password, or None if Pinot asks for none, or they are in its address.
        trusted: the certificates to trust, with https://; True for the usual ones.
    """

    auth: httpx.Auth | None = None
    trusted: ssl.SSLContext | bool = True


OPEN = PinotAuth()
"""For a Pinot that lets everybody in."""


def _without_slash(url: str) -> str:
    return url.rstrip("/")  # paths are put behind it


Url = Annotated[str, AfterValidator(_without_slash)]


class PinotAccess(BaseModel):
    """The settings of every process that talks to Pinot; mixed into its own, which have the addresses."""

    pinot_controller: Url = Field(default="http://127.0.0.1:9000", description="URL of Pinot's controller.")
    pinot_username: str = Field(
        default="",
        description="Pinot's user, if it asks for one; the password is in RACECAST_PINOT_PASSWORD.",
    )
    pinot_password: Secret = Field(default=SecretStr(""), description="Pinot's password.")
    pinot_ca: Certificates = Field(
        default=None,
        description="PEM file of the certificates to trust in Pinot, with https://; if it isn't given, the "
        "usual ones.",
    )

    @model_validator(mode="after")
    def _pinot_agrees(self) -> Self:
        if bool(self.pinot_username) is not bool(self.pinot_password.get_secret_value()):
            raise PydanticCustomError(
                "contradiction", "--pinot-username and RACECAST_PINOT_PASSWORD need each other"
            )
        addresses = [url for url in (self.pinot_controller, str(getattr(self, "pinot_broker", ""))) if url]
        is_open = addresses and not any(url.startswith("https:") for url in addresses)
        if self.pinot_ca is not None and is_open:
            raise PydanticCustomError(
                "contradiction", "--pinot-ca needs addresses of Pinot that begin with https://"
            )
        return self

    def pinot_auth(self) -> PinotAuth:
        """Return what Pinot is shown with each request."""
        auth = None
        if self.pinot_username:
            auth = httpx.BasicAuth(self.pinot_username, self.pinot_password.get_secret_value())
        trusted = self.pinot_ca is None or ssl.create_default_context(cafile=str(self.pinot_ca))
        return PinotAuth(auth, trusted)


def request(method: str, url: str, *, pinot_auth: PinotAuth = OPEN, **rest: Any) -> httpx.Response:
    """Ask without the machine's proxy settings: Pinot is here or on this network.

    Raises:
        PinotError: Pinot doesn't let us in, which it won't a moment later either.
        httpx.HTTPError, httpx.InvalidURL: it doesn't answer.
    """
    trusted = _usual_certificates() if pinot_auth.trusted is True else pinot_auth.trusted
    answer = httpx.request(method, url, auth=pinot_auth.auth, verify=trusted, trust_env=False, **rest)
    if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise shut_out(answer)
    return answer


@cache
def _usual_certificates() -> ssl.SSLContext:
    """Read them once: that takes ten times as long as a question."""
    return httpx.create_ssl_context(trust_env=False)


def ask(
    method: str, controller: str, path: str, *, pinot_auth: PinotAuth = OPEN, **rest: Any
) -> httpx.Response:
    """Return what the controller (a URL) answers; raises PinotError if it can't be reached."""
    url = controller + path
    try:
        return request(method, url, pinot_auth=pinot_auth, timeout=REQUEST_SECONDS, **rest)
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


def query(broker: str, sql: str, pinot_auth: PinotAuth = OPEN, *, patience: float) -> dict[str, Any]:
    """What the broker (a URL) answers within `patience` seconds, as it is.

    Raises:
        PinotError: it doesn't let us in.
        httpx.HTTPError, httpx.InvalidURL: it doesn't answer.
        ValueError: what answers is no broker.
    """
    answer = request(
        "POST", f"{broker}/query/sql", pinot_auth=pinot_auth, json={"sql": sql}, timeout=patience
    )
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("exceptions"), list):
        raise ValueError("what answers isn't Pinot's broker")  # noqa: TRY004 - no argument has a wrong type
    if denied(found):
        raise shut_out(answer)
    return found


def trouble(answer: Mapping[str, Any]) -> str:
    """What an answer says is wrong, in one line; empty if nothing is."""
    said = "; ".join(" ".join(str(one["message"]).split())[:200] for one in answer["exceptions"])
    return said or ("" if answer.get("resultTable") else NO_SERVER)
