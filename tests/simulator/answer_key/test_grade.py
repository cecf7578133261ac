"""Grades: what counts as right, which rows are listed, and answers that can't be read."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from simulator.answer_key import grade
from simulator.answer_key.grade import AnswerError, Grade
from simulator.answer_key.kinds import KINDS, MILLISECOND, ndjson
from simulator.answer_key.published import Stream
from simulator.answer_key.query import AnswerQuery, Name
from simulator.commands.settings import EPOCH
from simulator.course.course import Course
from simulator.race.race import Race
from simulator.race.request import RaceRequest


@pytest.fixture
def stream(straight: Course) -> Stream:
    """Return the stream of a small race with faults."""
    faults: dict[str, Any] = {"duplicates": 0.5, "late": 0.2, "late_for": 5.0, "missed_passes": 0.3}
    request = RaceRequest(course="straight", competitors=5, seed=2, **faults)
    race = Race(straight, request.resolved(run_id="r", name="Race", seed=2, start_at=EPOCH))
    return Stream(race, race.time_of(race.last_tick))


def answered(stream: Stream, kind: Name, query: AnswerQuery | None = None) -> list[dict[str, Any]]:
    """Return the rows of the right answer."""
    lines = b"".join(ndjson(KINDS[kind].compute(stream, query or AnswerQuery()))).splitlines()
    return [json.loads(line) for line in lines]


def graded(stream: Stream, kind: Name, rows: Iterable[dict[str, Any]]) -> Grade:
    """Grade rows."""
    lines = [json.dumps(row).encode() for row in rows]
    return grade.grade(KINDS[kind], grade.read(KINDS[kind], lines), stream, AnswerQuery())


@pytest.mark.parametrize("kind", KINDS)
def test_answers_match_their_schema(stream: Stream, kind: Name) -> None:
    """Each row is valid by the JSON Schema of its kind, which names the key."""
    schema = KINDS[kind].schema()
    rows = answered(stream, kind)

    assert rows
    for row in rows:
        assert Draft202012Validator(schema).is_valid(row), row
    assert schema["key"] == list(KINDS[kind].key)


@given(data=st.data())
def test_the_order_of_rows_does_not_matter(data: st.DataObject) -> None:
    """A shuffled answer has the same grade; what is left out, added or changed is counted."""
    rows = data.draw(st.permutations(range(6)))
    kind = KINDS["duplicates"]
    given_rows = [{"eventId": f"r-1-{n}", "competitorId": 1, "rawTime": n, "times": 2} for n in rows]
    read = grade.read(kind, (json.dumps(row).encode() for row in given_rows))

    assert read.table == {(f"r-1-{n}",): (1, n, 2) for n in range(6)}
    assert read.repeated == 0


def test_differences_are_counted_and_listed(stream: Stream) -> None:
    """A grade has the missing, wrong, extra and repeated rows, with both values."""
    rows = answered(stream, "passings")
    first, second, third, *rest = rows
    wrong = second | {"elapsed": second["elapsed"] + 1.0}
    extra = third | {"lap": 99}

    found = graded(stream, "passings", [wrong, third, extra, *rest, rest[-1]])

    assert (found.missing, found.wrong, found.extra, found.repeated) == (1, 1, 1, 1)
    assert found.right == len(rows) - 2
    assert not found.passed
    assert found.percent < 100
    values = {(one.field, one.expected is None, one.given is None) for one in found.differences}
    assert values == {(None, False, True), ("elapsed", False, False), (None, True, False)}
    text = "\n".join(grade.report(found))
    assert f"elapsed is {wrong['elapsed']}, expected {second['elapsed']}" in text
    assert f"competitorId {first['competitorId']}" in text


def test_rows_within_the_tolerance_are_right(stream: Stream) -> None:
    """A time may differ by the tolerance, and by no more."""
    rows = answered(stream, "passings")
    moved = [row | {"elapsed": row["elapsed"] + 0.9 * MILLISECOND} for row in rows]
    too_far = [row | {"elapsed": row["elapsed"] + 1.1 * MILLISECOND} for row in rows]

    assert graded(stream, "passings", moved).passed
    assert graded(stream, "passings", too_far).right == 0


def test_fields_that_the_first_row_lacks_are_not_graded(stream: Stream) -> None:
    """A consumer may answer a part of the question; the grade says which part it did not."""
    rows = [{"start": row["start"], "events": row["events"]} for row in answered(stream, "windows")]

    found = graded(stream, "windows", rows)

    assert found.passed
    assert found.not_graded == ["competitors", "dropped", "pace"]
    assert "not graded" in "\n".join(grade.report(found))


def test_an_empty_answer_is_graded(stream: Stream) -> None:
    """Without rows, all of them are missing."""
    found = graded(stream, "order", [])

    assert (found.right, found.missing, found.percent) == (0, 5, 0)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "Line 2 is not JSON"),
        (b"[1]", "Line 2 must be a JSON object"),
        (b'{"start": "1", "events": 1}', "Line 2: start must be a whole number"),
        (b'{"events": 1}', "Line 2: start is required"),
        (b'{"start": 1, "events": -1}', "Line 2: events must be at least 0"),
        (b'{"start": 1}', "Line 2: events is required"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line: bytes, why: str) -> None:
    """An answer that can't be read gets the number of the line and the reason."""
    with pytest.raises(AnswerError, match=why):
        grade.read(KINDS["windows"], [b'{"start": 0, "events": 1}', line])


def test_an_answer_may_have_so_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit counts lines; one more is refused."""
    monkeypatch.setattr(grade, "MAX_ROWS", 2)
    line = b'{"start": 0}'

    assert grade.read(KINDS["windows"], [line] * 2).repeated == 1
    with pytest.raises(AnswerError, match="more than 2 lines"):
        grade.read(KINDS["windows"], [line] * 3)


def test_parts_of_a_race_add_up(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    """A race with too many positions for one array is answered in parts, with the same result."""
    query = AnswerQuery(lateness=2.0, at=20.0)
    kinds: list[Name] = ["windows", "late", "duplicates", "positions", "leaderboard"]
    whole = {kind: answered(stream, kind, query) for kind in kinds}
    monkeypatch.setattr("simulator.answer_key.published.CELLS", 2 * stream.ticks)
    again = Stream(stream.race, stream.until)

    assert len(list(again)) == 3
    assert {kind: answered(again, kind, query) for kind in kinds} == whole


def test_before_the_gun_there_is_nothing(stream: Stream) -> None:
    """A race that has published nothing has empty answers, except for its entries."""
    early = Stream(stream.race, -1.0)

    assert all(answered(early, kind) == [] for kind in KINDS if kind != "order")
    assert {row["place"] for row in answered(early, "order")} == {None}
