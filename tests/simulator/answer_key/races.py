"""Races under each fault, whose consumers are graded; for tests and the benchmark of grades."""

import io
import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol, get_args

from confluent_kafka import Producer

from examples.consumers.plain import Row
from pinot.local.stack import Stack
from simulator.answer_key import grade
from simulator.answer_key.grade import Grade
from simulator.answer_key.kinds import KINDS
from simulator.answer_key.published import Stream
from simulator.answer_key.query import AnswerQuery, Name
from simulator.commands.generate import generate
from simulator.course.course import Course
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from stream.contract import TOPICS, Written
from stream.waiting import wait_for
from tests.torture.event_stores import query_pinot

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


class Answering(Protocol):
    """A consumer."""

    def answer(self, kind: str) -> list[Row]:
        """Return the rows of an answer."""
        ...


def stream_of(course: Course, fault: str, **other: Any) -> Stream:
    """Return the stream of the race with a fault, as `generate` publishes it."""
    request = RaceRequest(**(RACE | FAULTS[fault] | other))
    start = datetime(2026, 1, 1, 9, tzinfo=UTC)
    run_id = request.run_id or course.short_name
    race = Race(course, request.resolved(run_id=run_id, name="x", seed=request.seed or 0, start_at=start))
    return Stream(race, race.time_of(race.last_tick))


def write_topics(folder: Path, fault: str) -> None:
    """Write all topics of the race with a fault as files."""
    for topic in get_args(Written):
        (folder / f"{topic}.ndjson").write_bytes(_generated(fault, topic))


def publish(stack: Stack, fault: str, run_id: str, competitors: int) -> dict[str, int]:
    """Send the race with a fault to Kafka, as `generate --keys` and kcat do; return the number per topic."""
    producer = Producer({"bootstrap.servers": stack.kafka, "queue.buffering.max.messages": 1_000_000})
    counts: dict[str, int] = {}
    for topic in TOPICS:
        messages = _generated(fault, topic, "--keys", run_id=run_id, competitors=competitors).splitlines()
        for message in messages:
            key, _, value = message.partition(b"\t")
            producer.produce(topic, value, key)
            producer.poll(0)
        counts[topic] = len(messages)
    if left := producer.flush(60):
        raise TimeoutError(f"{left} messages were not delivered")
    return counts


def wait_until_queryable(stack: Stack, run_id: str, counts: dict[str, int]) -> None:
    """Wait until Pinot has as many messages of each topic."""
    for topic, count in counts.items():
        wait_for(
            f"{topic} of {run_id}", partial(_missing, stack, topic, run_id, count), seconds=120, say=print
        )


def _generated(fault: str, topic: str, *flags: str, **other: Any) -> bytes:
    request = RACE | FAULTS[fault] | {"course": "courses/crystal-palace.kml"} | other
    words = [word for name, value in request.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    lines = io.BytesIO()
    generate([*words, "--topic", topic, *flags], lines)
    return lines.getvalue()


def _missing(stack: Stack, topic: str, run_id: str, count: int) -> str | None:
    sql = f"SELECT COUNT(*) FROM {topic} WHERE runId = '{run_id}' option(skipUpsert=true)"
    ((there,),) = query_pinot(f"{stack.broker}/query/sql", sql)
    return None if there >= count else f"{there} of {count} messages"


def graded(consumer: Answering, kind: Name, stream: Stream) -> Grade:
    """Grade what a consumer says."""
    lines = [json.dumps(row).encode() for row in consumer.answer(kind)]
    return grade.grade(KINDS[kind], grade.read(KINDS[kind], lines), stream, QUERY)
