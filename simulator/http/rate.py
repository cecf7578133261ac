"""Rate limit per client: a token bucket each."""

from collections.abc import Callable

BURST = 2.0
"""Size of the bucket: requests of this many seconds may come at once."""
MAX_CLIENTS = 10_000
"""Clients that are tracked; beyond that, the one that has been idle longest is dropped."""


class Rate:
    """Limits the requests of each client.

    Args:
        clock: returns seconds.
        per_second: requests allowed per client; 0 for no limit.
    """

    def __init__(self, clock: Callable[[], float], per_second: float) -> None:
        self._clock = clock
        self._per_second = per_second
        self._most = max(1.0, BURST * per_second)
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, client: str) -> float:
        """Count a request; return 0 if it is allowed, else the seconds until the next one is."""
        if not self._per_second:
            return 0.0
        now = self._clock()
        tokens, at = self._buckets.pop(client, (self._most, now))
        tokens = min(self._most, tokens + (now - at) * self._per_second)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self._per_second
        # Reinserted at the end, so that the longest idle clients come first.
        self._buckets[client] = (tokens if wait else tokens - 1, now)
        if len(self._buckets) > MAX_CLIENTS:
            del self._buckets[next(iter(self._buckets))]
        return wait
