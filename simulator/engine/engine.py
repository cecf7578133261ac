"""The engine: publishes the ticks of all races on time and in order.

One loop serves the parts of races that are this simulator's. Parts with work due are queued; the loop takes
the first, publishes one tick of it, batch by batch, and puts it at the end if more is due. So

- no tick is skipped: due ticks follow from the clock, and after a stall the missed ones come in order;
- a part that is behind or fails doesn't block the others;
- a turn of the reactor handles one batch at most, so HTTP stays responsive;
- back-pressure from the publisher pauses the loop, not the process, and failed batches are retried.

The states of the races are those of the log. The engine's own changes, at the gun and at the end, are written
to the log like those of the API, and take effect when they have been read back.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import replace
from typing import Any

import structlog
from twisted.internet import defer
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure

from simulator.engine.run import Part, Run
from simulator.histogram import histogram
from simulator.log.log import RaceLog
from simulator.log.states import changed, counts, moved_on, resumed
from simulator.logs import exc_info
from simulator.publishers.publisher import Publisher, PublishError
from simulator.race.events import (
    Batch,
    CourseRecord,
    Positions,
    Progress,
    RaceRecord,
    entries_of,
    passings_until,
    positions_at,
    reads_until,
)
from simulator.reactor import InThread, Reactor, after
from stream.contract import ALL_TOPICS
from stream.parts import partition_of
from stream.race_states import STANDING, TRANSITIONS, Action, Step, states_that_allow

BATCH = 5000
"""Events per turn of the reactor: about 10 ms of work, plus the part's snapshot once per tick."""
RETRY = 1.0
"""Seconds before a failed batch, part or record is retried."""
TRIES = 5
"""How often a change is written before it is refused, if the race's record changes at the same moment."""
CHECK = 5.0
"""Seconds between records of how far a part is delivered, from where it continues after a crash."""
LOOK = 1.0
"""Seconds between checks which parts need such a record."""
RENEW = 120.0
"""Seconds after which the record of a running race is written again: a race whose record is older than ten
minutes is taken for abandoned."""
LATE = 1.0
"""Seconds after which a tick counts as late."""
MAX_LIVE_COMPETITORS = 1_000_000
"""Maximum number of competitors that this simulator publishes."""
MAX_RUNS = 1000
"""Maximum number of races in memory; beyond that the oldest ended one is dropped (the store keeps it)."""
ENDING = "the simulator is shutting down and accepts no new races"


RunOf = Callable[[RaceRecord], Coroutine[Any, Any, Run | None]]
"""Makes the race of its first record; None if this simulator can't run it."""


class EngineFullError(Exception):
    """The engine has reached a limit or is shutting down."""


class StateError(Exception):
    """The race's state doesn't allow this action."""


class _NotOursError(Exception):
    """The part that is being published has been given to another simulator."""


