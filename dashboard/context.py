"""Dependencies shared by all pages and viewers.

Streamlit runs a page as a script without arguments, so it looks dependencies up here by type.
"""

from typing import TypeVar

Part = TypeVar("Part")

_installed: list[object] = []


def install(*parts: object) -> None:
    """Register dependencies before the server starts; a later one replaces one of its type."""
    _installed[:0] = parts


def uninstall() -> None:
    """Remove all dependencies, as tests do at their end."""
    _installed.clear()


def get(kind: type[Part]) -> Part:
    """Return the registered dependency of a type."""
    for part in _installed:
        if isinstance(part, kind):
            return part
    raise RuntimeError("Start the dashboard with python -m dashboard: its pages need a context.")
