"""Work in steps, which can report how far it is, and which ends where no one takes the next step."""

from collections.abc import Generator
from typing import TypeVar

Made = TypeVar("Made")
Steps = Generator[float, None, Made]
"""Yields the share of the work that is done, 0 to 1, after each step, and returns what is made."""


def done(steps: Steps[Made]) -> Made:
    """Take all steps and return what is made."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            made: Made = end.value
            return made


def within(first: float, last: float, steps: Steps[Made]) -> Steps[Made]:
    """Return the steps as a part of longer work: their shares go from `first` to `last`."""
    while True:
        try:
            share = next(steps)
        except StopIteration as end:
            made: Made = end.value
            return made
        yield first + (last - first) * share
