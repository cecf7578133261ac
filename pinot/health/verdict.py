"""The form of a judgement: a light, and one sentence that says what is so and, if need be, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Light(Enum):
    """How a part is; the later in this list, the worse."""

    GREY = "grey"
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


_ORDER = tuple(Light)

SETUP = "Run python -m pinot setup"
"""What is to be done where something is missing."""


@dataclass(frozen=True)
class Verdict:
    """Of one part."""

    light: Light
    sentence: str

    @classmethod
    def worst(cls, found: Iterable[Verdict]) -> Verdict | None:
        """The first of those with the worst light; None of nothing."""
        return max(found, key=lambda one: _ORDER.index(one.light), default=None)


def green(sentence: str) -> Verdict:
    """All is as it should be."""
    return Verdict(Light.GREEN, sentence)


def amber(sentence: str) -> Verdict:
    """It works, and not as it should."""
    return Verdict(Light.AMBER, sentence)


def red(sentence: str) -> Verdict:
    """It doesn't work."""
    return Verdict(Light.RED, sentence)


def grey(sentence: str) -> Verdict:
    """There is nothing to measure."""
    return Verdict(Light.GREY, sentence)
