"""A verdict: a light, and a sentence that says what is wrong and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Light(Enum):
    """A part's state, from best to worst."""

    GREY = "grey"
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


_ORDER = tuple(Light)

SETUP = "Run python -m pinot setup"
"""The remedy when something is missing."""


@dataclass(frozen=True)
class Verdict:
    """The verdict on one part."""

    light: Light
    sentence: str

    @classmethod
    def worst(cls, found: Iterable[Verdict]) -> Verdict | None:
        """Return the first with the worst light; None if there are none."""
        return max(found, key=lambda one: _ORDER.index(one.light), default=None)


def green(sentence: str) -> Verdict:
    """Working."""
    return Verdict(Light.GREEN, sentence)


def amber(sentence: str) -> Verdict:
    """Degraded."""
    return Verdict(Light.AMBER, sentence)


def red(sentence: str) -> Verdict:
    """Not working."""
    return Verdict(Light.RED, sentence)


def grey(sentence: str) -> Verdict:
    """Nothing to measure."""
    return Verdict(Light.GREY, sentence)
