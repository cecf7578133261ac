"""Waiting with a timeout for something outside this process."""

import time
from collections.abc import Callable

BETWEEN_PROBES = 0.25  # seconds
BETWEEN_WORDS = 5.0  # seconds


class WaitedTooLongError(RuntimeError):
    """The wait timed out; the text contains the last problem."""


def wait_for(
    what: str,
    trouble: Callable[[], str | None],
    *,
    seconds: float,
    say: Callable[[str], None],
    every: float = BETWEEN_PROBES,
) -> None:
    """Call `trouble` until it returns None.

    Args:
        what: what the wait is for, used in messages.
        trouble: returns the current problem, or None when there is none.
        seconds: the timeout.
        say: called every few seconds with the current problem.
        every: seconds between two calls of `trouble`.

    Raises:
        WaitedTooLongError: the wait timed out. Errors of `trouble` itself pass through.
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
        time.sleep(every)
