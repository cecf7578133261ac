"""What `/racecast/metrics` tells a Prometheus: all names are here."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from dashboard.store.protocol import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""From a row of the embedded store to more than a viewer waits; a picture is due each second."""


class Metrics:
    """Counts, in whichever thread.

    Attributes:
        pictures: answers to browsers, by `feed` (live, past, start_list) and `status`.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.pictures = Counter(
            "racecast_dashboard_pictures",
            "Pictures and start lists that browsers asked for, by the answer's status (204: nothing new).",
            ["feed", "status"],
            registry=self._registry,
        )
        self._durations = Histogram(
            "racecast_dashboard_store_duration_seconds",
            "Time that the store took to answer a question.",
            ["question"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._failures = Counter(
            "racecast_dashboard_store_errors",
            "Questions that the store could not answer.",
            ["question"],
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    @contextmanager
    def asking(self, question: str) -> Iterator[None]:
        """Time what asks the store, and count it if that fails."""
        failures = self._failures.labels(question)
        with self._durations.labels(question).time(), failures.count_exceptions(StoreError):
            yield

    def told(self) -> bytes:
        """Return them as Prometheus reads them."""
        return generate_latest(self._registry)
