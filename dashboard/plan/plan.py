"""A plan as the API answers it: how crowded a race would be, minute by minute and place by place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from stream.arrays import Floats, Ints

Quantity = Literal["density", "flow"]


class Level(NamedTuple):
    """A level above which an organiser should act; `source` says where it comes from."""

    quantity: Quantity
    above: float
    source: str


class Warned(NamedTuple):
    """A part of the course that exceeds a level.

    Attributes:
        quantity, level: what is exceeded.
        first, last: metres from the start.
        since, until: minutes from the first gun; the last one excluded.
    """

    quantity: Quantity
    level: float
    first: float
    last: float
    since: int
    until: int


@dataclass(frozen=True, eq=False)
class Plan:
    """A plan with s sections, t minutes, w waves and n competitors.

    Attributes:
        seed: with which the same race can be made.
        first, last: metres from the start of each section, shape (s,).
        width: metres, shape (s,); inf where it is unlimited.
        density: runners per square metre, shape (s, t).
        flow: runners per minute and metre of width, shape (s, t).
        waves: who crosses the start line, shape (w, t).
        waiting: who could start and waits, shape (t,).
        levels: those of the warnings.
        warnings: by distance.
        start: seconds from the first gun to the own start, shape (n,); nan for those who don't start.
        gun_time, chip_time: seconds, shape (n,); nan for those who don't finish.
        lost_at_start, lost_on_course: seconds, shape (n,).
    """

    seed: int
    first: Floats
    last: Floats
    width: Floats
    density: Floats
    flow: Floats
    waves: Ints
    waiting: Floats
    levels: Sequence[Level]
    warnings: Sequence[Warned]
    start: Floats
    gun_time: Floats
    chip_time: Floats
    lost_at_start: Floats
    lost_on_course: Floats

    @property
    def minutes(self) -> int:
        """Minutes from the first gun to the end."""
        return int(self.density.shape[1])

    @property
    def lost(self) -> Floats:
        """The seconds that each competitor loses, shape (n,)."""
        return self.lost_at_start + self.lost_on_course

    @property
    def finish(self) -> Floats:
        """Seconds from the first gun to the finish, shape (n,); nan for those who don't finish."""
        return self.start + self.chip_time

    def level(self, quantity: Quantity) -> Level:
        """The level of a quantity."""
        return next(level for level in self.levels if level.quantity == quantity)


def read(answer: Mapping[str, Any]) -> Plan:
    """The plan in the API's answer."""
    sections, minutes, outcome = answer["sections"], answer["minutes"], answer["outcome"]
    waves = np.array(answer["start"]["waves"], np.int64)
    where = np.array(minutes["section"], np.int64), np.array(minutes["minute"], np.int64)
    density, flow = (np.zeros((len(sections), waves.shape[1])) for _ in range(2))
    density[where], flow[where] = minutes["density"], minutes["flow"]
    return Plan(
        seed=int(answer["seed"]),
        first=_column(section["first"] for section in sections),
        last=_column(section["last"] for section in sections),
        width=_column(np.inf if section["width"] is None else section["width"] for section in sections),
        density=density,
        flow=flow,
        waves=waves,
        waiting=_column(answer["start"]["waiting"]),
        levels=[Level(*(one[name] for name in Level._fields)) for one in answer["levels"]],
        warnings=[Warned(*(one[name] for name in Warned._fields)) for one in answer["warnings"]],
        **{name: _column(outcome[name]) for name in ("start", "gun_time", "chip_time")},
        **{name: _column(answer["competitors"][name]) for name in ("lost_at_start", "lost_on_course")},
    )


def _column(values: Any) -> Floats:
    """A column of numbers; null is nan."""
    return np.array(list(values), np.float64)
