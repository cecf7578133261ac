"""A race at one moment: everything shown of it, computed once for all viewers.

Pure: positions and passings in, arrays and numbers out.
"""

import math
from dataclasses import dataclass

import numpy as np

from dashboard.race import leaderboard
from dashboard.race.split_times import SplitTimes, Stay
from dashboard.store.protocol import ON_COURSE, OUT, Positions, Race
from stream.arrays import Floats

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
        leader_distance: metres; None before the first tick.
    """

    on_course: int
    finished: int
    out: int
    in_fences: int
    leader_distance: float | None


@dataclass(frozen=True)
class Moment:
    """An earlier moment to compare with: race seconds, and the leader's distance in metres."""

    race_time: float
    leader_distance: float | None


@dataclass(frozen=True, eq=False)
class Standing:
    """A race at one moment.

    Attributes:
        race_time: gun time in seconds of the newest position or disqualification; 0 before the first.
        ranking: all places.
        gaps: seconds behind the head of the race, shape (n,) as the positions; NaN where undefined.
        starts: gun time in seconds of each own start, shape (n,); 0 where unknown.
        verdicts: race seconds of disqualifications, shape (n,); NaN for all others.
        split_metres, split_seconds: last split, in chip time, shape (n,); NaN before the first.
        inside: competitors inside each geofence that has had a visit.
        figures: the header's numbers.
        change: change of the figures since the earlier moment, if there is one.
    """

    race_time: float
    ranking: leaderboard.Ranking
    gaps: Floats
    starts: Floats
    verdicts: Floats
    split_metres: Floats
    split_seconds: Floats
    inside: dict[str, list[Stay]]
    figures: Figures
    change: Figures | None


def stand(positions: Positions, splits: SplitTimes, before: Moment | None) -> Standing:
    """Compute the standing; `before` is what its figures are compared with."""
    starts = splits.starts(positions.competitor)
    verdicts = splits.verdicts(positions.competitor)
    ranking = leaderboard.rank(positions)
    inside = splits.inside()
    leader = float(positions.distance[ranking.order[0]]) if len(positions) else None
    metres, seconds = splits.last_splits(positions.competitor)
    return Standing(
        # Between the last finish and a verdict there are no positions, so the verdict is the newest.
        race_time=float(np.nanmax(verdicts, initial=race_time(positions))),
        ranking=ranking,
        gaps=leaderboard.gaps(positions, ranking, splits.head()),
        starts=starts,
        verdicts=verdicts,
        split_metres=metres,
        split_seconds=seconds - starts,
        inside=inside,
        figures=Figures(
            on_course=int(np.isin(positions.status, ON_COURSE).sum()),
            finished=int((positions.status == "finished").sum()),
            out=int(np.isin(positions.status, OUT).sum()),
            in_fences=_heads(inside),
            leader_distance=leader,
        ),
        change=None if before is None else _change(splits, before, inside, leader),
    )


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


def _change(
    splits: SplitTimes, before: Moment, inside: dict[str, list[Stay]], leader: float | None
) -> Figures:
    # Counted from passings at both ends: positions describe only the newest moment.
    then = before.race_time
    started, came_in, stopped, disqualified = (
        splits.count(kind) - splits.count(kind, then) for kind in ("start", "finish", "dnf", "dsq")
    )
    moved = None if leader is None or before.leader_distance is None else leader - before.leader_distance
    return Figures(
        on_course=started - came_in - stopped,
        finished=came_in - disqualified,
        out=stopped + disqualified,
        in_fences=_heads(inside) - _heads(splits.inside(then)),
        leader_distance=moved,
    )
