"""Histograms of durations in seconds; `simulator.http.metrics` registers them."""

from collections.abc import Iterable, Sequence

from prometheus_client import Histogram

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""From a commit (milliseconds) to an outage (minutes). Bounds grow by a factor of three at most, except the
last, so that quantiles have the right order of magnitude. They include 1 s, above which a tick is late, and
the 5 s of `/readyz`. Ticks and deliveries share them, so that they can be compared."""
HTTP_SECONDS = (0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30)
"""Coarser, because each route, method and status has its own histogram."""


def histogram(
    name: str, text: str, labels: Iterable[str] = (), bounds: Sequence[float] = SECONDS
) -> Histogram:
    """Return an unregistered histogram."""
    return Histogram(name, text, labels, buckets=bounds, registry=None)
