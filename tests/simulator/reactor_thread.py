"""Twisted's reactor in a thread of its own, for tests of what needs the real one."""

import threading
from collections.abc import Callable
from typing import Any, cast

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import blockingCallFromThread


class ReactorThread:
    """Runs the reactor, and calls in it."""

    def __init__(self) -> None:
        self.reactor: Any = cast("Any", global_reactor)
        self._thread = threading.Thread(
            target=self.reactor.run, kwargs={"installSignalHandlers": False}, daemon=True
        )
        self._thread.start()

    def call(self, what: Callable[..., Any], *arguments: Any) -> Any:
        """Call something in the reactor; a Deferred is waited for."""
        return blockingCallFromThread(self.reactor, what, *arguments)

    def start(self, what: Callable[..., Deferred[None]], *arguments: Any) -> threading.Event:
        """Call something in the reactor; the event is set when its Deferred has fired."""
        done = threading.Event()

        def begin() -> None:
            _ = what(*arguments).addBoth(lambda _: done.set())

        self.reactor.callFromThread(begin)
        return done

    def stop(self) -> None:
        """End the reactor."""
        self.reactor.callFromThread(self.reactor.stop)
        self._thread.join()
