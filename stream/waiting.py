"""Waiting, with an end, for something outside this process; it knows nothing of what is waited for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BETWEEN_PROBES = 0.25  # seconds
BETWEEN_WORDS = 5.0  # seconds


class WaitedTooLongError(RuntimeError):
    """What was waited for didn't come; the text says what was last wrong with it."""


def wait_for(
    what: str,
    trouble: Callable[[], str | None],
    *,
    seconds: float,
    say: Callable[[str], None],
) -> None:
    """Ask `trouble` until nothing is wrong any more.

    Args:
        what: what is waited for, as it is to stand in a message.
        trouble: says what is wrong just now, or None when all is well.
        seconds: how long to go on.
        say: is told every few seconds what is wrong, so that whoever watches knows what is missing.

    Raises:
        WaitedTooLongError: the time is over. Errors of `trouble` itself pass through.
    """
    start = time.monotonic()
    next_word = start + BETWEEN_WORDS
    while (wrong := trouble()) is not None:
        now = time.monotonic()
        if now > start + seconds:
            raise WaitedTooLongError(f"waited {seconds:g} s for {what}: {wrong}")
        if now > next_word:
            say(f"waiting for {what}: {wrong}")
            next_word = now + BETWEEN_WORDS
        time.sleep(BETWEEN_PROBES)
