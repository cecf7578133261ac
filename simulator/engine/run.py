"""A race in the engine: the pure race, its newest record, and how far its parts are published."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from math import floor

from twisted.internet.base import DelayedCall

from simulator.course.course import Course
from simulator.log.schedule import Schedule
from simulator.log.states import clock_of
from simulator.race import cut_offs
from simulator.race.events import (
    Batch,
    Positions,
    RaceRecord,
    RaceSource,
    positions_of_all,
    record_of,
)
from simulator.race.race import Race
from simulator.race.reads import Mats
from simulator.race.request import RaceRequest
from stream.parts import parts_of
from stream.race_states import ENDED, RaceState

LONG_REQUEST = 100_000
"""Length of a request, characters, above which it is not kept once its race has ended."""


def fingerprint(request: RaceRequest) -> bytes:
    """Return a digest that identifies a request without keeping it: it may contain 100,000 points."""
    return sha256(request.model_dump_json().encode()).digest()


def drawn(course: Course, request: RaceRequest, asked: RaceRequest | None = None) -> "Run":
    """Return a run with its field; for a thread, because a large one takes tenths of a second."""
    run = Run(course, request, asked)
    run.draw()
    return run


class Run:
    """One race in the engine.

    Args:
        course: the course.
        request: the resolved request.
        asked: the original request; None if it is no longer known.
        source: provides the events of a race that isn't simulated.

    Attributes:
        request: the resolved request without its points: the course has them.
        start_ms: the gun time, epoch milliseconds.
        cut_offs: its time limits, or None.
        list_warnings: what was corrected, assumed or left out when its start list was read.
        record: its newest record that counts; before the log has one, that of a race to come.
        parts: the parts in which it is published.
        is_stepping: the engine is writing a record of its own.
        is_being_drawn: a thread draws its field.

    Raises CutOffError if its cut-offs don't fit the course.
    """

    def __init__(
        self,
        course: Course,
        request: RaceRequest,
        asked: RaceRequest | None = None,
        source: RaceSource | None = None,
    ) -> None:
        self.course = course
        self.request = request.model_copy(update={"points": None})
        self.list_warnings = () if request.listed is None else request.listed.warnings
        self.cut_offs = cut_offs.of(course, request)
        self.run_id, self.start_ms = request.identity()
        self._asked = None if asked is None else fingerprint(asked)
        self._recorded = source
        self._race: Race | None = None
        self._mats: Mats | None = None
        self.record: RaceRecord = record_of(self, "scheduled", 0, request.text())
        ranges = parts_of(request.competitors) if source is None else (source.members,)
        self.parts = tuple(Part(self, number, members) for number, members in enumerate(ranges))
        self.is_stepping = False
        self.is_being_drawn = False

    def first_record(self, now_ms: int) -> RaceRecord:
        """Return the record that creates the race."""
        status: RaceState = "scheduled" if self.start_ms > now_ms else "running"
        return replace(self.record, status=status, updated_at=now_ms)

    @property
    def status(self) -> RaceState:
        """The state of the race."""
        return self.record.status

    @property
    def has_ended(self) -> bool:
        """The race is in a final state."""
        return self.status in ENDED

    @property
    def schedule(self) -> Schedule:
        """Maps its race time to wall time."""
        return clock_of(self.record, self.request.tick)

    @property
    def race(self) -> Race:
        """The race; drawn, identically each time, if its field was dropped or not drawn yet."""
        race = self._race or Race(self.course, self.request)
        if not self.has_ended:
            self._race = race
        return race

    @property
    def mats(self) -> Mats | None:
        """The timing mats whose raw reads are published; None if none are."""
        if not self.request.chip_reads or self._recorded is not None:
            return None
        mats = self._mats or Mats(self.race)
        if not self.has_ended:
            self._mats = mats
        return mats

    def draw(self) -> None:
        """Draw all that events need."""
        _ = self.race.last_tick
        if self.mats is not None:
            self.mats.draw()

    @property
    def is_drawn(self) -> bool:
        """Its events can be computed at once."""
        return self._recorded is not None or self._race is not None

    @property
    def source(self) -> RaceSource:
        """The source of the events: the race itself, or a recording."""
        return self._recorded or self.race

    @property
    def start_at(self) -> datetime:
        """The gun time."""
        return self.request.start_at or datetime.fromtimestamp(self.schedule.start, UTC)

    @property
    def is_whole(self) -> bool:
        """All of it is delivered."""
        return all(part.delivered >= self.source.last_tick for part in self.parts)

    def was_asked_by(self, request: RaceRequest) -> bool:
        """Return whether a request is the one that created this race."""
        if self._asked is not None:
            return self._asked == fingerprint(request)
        # After a restart only the resolved request is known.
        made, name, seed = self.request, self.request.name or "", self.request.seed or 0
        again = request.resolved(run_id=self.run_id, name=name, seed=seed, start_at=self.start_at)
        return fingerprint(again.model_copy(update={"points": None})) == fingerprint(made)

    def forget_field(self) -> None:
        """Free the memory of a race that has ended."""
        self._race = self._mats = None
        if len(self.record.request) > LONG_REQUEST:
            self.record = replace(self.record, request="")
        for part in self.parts:
            part.forget()

    def published(self, now: float) -> int:
        """Return the last tick that is published, -1 before the first.

        Parts that other simulators publish are taken to be on time.
        """
        if self.status == "finished":
            return self.tick_at(self.record.delivered_until)
        due = self.due(self.record.updated_at / 1000 if self.has_ended else now)
        own = [part.next_tick - 1 for part in self.parts if part.is_ours or part.has_retired]
        last = [self.source.last_tick] if self.is_drawn else []
        return max(-1, min([due, *last, *own]))

    def due(self, now: float) -> int:
        """Return the last tick that is due, negative before the first."""
        # 100 ticks of 1.15 s are 114.99999999999999 s.
        return floor(round(self.schedule.race_time(now) / self.request.tick, 6))

    def published_until(self, now: float) -> float:
        """Return the race seconds of the last tick that is published; -1 before the first."""
        return self.time_of(self.published(now))

    def positions(self, now: float) -> Positions:
        """Return all positions at the last published tick; before the first, at the start."""
        return positions_of_all(self.race, max(0, self.published(now)))

    def time_of(self, tick: int) -> float:
        """Return the race seconds of a tick; -1 before the first."""
        return tick * self.request.tick if tick >= 0 else -1.0

    def tick_at(self, time: float) -> int:
        """Return the tick of race seconds; -1 before the first."""
        return round(time / self.request.tick) if time >= 0 else -1


class Part:
    """A part of a race, which one simulator publishes.

    Args:
        run: the race.
        number: 0, 1, …
        members: the indices of its competitors.

    Attributes:
        delivered: the last tick up to which everything is known to be delivered, by the log; -1 before the
            first.
        is_ours: this simulator publishes it.
        term: rises whenever that ends: what was begun in an earlier term stops.
        has_retired: this simulator published it when the race ended.
        asked_in: the term in which the engine waits for the delivery of what is published; -1 if it does not.
        next_tick: the first tick that has not been published completely.
        outbox: batches to publish before the next tick, oldest first; each can be repeated from its start.
        checked_at: epoch seconds when its delivery was last asked for.
        queued: it is in the engine's queue.
        alarm: the scheduled call for the next tick.
    """

    def __init__(self, run: Run, number: int, members: range) -> None:
        self.run = run
        self.number = number
        self.members = members
        self.delivered = -1
        self.is_ours = False
        self.term = 0
        self.has_retired = False
        self.asked_in = -1
        self.next_tick = 0
        self.outbox: deque[Callable[[], Iterable[Batch]]] = deque()
        self.checked_at = 0.0
        self.queued = False
        self.alarm: DelayedCall | None = None
        self._source: RaceSource | None = None
        self._mats: Mats | None = None

    @property
    def name(self) -> str:
        """What logs call it: the run id, and the number of the part."""
        return f"{self.run.run_id}/{self.number}"

    @property
    def source(self) -> RaceSource:
        """The source of its events."""
        if self._source is None:
            whole = self.run.source
            is_all = len(self.run.parts) == 1
            self._source = whole if is_all else whole.part(self.members.start, self.members.stop)
        return self._source

    @property
    def mats(self) -> Mats | None:
        """The timing mats whose raw reads of its members are published; None if none are."""
        if self._mats is None and (whole := self.run.mats) is not None and isinstance(self.source, Race):
            self._mats = whole.part(self.source)
        return self._mats

    def begin(self, now: float) -> None:
        """Continue after what is delivered."""
        self.is_ours = True
        self.next_tick = self.delivered + 1
        self.checked_at = now
        self.outbox.clear()

    def is_in(self, term: int) -> bool:
        """Return whether this simulator still publishes it in this term."""
        return self.is_ours and self.term == term and not self.run.has_ended

    def end(self) -> None:
        """Stop."""
        self.term += self.is_ours
        self.is_ours = False
        self.silence()

    def retire(self) -> None:
        """Stop, because the race has ended."""
        self.has_retired = True
        self.end()

    def silence(self) -> None:
        """Drop the scheduled call."""
        if self.alarm is not None and self.alarm.active():
            self.alarm.cancel()
        self.alarm = None

    def forget(self) -> None:
        """Free the memory."""
        self._source = self._mats = None
        self.outbox.clear()

    def next_due(self) -> float | None:
        """Return when the next tick is due, epoch seconds; None if there is none.

        The gun of a scheduled race is due for its first part only.
        """
        run = self.run
        if run.has_ended or not run.is_drawn or self.is_over:
            return None
        if run.status == "scheduled" and (self.number > 0 or run.is_stepping):
            return None
        return run.schedule.due_at(self.next_tick)

    @property
    def is_over(self) -> bool:
        """All its ticks are published."""
        return self.next_tick > self.run.source.last_tick
