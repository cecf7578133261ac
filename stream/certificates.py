"""A setting for trusted CA certificates: a PEM file, checked when the settings are read."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError


def _nothing_if_empty(value: object) -> object:
    return value or None  # an empty variable means no file


def _readable(path: Path | None) -> Path | None:
    if path is None:
        return None
    try:
        ssl.create_default_context(cafile=str(path))
    except (OSError, ssl.SSLError) as error:
        why = "contains no PEM certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise PydanticCustomError("certificates", "{path}: {why}", {"path": str(path), "why": why}) from error
    return path


Certificates = Annotated[Path | None, BeforeValidator(_nothing_if_empty), AfterValidator(_readable)]
"""The path of a PEM file, or None."""
