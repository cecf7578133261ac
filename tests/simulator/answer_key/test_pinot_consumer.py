"""The correct consumer on a real Pinot, graded under every fault."""

import time
from collections.abc import Mapping

import pytest

from examples.consumers.pinot import PinotConsumer
from pinot.local.stack import Stack
from simulator.answer_key.query import Name
from simulator.course.course import Course
from tests.simulator.answer_key.races import (
    CASES,
    OF_READS,
    QUERY,
    graded,
    publish,
    stream_of,
    wait_until_queryable,
)

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]
COMPETITORS = 24
ASKED = [(kind, fault) for kind, fault in CASES if kind not in OF_READS]
"""Pinot has no raw reads."""


@pytest.fixture(scope="module")
def consumers(stack: Stack) -> Mapping[str, PinotConsumer]:
    """Return a consumer for each fault, of a race that Pinot has completely."""
    sent, found = {}, {}
    for fault in dict.fromkeys(fault for _, fault in ASKED):
        run_id = f"{fault.replace(' ', '-')}-{time.time_ns()}"
        sent[fault] = run_id, publish(stack, fault, run_id, COMPETITORS)
    for fault, (run_id, counts) in sent.items():
        wait_until_queryable(stack, run_id, counts)
        found[fault] = PinotConsumer(stack.broker, run_id, QUERY.at, QUERY.window, QUERY.lateness)
    return found


def test_an_unknown_race_is_named(stack: Stack) -> None:
    """Who mistypes a race's id reads which one, and where the right ones are."""
    with pytest.raises(FileNotFoundError, match="no race mistyped"):
        PinotConsumer(stack.broker, "mistyped")


@pytest.mark.parametrize(("kind", "fault"), ASKED)
def test_a_correct_consumer_on_pinot_is_right_under_every_fault(
    consumers: Mapping[str, PinotConsumer], library: dict[str, Course], kind: Name, fault: str
) -> None:
    """What Pinot's tables say agrees with the answer key on every question."""
    consumer = consumers[fault]
    stream = stream_of(library["crystal-palace"], fault, run_id=consumer.run_id, competitors=COMPETITORS)

    found = graded(consumer, kind, stream)

    assert found.percent == 100, found
    assert found.passed
