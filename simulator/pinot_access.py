"""How Pinot is reached: what it is shown to be let in. Whether it speaks TLS, its addresses say."""

from __future__ import annotations

import ssl
from typing import Annotated, Self

import httpx
from pydantic import AfterValidator, BaseModel, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from simulator.certificates import Certificates
from simulator.flags import Secret
from simulator.pinot_controller import Admission


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

    def admission(self) -> Admission:
        """Return what Pinot is shown with each request."""
        auth = None
        if self.pinot_username:
            auth = httpx.BasicAuth(self.pinot_username, self.pinot_password.get_secret_value())
        trusted = self.pinot_ca is None or ssl.create_default_context(cafile=str(self.pinot_ca))
        return Admission(auth, trusted)
