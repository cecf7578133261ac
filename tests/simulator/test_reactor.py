import sys
import time

import pytest
from twisted.internet.selectreactor import SelectReactor

from simulator.reactor import steady, use_steady_clock


def test_the_clock_does_not_jump_with_the_time_of_day() -> None:
    """Setting the system clock back or ahead by an hour does not affect it."""
    wall, passed = 1_000_000.0, 50.0
    clock = steady(lambda: wall, lambda: passed)
    times = [clock()]
    for jump in (-3600.0, 7200.0):
        wall += jump
        passed += 2.0
        times.append(clock())

    assert times == [1_000_000.0, 1_000_002.0, 1_000_004.0]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other clocks for this")
def test_the_clock_counts_the_time_of_a_suspend(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an hour of suspend, in which Linux stops CLOCK_MONOTONIC, it shows the right time at once."""
    passed, suspended = 50.0, 0.0
    monkeypatch.setattr(time, "monotonic", lambda: passed)
    monkeypatch.setattr(
        time, "clock_gettime", lambda clock: passed + (suspended if clock == time.CLOCK_BOOTTIME else 0.0)
    )
    clock = steady(lambda: 1_000_000.0)
    suspended = 3600.0

    assert clock() == 1_003_600.0


def test_the_clock_begins_with_the_time_of_day() -> None:
    """It returns epoch seconds."""
    assert steady()() == pytest.approx(time.time(), abs=1.0)


def test_a_reactor_goes_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reactor's delayed calls are due by the steady clock, whatever the system clock shows."""
    reactor = SelectReactor()
    use_steady_clock(reactor)
    call = reactor.callLater(100, lambda: None)
    monkeypatch.setattr(time, "time", lambda: 0.0)

    assert 99 < (reactor.timeout() or 0) <= 100
    assert call.getTime() - reactor.seconds() == pytest.approx(100, abs=1.0)
