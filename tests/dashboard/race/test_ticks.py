"""Ticks that arrive in several batches."""

from hypothesis import given
from hypothesis import strategies as st

from dashboard.race.ticks import MISSED_TICKS, is_whole, next_whole
from dashboard.store.protocol import Mark, Positions
from tests.dashboard.fakes import at


def field(times: list[float], statuses: list[str]) -> Positions:
    """The newest positions of competitors at these race seconds."""
    return at(*((nth, 0.0, *one) for nth, one in enumerate(zip(statuses, times, strict=True), 1)))


@given(st.integers(1, 40), st.sampled_from([1.0, 1.15, 5.0]), st.integers(0, 200))
def test_a_tick_is_whole_with_the_last_competitor(size: int, interval: float, tick: int) -> None:
    """The sum announced for the next tick is reached by the last row of its last batch, and not before."""
    now, then = tick * interval, (tick + 1) * interval
    before = field([now] * size, ["running"] * size)
    mark = Mark(0, size * int(round(now, 6)), size)
    goal = next_whole(mark, before, interval)
    for arrived in range(size + 1):
        some = field([then] * arrived + [now] * (size - arrived), ["running"] * size)
        raw_time = arrived * int(round(then, 6)) + (size - arrived) * int(round(now, 6))
        assert is_whole(some, interval) == (arrived in {0, size})
        assert (raw_time >= goal) == (arrived == size)


def test_after_half_a_tick_its_other_half_is_waited_for() -> None:
    """When a part of the store is late, its tick is shown as soon as it comes, not with the next."""
    half = field([61.0, 60.0], ["running", "running"])
    assert next_whole(Mark(0, 121, 2), half, 1.0) == 2 * 61


def test_who_has_stopped_is_not_waited_for() -> None:
    """Finishers, those who are out, and trackers that are off send no more positions."""
    off = 60.0 - MISSED_TICKS - 1
    positions = field([60.0, 31.5, 12.0, off], ["running", "finished", "dnf", "running"])
    assert is_whole(positions, 1.0)
    assert next_whole(Mark(0, 159, 4), positions, 1.0) == 160
    over = field([31.5], ["finished"])
    assert is_whole(over, 1.0)
    assert next_whole(Mark(0, 31, 1), over, 1.0) == 31
