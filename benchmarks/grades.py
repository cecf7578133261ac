"""Grades of the example consumers: correct ones under each fault, and faulty ones with the mistakes named."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from examples.consumers.pinot import PinotConsumer
from examples.consumers.plain import Consumer
from examples.consumers.sqlite import SqlConsumer
from pinot.local.stack import Stack
from simulator.answer_key.published import Stream
from simulator.answer_key.query import Name
from simulator.course.library import load_folder
from tests.simulator.answer_key.consumers import MISTAKES
from tests.simulator.answer_key.races import (
    CASES,
    FAULTS,
    OF_READS,
    QUERY,
    Answering,
    graded,
    publish,
    stream_of,
    write_topics,
)

COMPETITORS_IN_PINOT = 24
"""Of the race that is sent through Kafka; the others have as many as `races.RACE` says."""


class Graded(NamedTuple):
    """The grade of a consumer over some questions.

    Attributes:
        rows: how many rows it was asked for, with those that only it has.
        percent: share of the rows that are right.
    """

    rows: int
    percent: float


class Caught(NamedTuple):
    """The grade of a faulty consumer on one question.

    Attributes:
        consumer: what it is called.
        kind: the question.
        percent: share of the rows that are right.
        hint: the first mistake that the grade names.
    """

    consumer: str
    kind: str
    percent: float
    hint: str


def correct(folder: Path, stack: Stack) -> Iterator[tuple[str, Mapping[str, Graded | None]]]:
    """Yield each fault with the grades of the correct consumers by their names; None for no question."""
    course = load_folder(Path("courses")).courses["crystal-palace"]
    for fault in FAULTS:
        topics = folder / fault
        topics.mkdir()
        write_topics(topics, fault)
        asked = [kind for kind, about in CASES if about == fault]
        stream, place = stream_of(course, fault), (topics, QUERY.at, QUERY.window, QUERY.lateness)
        found: dict[str, Graded | None] = {}
        for name, make in (("plain Python", Consumer), ("SQLite", SqlConsumer)):
            found[name] = _over(make(*place), asked, stream)
        found["Pinot"] = None
        if in_pinot := [kind for kind in asked if kind not in OF_READS]:
            run_id = f"grades-{time.time_ns()}"
            publish(stack, fault, run_id, COMPETITORS_IN_PINOT)
            consumer = PinotConsumer(stack.broker, run_id, QUERY.at, QUERY.window, QUERY.lateness)
            stream = stream_of(course, fault, run_id=run_id, competitors=COMPETITORS_IN_PINOT)
            found["Pinot"] = _over(consumer, in_pinot, stream)
        yield fault, found


def faulty(folder: Path) -> Iterator[Caught]:
    """Yield the grades of the faulty consumers, under all faults together."""
    course = load_folder(Path("courses")).courses["crystal-palace"]
    write_topics(folder, "all")
    stream = stream_of(course, "all")
    for make, kind, _ in MISTAKES:
        found = graded(make(folder, QUERY.at, QUERY.window, QUERY.lateness), kind, stream)
        yield Caught(make.__name__, kind, found.percent, found.hints[0] if found.hints else "")


def _over(consumer: Answering, kinds: list[Name], stream: Stream) -> Graded:
    grades = [graded(consumer, kind, stream) for kind in kinds]
    rows, right = sum(one.expected + one.extra for one in grades), sum(one.right for one in grades)
    return Graded(rows, 100.0 * right / rows if rows else 100.0)
