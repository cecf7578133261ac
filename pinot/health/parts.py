"""The parts of the races under way, and how late they are. Pure functions.

A part is late if what it should have published has no record of progress. Records are some seconds apart, so
the least lateness counts that explains what is recorded: that of a healthy race is 0.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter

from pinot.health.figures import under_way
from pinot.health.sample import Group, RaceNews, Sample, known
from pinot.health.thresholds import RECORDED_WITHIN_S
from stream.parts import partition_of, parts_of


@dataclass(frozen=True)
class RacePart:
    """A part of a race under way.

    Attributes:
        name: what sentences call it.
        competitors: how many it has.
        partition: of the topic `progress`; its owner publishes the part.
        lag: seconds by which its ticks are late, at least; None if unknown.
    """

    name: str
    competitors: int
    partition: int
    lag: float | None


def parts_under_way(now: Sample) -> tuple[RacePart, ...] | None:
    """Return the parts that the group has to publish; None if unknown."""
    group, races = known(now.group), known(now.races)
    if group is None or races is None:
        return None
    return tuple(part for race in under_way(races) if not race.is_replay for part in _parts_of(race, group))


def _parts_of(race: RaceNews, group: Group) -> Iterator[RacePart]:
    ranges = parts_of(race.competitors)
    for number, competitors in enumerate(ranges):
        late = None
        if group.delivered is not None:
            late = lag(race, group.delivered.get((race.run_id, number)), group.taken)
        yield RacePart(
            name=f'race "{race.run_id}"' if len(ranges) == 1 else f'part {number} of race "{race.run_id}"',
            competitors=len(competitors),
            partition=partition_of(race.run_id, number, group.partitions),
            lag=late,
        )


def latest(parts: Iterable[RacePart]) -> tuple[RacePart, float] | None:
    """Return the latest part and its lag; None if no lag is known."""
    known_lags = [(part, part.lag) for part in parts if part.lag is not None]
    return max(known_lags, key=itemgetter(1), default=None)


def lag(race: RaceNews, delivered: float | None, now: float) -> float:
    """Return the seconds by which a part is late, at least.

    Args:
        race: the race.
        delivered: race seconds up to which the part is delivered by its last record; None without one.
        now: epoch seconds.
    """
    due = race.clock_start if delivered is None else race.clock_start + delivered / race.speed + race.period
    # The next tick was due then. Its record comes at one of the ticks that follow.
    return max(0.0, now - due - race.period - RECORDED_WITHIN_S)
