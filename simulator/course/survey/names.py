"""Unique names."""

from __future__ import annotations


def unique(name: str, taken: set[str]) -> str:
    """Return the name, numbered if it is taken, and reserve it."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} {number}"
    taken.add(free)
    return free
