"""A clock that tells the time of day and never jumps.

A race's ticks are due by the clock. If that is set back an hour they would not come for an hour; if it is set
ahead, an hour's ticks would come at once. So the time of day is looked up once, when the process starts, and
goes on from there by the machine's steady clock.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def steady(
    wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
) -> Callable[[], float]:
    """Return a clock that gives epoch seconds: those of `wall` now, and from now on as `monotonic` goes."""
    ahead = wall() - monotonic()
    return lambda: monotonic() + ahead


def use_monotonic_clock(reactor: Any) -> None:
    """Have a Twisted reactor go by a steady clock; to be done before it has anything to call later."""
    reactor.seconds = steady()
