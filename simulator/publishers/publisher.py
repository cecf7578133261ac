"""What the engine asks of a place that events go to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from twisted.internet.defer import Deferred

    from simulator.publishers.deliveries import Deliveries
    from simulator.race.events import Batch, RaceRecord

MAX_KNOWN = 1000
"""Races that a publisher tells of at most when it is asked which there are."""


class PublishError(Exception):
    """A batch could not be taken now; the text says why, for a log line and for `/readyz`."""


@dataclass(frozen=True)
class Health:
    """How a publisher is.

    Attributes:
        waiting: events taken and not yet delivered.
        delivered: events delivered since the start.
        errors: deliveries that failed; each is tried again.
        trouble: why nothing gets through, or None if all is well.
        is_shut_out: the settings let nobody in, so that waiting alone doesn't help.
    """

    waiting: int = 0
    delivered: int = 0
    errors: int = 0
    trouble: str | None = None
    is_shut_out: bool = False

    @classmethod
    def of(cls, deliveries: Deliveries, trouble: str | None, *, is_shut_out: bool = False) -> Health:
        """Return it, as a publisher has counted."""
        delivered, errors = deliveries.delivered.total(), deliveries.errors.total()
        return cls(deliveries.waiting, delivered, errors, trouble, is_shut_out)


class Publisher(Protocol):
    """A place that events go to: Kafka, or the embedded store.

    Delivery is at least once: a batch may be published again, which changes nothing, since every event
    carries its key.

    Attributes:
        deliveries: counts what was taken and delivered, courses left out: they have no topic.
    """

    deliveries: Deliveries

    @property
    def store(self) -> Path | None:
        """The file of this machine that it writes into, if there is one."""
        ...

    def publish(self, batch: Batch) -> Deferred[None]:
        """Take a batch.

        Fires when the next one may come: this is the back-pressure. Fails with PublishError if the
        batch was not taken whole; then the same batch has to come again.
        """
        ...

    def flushed(self) -> Deferred[None]:
        """Fire when everything that was taken is delivered."""
        ...

    def recover(self) -> Deferred[list[RaceRecord]]:
        """Return the newest record of each race that there is, `MAX_KNOWN` at most, those under way first.

        Fails with PublishError if they can't be read now.
        """
        ...

    def health(self) -> Health:
        """Tell how things stand."""
        ...

    def close(self) -> Deferred[None]:
        """Deliver what was taken, and end; fails with PublishError if some of it could not be."""
        ...
