"""A race in the engine: the pure race, and how far it has been published."""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from hashlib import sha256

from twisted.internet.base import DelayedCall

from simulator.course.course import Course
from simulator.engine.schedule import Schedule
from simulator.race.events import Batch, Positions, RaceSource, positions_of_all
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from stream.race_states import ENDED, RaceState


def fingerprint(request: RaceRequest) -> bytes:
    """Return a digest that identifies a request without keeping it: it may contain 100,000 points."""
    return sha256(request.model_dump_json().encode()).digest()


def drawn(course: Course, request: RaceRequest, asked: RaceRequest | None = None) -> "Run":
    """Return a run with its field; for a thread, because a large one takes tenths of a second."""
    run = Run(course, request, asked)
    _ = run.race
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
        request_json: the whole resolved request.
        start_ms: the gun time, epoch milliseconds.
        list_warnings: what was corrected, assumed or left out when its start list was read.
        status: the state of the race.
        schedule: maps its race time to wall time.
        next_tick: the first tick that has not been published completely.
        safe_tick: the last tick up to which everything is known to be delivered; -1 before the first.
        checked_at: epoch seconds when `safe_tick` was last recorded, or of the first tick; 0 before that.
        outbox: batches to publish before the next tick, oldest first; each can be repeated from its start.
        updated_at: epoch milliseconds of the newest record.
        queued: the race is in the engine's queue.
        alarm: the scheduled call for the next tick.
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
        self.list_warnings = () if request.listed is None else request.listed.warnings
        self.run_id, self.start_ms = request.identity()
        self._asked = None if asked is None else fingerprint(asked)
        self._recorded = source
        self._race: Race | None = None
        self.status: RaceState = "scheduled"
        self.schedule = Schedule(self.start_ms / 1000, request.speed, request.tick)
        self.next_tick = 0
        self.safe_tick = -1
        self.checked_at = 0.0
        self.outbox: deque[Callable[[], Iterable[Batch]]] = deque()
        self.updated_at = 0
        self.queued = False
        self.alarm: DelayedCall | None = None

    @property
    def race(self) -> Race:
        """The race; drawn, identically each time, if its field was dropped or not drawn yet."""
        race = self._race or Race(self.course, self.request)
        if self.status not in ENDED:
            self._race = race
        return race

    @property
    def source(self) -> RaceSource:
        """The source of the events: the race itself, or a recording."""
        return self._recorded or self.race

    @property
    def start_at(self) -> datetime:
        """The gun time."""
        return self.request.start_at or datetime.fromtimestamp(self.schedule.start, UTC)

    @property
    def done(self) -> bool:
        """Nothing is left to publish."""
        return self.status in ENDED and not self.outbox

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
        self._race = None
        self.request_json = ""

    def next_due(self) -> float | None:
        """Return when the next tick is due, epoch seconds; None if there is none."""
        return None if self.status in ENDED else self.schedule.due_at(self.next_tick)

    @property
    def published_until(self) -> float:
        """Race seconds of the last tick that was published completely; -1 before the first."""
        return (self.next_tick - 1) * self.request.tick if self.next_tick else -1.0

    def positions(self) -> Positions:
        """Return all positions at the last published tick; before the first, at the start."""
        return positions_of_all(self.race, max(0, self.next_tick - 1))
