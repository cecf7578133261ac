"""The metrics of `/metrics`, collected when Prometheus scrapes. All metric names are defined here.

The engine, the publisher and the site keep their own counts and don't depend on this module.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from simulator import __version__
from simulator.engine.engine import Engine
from simulator.http.request_metrics import RequestMetrics
from simulator.publishers.publisher import Publisher
from stream.race_states import RACE_STATES


def registry_of(engine: Engine, publisher: Publisher, request_metrics: RequestMetrics) -> CollectorRegistry:
    """Return the registry of all metrics."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # nothing reads when a series began
    registry = CollectorRegistry()
    registry.register(SimulatorCollector(engine, publisher, request_metrics))
    for histogram in (
        engine.counts.tick_lateness,
        engine.counts.tick_duration,
        publisher.deliveries.duration,
        request_metrics.durations,
    ):
        registry.register(histogram)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


class SimulatorCollector(Collector):
    """Reads the counts of the engine, the publisher and the site."""

    def __init__(self, engine: Engine, publisher: Publisher, request_metrics: RequestMetrics) -> None:
        self._engine = engine
        self._publisher = publisher
        self._request_metrics = request_metrics

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        counts, deliveries = self._engine.counts, self._publisher.deliveries
        races: Counter[str] = Counter()
        competitors: Counter[str] = Counter()
        for run in self._engine.runs.values():
            races[run.status] += 1
            competitors[run.status] += run.request.competitors
        yield CounterMetricFamily("racecast_ticks", "Ticks published.", counts.ticks)
        yield CounterMetricFamily(
            "racecast_late_ticks", "Ticks that began more than a second late.", counts.late_ticks
        )
        yield GaugeMetricFamily(
            "racecast_lag_seconds", "Seconds by which the most overdue tick is late.", self._engine.lag()
        )
        yield GaugeMetricFamily(
            "racecast_partitions",
            "Partitions of the topic progress that are this simulator's.",
            len(self._engine.partitions),
        )
        parts = self._engine.ours()
        yield GaugeMetricFamily("racecast_parts", "Parts of races that this simulator publishes.", len(parts))
        yield GaugeMetricFamily(
            "racecast_live_competitors",
            "Competitors of these parts.",
            sum(len(part.members) for part in parts),
        )
        yield _by_topic("racecast_events", "Events handed to the publisher.", counts.events)
        yield CounterMetricFamily("racecast_publish_retries", "Batches that were retried.", counts.retries)
        yield _by_status("racecast_races", "Races in memory, by status.", races)
        yield _by_status(
            "racecast_competitors", "Competitors of these races, by the race's status.", competitors
        )
        yield _by_topic(
            "racecast_events_delivered",
            "Events that Kafka confirmed, or SQLite committed.",
            deliveries.delivered,
        )
        yield _by_topic(
            "racecast_delivery_errors", "Deliveries that failed and are retried.", deliveries.errors
        )
        yield GaugeMetricFamily("racecast_events_waiting", "Events not yet delivered.", deliveries.waiting)
        yield GaugeMetricFamily(
            "racecast_http_connections", "Open connections.", self._request_metrics.connections
        )
        yield InfoMetricFamily("racecast_build", "Version of the simulator.", {"version": __version__})
        if (store := self._publisher.store) is not None:
            sizes = {"database": _size(store), "wal": _size(store.with_name(f"{store.name}-wal"))}
            text = "The embedded store's file, and its write-ahead log."
            yield _labelled(GaugeMetricFamily("racecast_store_bytes", text, labels=["file"]), sizes)


def _by_topic(name: str, text: str, events: Mapping[str, int]) -> Metric:
    return _labelled(CounterMetricFamily(name, text, labels=["topic"]), events)


def _by_status(name: str, text: str, counts: Counter[str]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=["status"])
    return _labelled(family, {status: counts[status] for status in RACE_STATES})


def _labelled(family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[str, int]) -> Metric:
    """Fill a metric that has one label."""
    for label, value in values.items():
        family.add_metric([label], value)
    return family


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        # SQLite creates and removes the log as needed.
        return 0
