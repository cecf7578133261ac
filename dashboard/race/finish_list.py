"""Race results: times, paces and geofence visits. Pure: positions and passings in, arrays out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from dashboard.race import leaderboard
from dashboard.race.split_times import SplitTimes, Visits
from dashboard.race.standing import stopped_by
from dashboard.store.protocol import Competitor, Positions
from stream import results as table
from stream.arrays import Floats, Ints, Mask, Texts
from stream.cut_offs import CutOffs

STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
"""Widths of bins and distances between marks that are easy to read on a clock."""
MAX_BINS = 40
MAX_MARKS = 8
SHORTEST_STRETCH = 100.0
"""Metres; over a shorter stretch, timing error dominates the pace."""
LONGEST_STAYS = 100
"""Maximum number of single geofence visits listed."""

COLUMNS = (
    "Place",
    "Bib",
    "Name",
    "Place in filter",
    "Official time",
    "Gun time",
    "Chip time",
    "Gap",
    "Pace",
    "Category",
    "Club",
)
"""Columns of the finish list (static/board/results.js) besides the splits."""


@dataclass(frozen=True, eq=False)
class Results:
    """A race's results in finish order; n competitors, s splits.

    Attributes:
        rank: the time that places go by.
        bib: shape (n,).
        place: shape (n,); `leaderboard.NO_PLACE` for non-finishers.
        status: shape (n,), of `store.STATUSES`.
        gun, chip: gun and chip time in seconds, shape (n,); NaN for non-finishers.
        gap: seconds behind the winner at the finish line, shape (n,); NaN for non-finishers.
        distance: metres covered, shape (n,).
        so_far: gun and chip time of the newest position, for finishers of the finish.
        points: the splits' names and laps, s of them.
        split_metres: shape (s,).
        splits: chip time in seconds at each split, shape (n, s); NaN where not reached.
        gun_splits: likewise gun time.
        visits: to geofences, in race seconds.
        cut_offs: the race's, or None.
        stopped: which of these has stopped each competitor, shape (n,): its index, or -1.
    """

    rank: table.Rank
    bib: Ints
    place: Ints
    status: Texts
    gun: Floats
    chip: Floats
    gap: Floats
    distance: Floats
    so_far: table.Times
    points: tuple[tuple[str, int], ...]
    split_metres: Floats
    splits: Floats
    gun_splits: Floats
    visits: Visits
    cut_offs: CutOffs | None
    stopped: Ints

    @property
    def split_names(self) -> tuple[str, ...]:
        """Unique labels of the s splits."""
        return table.split_names(self.points, COLUMNS)

    @property
    def finished(self) -> Mask:
        """Mask of finishers, shape (n,)."""
        found: Mask = self.status == "finished"
        return found

    @property
    def time(self) -> Floats:
        """The time that places go by in seconds, shape (n,); NaN for non-finishers."""
        return self.gun if self.rank == "gun" else self.chip

    def __len__(self) -> int:
        return len(self.bib)


def results(
    positions: Positions,
    splits: SplitTimes,
    guns: Floats,
    rank: table.Rank = "gun",
    cut_offs: CutOffs | None = None,
) -> Results:
    """Compute the results as they are now; they are provisional while the race goes on.

    `guns` are the seconds from the first gun to that of each one's wave, in the order of the positions;
    `cut_offs` are the race's.
    """
    starts = splits.starts(positions.competitor, guns)
    ranking = leaderboard.rank(positions, guns if rank == "gun" else starts)
    ranked = positions.take(ranking.order)
    finished = ranked.status == "finished"
    guns, starts = guns[ranking.order], starts[ranking.order]
    so_far = table.Times(*(table.since(ranked.elapsed, moment) for moment in (guns, starts)))
    gun, chip = (np.where(finished, times, np.nan) for times in so_far)
    time = gun if rank == "gun" else chip
    metres, times = splits.matrix("split", ranked.competitor)
    return Results(
        rank=rank,
        bib=ranked.competitor,
        place=np.where(finished, ranking.place, leaderboard.NO_PLACE),
        status=ranked.status,
        gun=gun,
        chip=chip,
        gap=time - (time[0] if len(time) else np.nan),
        distance=ranked.distance,
        so_far=so_far,
        points=tuple((point.name, point.lap) for point in splits.points("split")),
        split_metres=metres,
        splits=table.since(times, starts[:, None]),
        gun_splits=table.since(times, guns[:, None]),
        visits=splits.visits(),
        cut_offs=cut_offs,
        stopped=stopped_by(cut_offs, ranked, guns),
    )


def paces(found: Results, length: float | None) -> tuple[Floats, Floats]:
    """Pace in seconds per kilometre between consecutive splits: end distances in metres, and paces.

    Shapes (s,) and (n, s). With the course's length, the last stretch ends at the finish. A split that
    follows another within `SHORTEST_STRETCH` has no pace of its own.
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
    """Indices of the splits far enough from the previous one to have a pace, rising."""
    apart: list[int] = []
    for nth, place in enumerate(metres.tolist()):
        if not apart or place - metres[apart[-1]] >= SHORTEST_STRETCH:
            apart.append(nth)
    return apart


