"""The metrics of `/metrics`, collected when Prometheus scrapes. All metric names are defined here.

The engine, the publisher and the site keep their own counts and don't depend on this module.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, disable_created_metrics
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.registry import Collector

from simulator import __version__
from stream.race_states import RACE_STATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from prometheus_client.core import Metric

    from simulator.engine.engine import Engine
    from simulator.http.request_metrics import RequestMetrics
    from simulator.publishers.publisher import Publisher


def registry_of(engine: Engine, publisher: Publisher, request_metrics: RequestMetrics) -> CollectorRegistry:
    """Return the registry of all metrics."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # nothing reads when a series began
    registry = CollectorRegistry()
    histograms = (
        engine.counts.tick_lateness,
        engine.counts.tick_duration,
        publisher.deliveries.duration,
        request_metrics.durations,
    )
    for collector in (Races(engine), Delivery(publisher), Http(request_metrics), Build(), *histograms):
        registry.register(collector)
    if publisher.store is not None:
        registry.register(StoreFile(publisher.store))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


class Races(Collector):
    """Reads the engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        counts, runs = self._engine.counts, self._engine.runs.values()
        yield CounterMetricFamily("racecast_ticks", "Ticks published.", counts.ticks)
        yield CounterMetricFamily(
            "racecast_late_ticks", "Ticks that began more than a second late.", counts.late_ticks
        )
        yield GaugeMetricFamily(
            "racecast_lag_seconds", "Seconds by which the most overdue tick is late.", self._engine.lag()
        )
        yield _by_topic("racecast_events", "Events handed to the publisher.", counts.events)
        yield CounterMetricFamily("racecast_publish_retries", "Batches that were retried.", counts.retries)
        races: Counter[str] = Counter()
        competitors: Counter[str] = Counter()
        for run in runs:
            races[run.status] += 1
            competitors[run.status] += run.request.competitors
        yield _by_status("racecast_races", "Races in memory, by status.", races)
        yield _by_status(
            "racecast_competitors", "Competitors of these races, by the race's status.", competitors
        )


class Delivery(Collector):
    """Reads the publisher."""

    def __init__(self, publisher: Publisher) -> None:
        self._deliveries = publisher.deliveries

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        found = self._deliveries
        yield _by_topic(
            "racecast_events_delivered", "Events that Kafka confirmed, or SQLite committed.", found.delivered
        )
        yield _by_topic("racecast_delivery_errors", "Deliveries that failed and are retried.", found.errors)
        yield GaugeMetricFamily("racecast_events_waiting", "Events not yet delivered.", found.waiting)


class Http(Collector):
    """Reads the site's counts."""

    def __init__(self, request_metrics: RequestMetrics) -> None:
        self._request_metrics = request_metrics

    def collect(self) -> Iterator[Metric]:
        """Yield the metric."""
        connections = self._request_metrics.connections
        yield GaugeMetricFamily("racecast_http_connections", "Open connections.", connections)


class StoreFile(Collector):
    """Reads the size of the embedded store's files."""

    def __init__(self, path: Path) -> None:
        self._files = {"database": path, "wal": path.with_name(f"{path.name}-wal")}

    def collect(self) -> Iterator[Metric]:
        """Yield the metric."""
        sizes = GaugeMetricFamily(
            "racecast_store_bytes", "The embedded store's file, and its write-ahead log.", labels=["file"]
        )
        for name, path in self._files.items():
            sizes.add_metric([name], _size(path))
        yield sizes


class Build(Collector):
    """Reports the version."""

    def collect(self) -> Iterable[Metric]:
        """Return the metric."""
        return [InfoMetricFamily("racecast_build", "Version of the simulator.", {"version": __version__})]


def _by_topic(name: str, text: str, events: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=["topic"])
    for topic, count in events.items():
        family.add_metric([topic], count)
    return family


def _by_status(name: str, text: str, counts: Counter[str]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=["status"])
    for status in RACE_STATES:
        family.add_metric([status], counts[status])
    return family


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        # SQLite creates and removes the log as needed.
        return 0
