"""A wall clock that never jumps.

Ticks are due by this clock. If the system clock were set back by an hour, no tick would come for an hour; if
set ahead, an hour of ticks would come at once. So the wall time is read once at start-up and advanced by the
monotonic clock.
"""

import time
from collections.abc import Callable
from typing import Any


def steady(
    wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
) -> Callable[[], float]:
    """Return a clock of epoch seconds: `wall` now, advanced by `monotonic`."""
    ahead = wall() - monotonic()
    return lambda: monotonic() + ahead


def use_monotonic_clock(reactor: Any) -> None:
    """Make a Twisted reactor use a steady clock; call it before anything is scheduled."""
    reactor.seconds = steady()
