"""The interface between the engine and a destination of events."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred

from simulator.publishers.deliveries import Deliveries
from simulator.race.events import Batch, Progress, RaceRecord
from stream.race_states import ENDED

MAX_KNOWN = 1000
"""Maximum number of races that are known with their requests, except for active ones."""


class PublishError(Exception):
    """A batch was not accepted; the text gives the reason, for the log and for `/readyz`."""


@dataclass(frozen=True)
class Health:
    """State of a publisher.

    Attributes:
        waiting: events accepted and not yet delivered.
        delivered: events delivered since the start.
        errors: failed deliveries; each is retried.
        trouble: why nothing is being delivered, or None.
        credentials_rejected: so that waiting alone does not help.
    """

    waiting: int = 0
    delivered: int = 0
    errors: int = 0
    trouble: str | None = None
    credentials_rejected: bool = False

    @classmethod
    def of(
        cls, deliveries: Deliveries, trouble: str | None, *, credentials_rejected: bool = False
    ) -> "Health":
        """Create it from a publisher's counts."""
        delivered, errors = deliveries.delivered.total(), deliveries.errors.total()
        return cls(deliveries.waiting, delivered, errors, trouble, credentials_rejected)


class Stored(NamedTuple):
    """What a publisher keeps of the race log.

    Attributes:
        races: the newest record of each race, as `known` returns them.
        progress: how far their parts are delivered.
    """

    races: list[RaceRecord]
    progress: list[Progress]


def known(newest: Iterable[RaceRecord]) -> list[RaceRecord]:
    """Return the records of a log's races, those that have ended before the others, the oldest first.

    Ended races beyond `MAX_KNOWN` have no request: only their run ids still matter.

    Args:
        newest: the newest record of each race in the reverse of that order.
    """
    records = [
        replace(record, request="") if nth >= MAX_KNOWN and record.status in ENDED else record
        for nth, record in enumerate(newest)
    ]
    return records[::-1]


class Publisher(Protocol):
    """A destination of events: Kafka, or the embedded store.

    Delivery is at-least-once: a batch may be published again, which changes nothing because every event
    carries its key.

    Attributes:
        deliveries: counts events accepted and delivered, except courses, which have no topic.
    """

    deliveries: Deliveries

    @property
    def store(self) -> Path | None:
        """The local file that it writes to, if there is one."""
        ...

    def publish(self, batch: Batch) -> Deferred[None]:
        """Accept a batch.

        Fires when the next batch may be published: this is the back-pressure. Fails with PublishError if
        the batch was not accepted completely; then the same batch must be retried.
        """
        ...

    def flushed(self) -> Deferred[None]:
        """Fire when everything accepted so far has been delivered."""
        ...

    def health(self) -> Health:
        """Return the current state."""
        ...

    def close(self) -> Deferred[None]:
        """Deliver everything accepted and close; fails with PublishError if some of it was not delivered."""
        ...
