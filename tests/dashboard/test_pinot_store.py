from __future__ import annotations

import pytest

from dashboard.pinot_broker import Broker
from dashboard.pinot_store import PinotStore
from dashboard.store import StoreError


def test_broker_away() -> None:
    """A broker that doesn't answer is an error: where it was sought, without the password, and what to do."""
    store = PinotStore(Broker("http://somebody:secret@127.0.0.1:9"))
    with pytest.raises(StoreError, match=r"http://127\.0\.0\.1:9 does not answer.*RACECAST_PINOT_BROKER"):
        store.races()
