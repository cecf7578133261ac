"""What a torture gives: one row of a table, and whether the system has held."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import nan


@dataclass(frozen=True)
class Fault:
    """What a fault has done to a race.

    Attributes:
        what: the fault, and with which store.
        tried: how many times.
        expected: events of the undisturbed race: positions, passings and competitors.
        found: those of them that are there.
        made_up: events that are there and aren't of the undisturbed race.
        reordered: in a topic, positions that arrive behind one of the same competitor that the race tells
            later; in a store that keeps the newest, competitors whose newest isn't their last.
        recoveries: seconds each time, from the end of the fault until all is told again that is due.
        memory: MiB by which the simulator grew meanwhile; NaN if it wasn't measured.
    """

    what: str
    tried: int
    expected: int
    found: int
    made_up: int
    reordered: int
    recoveries: list[float] = field(default_factory=list)
    memory: float = nan

    @property
    def lost(self) -> int:
        """Events of the undisturbed race that aren't there."""
        return self.expected - self.found

    @property
    def held(self) -> bool:
        """Nothing was lost, made up or reordered."""
        return self.expected > 0 and (self.lost, self.made_up, self.reordered) == (0, 0, 0)


@dataclass(frozen=True)
class Hostile:
    """What hostile input has done.

    Attributes:
        what: the input, and to what.
        tried: how many inputs.
        taken: those that were accepted.
        refused: those that were refused with an error that names what is wrong.
        broken: descriptions of those that did anything else: a crash, a 5xx, something invalid accepted, a
            limit of time or memory passed.
        slowest: seconds that the slowest took.
        memory: MiB that the greediest took at its peak, above what the process had before; NaN if it wasn't
            measured.
    """

    what: str
    tried: int
    taken: int
    refused: int
    broken: list[str]
    slowest: float
    memory: float = nan

    @property
    def held(self) -> bool:
        """All were taken or refused."""
        return not self.broken and self.tried == self.taken + self.refused > 0
