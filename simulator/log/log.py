"""The interface between the engine and a log."""

from collections.abc import Iterable
from typing import Protocol

from twisted.internet.defer import Deferred

from simulator.race.events import Progress, RaceRecord


class Listener(Protocol):
    """Receives all entries of a log in their order, one at a time."""

    async def apply(self, record: RaceRecord) -> bool:
        """Take note of a race's record; return whether it counts."""
        ...

    def apply_progress(self, progress: Progress) -> None:
        """Take note of how far a part is delivered."""
        ...

    def take(self, partitions: Iterable[int]) -> None:
        """Begin to publish the parts in these partitions."""
        ...

    def release(self, partitions: Iterable[int]) -> Deferred[bool]:
        """Stop publishing the parts in these partitions; fires when another simulator may continue.

        With False if not all that was published is known to be delivered.
        """
        ...

    def lose(self, partitions: Iterable[int]) -> None:
        """Stop publishing the parts in these partitions at once: another simulator has them."""
        ...


class RaceLog(Protocol):
    """A log that has been read to its end.

    Attributes:
        partitions: number of partitions of the parts.
    """

    partitions: int

    async def open(self, listener: Listener) -> None:
        """Read the log to its end, and then follow it; raises PublishError if it can't be read."""
        ...

    async def append(self, record: RaceRecord) -> bool:
        """Write a record and apply it; return whether it counts.

        Raises PublishError if that takes too long: then it may count later.
        """
        ...

    async def record(self, progress: Progress) -> None:
        """Write how far a part is delivered; raises PublishError."""
        ...

    async def forget(self, run_id: str, part: int) -> None:
        """Delete the progress of a part whose race has ended; raises PublishError."""
        ...

    async def caught_up(self) -> None:
        """Return when all that the log has now has been applied; raises PublishError."""
        ...

    def trouble(self) -> str | None:
        """Return why the log cannot be followed, or None."""
        ...

    async def close(self) -> bool:
        """Release all partitions; return whether all that was published is known to be delivered."""
        ...
