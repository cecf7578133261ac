"""Which race a page shows without a link to one, and which it offers next."""

import pytest

from dashboard.race import current
from dashboard.store.protocol import Race
from tests.dashboard.fakes import race

NOW = 1_800_000_000_000.0
MINUTE = 60_000


def at(minutes: float, status: str, updated: float = 0.0) -> Race:
    """A race named by its status, minutes from now; `updated` is when its row was last written."""
    start, written = (round(NOW + MINUTE * moment) for moment in (minutes, updated))
    return race(status, status=status, start_time=start, updated_at=written)


IN_ORDER = [
    at(-90, "running"),
    at(-200, "paused", -150),
    at(45, "scheduled"),
    at(-30, "finished"),
    at(-20, "cancelled"),
]


@pytest.mark.parametrize("skipped", range(5))
def test_order_of_interest(skipped: int) -> None:
    """A running race comes first, then a paused one, one that starts soon, a finished and a cancelled one."""
    races = IN_ORDER[skipped:]
    assert current.current(races[::-1], NOW) is races[0]


def test_newest_of_several() -> None:
    """Of several races in a state the newest is shown, and the next of those to come."""
    older, newer = at(-60, "running"), at(-5, "running")
    assert current.current([older, newer], NOW) is newer
    later, sooner = at(50, "scheduled"), at(10, "scheduled")
    assert current.current([later, sooner], NOW) is sooner


def test_far_and_abandoned_races() -> None:
    """A race next week, and a running one that is no longer written, do not hide the last one."""
    finished = at(-600, "finished")
    next_week, abandoned = at(7 * 24 * 60, "scheduled"), at(-500, "running", -400)
    assert current.current([next_week, abandoned, finished], NOW) is finished
    assert current.current([next_week, abandoned], NOW) is next_week
    assert current.current([abandoned], NOW) is abandoned
    assert current.current([], NOW) is None


def test_results_without_a_link() -> None:
    """The newest finished race has the results to show; without one, the current race."""
    running, older, newer = at(-10, "running"), at(-300, "finished"), at(-100, "finished")
    assert current.with_results([running, older, newer], NOW) is newer
    assert current.with_results([at(-20, "cancelled"), running], NOW) is running


def test_next_race() -> None:
    """A race that has ended is followed by the newest running one that started after it."""
    ended, third, second = at(-60, "finished"), at(-5, "running"), at(-20, "running")
    assert current.next_running([third, second, ended], ended, NOW) is third
    assert current.next_running([third, second], second, NOW) is None  # still running
    assert current.next_running([at(-90, "running"), at(-1, "running", -30), ended], ended, NOW) is None
