"""The results table: order, places, columns and CSV. Used by the API, `export` and the dashboard.

Places go by gun time, as in the rules of World Athletics and UK Athletics; chip time, from a competitor's own
start, is listed beside it. Equal gun times share a place. A disqualified competitor keeps the times but has
no place. All values are computed from times rounded to the millisecond, as published, so the core and the
stores give the same results.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stream.arrays import Floats, Ints, Texts
from stream.csv_text import csv_lines, harmless

DECIMALS = 3
"""Times have milliseconds, distances millimetres."""
GROUPS = {"finished": 0, "dsq": 2, "dnf": 3, "dns": 4}
"""Sort order by status; all others (on the course or not yet started) are 1."""


class Entrant(NamedTuple):
    """A competitor in the start list."""

    bib: int
    name: str
    category: str
    club: str
    wave: int


class Line(NamedTuple):
    """One competitor's results, without the splits.

    Times are in seconds, distances in metres. `place` and `category_place` are None without a place.
    `gun_time`, `chip_time` and `behind` (gun time after the first finisher) are None before the finish.
    `pace` (seconds per kilometre from the own start) is None before the first metre.
    """

    place: int | None
    category_place: int | None
    bib: int
    name: str
    category: str
    club: str
    wave: int
    status: str
    gun_time: float | None
    chip_time: float | None
    distance: float
    behind: float | None
    pace: float | None


@dataclass(frozen=True, eq=False)
class Standings:
    """The order of n competitors; all arrays of shape (n,) by competitor.

    Attributes:
        order: indices in sort order.
        place, category_place: 0 for competitors without one.
        behind: seconds after the first finisher; NaN without a place.
    """

    order: Ints
    place: Ints
    category_place: Ints
    behind: Floats


def stand(bib: Ints, status: Texts, elapsed: Floats, distance: Floats, category: Sequence[str]) -> Standings:
    """Sort competitors: finishers by gun time, those on the course by distance, then the others.

    Args:
        bib: shape (n,), like all others.
        status: the statuses of the topic `parkrun`.
        elapsed: gun time in seconds.
        distance: metres.
        category: n categories.
    """
    elapsed, distance = np.round(elapsed, DECIMALS), np.round(distance, DECIMALS)
    placed = np.flatnonzero(status == "finished")
    gun = elapsed[placed]
    numbers: dict[str, int] = {}
    categories = np.array([numbers.setdefault(name, len(numbers)) for name in category], np.int64)
    place, category_place = np.zeros((2, len(bib)), np.int64)
    place[placed] = _places(gun, np.zeros(len(placed), np.int64))
    category_place[placed] = _places(gun, categories[placed])
    behind = np.full(len(bib), np.nan)
    behind[placed] = gun - gun.min(initial=np.inf)
    group = np.select([status == name for name in GROUPS], list(GROUPS.values()), 1)
    within = np.select([group == 0, group == 1], [elapsed, -distance], 0.0)
    return Standings(np.lexsort((bib, within, group)), place, category_place, behind)


def lines(
    who: Ints,
    standings: Standings,
    entrants: Sequence[Entrant],
    columns: tuple[Texts, Floats, Floats, Floats],
) -> list[Line]:
    """Return the result lines of some competitors.

    Args:
        who: their indices, shape (k,).
        standings: of all.
        entrants: theirs, k of them.
        columns: their status, gun time (s), own start (s after the gun) and distance (m), each of shape (k,).
    """
    status, *numbers = columns
    elapsed, start, distance = (np.round(column, DECIMALS) for column in numbers)
    own = elapsed - start
    finished = (status == "finished") | (status == "dsq")
    pace = np.divide(own, distance / 1000.0, out=np.full(len(who), np.nan), where=distance > 0)
    values = (
        rounded(np.where(finished, elapsed, np.nan)),
        rounded(np.where(finished, own, np.nan)),
        rounded(distance),
        rounded(standings.behind[who]),
        rounded(pace),
    )
    places = standings.place[who].tolist(), standings.category_place[who].tolist()
    return [
        Line(place or None, among or None, bib, name, category, club, wave, state, *times)
        for place, among, (bib, name, category, club, wave), state, *times in zip(
            *places, entrants, status.tolist(), *values, strict=True
        )
    ]


def rounded(column: Floats) -> list[float | None]:
    """Round to the millisecond or millimetre; NaN becomes None."""
    numbers = np.round(column, DECIMALS).astype(object)
    numbers[np.isnan(column)] = None
    values: list[float | None] = numbers.tolist()
    return values


def split_names(points: Iterable[tuple[str, int]], columns: Iterable[str]) -> tuple[str, ...]:
    """Return unique names for splits (point, lap) that also differ from the other columns."""
    taken: set[str] = set(columns)
    names: list[str] = []
    for point, lap in points:
        name = point if lap == 1 else f"{point} ({lap})"
        while name in taken:
            name += " (split)"
        taken.add(name)
        names.append(name)
    return tuple(names)


def as_csv(
    splits: Iterable[tuple[str, int]],
    chunks: Iterable[tuple[Iterable[Line], Iterable[Iterable[float | None]]]],
) -> Iterator[bytes]:
    """Yield the results as UTF-8 CSV, with a column for each field of `Line` and each split.

    Args:
        splits: name and lap of each split, by distance.
        chunks: lines with their split times (gun time in seconds).
    """
    names = split_names(((harmless(point), lap) for point, lap in splits), Line._fields)
    yield csv_lines([[*Line._fields, *names]]).encode()
    for some, times in chunks:
        rows = ([*map(_cell, line), *map(_cell, at)] for line, at in zip(some, times, strict=True))
        yield csv_lines(rows).encode()


def _cell(value: str | float | None) -> str:
    match value:
        case None:
            return ""
        case str():
            return harmless(value)
        case float():
            return f"{value:.3f}"
        case _:
            return str(value)


def _places(times: Floats, group: Ints) -> Ints:
    """Return places by time within each group (0…), all of shape (k,); equal times share a place."""
    order = np.lexsort((times, group))
    nth = np.arange(len(order))
    opens = np.diff(group[order], prepend=-1) != 0
    slower = opens | (np.diff(times[order], prepend=-np.inf) != 0)
    ahead = np.maximum.accumulate(np.where(slower, nth, 0)) - np.maximum.accumulate(np.where(opens, nth, 0))
    places = np.empty(len(order), np.int64)
    places[order] = ahead + 1
    return places
