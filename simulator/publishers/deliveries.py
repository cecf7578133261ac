"""What a publisher was given, what of it is confirmed, and how long that took."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.histogram import histogram
from simulator.race.events import TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.race.events import Streamed, Topic


@dataclass
class _Batch:
    topic: Topic
    left: int
    at: float


class Deliveries:
    """Counts events: those that are confirmed are taken for the oldest that wait.

    So a publisher that hears of no single event's delivery (Kafka's, for speed) has only to say how many
    wait still. SQLite commits in order: there it is exact. On the way to Kafka's partitions events overtake
    each other, and only how many have arrived is known, not which. What an event took in the mean is right
    even so (all together took as long as the number of those that waited says, over time); its longest times
    come out a little short, and events by topic are right once nothing waits.

    Args:
        seconds: the clock.

    Attributes:
        waiting: events taken and not yet confirmed.
        delivered: events confirmed, by topic; they never become fewer.
        errors: deliveries that failed and are tried again, by topic.
        duration: seconds from taking a batch until its last event was confirmed; one value a batch.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._batches: deque[_Batch] = deque()
        self.waiting = 0
        self.delivered: Counter[str] = Counter(dict.fromkeys(TOPICS, 0))
        self.errors: Counter[str] = Counter(dict.fromkeys(TOPICS, 0))
        self.duration = histogram(
            "racecast_delivery_duration_seconds",
            "Time from handing a batch of events to the publisher until it was delivered.",
        )

    def take(self, batch: Streamed) -> None:
        """Count a batch among what waits."""
        self._batches.append(_Batch(batch.topic, len(batch), self._seconds()))
        self.waiting += len(batch)

    def give_back(self) -> None:
        """Forget the oldest batch that waits: it was refused, and comes again as another one."""
        refused = self._batches.popleft()
        self.waiting -= refused.left
        self.errors[refused.topic] += 1

    def confirm(self, events: int) -> None:
        """Count the oldest events that wait as delivered, so many of them."""
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
        """Count all but so many as delivered; tells whether that is any."""
        events = max(0, self.waiting - waiting)
        self.confirm(events)
        return events > 0
