"""Short runs of the faults of streams. `make torture` runs longer ones."""

from pathlib import Path

from tests.torture import streams

MAX_GROWTH_MIB = 30.0


def test_cut_streams(tmp_path: Path) -> None:
    """When a proxy cuts all streams at once, all viewers come back to the newest picture."""
    result = streams.cut_by_a_proxy(tmp_path, 40, times=2, every_s=3.0)
    assert result.passed, result
    assert result.connects >= 3 * 40


def test_store_unavailable(tmp_path: Path) -> None:
    """After an outage of the store all viewers get new pictures, on the streams that they have."""
    result = streams.store_unavailable(tmp_path, 10, outage_s=4.0)
    assert result.passed, result
    assert result.longest >= 4.0
    assert result.connects == 10


def test_readers_of_nothing(tmp_path: Path) -> None:
    """Viewers that read nothing hold up no others and take a bounded amount of memory."""
    result = streams.readers_of_nothing(tmp_path, 5, 20, seconds=8.0)
    assert result.passed, result
    assert result.longest < streams.SETTLED_S
    assert result.memory_growth < MAX_GROWTH_MIB
