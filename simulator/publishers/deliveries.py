"""Counts of events accepted and delivered by a publisher, and delivery times."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from simulator.histogram import histogram
from simulator.race.events import Streamed
from stream.contract import ALL_TOPICS, Topic


@dataclass
class _Batch:
    topic: Topic
    left: int
    at: float


class Deliveries:
    """Counts events; confirmations apply to the oldest waiting events.

    So a publisher without per-event delivery reports (Kafka's, for speed) only needs the number of waiting
    events. SQLite commits in order, so there it is exact. Kafka's partitions reorder events: only the number
    delivered is known, not which. The mean duration is still exact (by Little's law); the longest durations
    come out slightly short, and counts by topic are exact once nothing waits.

    Args:
        seconds: the clock.

    Attributes:
        waiting: events accepted and not yet confirmed.
        delivered: confirmed events by topic; never decreases.
        errors: failed deliveries by topic; each is retried.
        duration: seconds from accepting a batch until its last event was confirmed; one value per batch.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._batches: deque[_Batch] = deque()
        self.waiting = 0
        self.delivered: Counter[str] = Counter(dict.fromkeys(ALL_TOPICS, 0))
        self.errors: Counter[str] = Counter(dict.fromkeys(ALL_TOPICS, 0))
        self.duration = histogram(
            "racecast_delivery_duration_seconds",
            "Time from handing a batch of events to the publisher until it was delivered.",
        )

    def take(self, batch: Streamed) -> None:
        """Count a batch as waiting."""
        self._batches.append(_Batch(batch.topic, len(batch), self._seconds()))
        self.waiting += len(batch)

    def give_back(self) -> None:
        """Remove the oldest waiting batch: it failed and is retried as a new one."""
        refused = self._batches.popleft()
        self.waiting -= refused.left
        self.errors[refused.topic] += 1

    def confirm(self, events: int) -> None:
        """Count this many of the oldest waiting events as delivered."""
        self.waiting -= events
        now = self._seconds()
        while events:
            oldest = self._batches[0]
            some = min(events, oldest.left)
            events -= some
            oldest.left -= some
            self.delivered[oldest.topic] += some
            if not oldest.left:
                self._batches.popleft()
                self.duration.observe(now - oldest.at)

    def confirm_all_but(self, waiting: int) -> bool:
        """Count all but `waiting` events as delivered; return whether there were any."""
        events = max(0, self.waiting - waiting)
        self.confirm(events)
        return events > 0
