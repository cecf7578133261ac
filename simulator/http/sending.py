"""Sends what is made piece by piece: each in a thread, and none before the client has taken the one before.

So the reactor is never held up, and of the largest file no more than a few pieces are in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from twisted.web.server import Request

    InThread = Callable[..., Deferred[Any]]


class _Tap:
    """What the client's connection closes and opens: an `IPushProducer`."""

    def __init__(self) -> None:
        self._waiting: Deferred[None] | None = None

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._waiting = self._waiting or Deferred()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Do nothing: whoever goes away has the sending cancelled."""

    async def opened(self) -> None:
        """Wait while it is closed."""
        if self._waiting is not None:
            await self._waiting


async def send(request: Request, pieces: Iterator[bytes], in_thread: InThread) -> None:
    """Write pieces to a request, none of them empty.

    If one can't be made the connection is broken off, so that nobody takes a part for the whole.
    """
    tap = _Tap()
    request.registerProducer(tap, streaming=True)
    try:
        while piece := await in_thread(next, pieces, b""):
            request.write(piece)
            await tap.opened()
    except CancelledError:
        # The client has gone, and the request has no connection any more.
        raise
    except Exception:
        transport: Any = request.transport
        transport.abortConnection()
        raise
    request.unregisterProducer()
