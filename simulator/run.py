"""A race that is being run: the pure race, and how far it has been told."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from simulator.events import positions_of_all
from simulator.race import Race
from simulator.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.course import Course
    from simulator.events import Batch, Positions, RaceStatus
    from simulator.request import RaceRequest

ENDED: frozenset[RaceStatus] = frozenset({"finished", "cancelled"})


class Run:
    """One race in the engine.

    Attributes:
        asked: the request as it came; `request` is the resolved one.
        status: where the race stands.
        schedule: how its time runs.
        next_tick: the first tick that has not been told whole.
        outbox: what has to be told before the next tick, oldest first.
        updated_at: epoch milliseconds of the newest record.
    """

    def __init__(self, course: Course, request: RaceRequest, asked: RaceRequest) -> None:
        self.course = course
        self.request = request
        self.asked = asked
        self._race: Race | None = Race(course, request)
        self.run_id = self._race.run_id
        self.status: RaceStatus = "scheduled"
        self.schedule = Schedule(self._race.start_ms / 1000, request.speed, request.tick)
        self.next_tick = 0
        self.outbox: deque[Iterable[Batch]] = deque()
        self.updated_at = 0

    @property
    def race(self) -> Race:
        """The race; made again if its field was forgotten, which gives the same one."""
        return self._race or Race(self.course, self.request)

    @property
    def done(self) -> bool:
        """Nothing is left to tell."""
        return self.status in ENDED and not self.outbox

    def forget_field(self) -> None:
        """Give back the memory of a race that has ended."""
        self._race = None

    def next_due(self) -> float | None:
        """Return when the next tick is due, epoch seconds; None if there is none."""
        return None if self.status in ENDED else self.schedule.due_at(self.next_tick)

    @property
    def told_until(self) -> float:
        """Race seconds of the last tick that was told whole; -1 before the first."""
        return (self.next_tick - 1) * self.request.tick if self.next_tick else -1.0

    def positions(self) -> Positions:
        """Return everybody's position at the last tick that was told; before the first, at the start."""
        return positions_of_all(self.race, max(0, self.next_tick - 1))
