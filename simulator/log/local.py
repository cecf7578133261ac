"""The log of a single simulator, which a publisher keeps: the embedded store, or Kafka for a replay."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import Deferred

from simulator.log.log import Listener
from simulator.publishers.publisher import Publisher, PublishError, Stored
from simulator.race.events import Progress, RaceRecord


class LocalLog:
    """A log with one writer.

    Args:
        publisher: keeps the records.
        stored: returns those of earlier; None if there are none to go on with.
        claimed: what `claim` has returned.
    """

    partitions = 1

    def __init__(
        self,
        publisher: Publisher,
        stored: Callable[[], Deferred[Stored]] | None = None,
        claimed: sqlite3.Connection | None = None,
    ) -> None:
        self._publisher = publisher
        self._stored = stored
        self._claimed = claimed
        self._listener: Listener | None = None

    async def open(self, listener: Listener) -> None:
        """Read what is stored."""
        races, progress = await self._stored() if self._stored else ([], [])
        self._listener = listener
        for one in progress:
            listener.apply_progress(one)
        for record in races:
            await listener.apply(record)
        listener.take([0])

    async def append(self, record: RaceRecord) -> bool:
        """Write a record and apply it."""
        await self._publisher.publish(record)
        return await self._opened().apply(record)

    async def record(self, progress: Progress) -> None:
        """Write how far a part is delivered."""
        await self._publisher.publish(progress)
        self._opened().apply_progress(progress)

    async def forget(self, run_id: str, part: int) -> None:
        """Do nothing: the publisher deletes it with the race."""

    async def caught_up(self) -> None:
        """Return at once."""

    def trouble(self) -> None:
        """Return None: the publisher reports its own."""

    async def close(self) -> bool:
        """Release everything."""
        is_delivered = self._listener is None or await self._listener.release([0])
        if self._claimed is not None:
            self._claimed.close()
        return is_delivered

    def _opened(self) -> Listener:
        if self._listener is None:
            raise RuntimeError("the log is not open")
        return self._listener


def claim(store: Path) -> sqlite3.Connection:
    """Claim an embedded store for this simulator, until the connection is closed or the process ends.

    The claim is a locked file beside it: locks of SQLite work on all systems, and end with their process.

    Raises PublishError if another simulator has it.
    """
    claimed = store.with_name(f"{store.name}-simulator")
    try:
        lock = sqlite3.connect(claimed, timeout=0, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        is_taken = "locked" in str(error)
        why = (
            "another simulator uses it: stop that one, or name another file (--sqlite)" if is_taken else error
        )
        raise PublishError(f"the embedded store {store} can't be opened: {why}") from error
    return lock
