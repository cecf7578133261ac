"""The engine: makes the ticks of all races happen, at their time and in order.

One loop serves all races. It takes the tick that has been due the longest, hands its batches to the
publisher one by one, and lets the reactor go between two batches. So

- a tick is never skipped: what is due is worked out from the clock, and after a stall the missed ticks
  follow in order;
- a turn of the reactor holds one batch at most (`BATCH` events), and HTTP stays responsive;
- a publisher that can't take more stops the ticking, not the process: the loop waits for it, and a batch
  that failed comes again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog
from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.python.failure import Failure

from simulator.events import Positions, entries_of, passings_until, positions_at, record_of
from simulator.publisher import PublishError
from simulator.reactor import after
from simulator.run import ENDED, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.course import Course
    from simulator.events import Batch, RaceStatus
    from simulator.publisher import Publisher
    from simulator.reactor import DelayedCall, Reactor
    from simulator.request import RaceRequest

BATCH = 5000
"""Events per turn of the reactor; about 10 ms of work."""
RETRY = 1.0
"""Seconds before a batch that failed comes again."""
MAX_LIVE_COMPETITORS = 1_000_000
"""Competitors of all races that have not ended."""
MAX_RUNS = 1000
"""Races kept in memory; of more, those that ended first are forgotten (the store keeps them)."""


class EngineFullError(Exception):
    """There are as many races as the engine takes."""


class StateError(Exception):
    """The race is in a state in which this can't be done."""


@dataclass
class Counts:
    """What the engine did since it was made."""

    ticks: int = 0
    late_ticks: int = 0
    events: int = 0
    retries: int = 0


