"""Which race a page shows if its link names none, and which one it offers next. Pure."""

from collections.abc import Sequence

from dashboard.store.protocol import Race
from pinot.health.thresholds import ABANDONED_AFTER_S
from stream.race_states import ENDED

SOON_MS = 3_600_000
"""A race that starts within this time comes before those that have ended."""


def current(races: Sequence[Race], now: float) -> Race | None:
    """The race to watch at `now` (epoch milliseconds); None without races.

    A running race comes first, then a paused one, one that starts soon, a finished one, a later one, and a
    cancelled or abandoned one. Of several, the newest; of those to come, the next.
    """
    return max(races, key=lambda race: _interest(race, now), default=None)


def with_results(races: Sequence[Race], now: float) -> Race | None:
    """The race whose results to show: the newest finished one; without one, the `current` race."""
    finished = [race for race in races if race.status == "finished"]
    return max(finished, key=lambda race: race.start_time, default=None) or current(races, now)


def next_running(races: Sequence[Race], shown: Race, now: float) -> Race | None:
    """The newest running race that started after `shown`; None unless that one has ended."""
    if shown.status not in ENDED:
        return None
    later = [race for race in races if race.start_time > shown.start_time and is_running(race, now)]
    return max(later, key=lambda race: race.start_time, default=None)


def is_running(race: Race, now: float) -> bool:
    """Whether a simulator still publishes it: a live one writes each running race's row every two minutes."""
    return race.status == "running" and now - race.updated_at < 1000 * ABANDONED_AFTER_S


def _interest(race: Race, now: float) -> tuple[int, int]:
    if race.status == "scheduled":
        return 3 if race.start_time - now <= SOON_MS else 1, -race.start_time
    rank = {"running": 5 if is_running(race, now) else 0, "paused": 4, "finished": 2}
    return rank.get(race.status, 0), race.start_time
