from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from dashboard.store.pinot import PinotStore
from dashboard.store.pinot_broker import Broker
from dashboard.store.protocol import StoreError
from stream.pinot import PinotAuth
from tests.pinot.conftest import answering

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["answering"]  # a fixture of the tests of Pinot


def test_broker_away() -> None:
    """A broker that doesn't answer is an error: where it was sought, without the password, and what to do."""
    store = PinotStore(Broker("http://somebody:secret@127.0.0.1:9"))
    with pytest.raises(StoreError, match=r"http://127\.0\.0\.1:9 does not answer.*RACECAST_PINOT_BROKER"):
        store.races()


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b'{"exceptions": [{"errorCode": 180}]}'), (401, b"<html>"), (403, b'{"code": 403}')],
)
@pytest.mark.parametrize(
    ("auth", "told"),
    [
        (None, "Pinot asks for a user and a password: set RACECAST_PINOT_USERNAME and"),
        (
            httpx.BasicAuth("anna", "secret"),
            "Pinot refuses the user in RACECAST_PINOT_USERNAME, the password",
        ),
    ],
)
def test_broker_that_lets_nobody_in(
    status: int, body: bytes, auth: httpx.Auth | None, told: str, answering: Callable[[int, bytes], str]
) -> None:
    """However a broker says that it lets nobody in, the error names the settings that are missing or bad."""
    store = PinotStore(Broker(answering(status, body), PinotAuth(auth)))
    with pytest.raises(StoreError, match=told) as refused:
        store.races()
    assert "secret" not in str(refused.value)


def test_more_groups_than_pinot_counts(answering: Callable[[int, bytes], str]) -> None:
    """An answer in which Pinot has left groups out is an error, and no smaller figure."""
    body = {
        "resultTable": {"dataSchema": {"columnNames": ["n"], "columnDataTypes": ["LONG"]}, "rows": [[1]]},
        "exceptions": [],
        "numServersQueried": 1,
        "numServersResponded": 1,
        "numGroupsLimitReached": True,
    }
    broker = Broker(answering(200, json.dumps(body).encode()))
    with pytest.raises(StoreError, match=r"num\.groups\.limit"):
        broker.ask("SELECT COUNT(*) FROM parkrun GROUP BY competitorId LIMIT 10")
