"""Streams a file in pieces: each is generated in a thread once the client has taken the previous one.

So the reactor is never blocked, and only a few pieces of a large file are in memory.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.web.server import Request

from simulator.reactor import InThread


class _Tap:
    """Back-pressure of the client's connection: an `IPushProducer`."""

    def __init__(self) -> None:
        self._waiting: Deferred[None] | None = None

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._waiting = self._waiting or Deferred()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Do nothing: sending is cancelled when the client disconnects."""

    async def opened(self) -> None:
        """Wait while the connection is paused."""
        if self._waiting is not None:
            await self._waiting


async def send(request: Request, pieces: Iterator[bytes], in_thread: InThread) -> None:
    """Write non-empty pieces to a request.

    If one can't be generated, the connection is aborted, so that no client takes a part for the whole.
    """
    tap = _Tap()
    request.registerProducer(tap, streaming=True)
    with whole_or_aborted(request):
        while piece := await in_thread(next, pieces, b""):
            request.write(piece)
            await tap.opened()
    request.unregisterProducer()


@contextmanager
def whole_or_aborted(request: Request) -> Iterator[None]:
    """Abort the connection if the rest of a response, whose head has been written, fails."""
    try:
        yield
    except CancelledError:
        # The client has disconnected, and the request has no connection any more.
        raise
    except Exception:
        transport: Any = request.transport
        transport.abortConnection()
        raise
