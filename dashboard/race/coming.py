"""Who comes next: the competitors who are about to reach the finish or another timing point. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dashboard.race.forecasts import RaceForecasts
from dashboard.race.snapshot import Snapshot
from dashboard.race.split_times import Point, SplitTimes
from dashboard.store.protocol import OUT
from stream.arrays import Floats, Ints
from stream.courses import TimingPoint
from stream.forecasts import forecast as model
from stream.results import Rank, since, split_names

NEXT = 12
"""Competitors listed."""
NEAREST = 300
"""Competitors before a timing point whose arrival at it is forecast; others come later than these."""

_MIDDLE = model.LEVELS.index(0.5)
_SUFFIXES = {"enter": " · entry", "exit": " · exit"}


class Coming(NamedTuple):
    """One who is about to arrive.

    Attributes:
        bib: number.
        there: race seconds of the arrival: the forecast, and the ends of its 80 % interval.
        place: the expected place, by the time that places go by; None if it is not known.
    """

    bib: int
    there: Sequence[float]
    place: int | None


@dataclass(frozen=True, eq=False)
class _Arrivals:
    """Arrivals at one point, k of them.

    Attributes:
        bib: shape (k,).
        there: race seconds, shape (k, 3).
        own: the time that places go by, seconds, shape (k,).
    """

    bib: Ints
    there: Floats
    own: Floats


def labels(points: Sequence[TimingPoint]) -> tuple[str, ...]:
    """Unique names of timing points, as links have them."""
    named = ((point.name + _SUFFIXES.get(point.kind, ""), point.lap) for point in points)
    return split_names(named, ())


def chosen(points: Sequence[TimingPoint], label: str) -> int:
    """The index of the point with this label; that of the last one, the finish, if there is none."""
    known = labels(points)
    return known.index(label) if label in known else len(points) - 1


def coming(
    forecasts: RaceForecasts, newest: tuple[Snapshot, SplitTimes], point: int, rank: Rank, finishes: Floats
) -> list[Coming]:
    """The next arrivals at a timing point, at most `NEXT`, the first one first.

    Args:
        forecasts: of the race.
        newest: the race, which may be newer than the forecasts, and its passings.
        point: index of the timing point.
        rank: the time that places go by.
        finishes: these times of all finishers, in seconds, rising.
    """
    if not len(forecasts.competitor):
        return []
    snapshot, splits = newest
    at = forecasts.points[point]
    found = _at_finish(forecasts, rank) if at.kind == "finish" else _before(forecasts, point, rank)
    bibs = snapshot.positions.competitor
    there = splits.at(Point(at.kind, at.name, at.lap), bibs)
    is_gone = ~np.isnan(there) | np.isin(snapshot.positions.status, ("finished", *OUT))
    left = np.flatnonzero(~np.isin(found.bib, bibs[is_gone]))
    order = left[np.lexsort((found.bib[left], found.there[left, _MIDDLE]))][:NEXT]
    passed = finishes
    if at.kind != "finish":
        zero = snapshot.standing.guns if rank == "gun" else snapshot.standing.starts
        passed = since(there, zero)[snapshot.positions.status != "dsq"]
    times = np.concatenate([passed[~np.isnan(passed)], found.own[left]])
    has_place = snapshot.sample is None or (at.kind == "finish" and not snapshot.standing.guns.any())
    return [
        Coming(
            bib=int(found.bib[nth]),
            there=found.there[nth].tolist(),
            place=int((times < found.own[nth]).sum()) + 1 if has_place else None,
        )
        for nth in order.tolist()
    ]


def _at_finish(forecasts: RaceForecasts, rank: Rank) -> _Arrivals:
    found = forecasts.found
    own = found.gun if rank == "gun" else found.chip
    return _Arrivals(forecasts.competitor, found.finish, own[:, _MIDDLE])


def _before(forecasts: RaceForecasts, point: int, rank: Rank) -> _Arrivals:
    """Those who come to a point, the `NEAREST` of them."""
    found, standing = forecasts.found, forecasts.snapshot.standing
    ahead = np.flatnonzero(found.point <= point)
    nearest = ahead[np.lexsort((found.there[ahead, _MIDDLE], -found.point[ahead]))][:NEAREST]
    who = found.who[nearest]
    there = forecasts.arrivals(who, np.array([forecasts.points[point].distance]))[:, 0]
    zero = (standing.guns if rank == "gun" else standing.starts)[who]
    return _Arrivals(forecasts.competitor[nearest], there, there[:, _MIDDLE] - zero)
