"""Answers and grades over HTTP."""

from pathlib import Path

import pytest
from twisted.internet.task import Clock

from simulator.answer_key.kinds import KINDS
from simulator.course.course import Course
from tests.simulator.http.test_routes import Client


@pytest.fixture
def client(clock: Clock, straight: Course, tmp_path: Path) -> Client:
    """Return the API with one race, 30 s after its gun."""
    client = Client(clock, {"straight": straight}, tmp_path / "uploads")
    client.create(run_id="r", competitors=3, duplicates=0.3, late=0.3, late_for=4.0, stray_reads=1.0)
    client.wait(30)
    return client


@pytest.mark.parametrize("kind", KINDS)
def test_a_right_answer_passes(client: Client, kind: str) -> None:
    """What the API answers for the events so far, it grades with 100 %."""
    answer = client.get(f"/races/r/answers/{kind}?at=20&window=10&lateness=3")
    grade = client.post(f"/races/r/grade?kind={kind}&at=20&window=10&lateness=3", answer.body or b"\n")

    assert answer.status == grade.status == 200
    assert answer.header("Content-Type") == "application/x-ndjson"
    assert grade.json["percent"] == 100
    assert grade.json["expected"] == len(answer.body.splitlines())


def test_answers_grow_with_the_race(client: Client) -> None:
    """Only what is published counts."""
    before = client.get("/races/r/answers/windows?window=10").body
    client.wait(30)
    after = client.get("/races/r/answers/windows?window=10").body

    assert len(after.splitlines()) > len(before.splitlines()) > 0


def test_a_wrong_answer_is_explained(client: Client) -> None:
    """The grade has the differing rows and the mistake."""
    rows = b'{"start": 0, "events": 1}\n'
    grade = client.post("/races/r/grade?kind=windows", rows).json

    assert (grade["extra"], grade["percent"]) == (1, 0)
    assert grade["differences"][0]["expected"] is not None
    assert grade["not_graded"] == ["competitors", "dropped", "pace"]


@pytest.mark.parametrize(
    ("path", "body", "status", "why"),
    [
        ("/races/none/grade?kind=order", b"", 404, "No race"),
        ("/races/r/grade", b"", 422, "kind is required"),
        ("/races/r/grade?kind=sums", b"", 422, "kind must be"),
        ("/races/r/grade?kind=order&window=0", b"", 422, "window must be at least 1"),
        ("/races/r/grade?kind=order&window=86401", b"", 422, "window must be at most 86,400"),
        ("/races/r/grade?kind=order&lateness=-1", b"", 422, "lateness must be at least 0"),
        ("/races/r/grade?kind=order&lateness=86401", b"", 422, "lateness must be at most 86,400"),
        ("/races/r/grade?kind=order", b"place\n", 422, "Line 1 is not JSON"),
    ],
)
def test_a_request_that_cannot_be_graded_is_rejected(
    client: Client, path: str, body: bytes, status: int, why: str
) -> None:
    """The response names the parameter, or the line."""
    answer = client.post(path, body)

    assert answer.status == status
    assert why in answer.json["detail"]


def test_an_unknown_kind_is_not_found(client: Client) -> None:
    """The response lists the kinds."""
    answer = client.get("/races/r/answers/sums")

    assert answer.status == 404
    assert "windows" in answer.json["detail"]


@pytest.mark.parametrize("query", ["window=86400", "window=1", "lateness=0", "lateness=86400", "at=0"])
def test_the_limits_themselves_are_allowed(client: Client, query: str) -> None:
    """The highest and the lowest values are valid."""
    assert client.get(f"/races/r/answers/windows?{query}").status == 200
