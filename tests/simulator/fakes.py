"""Fakes: a publisher that records its batches, and threads that work when a test says so."""

from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

import orjson
from twisted.internet.defer import Deferred, ensureDeferred, fail, maybeDeferred, succeed
from twisted.python.failure import Failure

from simulator.course.course import Course
from simulator.publishers.deliveries import Deliveries
from simulator.publishers.encode import encode
from simulator.publishers.publisher import Health, PublishError, Stored
from simulator.race.events import (
    Batch,
    ChipReads,
    CourseRecord,
    Entries,
    Passed,
    Positions,
    Progress,
    RaceRecord,
    Streamed,
    entries_of,
    passings_until,
    positions_at,
)
from simulator.race.race import Race


def done(work: Coroutine[Any, Any, Any]) -> Any:
    """Return what a coroutine returns that waits for nothing, or raise what it raises."""
    found: list[Any] = []
    _ = ensureDeferred(work).addBoth(found.append)
    (result,) = found
    if isinstance(result, Failure):
        result.raiseException()
    return result


class Bench:
    """Work sent to a thread, done when a test says so, the oldest first."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Deferred[Any], Callable[..., Any], tuple[Any, ...]]] = []

    def __call__(self, work: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """Put work on the bench."""
        done: Deferred[Any] = Deferred()
        self.waiting.append((done, work, arguments))
        return done

    def work(self, pieces: int = 1000) -> None:
        """Do waiting work, and the work that follows from it."""
        while self.waiting and pieces:
            done, work, arguments = self.waiting.pop(0)
            _ = maybeDeferred(work, *arguments).addBoth(done.callback)
            pieces -= 1


class FakePublisher:
    """Keeps every batch; can be full, and can fail.

    Attributes:
        batches: what was taken, in order, but for courses and progress.
        progress: the progress that was taken, in order.
        courses: the courses that were taken, in order.
        full: while True, `publish` takes the batch and holds its Deferred back until `make_room`.
        failing: while not None, `publish` and `stored` fail with these words.
    """

    store: Path | None = None

    def __init__(self) -> None:
        self.batches: list[Streamed] = []
        self.courses: list[Course] = []
        self.progress: list[Progress] = []
        self.full = False
        self.failing: str | None = None
        self.attempts = 0
        self.closed = False
        self.deliveries = Deliveries(lambda: 0.0)
        self._held: list[Deferred[None]] = []

    def publish(self, batch: Batch) -> Deferred[None]:
        """Take a batch, unless failing."""
        self.attempts += 1
        if self.failing is not None:
            return fail(PublishError(self.failing))
        if isinstance(batch, CourseRecord):
            self.courses.append(batch.course)
            return succeed(None)
        if isinstance(batch, Progress):
            self.progress.append(batch)
            return succeed(None)
        self.batches.append(batch)
        if not self.full:
            return succeed(None)
        self._held.append(Deferred())
        return self._held[-1]

    def make_room(self) -> None:
        """Let the engine go on."""
        self.full = False
        held, self._held = self._held, []
        for waiting in held:
            waiting.callback(None)

    def flushed(self) -> Deferred[None]:
        """Fire at once."""
        return succeed(None)

    def stored(self) -> Deferred[Stored]:
        """Return each race's newest record, and each part's progress, unless failing."""
        if self.failing is not None:
            return fail(PublishError(self.failing))
        records = [batch for batch in self.batches if isinstance(batch, RaceRecord)]
        progress = {(one.run_id, one.part): one for one in self.progress}
        newest = {record.run_id: record for record in records}
        return succeed(Stored(list(newest.values()), list(progress.values())))

    def health(self) -> Health:
        """Report the failure."""
        return Health(waiting=len(self._held), delivered=len(self.batches), trouble=self.failing)

    def close(self) -> Deferred[None]:
        """Remember that it was closed."""
        self.closed = True
        return succeed(None)

    def log(self) -> list[str]:
        """Return the batches, one line each: `running`, `entries 1-3`, `tick 5: 3`, `passed 2`."""
        return [_line(batch) for batch in self.batches]

    def ticks(self) -> list[int]:
        """Return the race times of the published positions, in order, each tick once."""
        times = [int(batch.raw_time[0]) for batch in self.batches if isinstance(batch, Positions)]
        return [time for nth, time in enumerate(times) if nth == 0 or time != times[nth - 1]]


def _line(batch: Streamed) -> str:
    match batch:
        case Positions():
            return f"tick {int(batch.raw_time[0])}: {len(batch)}"
        case Passed():
            return f"passed {len(batch)}"
        case ChipReads():
            return f"reads {len(batch)}"
        case Entries():
            return f"entries {batch.first + 1}-{batch.last}"
        case RaceRecord():
            return batch.status


def events_of(batches: Iterable[Streamed]) -> set[bytes]:
    """Return the events of batches but races' records, each once and without its time of publication."""
    values = (
        value for batch in batches if not isinstance(batch, RaceRecord) for value in encode(batch).values
    )
    return {orjson.dumps({**orjson.loads(value), "emittedAt": 0}) for value in values}


def whole(race: Race) -> set[bytes]:
    """Return all events of a race but its own records, as `events_of` does."""
    batches: list[Streamed] = list(entries_of(race, 100))
    for tick in range(race.last_tick + 1):
        batches += [*passings_until(race, tick, 100), *positions_at(race, tick, 100)]
    return events_of(batches)
