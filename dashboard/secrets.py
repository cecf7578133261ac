"""What stands about us in Streamlit's file of secrets, in the folder that the dashboard is started in."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Container

FILE = Path(".streamlit/secrets.toml")
TABLE = ("connections", "racecast")
"""The table, as Streamlit's connection of the same name looks for it."""


class SecretsError(Exception):
    """The file can't be used; the text says why, and has nothing of what is secret."""


def connection(known: Container[str]) -> dict[str, Any]:
    """The table's values by their names, all of which are `known`; nothing without a file or such a table.

    Raises:
        SecretsError: the file can't be read, isn't TOML, or has something in the table that isn't known.
    """
    values = _table()
    if unknown := [name for name in values if name not in known]:
        raise SecretsError(f"{FILE}: [{'.'.join(TABLE)}] has what is no setting: {', '.join(unknown)}")
    return values


def _table() -> dict[str, Any]:
    try:
        values: Any = tomllib.loads(FILE.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SecretsError(f"{FILE}: {error.strerror}") from error
    except ValueError as error:
        raise SecretsError(f"{FILE} is no TOML: {error}") from error
    for name in TABLE:
        values = values.get(name, {})
        if not isinstance(values, dict):
            raise SecretsError(f"{FILE}: {name} has to be a table, [{'.'.join(TABLE)}]")
    return dict(values)
