"""How Pinot is reached: which settings go together, and the messages when Pinot rejects the credentials."""

import base64
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from pinot.settings import Settings as SetupSettings
from stream.pinot import OPEN, PinotAccess, PinotAuth, PinotError, ask, request
from stream.problems import flag_sentences
from tests.certificates import make_certificates

PASSWORD = "an-unused-password"


def sentences(settings: dict[str, Any], kind: type[PinotAccess] = PinotAccess) -> str:
    """Return the error messages for invalid settings."""
    with pytest.raises(ValidationError) as refused:
        kind(**settings)
    return flag_sentences(refused.value)


@contextmanager
def pinot(status: int) -> Iterator[tuple[str, list[str | None]]]:
    """Answer every request with a status; provide host and port, and the credentials of each request."""
    shown: list[str | None] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown.append(self.headers["Authorization"])
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}", shown
        server.shutdown()


def basic(user: str, password: str) -> str:
    """Return the header for a user and a password."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_an_open_pinot_gets_no_credentials() -> None:
    """Without further settings there are no credentials, and the usual certificates are trusted."""
    assert PinotAccess().pinot_auth() == OPEN


def test_user_and_password_are_sent_with_each_request() -> None:
    """The configured user and password are sent, else those in the URL."""
    access = PinotAccess(pinot_username="anna", pinot_password=PASSWORD)
    with pinot(200) as (host, shown):
        request("GET", f"http://{host}/", pinot_auth=access.pinot_auth())
        ask("GET", f"http://bert:other@{host}", "/")
        request("GET", f"http://{host}/")

    assert shown == [basic("anna", PASSWORD), basic("bert", "other"), None]


@pytest.mark.parametrize("given", [{"pinot_username": "anna"}, {"pinot_password": PASSWORD}])
def test_user_and_password_need_each_other(given: dict[str, str]) -> None:
    """One without the other is rejected; the message names both."""
    assert sentences(given) == "--pinot-username and RACECAST_PINOT_PASSWORD need each other"


def test_certificates_need_an_address_with_tls(tmp_path: Path) -> None:
    """A file of certificates is rejected if there are URLs and none of them uses TLS."""
    ca = tmp_path / "ca.pem"
    make_certificates(ca, tmp_path / "server.p12")

    message = "--pinot-ca needs https:// URLs for Pinot"
    assert sentences({"pinot_ca": ca}) == message
    assert sentences({"pinot_ca": ca}, SetupSettings) == message
    for addresses in ({"pinot_broker": "https://pinot:8099"}, {"pinot_controller": "https://pinot:9000"}):
        assert SetupSettings.model_validate({"pinot_ca": ca, **addresses}).pinot_ca == ca
    trusted = PinotAccess(pinot_ca=ca, pinot_controller="").pinot_auth().trusted
    assert isinstance(trusted, ssl.SSLContext)
    assert len(trusted.get_ca_certs()) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_an_authentication_error_names_the_setting(status: int) -> None:
    """The message says which settings are missing or wrong, without a password or query parameters."""
    with pinot(status) as (host, _):
        with pytest.raises(PinotError, match="set RACECAST_PINOT_USERNAME and RACECAST_PINOT_PASSWORD"):
            request("GET", f"http://{host}/")
        url, pinot_auth = f"http://bert:{PASSWORD}@{host}", PinotAuth(httpx.BasicAuth("anna", PASSWORD))
        with pytest.raises(PinotError, match=r"rejects .* RACECAST_PINOT_PASSWORD") as refused:
            ask("GET", url, "/tables", pinot_auth=pinot_auth, params={"type": "OFFLINE"})

    assert str(refused.value).startswith(f"http://{host}/tables: ")
    assert PASSWORD not in str(refused.value)


def test_messages_have_the_address_without_its_password() -> None:
    """The message about an unreachable URL contains neither its user nor its password."""
    with pytest.raises(PinotError) as refused:
        ask("GET", f"http://anna:{PASSWORD}@127.0.0.1:1", "/health")

    assert str(refused.value).startswith("http://127.0.0.1:1/health: ")
    assert PASSWORD not in str(refused.value)
