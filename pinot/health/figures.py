"""Figures computed from two samples: rates, Pinot's lag, and overdue races. Pure functions."""

from collections.abc import Mapping, Sequence
from operator import attrgetter

from pinot.health.sample import RaceNews, Races, Sample, Simulator, Table, known
from pinot.health.thresholds import ABANDONED_AFTER_S

WINDOW_S = 10.0
"""Window of rates: long enough that a race with a tick every few seconds has a steady rate."""

OLDEST_S = 3 * WINDOW_S
"""Older samples are not compared with."""


def before(samples: Sequence[Sample], now: Sample) -> Sample | None:
    """Return the sample to compare `now` with: the newest at least `WINDOW_S` older, else the oldest."""
    recent = [one for one in samples if now.taken - OLDEST_S <= one.taken < now.taken]
    old = [one for one in recent if one.taken <= now.taken - WINDOW_S]
    taken = attrgetter("taken")
    return max(old, key=taken) if old else min(recent, key=taken, default=None)


def messages(ends: Mapping[int, int | None]) -> int | None:
    """Return the sum of a topic's end offsets: all messages ever published to it."""
    offsets = [end for end in ends.values() if end is not None]
    return sum(offsets) if offsets and len(offsets) == len(ends) else None


def messages_per_second(now: Sample, then: Sample | None, topic: str) -> float | None:
    """Return a topic's message rate; None if unknown or if the topic was recreated in between."""
    kafka, former = known(now.kafka), known(then.kafka if then else None)
    if then is None or kafka is None or former is None:
        return None
    return _rate(messages(now.ends(topic)), messages(then.ends(topic)), kafka.taken - former.taken)


def counted_per_second(now: Simulator | None, then: Simulator | None, counter: str) -> float | None:
    """Return the rate of a simulator counter; None if unknown or if the simulator restarted in between."""
    if now is None or then is None:
        return None
    return _rate(getattr(now, counter), getattr(then, counter), now.taken - then.taken)


def _rate(now: float | None, then: float | None, span: float) -> float | None:
    if now is None or then is None or now < then or span <= 0:
        return None
    return (now - then) / span


def lags(ends: Mapping[int, int | None], table: Table | None) -> dict[int, int]:
    """Return the lag of each partition for which both offsets are known.

    Both are read at about the same time, so Pinot may be ahead of the end offset: that counts as 0.
    """
    if table is None:
        return {}
    offsets = ((partition, end, table.offset(partition)) for partition, end in ends.items())
    return {
        partition: max(0, end - offset)
        for partition, end, offset in offsets
        if end is not None and offset is not None
    }


def lag(sample: Sample, topic: str) -> int | None:
    """Return how many messages of a topic Pinot has not yet consumed; None if unknown."""
    ends = sample.ends(topic)
    behind = lags(ends, sample.table(topic))
    return sum(behind.values()) if ends and len(behind) == len(ends) else None


def under_way(races: Races) -> tuple[RaceNews, ...]:
    """Return the races that a simulator still publishes; abandoned ones are left out."""
    since = races.taken - ABANDONED_AFTER_S
    return tuple(race for race in races.running if max(race.noted, race.newest or 0.0) + race.period > since)


def worst(races: Races) -> RaceNews | None:
    """Return the most overdue race under way; None if none of them has a position."""
    positioned = [race for race in under_way(races) if race.newest is not None]
    return max(positioned, key=lambda race: overdue(race, races.taken), default=None)


def age(race: RaceNews, now: float) -> float:
    """Return the age of its newest position in seconds."""
    return max(0.0, now - (race.newest or now))


def overdue(race: RaceNews, now: float) -> float:
    """Return by how many seconds its next position is late; negative if it is not due yet."""
    return age(race, now) - race.period
