"""Short load tests: all requests succeed and ticks continue. `make torture` runs longer ones and measures."""

from pathlib import Path

import pytest

from tests.torture import load

pytestmark = pytest.mark.timeout(120)


def test_slow_clients_do_not_delay_others(tmp_path: Path) -> None:
    """While 80 of 400 clients send one byte per second, all requests of the others succeed."""
    result = load.many_connections(tmp_path, 400, 80, seconds=8.0)

    assert result.failed == []
    assert result.requests >= 320
    assert result.ticks > 0


def test_a_hundred_concurrent_races(tmp_path: Path) -> None:
    """With 100 concurrent races, requests succeed and ticks continue."""
    result = load.many_races(tmp_path, 100, seconds=6.0)

    assert result.failed == []
    assert result.ticks >= 100
