"""Histograms of durations in seconds: their owner measures, `simulator.http.metrics` registers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Histogram

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Milliseconds to minutes: from a small race's tick, or a commit, to an outage. Each but the last is at most
three times the one before, so that a quantile read from a bucket has the right size. One second, above which
a tick is late, and the five seconds of `/readyz` are among them. Ticks and deliveries have the same bounds,
so that they can be compared."""
HTTP_SECONDS = (0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30)
"""Coarser, because each route, method and status has its own histogram: from a small race's positions to the
largest file of tracks."""


def histogram(
    name: str, text: str, labels: Iterable[str] = (), bounds: Sequence[float] = SECONDS
) -> Histogram:
    """Return a histogram that is not registered anywhere yet."""
    return Histogram(name, text, labels, buckets=bounds, registry=None)
