"""The results table: times, order, places, columns and CSV. Used by the API, `export` and the dashboard.

Gun time counts from the gun of the competitor's own wave, chip time from crossing the start line. Places go
by gun time, as in the rules of World Athletics (TR19.24.6: the official time counts from the start signal),
or by chip time where the organiser wants that. The official time is the time that places go by, rounded up to
the whole second (TR19.24.5). Places go by the exact times, because the order of arrival decides, so only
equal ones share a place. A disqualified competitor keeps the times but has no place.

All values are computed from times rounded to the millisecond, as published, so the core and the stores give
the same results.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Literal, NamedTuple

import numpy as np

from stream.arrays import Floats, Ints, Mask, Texts
from stream.csv_text import csv_head, csv_lines, harmless

Rank = Literal["gun", "chip"]
"""The time that places go by."""

WAVE_DELAY = 60.0
"""Seconds between the guns of two waves in a race whose request does not say."""
DECIMALS = 3
"""Times have milliseconds, distances millimetres."""
CUT_OFF = "cut_off"
"""Name of the column with the cut-off that has stopped a competitor."""
GROUPS = {"finished": 0, "dsq": 2, "dnf": 3, "dns": 4}
"""Sort order by status; all others (on the course or not yet started) are 1."""


class Entrant(NamedTuple):
    """A competitor in the start list. The sex is F, M, X (another), or empty if it is not known."""

    bib: int
    name: str
    category: str
    club: str
    wave: int
    sex: str = ""


class Line(NamedTuple):
    """One competitor's results, without the splits.

    Times are in seconds, distances in metres. `place` and `category_place` are None without a place.
    `official_time`, `gun_time`, `chip_time` and `behind` (the first finisher, by the time that places go by)
    are None before the finish.
    `pace` (seconds per kilometre from the own start) is None before the first metre.
    """

    place: int | None
    category_place: int | None
    bib: int
    name: str
    category: str
    sex: str
    club: str
    wave: int
    status: str
    official_time: int | None
    gun_time: float | None
    chip_time: float | None
    distance: float
    behind: float | None
    pace: float | None


@dataclass(frozen=True, eq=False)
class Standings:
    """The order of n competitors; all arrays of shape (n,) by competitor.

    Attributes:
        time: seconds that places go by.
        order: indices in sort order.
        place, category_place: 0 for competitors without one.
        behind: seconds after the first finisher; NaN without a place.
    """

    time: Floats
    order: Ints
    place: Ints
    category_place: Ints
    behind: Floats


class Times(NamedTuple):
    """Seconds since the own wave's gun and since the own start, to the millisecond."""

    gun: Floats
    chip: Floats


def wave_guns(wave: Ints, delay: float) -> Floats:
    """Return the seconds from the first gun to the gun of each wave (1…); waves start `delay` apart."""
    return np.round((wave - 1) * delay, DECIMALS)


def since(elapsed: Floats, moment: Floats) -> Floats:
    """Return the seconds from a moment (a gun, a start) to another; both are seconds after the first gun."""
    return np.round(np.round(elapsed, DECIMALS) - np.round(moment, DECIMALS), DECIMALS)


def official(seconds: Floats) -> Floats:
    """Round exact times up to the whole second."""
    return np.ceil(np.round(seconds, DECIMALS))


def stand(bib: Ints, status: Texts, time: Floats, distance: Floats, category: Sequence[str]) -> Standings:
    """Sort competitors: finishers by time, those on the course by distance, then the others.

    Args:
        bib: shape (n,), like all others.
        status: the statuses of the topic `parkrun`.
        time: of finishers the seconds that places go by, to the millisecond.
        distance: metres.
        category: n categories.
    """
    distance = np.round(distance, DECIMALS)
    placed = np.flatnonzero(status == "finished")
    taken = time[placed]
    numbers: dict[str, int] = {}
    categories = np.array([numbers.setdefault(name, len(numbers)) for name in category], np.int64)
    place, category_place = np.zeros((2, len(bib)), np.int64)
    place[placed] = shared_places(taken, np.zeros(len(placed), np.int64))
    category_place[placed] = shared_places(taken, categories[placed])
    behind = np.full(len(bib), np.nan)
    behind[placed] = taken - taken.min(initial=np.inf)
    group = np.select([status == name for name in GROUPS], list(GROUPS.values()), 1)
    within = np.select([group == 0, group == 1], [time, -distance], 0.0)
    return Standings(time, np.lexsort((bib, within, group)), place, category_place, behind)


