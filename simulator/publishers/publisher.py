"""The interface between the engine and a destination of events."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred

from simulator.publishers.deliveries import Deliveries
from simulator.race.events import Batch, Progress, RaceRecord

MAX_KNOWN = 1000
"""Maximum number of races that a publisher returns."""


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
        races: the newest record of each race, `MAX_KNOWN` at most, active races last.
        progress: how far their parts are delivered.
    """

    races: list[RaceRecord]
    progress: list[Progress]


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
