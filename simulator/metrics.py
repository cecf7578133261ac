"""The counters at `/metrics`, read from the engine and the publisher when Prometheus asks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from simulator.engine import Engine
    from simulator.publisher import Publisher


class Metrics(Collector):
    """Reads the engine and the publisher."""

    def __init__(self, engine: Engine, publisher: Publisher) -> None:
        self._engine = engine
        self._publisher = publisher

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        counts, health = self._engine.counts, self._publisher.health()
        counters = [
            ("racecast_ticks", "Ticks told.", counts.ticks),
            ("racecast_late_ticks", "Ticks that began more than a second late.", counts.late_ticks),
            ("racecast_events", "Events handed to the publisher.", counts.events),
            ("racecast_publish_retries", "Batches that had to come again.", counts.retries),
            ("racecast_events_delivered", "Events that the publisher delivered.", health.delivered),
            ("racecast_delivery_errors", "Deliveries that failed and were tried again.", health.errors),
        ]
        for name, text, value in counters:
            yield CounterMetricFamily(name, text, value=value)
        yield GaugeMetricFamily("racecast_events_waiting", "Events not yet delivered.", value=health.waiting)
        yield GaugeMetricFamily(
            "racecast_lag_seconds", "How late the most overdue tick is.", value=self._engine.lag()
        )
        races = GaugeMetricFamily("racecast_races", "Races by status.", labels=["status"])
        for status, count in Counter(run.status for run in self._engine.runs.values()).items():
            races.add_metric([status], count)
        yield races
