"""The part of Twisted's reactor that the simulator uses for time, as a type; `task.Clock` has it too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable


class DelayedCall(Protocol):
    """A call that will happen."""

    def active(self) -> bool:
        """Tell whether it is still to come."""
        ...

    def cancel(self) -> None:
        """See to it that it doesn't happen."""
        ...


class Reactor(Protocol):
    """Time: what it is, and calls that wait for it."""

    def seconds(self) -> float:
        """Return the time, epoch seconds."""
        ...

    def callLater(  # noqa: N802 - Twisted's name
        self, delay: float, what: Callable[..., object], /, *args: Any, **kwargs: Any
    ) -> DelayedCall:
        """Call something in `delay` seconds."""
        ...


def after(reactor: Reactor, delay: float) -> Deferred[None]:
    """Return a Deferred that fires after `delay` seconds; with 0 in the reactor's next turn."""
    waiting: Deferred[None] = Deferred()
    reactor.callLater(delay, waiting.callback, None)
    return waiting
