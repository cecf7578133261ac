"""The engine: publishes the ticks of all races on time and in order.

One loop serves all races. Races with work due are queued; the loop takes the first, publishes one tick of it,
batch by batch, and puts it at the end if more is due. So

- no tick is skipped: due ticks follow from the clock, and after a stall the missed ones come in order;
- a race that is behind or fails doesn't block the others;
- a turn of the reactor handles one batch at most, so HTTP stays responsive;
- back-pressure from the publisher pauses the loop, not the process, and failed batches are retried.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import structlog
from twisted.internet.defer import Deferred, ensureDeferred, succeed

from simulator.engine.run import Run
from simulator.histogram import histogram
from simulator.publishers.publisher import Publisher, PublishError
from simulator.race.events import (
    Batch,
    CourseRecord,
    Positions,
    RaceRecord,
    entries_of,
    passings_until,
    positions_at,
    record_of,
)
from simulator.reactor import Reactor, after
from stream.contract import TOPICS
from stream.race_states import ENDED, TRANSITIONS, Action, Step, states_that_allow

BATCH = 5000
"""Events per turn of the reactor: about 10 ms of work, plus the race's snapshot once per tick."""
RETRY = 1.0
"""Seconds before a failed batch or race is retried."""
CHECK = 5.0
"""Seconds between records of how far a race's events are delivered, from where it continues after a crash."""
LOOK = 1.0
"""Seconds between checks which races need such a record."""
CHECK_BYTES = 100_000
"""Request length, characters, above which these records, which contain it, become proportionally rarer."""
LATE = 1.0
"""Seconds after which a tick counts as late."""
MAX_LIVE_COMPETITORS = 1_000_000
"""Maximum number of competitors in all races that have not ended."""
MAX_RUNS = 1000
"""Maximum number of races in memory; beyond that the oldest ended one is dropped (the store keeps it)."""
ENDING = "the simulator is shutting down and accepts no new races"


class EngineFullError(Exception):
    """The engine has reached a limit or is shutting down."""


class StateError(Exception):
    """The race's state doesn't allow this action."""


class _GivenUpError(Exception):
    """The engine was stopped and its time has run out."""


class Counts:
    """Counts since the engine was created.

    Attributes:
        ticks: ticks published.
        late_ticks: ticks that began more than LATE seconds late.
        tick_lateness: seconds by which ticks began late.
        tick_duration: seconds from a tick's beginning until all of it was handed over, including waits.
        events: events handed over, by topic.
        retries: batches that were retried.
    """

    def __init__(self) -> None:
        self.ticks = 0
        self.late_ticks = 0
        self.tick_lateness = histogram("racecast_tick_lateness_seconds", "How late ticks began.")
        self.tick_duration = histogram(
            "racecast_tick_duration_seconds",
            "Time from the beginning of a race's tick until all of it was handed over.",
        )
        self.events: Counter[str] = Counter(dict.fromkeys(TOPICS, 0))
        self.retries = 0

    def count_tick(self, lateness: float, duration: float) -> None:
        """Count a tick."""
        self.ticks += 1
        self.late_ticks += lateness > LATE
        self.tick_lateness.observe(lateness)
        self.tick_duration.observe(duration)


