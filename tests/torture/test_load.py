"""Many connections and races at once: everybody is answered. `make torture` tries more, and measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.torture import load

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(120)


def test_dripping_connections_hold_nobody_up(tmp_path: Path) -> None:
    """With 80 of 400 connections sending a byte a second, all requests of the others are answered."""
    found = load.many_connections(tmp_path, 400, 80, seconds=8.0)

    assert found.failed == []
    assert found.requests >= 320
    assert found.ticks >= 5


def test_a_hundred_races_run_at_once(tmp_path: Path) -> None:
    """Each of them ticks every second."""
    found = load.many_races(tmp_path, 100, seconds=6.0)

    assert found.failed == []
    assert found.ticks >= 300