class Engine:
    """Runs races.

    Args:
        reactor: gives the time (epoch seconds) and the turns.
        publisher: takes the events.
    """

    def __init__(self, reactor: Reactor, publisher: Publisher) -> None:
        self.runs: dict[str, Run] = {}
        self.counts = Counts()
        self.trouble: str | None = None
        self._reactor = reactor
        self._publisher = publisher
        self._log = structlog.get_logger()
        self._alarm: DelayedCall | None = None
        self._loop: Deferred[None] | None = None
        self._stopping = False

    def add(self, course: Course, request: RaceRequest, asked: RaceRequest | None = None) -> Run:
        """Start a race, or schedule it.

        `request` is resolved and its run id new; `asked` is what came before it was resolved.
        Raises EngineFullError if the limits don't allow another one.
        """
        self._make_room(request.competitors)
        now = self._reactor.seconds()
        run = Run(course, request, asked or request)
        run.status = "scheduled" if run.schedule.start > now else "running"
        self.runs[run.run_id] = run
        run.outbox.append(self._record(run))
        run.outbox.append(entries_of(run.race, BATCH))
        self._log.info("race added", run_id=run.run_id, course=course.short_name, status=run.status)
        self._wake()
        return run

    def pause(self, run: Run) -> None:
        """Stop a race's time; raises StateError unless it is scheduled or running."""
        self._require(run, "scheduled", "running")
        self._move(run, "paused")
        run.schedule = run.schedule.pause(self._reactor.seconds())

    def resume(self, run: Run) -> None:
        """Let a race's time go on; raises StateError unless it is paused."""
        self._require(run, "paused")
        now = self._reactor.seconds()
        run.schedule = run.schedule.resume(now)
        self._move(run, "scheduled" if run.schedule.start > now else "running")

    def cancel(self, run: Run) -> None:
        """End a race before its time; raises StateError if it has ended."""
        self._require(run, "scheduled", "running", "paused")
        self._move(run, "cancelled")

    def lag(self) -> float:
        """Return by how many seconds the tick that has been due the longest is late."""
        run = self._next()
        return 0.0 if run is None else max(0.0, self._reactor.seconds() - self._due(run))

    def stop(self) -> Deferred[None]:
        """End the ticking after the batch in hand; fires when the loop has ended."""
        self._stopping = True
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        return self._loop or succeed(None)

    # The loop.

    def _wake(self) -> None:
        """See to it that the loop runs, now or when the next tick is due."""
        if self._loop is not None or self._stopping:
            return
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        if (run := self._next()) is None:
            return
        delay = max(0.0, self._due(run) - self._reactor.seconds())
        self._alarm = self._reactor.callLater(delay, self._start)

    def _start(self) -> None:
        loop: Deferred[None] = Deferred()
        self._loop = loop

        def ended(result: object) -> None:
            self._loop = None
            loop.callback(None)
            if isinstance(result, Failure):
                # A fault of ours, not of the publisher's: told, and tried again, for races must go on.
                self._log.error("engine failed", failure=result.getTraceback())
                self._alarm = self._reactor.callLater(RETRY, self._start)
            else:
                self._wake()

        _ = ensureDeferred(self._work()).addBoth(ended)

    async def _work(self) -> None:
        """Serve what is due until nothing is."""
        while not self._stopping and (run := self._next()) is not None:
            if self._due(run) > self._reactor.seconds():
                return
            for batch in self._due_batches(run):
                await self._publish(batch)
                if self._stopping:
                    return

    def _next(self) -> Run | None:
        """Return the race that has been due the longest or will be due the soonest."""
        waiting = [run for run in self.runs.values() if run.outbox or run.next_due() is not None]
        return min(waiting, key=self._due, default=None)

    def _due(self, run: Run) -> float:
        if run.outbox:
            return float("-inf")
        due = run.next_due()
        return float("inf") if due is None else due

    def _due_batches(self, run: Run) -> Iterator[Batch]:
        """Yield the race's next piece of work: its oldest waiting record, or its next tick."""
        if run.outbox:
            # It leaves the outbox when it is published whole: stopping in between loses nothing.
            yield from run.outbox[0]
            run.outbox.popleft()
            return
        if run.status == "scheduled":
            self._move(run, "running")
            return
        yield from self._tick(run)

    def _tick(self, run: Run) -> Iterator[Batch]:
        tick, race = run.next_tick, run.race
        lateness = self._reactor.seconds() - self._due(run)
        # Passings first: whoever sees a finisher's position finds the passing beside it.
        yield from passings_until(race, tick, BATCH)
        yield from positions_at(race, tick, BATCH)
        run.next_tick = tick + 1
        self.counts.ticks += 1
        self.counts.late_ticks += lateness > 1.0
        if tick >= race.last_tick and run.status not in ENDED:
            self._move(run, "finished")

    async def _publish(self, batch: Batch) -> None:
        """Hand a batch over, again and again until it is taken."""
        while True:
            if isinstance(batch, Positions):
                batch = replace(batch, emitted_at=self._now_ms())
            try:
                await self._publisher.publish(batch)
            except PublishError as error:
                self._failed(str(error))
                await after(self._reactor, RETRY)
                if self._stopping:
                    return
            else:
                break
        self.trouble = None
        self.counts.events += len(batch)
        await after(self._reactor, 0)

    def _failed(self, why: str) -> None:
        self.counts.retries += 1
        if self.trouble != why:
            self._log.error("publishing failed, will be tried again", why=why)
        self.trouble = why

    # Changes of state.

    def _move(self, run: Run, status: RaceStatus) -> None:
        run.status = status
        run.outbox.append(self._record(run))
        self._log.info("race " + status, run_id=run.run_id)
        if status in ENDED:
            run.forget_field()
        self._wake()

    def _require(self, run: Run, *allowed: RaceStatus) -> None:
        if run.status not in allowed:
            raise StateError(f"the race is {run.status}; this needs it to be {' or '.join(allowed)}")

    def _record(self, run: Run) -> list[Batch]:
        run.updated_at = max(self._now_ms(), run.updated_at + 1)
        return [record_of(run.race, run.status, run.updated_at)]

    def _make_room(self, competitors: int) -> None:
        live = sum(run.request.competitors for run in self.runs.values() if run.status not in ENDED)
        if live + competitors > MAX_LIVE_COMPETITORS:
            raise EngineFullError(
                f"{live:,} competitors are on their way; with {competitors:,} more there would be "
                f"more than {MAX_LIVE_COMPETITORS:,}: wait for a race to end, or cancel one"
            )
        if len(self.runs) >= MAX_RUNS:
            oldest = next((run for run in self.runs.values() if run.done), None)
            if oldest is None:
                raise EngineFullError(
                    f"{MAX_RUNS:,} races are on their way: wait for one to end, or cancel one"
                )
            del self.runs[oldest.run_id]

    def _now_ms(self) -> int:
        return int(self._reactor.seconds() * 1000)
