"""Consumers are graded: correct ones 100 % under every fault, faulty ones with the mistake by its name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from examples.consumers.plain import Consumer
from examples.consumers.sqlite import SqlConsumer
from simulator.answer_key import grade
from simulator.answer_key.published import Stream
from simulator.answer_key.query import Name
from simulator.course.course import Course
from tests.simulator.answer_key.consumers import MISTAKES
from tests.simulator.answer_key.races import CASES, FAULTS, QUERY, graded, stream_of, write_topics

Correct = Consumer | SqlConsumer


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a folder with the topics of a race for each fault."""
    found = {fault: tmp_path_factory.mktemp("topics") for fault in FAULTS}
    for fault, folder in found.items():
        write_topics(folder, fault)
    return found


@pytest.fixture(scope="module")
def streams(library: dict[str, Course]) -> dict[str, Stream]:
    """Return the streams of the same races."""
    return {fault: stream_of(library["crystal-palace"], fault) for fault in FAULTS}


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
