"""A race at one moment: everything shown of it, computed once for all viewers.

Pure: positions and passings in, arrays and numbers out.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dashboard.race import leaderboard
from dashboard.race.split_times import SplitTimes, Stay
from dashboard.store.protocol import ON_COURSE, OUT, Competitor, Positions, Race
from stream.arrays import Floats, Ints
from stream.cut_offs import NONE, CutOffs
from stream.results import wave_guns

ROUNDING = 1e-5
"""Tolerance in ticks: browsers send times with six decimals."""


@dataclass(frozen=True)
class Figures:
    """A race in a few numbers, or their change.

    Attributes:
        on_course: competitors who have started and neither finished nor stopped for good.
        finished: finishers, without disqualified ones.
        out: competitors who were disqualified, gave up or did not start.
        in_fences: competitors inside a geofence, each counted once.
    """

    on_course: int
    finished: int
    out: int
    in_fences: int


@dataclass(frozen=True, eq=False)
class Standing:
    """A race at one moment.

    Attributes:
        race_time: race seconds of the newest position or disqualification; 0 before the first.
        ranking: all places, by gun time.
        head: the shortest gun time at each timing point: metres and seconds, rising.
        gaps: seconds behind this head of the race, shape (n,) as the positions; NaN where undefined.
        guns: seconds from the first gun to that of each one's wave, shape (n,).
        starts: seconds from the first gun to each own start, shape (n,); that of the own gun where unknown.
        verdicts: race seconds of disqualifications, shape (n,); NaN for all others.
        split_metres, split_seconds: last split, in chip time, shape (n,); NaN before the first.
        inside: competitors inside each geofence that has had a visit, as far as they are known.
        crowds: number of competitors inside each of these geofences.
        figures: the header's numbers.
        change: change of the figures since the earlier moment, if there is one.
    """

    race_time: float
    ranking: leaderboard.Ranking
    head: tuple[Floats, Floats]
    gaps: Floats
    guns: Floats
    starts: Floats
    verdicts: Floats
    split_metres: Floats
    split_seconds: Floats
    inside: dict[str, list[Stay]]
    crowds: Mapping[str, int]
    figures: Figures
    change: Figures | None


def guns_of(race: Race, competitors: Mapping[int, Competitor], bibs: Ints) -> Floats:
    """Seconds from the first gun to that of each bib's wave, shape (n,); 0 for those without an entry."""
    waves = {bib: entry.wave for bib, entry in competitors.items()}
    return wave_guns(np.array([waves.get(bib, 1) for bib in bibs.tolist()], np.int64), race.wave_delay)


def stand(positions: Positions, splits: SplitTimes, guns: Floats, before: float | None) -> Standing:
    """Compute the standing; `before` is the moment with which its figures are compared, race seconds.

    `guns` are the seconds from the first gun to that of each one's wave, shape (n,) as the positions.
    """
    starts = splits.starts(positions.competitor, guns)
    verdicts = splits.verdicts(positions.competitor)
    ranking = leaderboard.rank(positions, guns)
    inside = splits.inside()
    head = splits.head(positions.competitor, guns)
    metres, seconds = splits.last_splits(positions.competitor)
    return Standing(
        # Between the last finish and a verdict there are no positions, so the verdict is the newest.
        race_time=float(np.nanmax(verdicts, initial=race_time(positions))),
        ranking=ranking,
        head=head,
        gaps=leaderboard.gaps(positions, guns, ranking, head),
        guns=guns,
        starts=starts,
        verdicts=verdicts,
        split_metres=metres,
        split_seconds=seconds - starts,
        inside=inside,
        crowds={name: len(stays) for name, stays in inside.items()},
        figures=Figures(
            on_course=int(np.isin(positions.status, ON_COURSE).sum()),
            finished=int((positions.status == "finished").sum()),
            out=int(np.isin(positions.status, OUT).sum()),
            in_fences=_heads(inside),
        ),
        change=None if before is None else _change(splits, before, inside),
    )


def stopped_by(cut_offs: CutOffs | None, positions: Positions, guns: Floats) -> Ints:
    """Which cut-off has stopped each competitor, shape (n,): its index, or -1 for none.

    `guns` are the seconds from the first gun to that of each one's wave, shape (n,).
    """
    if cut_offs is None:
        return np.full(len(positions), NONE)
    return cut_offs.reached(positions.status, positions.distance, positions.elapsed, guns)


def race_time(positions: Positions) -> float:
    """Race seconds of the newest position; 0 before the first."""
    return float(positions.elapsed.max()) if len(positions) else 0.0


def raw_time_at(race: Race, time: float) -> int:
    """The whole race seconds of the tick at or before `time` (race seconds)."""
    tick = math.floor(max(0.0, time) / race.interval + ROUNDING)
    # 100 ticks of 1.15 s are 114.99999999999999 s.
    return int(round(tick * race.interval, 6))


def end_of(race: Race, standing: Standing) -> float:
    """Race seconds of the newest tick: the one with the newest position or the last finish."""
    return math.ceil(standing.race_time / race.interval - ROUNDING) * race.interval


def _heads(inside: dict[str, list[Stay]]) -> int:
    return len({stay.bib for stays in inside.values() for stay in stays})


def _change(splits: SplitTimes, then: float, inside: dict[str, list[Stay]]) -> Figures:
    # Counted from passings at both ends: positions describe only the newest moment.
    started, came_in, stopped, disqualified = (
        splits.count(kind) - splits.count(kind, then) for kind in ("start", "finish", "dnf", "dsq")
    )
    return Figures(
        on_course=started - came_in - stopped,
        finished=came_in - disqualified,
        out=stopped + disqualified,
        in_fences=_heads(inside) - _heads(splits.inside(then)),
    )
