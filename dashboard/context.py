"""The parts that all pages and viewers share.

Streamlit runs a page as a script that takes no arguments: so it asks here, by the type of a part.
"""

from __future__ import annotations

from typing import TypeVar

Part = TypeVar("Part")

_installed: list[object] = []


def install(*parts: object) -> None:
    """Give parts to the pages, before the server starts; a later part replaces one of its type."""
    _installed[:0] = parts


def uninstall() -> None:
    """Forget all parts, as tests do at their end."""
    _installed.clear()


def get(kind: type[Part]) -> Part:
    """Return the installed part of a type."""
    for part in _installed:
        if isinstance(part, kind):
            return part
    raise RuntimeError("Start the dashboard with python -m dashboard: its pages need a context.")
