"""The correct consumer on a real Pinot, graded under every fault."""

import io
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
from confluent_kafka import Producer

from examples.consumers.pinot import PinotConsumer
from pinot.local.stack import Stack
from simulator.answer_key.query import Name
from simulator.commands.generate import generate
from simulator.course.course import Course
from stream.contract import TOPICS
from stream.waiting import wait_for
from tests.simulator.answer_key import test_consumers
from tests.simulator.answer_key.test_consumers import FAULTS, OF_READS, QUERY, RACE, graded, stream_of
from tests.torture.event_stores import query_pinot

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]
COMPETITORS = 24
CASES = [(kind, fault) for kind, fault in test_consumers.CASES if kind not in OF_READS]
"""Pinot has no raw reads."""


@pytest.fixture(scope="module")
def consumers(stack: Stack) -> Mapping[str, PinotConsumer]:
    """Return a consumer for each fault, of a race that Pinot has completely."""
    made = str(time.time_ns())
    faults = {fault for _, fault in CASES}
    expected = {_run_id(fault, made): _publish(stack, fault, made) for fault in faults}
    for run_id, messages in expected.items():
        wait_for(run_id, partial(_missing, stack, run_id, messages), seconds=120, say=print)
    return {
        fault: PinotConsumer(stack.broker, _run_id(fault, made), QUERY.at, QUERY.window, QUERY.lateness)
        for fault in faults
    }


def _run_id(fault: str, made: str) -> str:
    return f"{fault.replace(' ', '-')}-{made}"


def _request(fault: str, run_id: str) -> dict[str, Any]:
    return RACE | FAULTS[fault] | {"competitors": COMPETITORS, "run_id": run_id}


def _publish(stack: Stack, fault: str, made: str) -> int:
    """Send a race as `generate` writes it with keys, like kcat; return the number of messages."""
    producer = Producer({"bootstrap.servers": stack.kafka, "queue.buffering.max.messages": 1_000_000})
    request = _request(fault, _run_id(fault, made)) | {"course": "courses/crystal-palace.kml"}
    flags = [word for name, value in request.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    count = 0
    for topic in TOPICS:
        lines = io.BytesIO()
        generate([*flags, "--topic", topic, "--keys"], lines)
        messages = lines.getvalue().splitlines()
        for message in messages:
            key, _, value = message.partition(b"\t")
            producer.produce(topic, value, key)
            producer.poll(0)
        count += len(messages)
    assert producer.flush(60) == 0
    return count


def _missing(stack: Stack, run_id: str, messages: int) -> str | None:
    counts = [
        query_pinot(
            f"{stack.broker}/query/sql",
            f"SELECT COUNT(*) FROM {topic} WHERE runId = '{run_id}' option(skipUpsert=true)",
        )[0][0]
        for topic in TOPICS
    ]
    return None if sum(counts) >= messages else f"{sum(counts)} of {messages} messages"


@pytest.mark.parametrize(("kind", "fault"), CASES)
def test_a_correct_consumer_on_pinot_is_right_under_every_fault(
    consumers: Mapping[str, PinotConsumer], library: dict[str, Course], kind: Name, fault: str
) -> None:
    """What Pinot's tables say agrees with the answer key on every question but those about raw reads."""
    consumer = consumers[fault]

    found = graded(consumer, kind, stream_of(library, _request(fault, consumer.run_id)))

    assert found.percent == 100, found
    assert found.passed
