"""The results of a race: everybody's times, paces and stays. Pure: positions and passings in, arrays out."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.race import leaderboard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from dashboard.race.split_times import Point, SplitTimes, Visits
    from dashboard.store.protocol import Competitor, Positions

    Floats = NDArray[np.float64]

STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
"""Widths of bins and distances of marks that people can read off a clock."""
MAX_BINS = 40
MAX_MARKS = 8
SHORTEST_STRETCH = 100.0
"""Metres: over less, a pace says more of the clock than of the runner."""

COLUMNS = ("Place", "Bib", "Name", "Chip time", "Gap", "Pace", "Category", "Club", "Status")
"""What the finish list says of everybody, beside the splits."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins so for a formula (OWASP, CSV injection)."""


@dataclass(frozen=True, eq=False)
class Results:
    """A race's results, the first first; n competitors, s splits.

    Attributes:
        bib: shape (n,).
        place: shape (n,); `leaderboard.NO_PLACE` for who has not finished.
        status: shape (n,), of `store.STATUSES`.
        chip: seconds from one's own start to the finish, shape (n,); NaN for who has not finished.
        gap: seconds after the winner at the finish line, shape (n,); NaN for who has not finished.
        distance: metres covered, shape (n,).
        split_metres: shape (s,).
        split_names: what the splits are called, s of them, no two alike.
        splits: seconds from one's own start to each split, shape (n, s); NaN where one has not been.
        visits: to geofences; times from the gun.
    """

    bib: NDArray[np.int64]
    place: NDArray[np.int64]
    status: NDArray[np.str_]
    chip: Floats
    gap: Floats
    distance: Floats
    split_metres: Floats
    split_names: tuple[str, ...]
    splits: Floats
    visits: Visits

    @property
    def finished(self) -> NDArray[np.bool_]:
        """Who has finished, shape (n,)."""
        found: NDArray[np.bool_] = self.status == "finished"
        return found

    def __len__(self) -> int:
        return len(self.bib)


def results(positions: Positions, splits: SplitTimes) -> Results:
    """Work out the results as they are now; of a race that goes on they are provisional."""
    ranking = leaderboard.rank(positions)
    order = ranking.order
    bib, status = positions.competitor[order], positions.status[order]
    finished = status == "finished"
    start = splits.starts(bib)
    gun = np.where(finished, positions.elapsed[order], np.nan)
    metres, times = splits.matrix("split", bib)
    return Results(
        bib=bib,
        place=np.where(finished, ranking.place, leaderboard.NO_PLACE),
        status=status,
        chip=gun - start,
        gap=gun - (gun[0] if len(gun) else np.nan),
        distance=positions.distance[order],
        split_metres=metres,
        split_names=tuple(_names(splits.points("split"))),
        splits=times - start[:, None],
        visits=splits.visits(),
    )


def _names(points: Iterable[Point]) -> Iterator[str]:
    """What splits are called: never as another one, nor as a column of the finish list."""
    taken = set(COLUMNS)
    for point in points:
        name = point.name if point.lap == 1 else f"{point.name} ({point.lap})"
        while name in taken:
            name += " (split)"
        taken.add(name)
        yield name


def paces(found: Results, length: float | None) -> tuple[Floats, Floats]:
    """Seconds per kilometre over each stretch between two splits: the metres at its end, and the paces.

    Shapes (s,) and (n, s); with the course's length the last stretch is the one to the finish. A split
    that follows another one by less than `SHORTEST_STRETCH` has no pace of its own.
    """
    apart = _apart(found.split_metres)
    metres, times = found.split_metres[apart], found.splits[:, apart]
    if length is not None and length > (metres[-1] if len(metres) else 0.0):
        metres = np.append(metres, length)
        times = np.column_stack([times, found.chip])
    lengths = np.diff(metres, prepend=0.0)
    took = np.diff(times, axis=1, prepend=0.0)
    return metres, took / lengths * 1000.0


