"""Type of the part of Twisted's reactor that the simulator uses, for the real one and for `task.Clock`."""

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.base import DelayedCall
from twisted.internet.defer import Deferred


class Reactor(Protocol):
    """Current time and scheduled calls."""

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
