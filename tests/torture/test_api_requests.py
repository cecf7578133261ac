"""Requests of every kind, a few of them: none is a fault, and nothing invalid is accepted."""

from __future__ import annotations

from tests.torture import api_requests


def test_hostile_requests() -> None:
    """All is answered as the description says; afterwards the simulator is well, and ends well."""
    found = api_requests.run(900)

    assert found.broken == []
    assert found.held
    assert found.tried >= 900
    assert found.taken > 300
    assert found.refused > 300
