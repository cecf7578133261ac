"""What raw reads show: careful consumers are right at all settings, also in the middle of a race."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from examples.consumers.plain import Consumer
from examples.consumers.sqlite import SqlConsumer
from simulator.answer_key import grade, mats
from simulator.answer_key.kinds import KINDS, READ
from simulator.answer_key.published import Stream
from simulator.answer_key.query import AnswerQuery, Name
from simulator.course.course import Course, Mat
from simulator.publishers.encode import encode, encode_rows
from simulator.race.events import CourseRecord, entries_of, reads_until, record_of
from simulator.race.options import MAX_READER_DRIFT, MAX_READER_SKEW, MAX_REPEATS
from simulator.race.race import Race
from simulator.race.reads import APART, LINES_APART, REACH, SPACING, Mats
from stream.contract import TABLES
from tests.simulator.conftest import resolved

KINDS_OF_READS: tuple[Name, ...] = ("reads", "missed")
SETTINGS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**63 - 1),
        "competitors": st.integers(1, 15),
        "interval": st.sampled_from([30.0, 600.0, 3600.0]),
        "fastest": st.sampled_from([60.0, 144.0]),
        "how_many_get_stopped": st.floats(0, 1),
        "read_repeats": st.integers(1, MAX_REPEATS),
        "missed_passes": st.floats(0, 1),
        "missed_by_line": st.floats(0, 1),
        "stray_reads": st.floats(0, 1),
        "reader_skew": st.floats(0, MAX_READER_SKEW),
        "reader_drift": st.floats(0, MAX_READER_DRIFT),
        "dns": st.floats(0, 0.5),
        "dnf": st.floats(0, 0.5),
        "wave_size": st.sampled_from([None, 3]),
    }
)


@pytest.fixture(scope="module")
def turning(straight: Course) -> Course:
    """The straight with a mat that is passed three times, twice within a few seconds."""
    return replace(straight, mats=(Mat("Turn", (0.0, 50.009), (990.0, 1000.0, 1800.0)),))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the topics of a race."""
    return tmp_path_factory.mktemp("topics")


def write(folder: Path, race: Race, until: int) -> None:
    """Write the topics that consumers of raw reads need, up to a tick."""
    found = Mats(race)
    lines = {
        "reads": [
            line
            for tick in range(min(until, found.last_tick) + 1)
            for batch in reads_until(found, tick, 1000)
            for line in encode(batch).values
        ],
        "courses": encode_rows(TABLES["courses"], CourseRecord(race.course))[1],
        "competitors": [line for batch in entries_of(race, 1000) for line in encode(batch).values],
        "races": encode(record_of(race, "running", race.start_ms, race.request.text())).values,
        "parkrun": [],
        "passings": [],
    }
    for topic, some in lines.items():
        (folder / f"{topic}.ndjson").write_bytes(b"".join(line + b"\n" for line in some))


def graded(rows: list[dict[str, Any]], kind: Name, stream: Stream) -> grade.Grade:
    """Grade rows."""
    read = grade.read(KINDS[kind], [json.dumps(row).encode() for row in rows])
    return grade.grade(KINDS[kind], read, stream, AnswerQuery())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(options=SETTINGS, share=st.floats(0, 1.2))
def test_careful_consumers_are_right_at_all_settings(
    turning: Course, folder: Path, options: dict[str, Any], share: float
) -> None:
    """From the topics alone, consumers find what the answer key has, up to any tick of any race."""
    race = Race(turning, resolved(**options))
    until = int(share * race.last_tick)
    # What follows the last tick is published with a race that has ended.
    until = until if until < race.last_tick else Mats(race).last_tick
    write(folder, race, until)
    stream = Stream(race, race.time_of(min(until, race.last_tick)))
    for consumer in (Consumer(folder), SqlConsumer(folder)):
        for kind in KINDS_OF_READS:
            found = graded(consumer.answer(kind), kind, stream)
            assert found.passed, "\n".join(grade.report(found))
        # Corrected clocks are exact to 2 ms, and rounded; the rest of the tolerance is for other rules.
        strict = replace(KINDS["reads"], tolerances={"elapsed": 0.0025})
        read = grade.read(strict, [json.dumps(row).encode() for row in consumer.answer("reads")])
        assert grade.grade(strict, read, stream, AnswerQuery()).passed


def test_the_passings_are_right_where_nothing_is_missed(make_race: Callable[..., Race]) -> None:
    """The tolerance is that of the reads, so the truth has the full grade."""
    race = make_race(competitors=200, read_repeats=10, stray_reads=0.5, dnf=0.1)
    stream = Stream(race, race.time_of(race.last_tick))
    columns = KINDS["passings"].compute(stream, AnswerQuery())
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    some = [row | {"sighting": row["lap"]} for row in rows if row["kind"] in {"start", "split", "finish"}]

    found = graded(some, "reads", stream)

    assert found.passed
    assert found.not_graded == ["reads"]
    late = [row | {"elapsed": row["elapsed"] + SPACING / 2 + READ + 0.002} for row in some]
    assert graded(late, "reads", stream).right == 0


def test_missed_passes_are_those_before_a_read(make_race: Callable[..., Race]) -> None:
    """A row is of a competitor who has passed the point without a read, and was read further on."""
    race = make_race(competitors=2000, missed_passes=0.2, dnf=0.2)
    stream = Stream(race, race.time_of(race.last_tick))
    passings = KINDS["passings"].compute(stream, AnswerQuery())
    passed = set(zip(passings["competitorId"], passings["point"], strict=True))
    reads = KINDS["reads"].compute(stream, AnswerQuery())
    seen = set(zip(reads["competitorId"], reads["point"], strict=True))
    missed = KINDS["missed"].compute(stream, AnswerQuery())
    found = set(zip(missed["competitorId"], missed["point"], strict=True))

    assert found
    assert found <= passed - seen
    assert not any(point == "Finish" for _, point in found)
    assert set(missed["times"]) == {1}


def test_a_large_race_is_answered_in_parts(
    make_race: Callable[..., Race], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A race with too many reads for the memory is taken in parts, with the same result."""
    race = make_race(competitors=40, read_repeats=3, missed_by_line=0.3, stray_reads=0.5, reader_skew=5)
    stream = Stream(race, race.time_of(race.last_tick))
    whole = [KINDS[kind].compute(stream, AnswerQuery()) for kind in KINDS_OF_READS]
    monkeypatch.setattr(mats, "READS", 300)

    assert [KINDS[kind].compute(stream, AnswerQuery()) for kind in KINDS_OF_READS] == whole


def test_passes_can_be_told_apart() -> None:
    """The seconds of the rule lie between the longest gap in a pass and the shortest between two."""
    within_a_pass = LINES_APART + SPACING
    between_passes = APART - LINES_APART - 2 * REACH

    assert within_a_pass < mats.TOGETHER - 1 < mats.TOGETHER + 1 < between_passes
