"""Settings from a command line and the environment; what is secret comes from the environment alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import SecretStr, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, CliApp, CliSuppress

if TYPE_CHECKING:
    from collections.abc import Sequence

    Settings = TypeVar("Settings", bound=BaseSettings)

Secret = CliSuppress[SecretStr]
"""A setting without a flag: what stands on a command line every process of the machine can read."""


def read_settings(kind: type[Settings], flags: Sequence[str]) -> Settings:
    """Return settings.

    Raises:
        ValidationError: one of them is wrong, or a secret is among the flags.
        SystemExit: a flag doesn't exist, or help was asked for.
    """
    given = {flag.partition("=")[0] for flag in flags}
    shown = [
        InitErrorDetails(
            type=PydanticCustomError(
                "no_flag",
                "is no flag, since every process of the machine can read those: set {variable}",
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
    return CliApp.run(kind, cli_args=list(flags))
