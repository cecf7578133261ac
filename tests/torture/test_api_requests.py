"""Requests of every kind, a few of them: none is a fault, and nothing invalid is accepted."""

from __future__ import annotations

from tests.torture import api_requests


def test_hostile_requests() -> None:
    """All is answered as the description says; afterwards the simulator is well, and ends well."""
    found = api_requests.run(300)

    assert found.broken == []
    assert found.held
    assert found.tried > 250
    assert found.taken > 50
    assert found.refused > 100