def lines(
    who: Ints,
    standings: Standings,
    entrants: Sequence[Entrant],
    columns: tuple[Texts, Times, Floats],
) -> list[Line]:
    """Return the result lines of some competitors.

    Args:
        who: their indices, shape (k,).
        standings: of all.
        entrants: theirs, k of them.
        columns: their status, times (of finishers those at the finish) and distance (m), each of shape (k,).
    """
    status, times, distance = columns
    distance = np.round(distance, DECIMALS)
    finished = (status == "finished") | (status == "dsq")
    pace = np.divide(times.chip, distance / 1000.0, out=np.full(len(who), np.nan), where=distance > 0)
    values = (
        _whole(official(standings.time[who]), finished),
        rounded(np.where(finished, times.gun, np.nan)),
        rounded(np.where(finished, times.chip, np.nan)),
        rounded(distance),
        rounded(standings.behind[who]),
        rounded(pace),
    )
    places = standings.place[who].tolist(), standings.category_place[who].tolist()
    return [
        Line(
            place or None,
            among or None,
            who.bib,
            who.name,
            who.category,
            who.sex,
            who.club,
            who.wave,
            state,
            *numbers,
        )
        for place, among, who, state, *numbers in zip(
            *places, entrants, status.tolist(), *values, strict=True
        )
    ]


def rounded(column: Floats) -> list[float | None]:
    """Round to the millisecond or millimetre; NaN becomes None."""
    numbers = np.round(column, DECIMALS).astype(object)
    numbers[np.isnan(column)] = None
    values: list[float | None] = numbers.tolist()
    return values


def _whole(seconds: Floats, known: Mask) -> list[int | None]:
    return [int(value) if is_known else None for value, is_known in zip(seconds, known, strict=True)]


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
    chunks: Iterable[tuple[Iterable[Line], Iterable[Iterable[float | None]], Iterable[str]]],
    *,
    has_cut_offs: bool,
) -> Iterator[bytes]:
    """Yield the results as UTF-8 CSV with a byte order mark: a column per field of `Line` and per split.

    Races with cut-offs have one more, at the end.

    Args:
        splits: name and lap of each split, by distance.
        chunks: lines with their split times (gun time in seconds), and with the names of the cut-offs that
            have stopped them, if the race has some.
        has_cut_offs: whether it has.
    """
    last = [CUT_OFF] if has_cut_offs else []
    names = split_names(((harmless(point), lap) for point, lap in splits), [*Line._fields, *last])
    yield csv_head([*Line._fields, *names, *last]).encode()
    for some, times, stopped in chunks:
        ends = ([harmless(name)] for name in stopped) if has_cut_offs else repeat([])
        rows = (
            [*map(_cell, line), *map(_cell, at), *end]
            for line, at, end in zip(some, times, ends, strict=False)
        )
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


def shared_places(times: Floats, group: Ints) -> Ints:
    """Return places by time within each group (0…), all of shape (k,); equal times share a place."""
    order = np.lexsort((times, group))
    nth = np.arange(len(order))
    opens = np.diff(group[order], prepend=-1) != 0
    slower = opens | (np.diff(times[order], prepend=-np.inf) != 0)
    ahead = np.maximum.accumulate(np.where(slower, nth, 0)) - np.maximum.accumulate(np.where(opens, nth, 0))
    places = np.empty(len(order), np.int64)
    places[order] = ahead + 1
    return places
