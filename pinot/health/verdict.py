"""A verdict: a light, and a sentence that says what is wrong and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import partial

SETUP = "Run python -m pinot setup"
"""The remedy when something is missing."""


class Light(Enum):
    """A part's state, from best to worst: nothing to measure, working, degraded, not working."""

    GREY = "grey"
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True)
class Verdict:
    """The verdict on one part."""

    light: Light
    sentence: str

    @staticmethod
    def worst(found: Iterable["Verdict"]) -> "Verdict | None":
        """Return the first with the worst light; None if there are none."""
        return max(found, key=lambda one: list(Light).index(one.light), default=None)


grey = partial(Verdict, Light.GREY)
green = partial(Verdict, Light.GREEN)
amber = partial(Verdict, Light.AMBER)
red = partial(Verdict, Light.RED)