def _apart(metres: Floats) -> list[int]:
    """The splits that are far enough from the one before to have a pace: indices, rising."""
    apart: list[int] = []
    for nth, place in enumerate(metres.tolist()):
        if not apart or place - metres[apart[-1]] >= SHORTEST_STRETCH:
            apart.append(nth)
    return apart


def bins(seconds: Floats) -> tuple[float, NDArray[np.int64], Floats]:
    """Of a histogram of times: the bins' width, the counts (k,) and where each begins (k,), in seconds."""
    known = seconds[~np.isnan(seconds)]
    if not len(known):
        return float(STEPS_S[0]), np.empty(0, np.int64), np.empty(0)
    width = _step(known, MAX_BINS)
    number = np.floor(known / width).astype(np.int64)
    counts = np.bincount(number - number.min())
    return width, counts, (number.min() + np.arange(len(counts))) * width


def marks(seconds: Floats) -> Floats:
    """Round times from the first to the last of these (k,), for an axis; `MAX_MARKS` and one at most."""
    known = seconds[~np.isnan(seconds)]
    step = _step(known, MAX_MARKS)
    first, last = np.floor(known.min() / step), np.ceil(known.max() / step)
    found: Floats = np.arange(first, last + 1) * step
    return found


def _step(seconds: Floats, most: int) -> float:
    """The smallest of `STEPS_S` that cuts the span of these times into fewer pieces than `most`."""
    span = float(seconds.max() - seconds.min())
    return float(next((step for step in STEPS_S if span / step < most), STEPS_S[-1]))


@dataclass(frozen=True)
class Stays:
    """The visits to one geofence: how many, by how many, how many are still inside, seconds in it."""

    fence: str
    visits: int
    competitors: int
    inside: int
    median: float
    longest: float


def stays(visits: Visits) -> Iterator[Stays]:
    """Each geofence's visits summed up, by its name; the seconds are those of visits that have ended."""
    for fence in dict.fromkeys(visits.fence.tolist()):
        these = visits.fence == fence
        lasted = (visits.left - visits.entered)[these]
        ended = lasted[~np.isnan(lasted)]
        yield Stays(
            fence=fence,
            visits=int(these.sum()),
            competitors=len(np.unique(visits.bib[these])),
            inside=int(np.isnan(lasted).sum()),
            median=float(np.median(ended)) if len(ended) else np.nan,
            longest=float(ended.max()) if len(ended) else np.nan,
        )


def as_csv(found: Results, competitors: Mapping[int, Competitor]) -> str:
    """Everybody's line: times in seconds to the millisecond and in words, and the time at each split.

    A text that a spreadsheet would run as a formula has an apostrophe in front. Clubs are there if anybody
    has one.
    """
    clubs = has_clubs(competitors)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["place", "bib", "name", "category", *(["club"] if clubs else [])]
        + ["status", "chip_time", "chip_time_s", "gap_s", "distance_m"]
        + [f"split_{name.replace(' km', 'km')}_s" for name in found.split_names]
    )
    columns = (found.place, found.bib, found.status, found.chip, found.gap, found.distance)
    for place, bib, status, chip, gap, distance, splits in zip(
        *(column.tolist() for column in columns), found.splits.tolist(), strict=True
    ):
        who = competitors.get(bib)
        texts = [who.name, who.category, who.club] if who else ["", "", ""]
        names = [_harmless(text) for text in (texts if clubs else texts[:2])]
        times = [_clock(chip), _seconds(chip), _seconds(gap), f"{distance:.1f}", *map(_seconds, splits)]
        writer.writerow([place or "", bib, *names, status, *times])
    return out.getvalue()


def has_clubs(competitors: Mapping[int, Competitor]) -> bool:
    """Whether anybody has a club."""
    return any(who.club for who in competitors.values())


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _seconds(seconds: float) -> str:
    return "" if np.isnan(seconds) else f"{seconds:.3f}"


def _clock(seconds: float) -> str:
    """h:mm:ss.mmm."""
    if np.isnan(seconds):
        return ""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}.{milliseconds:03}"
