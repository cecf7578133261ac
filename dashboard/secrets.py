"""The dashboard's section of Streamlit's `secrets.toml`, in the working directory."""

import tomllib
from collections.abc import Container
from pathlib import Path
from typing import Any

FILE = Path(".streamlit/secrets.toml")
TABLE = ("connections", "racecast")
"""The table name that `st.connection` looks up for a connection of this name."""


class SecretsError(Exception):
    """The file cannot be used; the message says why and contains no secret values."""


def connection(known: Container[str]) -> dict[str, Any]:
    """The table's values by name; empty without a file or the table.

    Raises:
        SecretsError: the file is unreadable or not TOML, or the table has keys that are not `known`.
    """
    values = _table()
    if unknown := [name for name in values if name not in known]:
        raise SecretsError(f"{FILE}: unknown settings in [{'.'.join(TABLE)}]: {', '.join(unknown)}")
    return values


def _table() -> dict[str, Any]:
    try:
        values: Any = tomllib.loads(FILE.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SecretsError(f"{FILE}: {error.strerror}") from error
    except ValueError as error:
        raise SecretsError(f"{FILE} is not valid TOML: {error}") from error
    for name in TABLE:
        values = values.get(name, {})
        if not isinstance(values, dict):
            raise SecretsError(f"{FILE}: {name} must be a table, [{'.'.join(TABLE)}]")
    return dict(values)
