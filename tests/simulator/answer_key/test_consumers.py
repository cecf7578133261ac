"""Consumers are graded: correct ones 100 % under every fault, faulty ones with the mistake by its name."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from examples.consumers.plain import Consumer
from examples.consumers.sqlite import SqlConsumer
from simulator.answer_key import grade
from simulator.answer_key.grade import Grade
from simulator.answer_key.kinds import KINDS
from simulator.answer_key.published import Stream
from simulator.answer_key.query import AnswerQuery, Name
from simulator.commands.generate import generate
from simulator.course.course import Course
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from stream.contract import Written
from tests.simulator.answer_key.consumers import MISTAKES

Correct = Consumer | SqlConsumer
QUERY = AnswerQuery(at=901.0, window=60, lateness=20.0)
OF_TRACKERS: dict[str, dict[str, Any]] = {
    "no fault": {},
    "lost": {"lost": 0.1},
    "frozen": {"frozen": 0.1},
    "late": {"late": 0.1},
    "duplicates": {"duplicates": 0.3},
    "clock skew": {"clock_skew": 3.0},
    "dead batteries": {"dead_battery": 0.2},
    "GPS error": {"gps_error": 3.0, "gps_noise": 2.0},
}
OF_MATS: dict[str, dict[str, Any]] = {
    "no fault of mats": {},
    "read repeats": {"read_repeats": 6},
    "missed passes": {"missed_passes": 0.1},
    "passes missed by a line": {"missed_by_line": 0.3},
    "stray reads": {"stray_reads": 1.0},
    "reader clocks": {"reader_skew": 3600.0, "reader_drift": 1000.0},
    "all passes missed": {"missed_passes": 1.0, "stray_reads": 1.0},
}
ALL: dict[str, Any] = {
    "lost": 0.05,
    "frozen": 0.05,
    "late": 0.05,
    "duplicates": 0.3,
    "clock_skew": 3.0,
    "dead_battery": 0.1,
    "gps_error": 3.0,
    "read_repeats": 6,
    "missed_passes": 0.05,
    "missed_by_line": 0.2,
    "stray_reads": 0.5,
    "reader_skew": 4.0,
    "reader_drift": 500.0,
}
FAULTS = OF_TRACKERS | OF_MATS | {"all": ALL}
OF_READS: tuple[Name, ...] = ("reads", "missed")
"""Questions about raw reads; faults of trackers don't change their answers, nor those of mats the others."""
CASES: list[tuple[Name, str]] = [
    (kind, fault) for kind in KINDS for fault in (*(OF_MATS if kind in OF_READS else OF_TRACKERS), "all")
]
RACE: dict[str, Any] = {
    "course": "crystal-palace",
    "competitors": 40,
    "seed": 3,
    "interval": 2.0,
    "pace_model": "parkrun",
    "wave_size": 20,
    "start_flow": 0.5,
    "dns": 0.04,
    "dnf": 0.06,
    "disqualified": 0.08,
    "walking": 0.1,
    "wrong_turn": 0.1,
    "how_many_get_stopped": 0.2,
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a folder with the topics of a race for each fault."""
    found = {}
    for fault, options in FAULTS.items():
        folder = found[fault] = tmp_path_factory.mktemp("topics")
        flags = [
            word
            for name, value in (RACE | options | {"course": "courses/crystal-palace.kml"}).items()
            for word in (f"--{name.replace('_', '-')}", str(value))
        ]
        for topic in get_args(Written):
            with (folder / f"{topic}.ndjson").open("wb") as file:
                generate([*flags, "--topic", topic], file)
    return found


@pytest.fixture(scope="module")
def streams(library: dict[str, Course]) -> dict[str, Stream]:
    """Return the streams of the same races."""
    return {fault: stream_of(library, RACE | options) for fault, options in FAULTS.items()}


def stream_of(library: dict[str, Course], request: dict[str, Any]) -> Stream:
    """Return the stream of a race, as `generate` publishes it."""
    start = datetime(2026, 1, 1, 9, tzinfo=UTC)
    run_id = request.get("run_id", "crystal-palace")
    resolved = RaceRequest(**request).resolved(run_id=run_id, name="x", seed=3, start_at=start)
    race = Race(library["crystal-palace"], resolved)
    return Stream(race, race.time_of(race.last_tick))


@pytest.fixture(scope="module")
def correct(folders: dict[str, Path]) -> Callable[[type[Correct], str], Correct]:
    """Return the correct consumers, each of which reads the events of a fault once."""
    known: dict[tuple[type[Correct], str], Correct] = {}

    def found(make: type[Correct], fault: str) -> Correct:
        if (make, fault) not in known:
            known[make, fault] = made(make, folders[fault])
        return known[make, fault]

    return found


def made(make: type[Correct], folder: Path) -> Correct:
    """Return a consumer of the events in a folder."""
    return make(folder, QUERY.at, QUERY.window, QUERY.lateness)


def graded(consumer: Correct, kind: Name, stream: Stream) -> Grade:
    """Grade what a consumer says."""
    lines = [json.dumps(row).encode() for row in consumer.answer(kind)]
    return grade.grade(KINDS[kind], grade.read(KINDS[kind], lines), stream, QUERY)


@pytest.mark.parametrize("make", [Consumer, SqlConsumer])
@pytest.mark.parametrize(("kind", "fault"), CASES)
def test_a_correct_consumer_is_right_under_every_fault(
    correct: Callable[[type[Correct], str], Correct],
    streams: dict[str, Stream],
    kind: Name,
    fault: str,
    make: type[Correct],
) -> None:
    """In plain Python and in SQL, a correct consumer agrees with the answer key on every question."""
    found = graded(correct(make, fault), kind, streams[fault])

    assert found.passed, "\n".join(grade.report(found))
    assert found.percent == 100
    assert not found.hints


@pytest.mark.parametrize(
    ("make", "kind", "hint"), MISTAKES, ids=[f"{make.__name__}-{kind}" for make, kind, _ in MISTAKES]
)
def test_a_faulty_consumer_is_caught(
    folders: dict[str, Path], streams: dict[str, Stream], make: type[Consumer], kind: Name, hint: str
) -> None:
    """Each mistake costs the grade and is named, and no more than two others with it."""
    found = graded(made(make, folders["all"]), kind, streams["all"])

    assert not found.passed
    assert found.percent < 100
    assert any(hint in one for one in found.hints), found.hints
    assert len(found.hints) <= 2, found.hints