def bins(seconds: Floats) -> tuple[float, Ints, Floats]:
    """A histogram of times: bin width, counts (k,) and bin starts (k,), in seconds."""
    known = seconds[~np.isnan(seconds)]
    width = _step(known, MAX_BINS) if len(known) else STEPS_S[0]
    counts, starts = histogram(known, width)
    return float(width), counts, starts.astype(float)


def histogram(values: Floats, width: int) -> tuple[Ints, Ints]:
    """Counts and starts of the bins from the lowest to the highest value, shape (k,)."""
    if not len(values):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    number = np.floor(values / width).astype(np.int64)
    counts = np.bincount(number - number.min())
    return counts, (number.min() + np.arange(len(counts))) * width


def marks(seconds: Floats) -> Floats:
    """Round times that span these (k,), for an axis; at most `MAX_MARKS` + 1."""
    known = seconds[~np.isnan(seconds)]
    step = _step(known, MAX_MARKS)
    first, last = np.floor(known.min() / step), np.ceil(known.max() / step)
    return np.arange(first, last + 1) * step


def _step(seconds: Floats, most: int) -> int:
    """The smallest of `STEPS_S` that cuts the span of these times into fewer than `most` pieces."""
    span = float(seconds.max() - seconds.min())
    return next((step for step in STEPS_S if span / step < most), STEPS_S[-1])


@dataclass(frozen=True)
class Stays:
    """Visits to one geofence: visits, competitors, competitors still inside; seconds, None before an exit."""

    fence: str
    visits: int
    competitors: int
    inside: int
    median: float | None
    longest: float | None


@dataclass(frozen=True)
class Stay:
    """A visit to a geofence: race seconds of the entry, and how long it lasted; None while it does."""

    fence: str
    bib: int
    entered: float
    stay: float | None


def stays(visits: Visits) -> Iterator[Stays]:
    """Visits summed up by geofence name; the seconds are those of completed visits."""
    for fence in dict.fromkeys(visits.fence.tolist()):
        these = visits.fence == fence
        lasted = (visits.left - visits.entered)[these]
        ended = lasted[~np.isnan(lasted)]
        yield Stays(
            fence=fence,
            visits=int(these.sum()),
            competitors=len(np.unique(visits.bib[these])),
            inside=int(np.isnan(lasted).sum()),
            median=float(np.median(ended)) if len(ended) else None,
            longest=float(ended.max()) if len(ended) else None,
        )


def longest_stays(visits: Visits) -> list[Stay]:
    """The longest visits; competitors still inside come first."""
    lasted = visits.left - visits.entered
    order = np.argsort(-np.nan_to_num(lasted, nan=np.inf), kind="stable")[:LONGEST_STAYS]
    columns = visits.fence[order].tolist(), visits.bib[order].tolist(), visits.entered[order].tolist()
    return [Stay(*visit) for visit in zip(*columns, table.rounded(lasted[order]), strict=True)]


def as_csv(found: Results, competitors: Mapping[int, Competitor]) -> bytes:
    """Return the results as CSV, identical to the API's with the same rank."""
    entrants = [_entrant(bib, competitors.get(bib)) for bib in found.bib.tolist()]
    categories = [entrant.category for entrant in entrants]
    time = found.so_far.gun if found.rank == "gun" else found.so_far.chip
    standings = table.stand(found.bib, found.status, time, found.distance, categories)
    who = standings.order
    lines = table.lines(
        who,
        standings,
        [entrants[nth] for nth in who.tolist()],
        (found.status[who], table.Times(*(times[who] for times in found.so_far)), found.distance[who]),
    )
    limits = found.cut_offs
    stopped = limits.names(found.stopped[who]) if limits else ()
    chunk = lines, map(table.rounded, found.gun_splits[who]), stopped
    return b"".join(table.as_csv(found.points, [chunk], has_cut_offs=limits is not None))


def _entrant(bib: int, known: Competitor | None) -> table.Entrant:
    if known is None:
        return table.Entrant(bib, "", "", "", 0)
    return table.Entrant(bib, known.name, known.category, known.club, known.wave, known.sex)
