import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.log.schedule import Schedule

SPEEDS = st.floats(0.1, 1000)


def test_race_time_runs_at_its_speed() -> None:
    """Race time is the wall time since the gun, times the speed."""
    schedule = Schedule(start=1000.0, speed=20.0, interval=5.0)

    assert schedule.race_time(1003.0) == 60.0
    assert schedule.race_time(999.0) == -20.0
    assert schedule.due_at(12) == 1003.0


def test_a_pause_is_no_race_time() -> None:
    """After a pause of a minute race time goes on from where it was."""
    schedule = Schedule(start=1000.0, speed=2.0, interval=1.0)
    paused = schedule.pause(1010.0)

    assert paused.race_time(1050.0) == 20.0
    assert paused.due_at(20) == 1010.0
    assert paused.due_at(21) is None
    assert paused.resume(1070.0).race_time(1071.0) == 22.0


def test_pausing_twice_is_pausing_once() -> None:
    """A second pause or resumption changes nothing."""
    schedule = Schedule(start=0.0, speed=1.0, interval=1.0)

    assert schedule.pause(5.0).pause(9.0) == schedule.pause(5.0)
    assert schedule.resume(5.0) == schedule


def test_a_pause_before_the_gun_delays_by_what_lies_behind_it() -> None:
    """A race that is paused before its start and resumed before it starts on time."""
    schedule = Schedule(start=100.0, speed=1.0, interval=1.0)

    assert schedule.pause(50.0).resume(80.0).due_at(0) == 100.0
    assert schedule.pause(50.0).resume(130.0).due_at(0) == 130.0


@given(speed=SPEEDS, interval=st.floats(1, 3600), tick=st.integers(0, 100_000))
def test_a_tick_is_due_when_its_race_time_has_come(speed: float, interval: float, tick: int) -> None:
    """At the moment a tick is due, race time is the tick's."""
    schedule = Schedule(start=1_800_000_000.0, speed=speed, interval=interval)
    due = schedule.due_at(tick)
    assert due is not None
    # Epoch seconds carry a quarter of a microsecond.
    assert schedule.race_time(due) == pytest.approx(tick * interval, abs=1e-6 * speed, rel=1e-9)
