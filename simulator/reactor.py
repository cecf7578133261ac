"""The reactor's time: a clock that no one can set, and scheduled calls.

Ticks are due by this clock. If the system clock were set back by an hour, no tick would come for an hour; if
set ahead, an hour of ticks would come at once. So the wall time is read once at start-up and advanced by a
clock that only goes forward. That clock also counts the time for which the machine is suspended: otherwise
the time of all later ticks would be wrong.
"""

import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.base import DelayedCall
from twisted.internet.defer import Deferred

InThread = Callable[..., Deferred[Any]]
"""`in_thread(f, *arguments)` calls f in a thread (`deferToThread`)."""


class Reactor(Protocol):
    """The part of Twisted's reactor that the simulator uses, as in `task.Clock`."""

    def seconds(self) -> float:
        """Return the time, epoch seconds."""
        ...

    def callLater(  # noqa: N802 - Twisted's name
        self, delay: float, what: Callable[..., object], /, *args: Any, **kwargs: Any
    ) -> DelayedCall:
        """Call something after `delay` seconds."""
        ...


def after(reactor: Reactor, delay: float) -> Deferred[None]:
    """Return a Deferred that fires after `delay` seconds; with 0 in the reactor's next turn."""
    waiting: Deferred[None] = Deferred()
    reactor.callLater(delay, waiting.callback, None)
    return waiting


def since_boot() -> float:
    """Return seconds since an arbitrary moment, including those for which the machine was suspended."""
    # Linux stops CLOCK_MONOTONIC during suspend. So does macOS with what `time.monotonic` reads.
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()


def steady(
    wall: Callable[[], float] = time.time, forward: Callable[[], float] = since_boot
) -> Callable[[], float]:
    """Return a clock of epoch seconds: `wall` now, advanced by `forward`."""
    ahead = wall() - forward()
    return lambda: forward() + ahead


def use_steady_clock(reactor: Any) -> None:
    """Make a Twisted reactor use a steady clock; call it before anything is scheduled."""
    reactor.seconds = steady()