class Counts:
    """Counts since the engine was created.

    Attributes:
        ticks: ticks published, of each part.
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
        self.events: Counter[str] = Counter(dict.fromkeys(ALL_TOPICS, 0))
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
        log: has the states of the races.
        in_thread: `in_thread(f, *arguments)` calls f in a thread (`deferToThread`).

    Attributes:
        runs: the races by run id, in the order in which they were added.
        others: records of races that are not in memory: replays, and what was dropped.
        partitions: of the log; the parts in them are this simulator's.
        race_log: the log.
        in_thread: the argument.
        trouble: why the current batch or record was not accepted, or None.
        stopping: the engine is shutting down and accepts no new work.
    """

    def __init__(self, reactor: Reactor, publisher: Publisher, log: RaceLog, in_thread: InThread) -> None:
        self.runs: dict[str, Run] = {}
        self.others: dict[str, RaceRecord] = {}
        self.partitions: set[int] = set()
        self.counts = Counts()
        self.trouble: str | None = None
        self.stopping = False
        self._reactor = reactor
        self._publisher = publisher
        self.race_log = log
        self.in_thread = in_thread
        self._run_of: RunOf = _unknown
        self._log = structlog.get_logger()
        # Progress of parts whose race the log has not shown yet: race seconds.
        self._early: defaultdict[str, dict[int, float]] = defaultdict(dict)
        self._queue: deque[Part] = deque()
        self._working = False
        self._served: Part | None = None
        self._served_one: Deferred[None] = Deferred()  # fires when the loop leaves a part
        self._check_from = 0.0

    # What the API asks for. All raise PublishError if the log takes no records.

    async def create(self, run: Run) -> bool:
        """Write a new race to the log; return whether it is the first with its run id.

        Raises EngineFullError if a limit is reached.
        """
        if self.stopping:
            raise EngineFullError(ENDING)
        self._check_limits(run)
        return await self._append(run.first_record(self._now_ms()))

    async def change(self, run: Run, action: Action) -> None:
        """Pause, resume or cancel a race; raises StateError if its state doesn't allow that."""
        for _ in range(TRIES):
            asked_at = self._now_ms()
            await self.race_log.caught_up()
            self._require(run, action)
            step: Step = resumed(run.record, asked_at) if action == "resume" else action
            if await self._append(changed(run.record, step, asked_at)):
                return
        raise StateError("other requests change the race at the same moment: try again")

    def _require(self, run: Run, action: Action) -> None:
        if self.stopping:
            raise StateError(ENDING)
        if action not in TRANSITIONS[run.status]:
            allowed = " or ".join(states_that_allow(action))
            raise StateError(f"the race is {run.status}, but must be {allowed}")

    async def _append(self, record: RaceRecord) -> bool:
        self.counts.events[record.topic] += 1
        return await self.race_log.append(record)

    def _check_limits(self, run: Run) -> None:
        live = sum(len(part.members) for part in self._ours())
        more = sum(len(part.members) for part in run.parts if self._is_assigned(part))
        if more and live + more > MAX_LIVE_COMPETITORS:
            raise EngineFullError(
                f"{live:,} competitors are active; {more:,} more would exceed the limit of "
                f"{MAX_LIVE_COMPETITORS:,}: wait for a race to end, or cancel one"
            )
        if len(self.runs) >= MAX_RUNS and all(not run.has_ended for run in self.runs.values()):
            raise EngineFullError(f"{MAX_RUNS:,} races are active: wait for one to end, or cancel one")

    # What the log says.

    async def follow(self, run_of: RunOf) -> None:
        """Read the log and follow it; raises PublishError if it can't be read. See `RunOf`."""
        self._run_of = run_of
        await self.race_log.open(self)

    async def apply(self, record: RaceRecord) -> bool:
        """Take note of a race's record; return whether it counts."""
        if record.run_id not in self.runs:
            if not counts(self.others.get(record.run_id), record):
                return False
            run = await self._run_of(record)
            if run is None:
                self.others[record.run_id] = record
                return True
            if record.run_id not in self.runs:  # else another request for it was quicker
                self._add(run, record)
                return True
        known = self.runs[record.run_id]
        if counts(known.record, record):
            known.record = record
            self._log.info("race " + record.status, run_id=record.run_id)
            self._follow(known)
            return True
        is_newest = record.updated_at >= known.record.updated_at and record != known.record
        if is_newest and known.record.request and self._leads(known):
            # For the store, the newest record is the race's state.
            _ = ensureDeferred(self._step(known, None, record.updated_at))
        return False

    def _add(self, run: Run, record: RaceRecord) -> None:
        if len(self.runs) >= MAX_RUNS:
            oldest = next((run for run in self.runs.values() if run.has_ended), None)
            if oldest is not None:
                self.others[oldest.run_id] = replace(oldest.record, request="")
                del self.runs[oldest.run_id]
        run.record = record
        self.others.pop(run.run_id, None)
        self.runs[run.run_id] = run
        early = self._early.pop(run.run_id, {})
        for part in run.parts:
            # Earlier versions recorded a race's progress in its own record.
            part.delivered = run.tick_at(early.get(part.number, record.delivered_until))
        self._log.info("race added", run_id=run.run_id, course=run.course.short_name, status=run.status)
        self._follow(run)

    def apply_progress(self, progress: Progress) -> None:
        """Take note of how far a part is delivered."""
        run = self.runs.get(progress.run_id)
        if run is None:
            known = self._early[progress.run_id]
            known[progress.part] = max(progress.delivered_until, known.get(progress.part, -1.0))
            return
        if run.has_ended or not 0 <= progress.part < len(run.parts):
            return
        part, tick = run.parts[progress.part], run.tick_at(progress.delivered_until)
        if tick >= part.delivered:
            part.delivered = tick
            self._finish_if_whole(run)
        elif part.is_ours:
            # Written by a simulator that had it before.
            _ = ensureDeferred(self._record(part, part.delivered))

    def take(self, partitions: Iterable[int]) -> None:
        """Begin to publish the parts in these partitions."""
        self.partitions.update(partitions)
        for run in self.runs.values():
            self._follow(run)

    def release(self, partitions: Iterable[int]) -> Deferred[bool]:
        """Stop publishing the parts in these partitions; fires when all they published is delivered."""
        return ensureDeferred(self._release(self._end(partitions)))

    def lose(self, partitions: Iterable[int]) -> None:
        """Stop publishing the parts in these partitions at once."""
        self._end(partitions)

    def stop(self, patience: float) -> Deferred[bool]:
        """Stop publishing, after the batch in hand, and leave the log.

        Fires with True when all that was published is delivered and recorded, or with False after `patience`
        seconds.
        """
        self.stopping = True
        stopped = ensureDeferred(self.race_log.close())
        # Of `IReactorTime` it uses what a `Reactor` has.
        return stopped.addTimeout(patience, self._reactor).addErrback(_gave_up)  # type: ignore[arg-type]

    def lag(self) -> float:
        """Return the seconds by which the most overdue tick is late."""
        now = self._reactor.seconds()
        due = [at for part in self._ours() if (at := part.next_due()) is not None]
        return max(0.0, now - min(due, default=now))

    def ours(self) -> list[Part]:
        """Return the parts that this simulator publishes."""
        return list(self._ours())

    def _ours(self) -> Iterable[Part]:
        return (part for run in self.runs.values() for part in run.parts if part.is_ours)

    def _is_assigned(self, part: Part) -> bool:
        number = partition_of(part.run.run_id, part.number, self.race_log.partitions)
        return number in self.partitions

    def _leads(self, run: Run) -> bool:
        """Whether this simulator takes the steps of a race: the one with its first part."""
        return self._is_assigned(run.parts[0]) and not self.stopping

    def _follow(self, run: Run) -> None:
        """Do what a race's state asks for."""
        if run.has_ended:
            self._retire(run)
            return
        for part in run.parts:
            if part.is_ours:
                self._enqueue(part)
            elif self._is_assigned(part):
                self._begin(part)
        self._finish_if_whole(run)

    def _retire(self, run: Run) -> None:
        """Free what a race has that has ended, but for the part whose tick is in hand."""
        for part in run.parts:
            if part.is_ours and part is not self._served:
                part.retire()
                self._move_on(part)
                _ = ensureDeferred(self._tried(self.race_log.forget(run.run_id, part.number)))
        if not any(part.is_ours for part in run.parts):
            run.forget_field()

    def _begin(self, part: Part) -> None:
        part.begin(self._reactor.seconds())
        if part.next_tick == 0:
            # Course and competitors may not have been published.
            if part.number == 0:
                part.outbox.append(lambda: [CourseRecord(part.run.course)])
            part.outbox.append(lambda: entries_of(part.source, BATCH))
        self._enqueue(part)

    def _end(self, partitions: Iterable[int]) -> list[Part]:
        self.partitions.difference_update(partitions)
        ended = [part for part in self._ours() if not self._is_assigned(part)]
        for part in ended:
            part.end()
        return ended

    async def _release(self, parts: list[Part]) -> bool:
        while self._served in parts:
            await _shared(self._served_one)
        await self._publisher.flushed()
        behind = [part for part in parts if part.next_tick - 1 > part.delivered and not part.run.has_ended]
        writing = [ensureDeferred(self._record(part, part.next_tick - 1)) for part in behind]  # all at once
        for one in writing:
            await one
        return True

    # The engine's own records.

    def _finish_if_whole(self, run: Run) -> None:
        if self._leads(run) and run.is_drawn and not run.has_ended and run.is_whole:
            _ = ensureDeferred(self._step(run, "finish"))

    async def _step(self, run: Run, step: Step | None, later_than: int = 0) -> None:
        """Write a step, or the same state again, until the log has it."""
        if run.is_stepping:
            return
        run.is_stepping = True
        status = run.status
        try:
            while run.status == status and self._leads(run):
                record = changed(run.record, step, max(self._now_ms(), later_than + 1))
                record = replace(record, delivered_until=_least_delivered(run))
                if not await self._tried(self._append(record)):
                    await after(self._reactor, RETRY)
                elif step is None:
                    return
        finally:
            run.is_stepping = False
            self._finish_if_whole(run)

    def _move_on(self, part: Part) -> None:
        """Move the clock of a race that stands on to what was published until the log said so."""
        if part.next_tick > 0:
            _ = ensureDeferred(self._moved_on(part.run, part.next_tick - 1))

    async def _moved_on(self, run: Run, tick: int) -> None:
        while run.status in STANDING and tick > run.due(run.record.updated_at / 1000) and not self.stopping:
            if not await self._tried(self._append(moved_on(run.record, run.time_of(tick), self._now_ms()))):
                await after(self._reactor, RETRY)

    async def _record(self, part: Part, tick: int) -> bool:
        """Write how far a part is delivered; return whether the log took it."""
        return await self._tried(self.race_log.record(self._progress(part, tick)))

    async def _tried(self, writing: Awaitable[object]) -> bool:
        """Wait for the log; return whether it took the record, and note why not."""
        try:
            await writing
        except PublishError as error:
            self._note(str(error))
            return False
        self.trouble = None
        return True

    def _progress(self, part: Part, tick: int) -> Progress:
        run = part.run
        delivered_until = run.time_of(max(tick, part.delivered))
        return Progress(run.run_id, part.number, delivered_until, self._now_ms())

    # The loop.

    def _enqueue(self, part: Part) -> None:
        """Queue a part, now or when its next tick is due."""
        part.silence()
        if not part.is_ours:
            return
        if not part.run.is_drawn:
            self._draw(part.run)
            return
        # Read the clock once: a tick could become due between two readings, and no alarm can be in the past.
        due, now = part.next_due(), self._reactor.seconds()
        if part.outbox or (due is not None and due <= now):
            self._come_to(part)
        elif due is not None:
            part.alarm = self._reactor.callLater(due - now, self._come_to, part)
        else:
            self._move_on(part)

    def _draw(self, run: Run) -> None:
        """Draw the field in a thread, once for all parts, and come back."""
        if run.is_being_drawn:
            return
        run.is_being_drawn = True

        def failed(failure: Failure) -> None:
            self._log.error("race failed, retrying", run_id=run.run_id, exc_info=exc_info(failure))
            self._reactor.callLater(RETRY, self._follow, run)

        def over(result: Any) -> Any:
            run.is_being_drawn = False
            return result

        drawing = self.in_thread(run.draw).addBoth(over)
        _ = drawing.addCallback(lambda _: self._follow(run)).addErrback(failed)

    def _come_to(self, part: Part) -> None:
        if part.queued or not part.is_ours:
            return
        part.queued = True
        self._queue.append(part)
        if not self._working:
            self._working = True
            self._reactor.callLater(0, lambda: ensureDeferred(self._work()))

    async def _work(self) -> None:
        """Serve the queue until it is empty."""
        while self._queue:
            part = self._served = self._queue.popleft()
            part.queued = False
            try:
                if part.is_ours:
                    await self._serve(part)
                self._check()
                self._enqueue(part)
            except _NotOursError:
                pass
            except Exception:  # noqa: BLE001 - a bug in one race must not stop the others
                self._log.error("race failed, retrying", part=part.name, exc_info=True)
                part.alarm = self._reactor.callLater(RETRY, self._enqueue, part)
            self._served = None
            if part.run.has_ended:
                self._retire(part.run)
            served, self._served_one = self._served_one, Deferred()
            served.callback(None)
        self._working = False

    async def _serve(self, part: Part) -> None:
        """Publish the next piece of a part: its oldest waiting batches, or its next tick if that is due."""
        if part.outbox:
            await self._publish_all(part, part.outbox[0]())
            part.outbox.popleft()
            return
        run, due = part.run, part.next_due()
        if due is None or due > self._reactor.seconds():
            return
        if run.status == "scheduled":
            _ = ensureDeferred(self._step(run, "start"))
            return
        tick, source = part.next_tick, part.source
        began = self._reactor.seconds()
        # Passings first: a consumer that sees a finisher's position can then find the passing.
        await self._publish_all(part, passings_until(source, tick, BATCH))
        await self._publish_all(part, positions_at(source, tick, BATCH))
        if part.mats is not None:
            await self._publish_all(part, reads_until(part.mats, tick, BATCH))
        part.next_tick = tick + 1
        self.counts.count_tick(began - due, self._reactor.seconds() - began)
        if part.is_over:
            self._ask(part)

    def _check(self) -> None:
        """Ask for each part that needs it whether its events are delivered; renew the records of races."""
        now = self._reactor.seconds()
        # Called after every tick, so check all parts once a second at most.
        if now < self._check_from:
            return
        self._check_from = now + LOOK
        for part in self._ours():
            if part.next_tick - 1 > part.delivered and now - part.checked_at >= CHECK:
                self._ask(part)
        for run in self.runs.values():
            if run.status == "running" and now - run.record.updated_at / 1000 > RENEW and self._leads(run):
                _ = ensureDeferred(self._step(run, None))

    def _ask(self, part: Part) -> None:
        """Ask whether what is published of a part is delivered, and record it."""
        if part.asked_in != part.term:
            part.asked_in = part.term
            _ = ensureDeferred(self._confirm(part, part.term))

    async def _confirm(self, part: Part, term: int) -> None:
        try:
            while part.is_in(term):
                tick = part.next_tick - 1
                part.checked_at = self._reactor.seconds()
                await self._publisher.flushed()
                is_news = part.is_in(term) and tick > part.delivered
                if is_news and not await self._record(part, tick):
                    await after(self._reactor, RETRY)
                elif tick == part.next_tick - 1 or not part.is_in(term) or not part.is_over:
                    return
        finally:
            if part.asked_in == term:
                part.asked_in = -1

    async def _publish_all(self, part: Part, batches: Iterable[Batch]) -> None:
        term = part.term
        for batch in batches:
            await self._publish(part, term, batch)

    async def _publish(self, part: Part, term: int, batch: Batch) -> None:
        """Publish a batch, retrying until it is accepted; the next one waits for the next turn."""
        while True:
            if part.term != term:
                raise _NotOursError
            if isinstance(batch, Positions):
                batch = replace(batch, emitted_at=self._now_ms())
            try:
                await self._publisher.publish(batch)
                break
            except PublishError as error:
                self.counts.retries += 1
                self._note(str(error))
                await after(self._reactor, RETRY)
        self.trouble = None
        if not isinstance(batch, CourseRecord | Progress):
            self.counts.events[batch.topic] += len(batch)
        await after(self._reactor, 0)
        if part.term != term:
            raise _NotOursError

    def _note(self, trouble: str) -> None:
        if self.trouble != trouble:
            self.trouble = trouble
            self._log.error("publishing failed, retrying", why=trouble)

    def _now_ms(self) -> int:
        return int(self._reactor.seconds() * 1000)


def _least_delivered(run: Run) -> float:
    """Race seconds up to which all parts are delivered; -1 if nothing is."""
    return run.time_of(min(part.delivered for part in run.parts))


async def _unknown(_: RaceRecord) -> None:
    """Make no race."""


async def _shared(deferred: Deferred[None]) -> None:
    """Wait for a Deferred that others wait for, too."""
    waiting: Deferred[None] = Deferred()
    _ = deferred.addCallback(waiting.callback)
    await waiting


def _gave_up(failure: Failure) -> bool:
    failure.trap(defer.TimeoutError, PublishError)
    return False
