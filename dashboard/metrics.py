"""The dashboard's Prometheus metrics; all names are defined here."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar, cast

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from dashboard.store.protocol import StoreError

Queried = TypeVar("Queried")

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Bucket limits in seconds, from one row of the embedded store to longer than a viewer waits."""

_AGES: Final = (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 60)
"""Bucket limits in seconds, from a quarter of a second to far beyond where the pipeline's light is red."""


class Metrics:
    """The metrics; thread-safe.

    Attributes:
        payloads: responses to browsers, by `feed` (live, past, start_list, found, results, teams, forecasts,
            honours, coming) and `status`.
        streams: number of open streams of live payloads.
        freshness: ages of the newest position that queries return, once a second while a race runs.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.payloads = Counter(
            "racecast_dashboard_payloads",
            "Requests for race payloads and start lists, by response status (204: unchanged).",
            ["feed", "status"],
            registry=self._registry,
        )
        self.streams = Gauge(
            "racecast_dashboard_streams",
            "Open streams of live payloads, one per viewer of a race.",
            registry=self._registry,
        )
        self.freshness = Histogram(
            "racecast_dashboard_freshness_seconds",
            "Age of the newest position that queries return, sampled while a race runs.",
            buckets=_AGES,
            registry=self._registry,
        )
        self._durations = Histogram(
            "racecast_dashboard_store_duration_seconds",
            "Duration of store queries.",
            ["question"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._failures = Counter(
            "racecast_dashboard_store_errors",
            "Failed store queries.",
            ["question"],
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    @contextmanager
    def asking(self, question: str) -> Iterator[None]:
        """Measure the duration of a store query and count failures."""
        failures = self._failures.labels(question)
        with self._durations.labels(question).time(), failures.count_exceptions(StoreError):
            yield

    def exposition(self) -> bytes:
        """Return the metrics in Prometheus text format."""
        return generate_latest(self._registry)


def measured(queried: Queried, metrics: Metrics) -> Queried:
    """A proxy for a store or stream: it times every call in `metrics`, by method name."""
    return cast("Queried", _Measured(queried, metrics))


class _Measured:
    def __init__(self, queried: object, metrics: Metrics) -> None:
        self._queried = queried
        self._metrics = metrics

    def __getattr__(self, name: str) -> Any:
        return self._metrics.asking(name)(getattr(self._queried, name))
