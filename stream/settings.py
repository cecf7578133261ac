"""Settings from the command line and the environment. Secrets come from the environment only."""

import re
import ssl
from argparse import Action, HelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, LiteralString, TypeVar

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, CliApp, CliSettingsSource, CliSuppress

Settings = TypeVar("Settings", bound=BaseSettings)

Secret = CliSuppress[SecretStr]
"""A setting without a flag: every process on the machine can read command lines."""


def _has_certificates(path: Path | None) -> Path | None:
    if path is None:
        return None
    try:
        ssl.create_default_context(cafile=str(path))
    except (OSError, ssl.SSLError) as error:
        why = "contains no PEM certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise PydanticCustomError("certificates", "{path}: {why}", {"path": str(path), "why": why}) from error
    return path


Certificates = Annotated[
    Path | None,
    BeforeValidator(lambda path: path or None),  # an empty variable means no file
    AfterValidator(_has_certificates),
]
"""A setting for a PEM file of trusted CA certificates, or None; checked when the settings are read."""

_ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:.]+\](:[0-9]{1,5})?")


def origins_of(text: str) -> frozenset[str]:
    """Return the origins in a comma-separated list, as browsers write them; see `Origins`."""
    return frozenset(one.strip() for one in text.split(",") if one.strip())


def _are_origins(text: str) -> str:
    for origin in origins_of(text):
        if not _ORIGIN.fullmatch(origin):
            raise PydanticCustomError(
                "origin",
                "{origin} is not a valid origin: use the form https://example.org",
                {"origin": origin},
            )
    return text


Origins = Annotated[str, AfterValidator(_are_origins)]
"""A setting for origins of web pages: scheme, host in lower case, and port if it is not the default."""

Url = Annotated[str, AfterValidator(lambda url: url.rstrip("/"))]
"""A setting for a URL; paths are appended to it."""


def contradiction(sentence: LiteralString, **values: str) -> PydanticCustomError:
    """Return the error for settings that do not go together; `sentence` has placeholders for `values`."""
    return PydanticCustomError("contradiction", sentence, values)


class _Help(HelpFormatter):
    """Omits empty and computed defaults: the descriptions explain them."""

    def _get_help_string(self, action: Action) -> str:
        return re.sub(r" \(default(: (null|\0|\[\])?| factory: .*)\)$", "", action.help or "")


def read_settings(kind: type[Settings], flags: Sequence[str]) -> Settings:
    """Read settings from flags and the environment.

    Raises:
        ValidationError: a setting is invalid, or a secret was given as a flag.
        SystemExit: a flag does not exist, or help was requested.
    """
    given = {flag.partition("=")[0] for flag in flags}
    shown = [
        InitErrorDetails(
            type=PydanticCustomError(
                "no_flag",
                "is not a flag, because other processes can read command lines: set {variable}",
                {"variable": f"{kind.model_config['env_prefix']}{name}".upper()},
            ),
            loc=(name,),
            input=None,
        )
        for name, field in kind.model_fields.items()
        if field.annotation is SecretStr and f"--{name.replace('_', '-')}" in given
    ]
    if shown:
        raise ValidationError.from_exception_data(kind.__name__, shown)
    source: CliSettingsSource[Any] = CliSettingsSource(kind, formatter_class=_Help)
    return CliApp.run(kind, cli_args=list(flags), cli_settings_source=source)
