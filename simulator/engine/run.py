"""A race that is being run: the pure race, and how far it has been told."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from simulator.engine.schedule import Schedule
from simulator.race.events import positions_of_all
from simulator.race.race import Race
from stream.race_states import ENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simulator.course.course import Course
    from simulator.race.events import Batch, Positions, RaceSource
    from simulator.race.request import RaceRequest
    from simulator.reactor import DelayedCall
    from stream.race_states import RaceState


def fingerprint(request: RaceRequest) -> bytes:
    """Return what tells a request from another one, without keeping it: it may hold 100,000 points."""
    return sha256(request.model_dump_json().encode()).digest()


class Run:
    """One race in the engine.

    Args:
        course: where it is run.
        request: resolved.
        asked: the request as it came; None if that is not known any more.
        source: what tells the race, if it isn't computed.

    Attributes:
        request: the resolved request without its points: the course has them.
        request_json: the whole resolved request.
        status: where the race stands.
        schedule: how its time runs.
        next_tick: the first tick that has not been told whole.
        safe_tick: the last tick up to which everything is known to be delivered; -1 before the first.
        checked_at: when that was last written down, or the first tick told, epoch seconds; 0 before that.
        outbox: what has to be told before the next tick, oldest first; each can be told again from its start.
        updated_at: epoch milliseconds of the newest record.
        queued: the engine will come to it.
        alarm: the engine's call when the next tick is due.
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
        self.request_json = request.text()
        self.run_id, start_ms = request.identity()
        self._asked = None if asked is None else fingerprint(asked)
        self._recorded = source
        self._race: Race | None = None
        self.status: RaceState = "scheduled"
        self.schedule = Schedule(start_ms / 1000, request.speed, request.tick)
        self.next_tick = 0
        self.safe_tick = -1
        self.checked_at = 0.0
        self.outbox: deque[Callable[[], Iterable[Batch]]] = deque()
        self.updated_at = 0
        self.queued = False
        self.alarm: DelayedCall | None = None

    @property
    def race(self) -> Race:
        """The race; made again if its field was forgotten, which gives the same one."""
        if self.status in ENDED:
            return Race(self.course, self.request)
        if self._race is None:
            self._race = Race(self.course, self.request)
        return self._race

    @property
    def source(self) -> RaceSource:
        """What tells the race: itself, or a recording."""
        return self._recorded or self.race

    @property
    def start_at(self) -> datetime:
        """When the gun goes or went."""
        return self.request.start_at or datetime.fromtimestamp(self.schedule.start, UTC)

    @property
    def done(self) -> bool:
        """Nothing is left to tell."""
        return self.status in ENDED and not self.outbox

    def was_asked_by(self, request: RaceRequest) -> bool:
        """Tell whether a request is the one that this race came of."""
        if self._asked is not None:
            return self._asked == fingerprint(request)
        # Of a race of before only the resolved request is known.
        made = self.request
        start = made.start_at or self.start_at
        again = request.resolved(
            run_id=self.run_id, name=made.name or "", seed=made.seed or 0, start_at=start
        )
        return fingerprint(again.model_copy(update={"points": None})) == fingerprint(made)

    def forget_field(self) -> None:
        """Give back the memory of a race that has ended."""
        self._race = None
        self.request_json = ""

    def next_due(self) -> float | None:
        """Return when the next tick is due, epoch seconds; None if there is none."""
        return None if self.status in ENDED else self.schedule.due_at(self.next_tick)

    @property
    def published_until(self) -> float:
        """Race seconds of the last tick that was told whole; -1 before the first."""
        return (self.next_tick - 1) * self.request.tick if self.next_tick else -1.0

    def positions(self) -> Positions:
        """Return everybody's position at the last tick that was told; before the first, at the start."""
        return positions_of_all(self.race, max(0, self.next_tick - 1))
