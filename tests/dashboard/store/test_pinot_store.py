import json
from collections.abc import Callable

import httpx
import pytest

from dashboard.store.pinot_broker import Broker
from dashboard.store.protocol import StoreError
from dashboard.store.sql_store import PinotStore
from stream.pinot import PinotAuth
from tests.pinot.conftest import answering

__all__ = ["answering"]  # a fixture of the tests of Pinot


def test_unavailable_broker() -> None:
    """An unavailable broker is an error with its address, without the password, and with the remedy."""
    store = PinotStore(Broker("http://user:secret@127.0.0.1:9"))
    with pytest.raises(StoreError, match=r"http://127\.0\.0\.1:9 does not respond.*RACECAST_PINOT_BROKER"):
        store.races()


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b'{"exceptions": [{"errorCode": 180}]}'), (401, b"<html>"), (403, b'{"code": 403}')],
)
@pytest.mark.parametrize(
    ("auth", "message"),
    [
        (None, "Pinot requires credentials: set RACECAST_PINOT_USERNAME and"),
        (
            httpx.BasicAuth("anna", "secret"),
            "Pinot rejects the credentials in RACECAST_PINOT_USERNAME",
        ),
    ],
)
def test_broker_that_rejects_the_credentials(
    status: int, body: bytes, auth: httpx.Auth | None, message: str, answering: Callable[[int, bytes], str]
) -> None:
    """However a broker rejects the credentials, the error names the settings that are missing or wrong."""
    store = PinotStore(Broker(answering(status, body), PinotAuth(auth)))
    with pytest.raises(StoreError, match=message) as refused:
        store.races()
    assert "secret" not in str(refused.value)


def test_more_groups_than_pinot_counts(answering: Callable[[int, bytes], str]) -> None:
    """A response in which Pinot has left groups out is an error, not a smaller figure."""
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
