"""How many requests a client may send: a bucket of tokens each, on the clock that is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BURST = 2.0
"""Seconds' worth of requests that may come at once."""
MAX_CLIENTS = 10_000
"""Clients that are told apart; of more, the one that has been quiet the longest is forgotten."""


class Rate:
    """Tells who has to wait.

    Args:
        clock: gives seconds.
        per_second: requests of each client; 0 for any number.
    """

    def __init__(self, clock: Callable[[], float], per_second: float) -> None:
        self._clock = clock
        self._per_second = per_second
        self._most = max(1.0, BURST * per_second)
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, client: str) -> float:
        """Count a request; return 0 if it may come in, else the seconds until the next one may."""
        if not self._per_second:
            return 0.0
        now = self._clock()
        tokens, at = self._buckets.pop(client, (self._most, now))
        tokens = min(self._most, tokens + (now - at) * self._per_second)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self._per_second
        # Put in anew, so that those that have been quiet the longest come first.
        self._buckets[client] = (tokens if wait else tokens - 1, now)
        if len(self._buckets) > MAX_CLIENTS:
            del self._buckets[next(iter(self._buckets))]
        return wait