class Engine:
    """Runs races.

    Args:
        reactor: gives the time (epoch seconds) and schedules calls.
        publisher: accepts the events.

    Attributes:
        runs: the races by run id, in the order in which they were added.
        trouble: why the current batch was not accepted, or None.
        stopping: the engine is shutting down and accepts no new work.
    """

    def __init__(self, reactor: Reactor, publisher: Publisher) -> None:
        self.runs: dict[str, Run] = {}
        self.counts = Counts()
        self.trouble: str | None = None
        self._reactor = reactor
        self._publisher = publisher
        self._log = structlog.get_logger()
        self._queue: deque[Run] = deque()
        self._working = False
        self.stopping = False
        self._given_up = False
        self._check_from = 0.0
        self._drained: Deferred[bool] = Deferred()

    def add(self, run: Run) -> None:
        """Start a race, or schedule it.

        Raises EngineFullError if a limit is reached, ValueError if the run id is taken.
        """
        if self.stopping:
            raise EngineFullError(ENDING)
        if run.run_id in self.runs:
            raise ValueError(f"race {run.run_id} already exists")
        self._make_room(run.request.competitors)
        run.status = "scheduled" if run.schedule.start > self._reactor.seconds() else "running"
        self.runs[run.run_id] = run
        run.outbox.append(lambda: [CourseRecord(run.course)])
        self._record(run)
        run.outbox.append(partial(entries_of, run.source, BATCH))
        self._log.info("race added", run_id=run.run_id, course=run.course.short_name, status=run.status)
        self._enqueue(run)

    def restore(self, run: Run, record: RaceRecord) -> None:
        """Restore a race from its last record.

        Events after those known to be delivered are published again, which changes nothing.

        Raises EngineFullError if a limit is reached.
        """
        if record.status not in ENDED:
            self._make_room(run.request.competitors)
        run.status, run.updated_at = record.status, record.updated_at
        paused_at = record.updated_at / 1000 if record.status == "paused" else None
        run.schedule = replace(run.schedule, start=record.clock_start / 1000, paused_at=paused_at)
        tick = run.request.tick
        run.next_tick = round(record.delivered_until / tick) + 1 if record.delivered_until >= 0 else 0
        run.safe_tick = run.next_tick - 1
        self.runs[run.run_id] = run
        if run.status in ENDED:
            run.forget_field()
            return
        if run.next_tick == 0:
            # The course and the competitors may not have been published.
            run.outbox += [lambda: [CourseRecord(run.course)], partial(entries_of, run.source, BATCH)]
        self._log.info("race restored", run_id=run.run_id, status=run.status, tick=run.next_tick)
        self._enqueue(run)

    def pause(self, run: Run) -> None:
        """Pause a race; raises StateError unless it is scheduled or running."""
        self._require(run, "pause")
        run.schedule = run.schedule.pause(self._reactor.seconds())
        self._take(run, "pause")

    def resume(self, run: Run) -> None:
        """Resume a race; raises StateError unless it is paused."""
        self._require(run, "resume")
        now = self._reactor.seconds()
        run.schedule = run.schedule.resume(now)
        self._take(run, "reschedule" if run.schedule.start > now else "resume")

    def cancel(self, run: Run) -> None:
        """Cancel a race; raises StateError if it has ended."""
        self._require(run, "cancel")
        self._take(run, "cancel")

    def lag(self) -> float:
        """Return the seconds by which the most overdue tick is late."""
        now = self._reactor.seconds()
        due = [at for run in self.runs.values() if (at := run.next_due()) is not None]
        return max(0.0, now - min(due, default=now))

    def stop(self, patience: float) -> Deferred[bool]:
        """Stop, after finishing the current tick and all accepted changes of state.

        Fires with True when that is done, or with False after `patience` seconds if something is left.
        """
        self.stopping = True
        for run in self.runs.values():
            _silence(run)
            if run.outbox:
                self._come_to(run)
        if not self._working:
            return succeed(True)
        # Of `IReactorTime` it uses what a `Reactor` has.
        return self._drained.addTimeout(patience, self._reactor, self._give_up)  # type: ignore[arg-type]

    def _give_up(self, *_: object) -> bool:
        self._given_up = True
        return False

    # The loop.

    def _enqueue(self, run: Run) -> None:
        """Queue a race, now or when its next tick is due."""
        _silence(run)
        # Read the clock once: a tick could become due between two readings, and no alarm can be in the past.
        due, now = run.next_due(), self._reactor.seconds()
        if run.outbox or (due is not None and due <= now):
            self._come_to(run)
        elif due is not None and not self.stopping:
            run.alarm = self._reactor.callLater(due - now, self._come_to, run)

    def _come_to(self, run: Run) -> None:
        if run.queued or (self.stopping and not run.outbox):
            return
        run.queued = True
        self._queue.append(run)
        if not self._working:
            self._working = True
            self._reactor.callLater(0, lambda: ensureDeferred(self._work()))

    async def _work(self) -> None:
        """Serve the queue until it is empty."""
        while self._queue and not self._given_up:
            run = self._queue.popleft()
            run.queued = False
            try:
                await self._serve(run)
                await self._check()
                self._enqueue(run)
            except _GivenUpError:
                return
            except Exception:  # noqa: BLE001 - a bug in one race must not stop the others
                self._log.error("race failed, retrying", run_id=run.run_id, exc_info=True)
                run.alarm = self._reactor.callLater(RETRY, self._enqueue, run)
        self._working = False
        if self.stopping and not self._given_up and not any(run.outbox for run in self.runs.values()):
            self._drained.callback(True)

    async def _serve(self, run: Run) -> None:
        """Publish the race's next piece: its oldest waiting record, or its next tick if that is due."""
        if run.outbox:
            await self._publish_all(run.outbox[0]())
            run.outbox.popleft()
            return
        due = run.next_due()
        if due is None or due > self._reactor.seconds() or self.stopping:
            return
        if run.status == "scheduled":
            self._take(run, "start")
            return
        if run.next_tick == 0:
            # The race's record comes first, so that after a crash every race with ticks is known.
            await self._publisher.flushed()
        tick, race = run.next_tick, run.source
        began = self._reactor.seconds()
        run.checked_at = run.checked_at or began
        # Passings first: a consumer that sees a finisher's position can then find the passing.
        await self._publish_all(passings_until(race, tick, BATCH))
        await self._publish_all(positions_at(race, tick, BATCH))
        run.next_tick = tick + 1
        self.counts.count_tick(began - due, self._reactor.seconds() - began)
        if tick >= race.last_tick and run.status not in ENDED:
            # Nothing of an ended race is published again, so everything must be delivered first.
            await self._publisher.flushed()
            run.safe_tick = tick
            if run.status not in ENDED:
                self._take(run, "finish")

    async def _check(self) -> None:
        """Record, for each race that needs it, how far its events are delivered."""
        now = self._reactor.seconds()
        # Called after every tick, so check all races once a second at most.
        if now < self._check_from or self.stopping:
            return
        self._check_from = now + LOOK
        due = [run for run in self.runs.values() if self._is_due_for_check(run, now)]
        if not due:
            return
        await self._publisher.flushed()
        for run in due:
            run.safe_tick, run.checked_at = run.next_tick - 1, now
            if run.status not in ENDED:
                self._record(run)
                self._enqueue(run)

    def _is_due_for_check(self, run: Run, now: float) -> bool:
        pause = CHECK * max(1.0, len(run.request_json) / CHECK_BYTES)
        return run.status not in ENDED and run.next_tick - 1 > run.safe_tick and now - run.checked_at >= pause

    async def _publish_all(self, batches: Iterable[Batch]) -> None:
        for batch in batches:
            await self._publish(batch)

    async def _publish(self, batch: Batch) -> None:
        """Publish a batch, retrying until it is accepted; the next one waits for the next turn."""
        while True:
            if self._given_up:
                raise _GivenUpError
            if isinstance(batch, Positions):
                batch = replace(batch, emitted_at=self._now_ms())
            try:
                await self._publisher.publish(batch)
                break
            except PublishError as error:
                self.counts.retries += 1
                if self.trouble != str(error):
                    self.trouble = str(error)
                    self._log.error("publishing failed, retrying", why=self.trouble)
                await after(self._reactor, RETRY)
        self.trouble = None
        if not isinstance(batch, CourseRecord):
            self.counts.events[batch.topic] += len(batch)
        await after(self._reactor, 0)

    # Changes of state.

    def _take(self, run: Run, step: Step) -> None:
        run.status = TRANSITIONS[run.status][step]
        self._record(run)
        self._log.info("race " + run.status, run_id=run.run_id)
        if run.status in ENDED:
            run.forget_field()
        self._enqueue(run)

    def _require(self, run: Run, action: Action) -> None:
        if self.stopping:
            raise StateError(ENDING)
        if action not in TRANSITIONS[run.status]:
            allowed = " or ".join(states_that_allow(action))
            raise StateError(f"the race is {run.status}, but must be {allowed}")

    def _record(self, run: Run) -> None:
        run.updated_at = max(self._now_ms(), run.updated_at + 1)
        record = record_of(
            run,
            run.status,
            run.updated_at,
            run.request_json,
            # A current pause counts as ending now, so that this and `updated_at` describe it completely.
            round(run.schedule.resume(run.updated_at / 1000).start * 1000),
            run.safe_tick * run.request.tick if run.safe_tick >= 0 else -1.0,
        )
        run.outbox.append(lambda: [record])

    def _make_room(self, competitors: int) -> None:
        live = sum(run.request.competitors for run in self.runs.values() if run.status not in ENDED)
        if live + competitors > MAX_LIVE_COMPETITORS:
            raise EngineFullError(
                f"{live:,} competitors are active; {competitors:,} more would exceed the limit of "
                f"{MAX_LIVE_COMPETITORS:,}: wait for a race to end, or cancel one"
            )
        if len(self.runs) >= MAX_RUNS:
            oldest = next((run for run in self.runs.values() if run.done), None)
            if oldest is None:
                raise EngineFullError(f"{MAX_RUNS:,} races are active: wait for one to end, or cancel one")
            del self.runs[oldest.run_id]

    def _now_ms(self) -> int:
        return int(self._reactor.seconds() * 1000)


def _silence(run: Run) -> None:
    if run.alarm is not None and run.alarm.active():
        run.alarm.cancel()
    run.alarm = None
