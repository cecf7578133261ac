"""Log lines: one line each, with run and request ids, without traces and paths."""

import json
import re
from errno import ENOSPC
from io import StringIO
from pathlib import Path
from typing import Any, TextIO, cast

import httpx
import pytest
import structlog
from twisted.python.failure import Failure

from simulator import logs
from tests.processes import ROOT, simulator


def chained(*, exc_info: Any, **more: Any) -> dict[str, Any]:
    """Return what an event becomes."""
    return dict(
        logs.make_printable(
            None, "error", logs.report_exception(None, "error", {"exc_info": exc_info, **more})
        )
    )


def test_an_exception_is_one_line() -> None:
    """Message and place, innermost first, without traceback and paths; also for Twisted's failures."""
    events = []
    try:
        json.loads("{\n")
    except ValueError:
        events = [chained(exc_info=info) for info in (True, logs.exc_info(Failure()))]

    for event in events:
        assert event["error"].startswith("JSONDecodeError: Expecting property name")
        assert re.fullmatch(r"json\.decoder:\d+ < .*json:\d+ < tests\.simulator\.test_logs:\d+", event["at"])
        assert "/" not in event["at"]
    assert len(events) == 2


def test_external_text_starts_no_line() -> None:
    """Control characters of any kind are written as escapes."""
    event = chained(exc_info=None, name="a\nb\r\x1b[31m\u2028\x00é")

    assert event == {"name": "a\\nb\\r\\x1b[31m\\u2028\\x00é"}


def test_lines_carry_run_and_request_ids(tmp_path: Path) -> None:
    """What a request sets off is logged under its id, and the race's; reading is not logged."""
    flags = ("--sqlite", str(tmp_path / "race.db"), "--log-format", "json")
    with simulator(tmp_path, *flags) as running:
        headers = {"X-Request-Id": "asked-for-it"}
        body = {"course": "crystal-palace", "competitors": 5, "run_id": "r-1"}
        for content in (json.dumps(body), "{"):
            httpx.post(f"{running.address}/races", content=content, headers=headers, trust_env=False)
        httpx.get(f"{running.address}/races", trust_env=False)
        running.end()
        lines = [json.loads(line) for line in running.log.read_text().splitlines()]
    added, *_ = [line for line in lines if line["event"] == "race added"]
    requests = [line for line in lines if line["event"] == "request"]

    assert (added["run_id"], added["request_id"]) == ("r-1", "asked-for-it")
    assert [(line["request_id"], line["method"], line["path"], line["status"]) for line in requests] == [
        ("asked-for-it", "POST", "/races", 201),
        ("asked-for-it", "POST", "/races", 400),
    ]
    assert all(line["client"] == "127.0.0.1" and line["ms"] >= 0 for line in requests)
    assert str(ROOT) not in json.dumps(lines)


def test_a_secret_is_in_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the token that is set nor one that was tried is logged or answered."""
    secret, tried = "the-right-token-1234", "a-wrong-token-5678"
    monkeypatch.setenv("RACECAST_TOKEN", secret)
    with simulator(tmp_path, "--sqlite", str(tmp_path / "race.db")) as running:
        headers = {"Authorization": f"Bearer {tried}"}
        answer = httpx.post(f"{running.address}/races?token={tried}", headers=headers, trust_env=False)
        running.end()

    assert answer.status_code == 401
    for text in (running.log.read_text(), answer.text, str(answer.headers)):
        assert secret not in text
        assert tried not in text


def test_write_errors_stop_nothing() -> None:
    """Lines are dropped while they can't be written, and logged again afterwards."""

    class Full(StringIO):
        full = True

        def write(self, text: str) -> int:
            if self.full:
                raise OSError(ENOSPC, "No space left on device")
            return super().write(text)

        def flush(self) -> None:
            if self.full:
                raise OSError(ENOSPC, "No space left on device")

    stream = Full()
    log = structlog.PrintLogger(cast("TextIO", logs.Unfailing(stream)))
    log.msg("dropped")
    stream.full = False
    log.msg("written")

    assert stream.getvalue() == "written\n"
