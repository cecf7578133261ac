"""The contract of a publisher, on the real SQLite and the real Kafka."""

import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import orjson
import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.threads import deferToThreadPool

from pinot.admin.topics import set_up_topics
from pinot.local.stack import Stack
from simulator.course.course import Course
from simulator.publishers import binary, kafka, sqlite
from simulator.publishers.binary import encoding_of
from simulator.publishers.encode import encode
from simulator.publishers.kafka import KafkaPublisher
from simulator.publishers.publisher import Publisher, PublishError
from simulator.publishers.sqlite import SqlitePublisher
from simulator.race.events import (
    UNKNOWN_TIME,
    Batch,
    CourseRecord,
    Positions,
    RaceRecord,
    Streamed,
    entries_of,
    passings_until,
    positions_at,
    reads_until,
    record_of,
)
from simulator.race.race import Race
from simulator.race.reads import Mats
from simulator.reactor import after
from stream.contract import ALL_TOPICS, Topic, table_of
from stream.formats import FORMATTED, SchemaType
from stream.race_states import RaceState
from stream.registry import Schemas
from tests.conftest import need_java_and_jars
from tests.formats import decoder_of
from tests.simulator.conftest import resolved
from tests.simulator.histograms import total, up_to
from tests.simulator.reactor_thread import ReactorThread
from tests.stacks import started
from tests.topics import TopicMessage, count_partitions, read_topic

Rows = list[dict[str, Any]]


class Place(Protocol):
    """A place that events go to, and can be read from."""

    publisher: Publisher

    def all(self, topic: Topic, run_id: str) -> Rows:
        """Return a race's positions as they arrived; of other topics each key's newest event."""
        ...


class SqlitePlace:
    """The embedded store in a file."""

    def __init__(self, thread: ReactorThread, path: Path) -> None:
        self.path = path
        self.publisher = thread.call(SqlitePublisher, thread.reactor, path)

    def all(self, topic: Topic, run_id: str) -> Rows:
        """Return a race's rows; of `parkrun` the history."""
        table = "parkrun_history" if topic == "parkrun" else topic
        with sqlite3.connect(self.path) as file:
            file.row_factory = sqlite3.Row
            rows = file.execute(f"SELECT * FROM {table} WHERE runId = ?", (run_id,)).fetchall()
        return [dict(row) for row in rows]


class KafkaPlace:
    """The real Kafka, and for Avro and Protobuf a real schema registry."""

    def __init__(self, thread: ReactorThread, bootstrap: str, schemas: Schemas | None = None) -> None:
        self.bootstrap = bootstrap
        self._schemas = schemas
        self.publisher = thread.call(
            KafkaPublisher, thread.reactor, {"bootstrap.servers": bootstrap}, None, encoding_of(schemas)
        )

    def all(self, topic: Topic, run_id: str) -> Rows:
        """Return a race's events; of the other topics than `parkrun` each key's newest."""
        decode = decoder_of(self._schemas if topic in FORMATTED else None, topic)
        events = [read.event for read in read_topic(self.bootstrap, topic, run_id, decode)]
        if topic == "parkrun":
            return events
        newest = {tuple(event[name] for name in table_of(topic).key): event for event in events}
        return list(newest.values())


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Kafka with topics, but no Pinot, which would read the topics as JSON."""
    need_java_and_jars()
    with started(tmp_path_factory.mktemp("kafka"), "kafka") as stack:
        set_up_topics(stack.kafka_access, partitions=2, replication=1)
        yield stack


PLACES = ("sqlite", *(pytest.param(kind, marks=pytest.mark.stack) for kind in ("JSON", "AVRO", "PROTOBUF")))


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, thread: ReactorThread, tmp_path: Path) -> Place:
    """Return each place in turn, Kafka with each format; the test closes its publisher."""
    if request.param == "sqlite":
        return SqlitePlace(thread, tmp_path / "race.db")
    if request.param == "JSON":
        return KafkaPlace(thread, request.getfixturevalue("stack").kafka)
    schemas = registered(request.getfixturevalue("registry"), request.param)
    return KafkaPlace(thread, request.getfixturevalue("own_kafka").kafka, schemas)


def registered(url: str, schema_type: SchemaType) -> Schemas:
    """Return the schemas of a format, which the registry then has, and no others of these topics."""
    schemas = Schemas(url, schema_type)
    for topic in FORMATTED:
        schemas.delete(topic)
        schemas.register(topic)
    return schemas


@pytest.fixture
def race(straight: Course) -> Race:
    """Return a race of 30 with an id of its own."""
    request = resolved(competitors=30, how_many_get_stopped=0.5, interval=30, cut_offs={"finish": 1100})
    request = request.model_copy(update={"chip_reads": True, "read_repeats": 2})
    return Race(straight, request.model_copy(update={"run_id": f"race-{uuid.uuid4().hex}"}))


def record(race: Race, status: RaceState, updated_at: int) -> RaceRecord:
    """Return a race's own row."""
    return record_of(race, status, updated_at, race.request.text())


def whole(race: Race) -> list[Streamed]:
    """Return all batches of a race, small ones."""
    batches: list[Streamed] = [record(race, "running", 1), *entries_of(race, 7)]
    mats = Mats(race)
    for tick in range(race.last_tick + 1):
        batches += [*passings_until(race, tick, 7), *positions_at(race, tick, 7)]
        batches += reads_until(mats, tick, 7)
    return [*batches, record(race, "finished", 2)]


def events(batches: Sequence[Streamed], topic: str) -> Rows:
    """Return the batches' events of a topic."""
    messages = [encode(batch) for batch in batches]
    return [orjson.loads(value) for some in messages if some.topic == topic for value in some.values]


def by_key(rows: Rows, *more: str) -> Rows:
    """Sort rows so that two places' can be compared."""
    names = ("runId", "competitorId", "rawTime", "kind", "point", "lap", *more)
    return sorted(rows, key=lambda row: [str(row.get(name, "")).zfill(12) for name in names])


def publish(thread: ReactorThread, publisher: Publisher, batches: Sequence[Batch]) -> None:
    """Publish batches one after another, as the engine does."""
    for batch in batches:
        thread.call(publisher.publish, batch)


def test_all_that_is_published_is_there(thread: ReactorThread, place: Place, race: Race) -> None:
    """After closing, every event of every topic is at the place, with all its fields."""
    batches = whole(race)
    publish(thread, place.publisher, batches)
    thread.call(place.publisher.close)

    topics: tuple[Topic, ...] = ("parkrun", "competitors", "passings")
    for topic in topics:
        assert by_key(place.all(topic, race.run_id)) == by_key(events(batches, topic))
    assert place.all("races", race.run_id) == events(batches, "races")[-1:]
    found = [{"elapsed": UNKNOWN_TIME, **read} for read in place.all("reads", race.run_id)]
    expected = [{"elapsed": UNKNOWN_TIME, **read} for read in events(batches, "reads")]
    assert by_key(found, "eventId") == by_key(expected, "eventId")
    assert {read["competitorId"] for read in found} == set(range(31))


def test_a_repeat_is_harmless(thread: ReactorThread, place: Place, race: Race) -> None:
    """Publishing everything twice leaves each key's newest as it was."""
    batches = whole(race)
    publish(thread, place.publisher, batches)
    publish(thread, place.publisher, batches)
    thread.call(place.publisher.close)
    ids = {event["eventId"] for event in place.all("parkrun", race.run_id)}

    assert ids == {event["eventId"] for event in events(batches, "parkrun")}
    topics: tuple[Topic, ...] = ("competitors", "passings")
    for topic in topics:
        assert by_key(place.all(topic, race.run_id)) == by_key(events(batches, topic))
    assert len(place.all("reads", race.run_id)) == len(events(batches, "reads"))


def test_health_counts_what_was_delivered(thread: ReactorThread, place: Place, race: Race) -> None:
    """Once all is closed nothing waits, all is delivered, and there is no trouble."""
    batches = whole(race)
    publish(thread, place.publisher, batches)
    thread.call(place.publisher.close)
    health = place.publisher.health()

    assert health.waiting == 0
    assert health.delivered == sum(len(batch) for batch in batches)
    assert health.errors == 0


def test_deliveries_are_timed_and_counted_by_topic(thread: ReactorThread, place: Place, race: Race) -> None:
    """Each batch's delivery counts once, with the time from its handing over to its confirmation."""
    batches = whole(race)
    began = time.monotonic()
    publish(thread, place.publisher, batches)
    thread.call(place.publisher.close)
    took = time.monotonic() - began
    found = place.publisher.deliveries

    assert up_to(found.duration) == len(batches)
    assert 0 < total(found.duration) < took * len(batches)
    assert found.delivered == {
        topic: sum(len(batch) for batch in batches if batch.topic == topic) for topic in ALL_TOPICS
    }


# SQLite alone.


def test_a_file_that_became_read_only_is_reported_and_retried(
    thread: ReactorThread, tmp_path: Path, race: Race
) -> None:
    """A read-only store is reported in SQLite's words; the same batch is accepted afterwards."""
    place = SqlitePlace(thread, tmp_path / "race.db")
    publisher: Any = place.publisher
    (batch,) = positions_at(race, 0, 30)
    publisher._file.execute("PRAGMA query_only = ON")
    with pytest.raises(PublishError, match=r"race\.db takes no writes: attempt to write a readonly database"):
        thread.call(publisher.publish, batch)
    assert "readonly" in str(publisher.health().trouble)
    publisher._file.execute("PRAGMA query_only = OFF")
    thread.call(publisher.publish, batch)
    health = publisher.health()
    thread.call(publisher.close)

    assert (health.delivered, health.errors, health.trouble) == (30, 1, None)
    assert publisher.deliveries.errors["parkrun"] == 1
    assert len(place.all("parkrun", race.run_id)) == 30


def test_a_read_only_file_is_reported_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only file is rejected when it is opened."""
    file, connect = tmp_path / "race.db", sqlite3.connect
    with closing(connect(file)) as store:
        store.execute("PRAGMA journal_mode = WAL")

    def read_only(path: Path, **more: Any) -> Any:
        # As SQLite itself opens a file without the right to write; root has every right.
        return connect(f"file:{path}?mode=ro", uri=True, **more)

    monkeypatch.setattr(sqlite3, "connect", read_only)
    reactor: Any = None
    with pytest.raises(PublishError, match=r"race\.db can't be opened: attempt to write a readonly database"):
        SqlitePublisher(reactor, file)


# Kafka alone.


def test_positions_of_a_competitor_are_in_order(thread: ReactorThread, stack: Any, race: Race) -> None:
    """A competitor's positions arrive in the order of race time."""
    place = KafkaPlace(thread, stack.kafka)
    publish(thread, place.publisher, whole(race))
    thread.call(place.publisher.close)
    times: dict[int, list[int]] = {}
    for event in place.all("parkrun", race.run_id):
        times.setdefault(event["competitorId"], []).append(event["rawTime"])

    assert all(seen == sorted(seen) for seen in times.values())
    assert len(times) == 30


def test_keys_lie_where_java_puts_them(thread: ReactorThread, stack: Any, race: Race) -> None:
    """An event's partition is Java's: murmur2 of its key, so that other producers use the same partitions."""
    place = KafkaPlace(thread, stack.kafka)
    batches = list(positions_at(race, 0, 100))
    publish(thread, place.publisher, batches)
    thread.call(place.publisher.close)
    partitions = count_partitions(stack.kafka, "parkrun")
    found = {read.key: read.partition for read in read_topic(stack.kafka, "parkrun", race.run_id)}

    assert partitions > 1
    assert found == {key: murmur2(key.encode()) % partitions for key in found}
    assert len(found) == 30


def murmur2(data: bytes) -> int:
    """Return Kafka's hash of a key (org.apache.kafka.common.utils.Utils.murmur2), made positive."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    value = 0x9747B28C ^ len(data)
    words = len(data) // 4
    for nth in range(words):
        word = int.from_bytes(data[4 * nth : 4 * nth + 4], "little") * multiplier & mask
        word = (word ^ (word >> 24)) * multiplier & mask
        value = (value * multiplier & mask) ^ word
    if rest := data[4 * words :]:
        value = (value ^ int.from_bytes(rest, "little")) * multiplier & mask
    value = (value ^ (value >> 13)) * multiplier & mask
    return (value ^ (value >> 15)) & 0x7FFFFFFF


def test_every_record_says_what_it_is(thread: ReactorThread, stack: Any, race: Race) -> None:
    """The headers of each topic's records have the type of the event and the version of its schema."""
    place = KafkaPlace(thread, stack.kafka)
    publish(thread, place.publisher, whole(race))
    thread.call(place.publisher.close)
    found = {}
    for topic in ALL_TOPICS:
        (headers,) = {tuple(read.headers.items()) for read in read_topic(stack.kafka, topic, race.run_id)}
        found[topic] = headers

    assert found == {
        "parkrun": (("type", b"Position"), ("version", b"14")),
        "passings": (("type", b"Passing"), ("version", b"8")),
        "races": (("type", b"Race"), ("version", b"14")),
        "competitors": (("type", b"Competitor"), ("version", b"7")),
        "reads": (("type", b"Read"), ("version", b"10")),
    }


@pytest.mark.parametrize("schema_type", ["AVRO", "PROTOBUF"])
def test_other_formats_have_the_same_keys_and_headers(
    thread: ReactorThread, own_kafka: Stack, registry: str, race: Race, schema_type: SchemaType
) -> None:
    """Avro and Protobuf change the values alone: keys and headers are those of JSON."""
    found = []
    for schemas in (None, registered(registry, schema_type)):
        place = KafkaPlace(thread, own_kafka.kafka, schemas)
        named = replace_run_id(race)
        publish(thread, place.publisher, list(positions_at(named, 0, 100)))
        thread.call(place.publisher.close)
        decode = decoder_of(schemas, "parkrun")
        messages = read_topic(own_kafka.kafka, "parkrun", named.run_id, decode)
        found.append([(key.split(":")[1], headers) for _, key, _, headers in sorted(messages, key=by_bib)])

    assert found[0] == found[1]
    assert len(found[0]) == 30


def replace_run_id(race: Race) -> Race:
    """Return the same race with another id."""
    return Race(race.course, race.request.model_copy(update={"run_id": f"race-{uuid.uuid4().hex}"}))


def by_bib(message: TopicMessage) -> int:
    """Sort messages of one race by bib."""
    return int(message.key.split(":")[1])


def test_an_unavailable_registry_is_retried(
    thread: ReactorThread, own_kafka: Stack, registry: str, race: Race
) -> None:
    """While the registry does not respond, a batch is rejected with what to do; later it is accepted."""
    schemas = registered(registry, "AVRO")
    schemas.url = "http://127.0.0.1:9"
    place = KafkaPlace(thread, own_kafka.kafka, schemas)
    (batch,) = positions_at(race, 0, 30)
    with pytest.raises(
        PublishError, match=r"registry at http://127\.0\.0\.1:9 does not respond .*: start it"
    ):
        thread.call(place.publisher.publish, batch)
    assert place.publisher.health().waiting == 0
    schemas.url = registry
    thread.call(place.publisher.publish, batch)
    thread.call(place.publisher.close)

    assert place.publisher.health().delivered == 30
    assert by_key(place.all("parkrun", race.run_id)) == by_key(events([batch], "parkrun"))


def test_a_missing_schema_is_reported(
    thread: ReactorThread, own_kafka: Stack, registry: str, race: Race
) -> None:
    """For a registry without the schemas, the error names the command that registers them."""
    schemas = registered(registry, "AVRO")
    schemas.delete("passings")
    place = KafkaPlace(thread, own_kafka.kafka, schemas)
    (batch,) = positions_at(race, 0, 30)
    with pytest.raises(PublishError, match="AVRO schema of passings-value: python -m pinot setup"):
        thread.call(place.publisher.publish, batch)
    thread.call(place.publisher.close)

    assert place.publisher.health().delivered == 0


def test_flushed_waits_for_a_batch_that_is_being_encoded(
    thread: ReactorThread, own_kafka: Stack, registry: str, race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch of which a part is encoded counts as waiting, and `flushed` waits for all of it."""
    monkeypatch.setattr(binary, "POSITIONS", 1)
    place = KafkaPlace(thread, own_kafka.kafka, registered(registry, "PROTOBUF"))
    (batch,) = positions_at(race, 0, 30)
    publish(thread, place.publisher, list(entries_of(race, 30)))
    begun = thread.start(place.publisher.publish, batch)
    thread.call(place.publisher.flushed)

    assert begun.is_set()
    assert place.publisher.health().delivered == 60
    thread.call(place.publisher.close)


def test_without_a_broker_nothing_is_taken(thread: ReactorThread, race: Race) -> None:
    """Until a broker has answered, a batch is rejected with the broker's address, to be retried."""
    publisher = thread.call(KafkaPublisher, thread.reactor, {"bootstrap.servers": "127.0.0.1:1"})
    (batch,) = positions_at(race, 0, 30)
    with pytest.raises(PublishError, match=r"no broker answers at 127\.0\.0\.1:1"):
        thread.call(publisher.publish, batch)
    health = publisher.health()
    thread.call(publisher.close)

    assert (health.waiting, health.delivered) == (0, 0)
    assert "127.0.0.1:1" in str(health.trouble)


def test_without_the_topics_nothing_is_taken(
    thread: ReactorThread, stack: Any, race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a broker without topics, the error names the command that creates them."""
    monkeypatch.setattr(kafka, "TOPICS", ("parkrun", "missing-topic"))
    publisher = thread.call(KafkaPublisher, thread.reactor, stack.kafka_access)
    (batch,) = positions_at(race, 0, 30)
    with pytest.raises(PublishError, match=r"no topic missing-topic: python -m pinot setup"):
        thread.call(publisher.publish, batch)
    monkeypatch.undo()
    thread.call(publisher.publish, batch)
    thread.call(publisher.close)

    assert publisher.health().delivered == 30


def test_when_the_broker_has_gone_publishing_holds_back(
    thread: ReactorThread, race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a broker, events wait up to HIGH_WATER; closing reports the undelivered ones."""
    monkeypatch.setattr(kafka, "HIGH_WATER", 50)
    monkeypatch.setattr(kafka, "FLUSH", 0.2)
    publisher = thread.call(KafkaPublisher, thread.reactor, {"bootstrap.servers": "127.0.0.1:1"})
    publisher._ready_for = {"parkrun"}
    first, second = list(positions_at(race, 0, 30)) * 2

    thread.call(publisher.publish, first)
    held = thread.start(publisher.publish, second)
    assert not held.wait(0.3)
    assert (publisher.health().waiting, publisher.health().delivered) == (60, 0)
    with pytest.raises(PublishError, match="60 events were not delivered"):
        thread.call(publisher.close)


def test_rejected_events_are_kept_and_reported(
    thread: ReactorThread, stack: Any, race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A permanently rejected event is not dropped silently: it waits, and the health says why."""
    monkeypatch.setitem(kafka.SETTINGS, "message.max.bytes", 1000)
    monkeypatch.setattr(kafka, "FLUSH", 0.2)
    publisher = thread.call(KafkaPublisher, thread.reactor, stack.kafka_access)
    too_big = replace(record(race, "running", 1), request="x" * 5000)
    assert not thread.start(publisher.publish, too_big).wait(0.5)
    health = publisher.health()

    assert health.waiting == 1
    assert health.errors >= 1
    assert "Kafka rejected an event for races" in str(health.trouble)
    with pytest.raises(PublishError, match="1 events were not delivered: Kafka rejected an event"):
        thread.call(publisher.close)


def test_what_could_not_be_delivered_is_kept(
    thread: ReactorThread, stack: Any, race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events whose delivery fails, for example because their topic is gone, are kept and counted."""
    monkeypatch.setitem(kafka.SETTINGS, "topic.metadata.propagation.max.ms", 100)
    monkeypatch.setattr(kafka, "FLUSH", 0.2)
    gone: Any = "gone-by-now"
    monkeypatch.setattr(binary, "encode", lambda batch: encode(batch)._replace(topic=gone))
    monkeypatch.setattr(kafka, "HEADERS", {"gone-by-now": {}})
    publisher = thread.call(KafkaPublisher, thread.reactor, stack.kafka_access)
    publisher._ready_for = {"parkrun"}
    publish(thread, publisher, list(positions_at(race, 0, 100)))
    thread.call(lambda: failed(thread.reactor, publisher))
    health = publisher.health()

    assert health.waiting == 30
    assert "Kafka rejected an event for gone-by-now" in str(health.trouble)
    with pytest.raises(PublishError, match="30 events were not delivered: Kafka rejected an event"):
        thread.call(publisher.close)


def failed(reactor: Any, publisher: Publisher) -> Deferred[None]:
    """Fire when all 30 deliveries have failed."""
    if publisher.health().errors >= 30:
        return succeed(None)
    return after(reactor, 0.05).addCallback(lambda _: failed(reactor, publisher))


def test_the_biggest_race_record_is_taken(thread: ReactorThread, stack: Any, straight: Course) -> None:
    """A race whose course came with 100,000 points fits into a message."""
    points = [(round(nth * 1.23456789e-6, 12), 50.0) for nth in range(100_000)]
    request = resolved(competitors=1, points=points).model_copy(update={"run_id": uuid.uuid4().hex})
    published = record(Race(straight, request), "running", 1)
    publisher = thread.call(KafkaPublisher, thread.reactor, stack.kafka_access)
    publish(thread, publisher, [published])
    thread.call(publisher.close)
    (read,) = read_topic(stack.kafka, "races", published.run_id)

    assert read.event["request"] == published.request
    assert len(published.request) > 2_000_000


def test_when_the_queue_is_full_the_rest_is_retried(
    thread: ReactorThread, stack: Any, race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the producer has no room for is kept and delivered, each event once."""
    monkeypatch.setitem(kafka.SETTINGS, "queue.buffering.max.messages", 40)
    publisher = thread.call(KafkaPublisher, thread.reactor, stack.kafka_access)
    batches = [batch for tick in range(5) for batch in positions_at(race, tick, 100)]
    publish(thread, publisher, batches)
    thread.call(lambda: drained(thread.reactor, publisher))
    thread.call(publisher.close)
    found = [read.event["eventId"] for read in read_topic(stack.kafka, "parkrun", race.run_id)]

    assert sorted(found) == sorted(event["eventId"] for event in events(batches, "parkrun"))


def drained(reactor: Any, publisher: Publisher) -> Deferred[None]:
    """Fire when nothing waits in the publisher."""
    if not publisher.health().waiting:
        return succeed(None)
    return after(reactor, 0.05).addCallback(lambda _: drained(reactor, publisher))


# SQLite alone.


def test_the_newest_position_wins(thread: ReactorThread, tmp_path: Path, race: Race) -> None:
    """As in Pinot's upsert an older event that comes late does not take the newer one's place."""
    place = SqlitePlace(thread, tmp_path / "race.db")
    newer, older = (list(positions_at(race, tick, 100)) for tick in (3, 2))
    publish(thread, place.publisher, [*newer, *older])
    thread.call(place.publisher.close)
    with sqlite3.connect(place.path) as file:
        times = file.execute("SELECT DISTINCT rawTime FROM parkrun").fetchall()

    assert times == [(90,)]
    assert len(place.all("parkrun", race.run_id)) == 60


def test_courses_are_in_the_file(thread: ReactorThread, tmp_path: Path, straight: Course) -> None:
    """The courses are written when the file is opened, and written again without harm."""
    for _ in range(2):
        publisher = thread.call(SqlitePublisher, thread.reactor, tmp_path / "race.db", [straight])
        thread.call(publisher.close)
    with sqlite3.connect(tmp_path / "race.db") as file:
        rows = file.execute("SELECT shortName, longName, distance, startLocation FROM courses").fetchall()

    assert rows == [("straight", "The Straight", round(straight.distance, 3), "POINT (0 50)")]


def test_a_course_that_a_race_brought_along_is_in_the_file(
    thread: ReactorThread, tmp_path: Path, straight: Course
) -> None:
    """The course of a race is written with it, so that its map can be drawn."""
    publisher = thread.call(SqlitePublisher, thread.reactor, tmp_path / "race.db")
    publish(thread, publisher, [CourseRecord(straight)])
    thread.call(publisher.close)
    with sqlite3.connect(tmp_path / "race.db") as file:
        rows = file.execute("SELECT shortName, courseMap FROM courses").fetchall()

    assert rows == [("straight", straight.line_wkt())]


def test_flushed_is_when_all_is_delivered(thread: ReactorThread, place: Place, race: Race) -> None:
    """What was taken before is there when it fires."""
    batches = whole(race)
    publish(thread, place.publisher, batches)
    thread.call(place.publisher.flushed)
    waiting = place.publisher.health().waiting
    found = place.all("parkrun", race.run_id)
    thread.call(place.publisher.close)

    assert waiting == 0
    assert len(found) == len(events(batches, "parkrun"))


def test_a_file_that_cannot_be_opened_is_reported(thread: ReactorThread, tmp_path: Path) -> None:
    """For a missing folder, the error names the file."""
    with pytest.raises(PublishError, match=r"nowhere/race\.db can't be opened"):
        thread.call(SqlitePublisher, thread.reactor, tmp_path / "nowhere" / "race.db")


def test_a_write_that_fails_leaves_nothing_half_done(
    thread: ReactorThread, tmp_path: Path, race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that could not be written is reported and rolled back; it can be retried."""
    place = SqlitePlace(thread, tmp_path / "race.db")
    (batch,) = positions_at(race, 0, 100)
    monkeypatch.setitem(
        sqlite.INSERTS, Positions, (*sqlite.INSERTS[Positions], "INSERT INTO nowhere VALUES (1)")
    )
    with pytest.raises(PublishError, match=r"race\.db takes no writes"):
        thread.call(place.publisher.publish, batch)
    trouble = place.publisher.health().trouble
    monkeypatch.undo()
    thread.call(place.publisher.publish, batch)
    health = place.publisher.health()
    thread.call(place.publisher.close)

    assert trouble is not None
    assert (health.trouble, health.errors, health.delivered) == (None, 1, 30)
    assert len(place.all("parkrun", race.run_id)) == 30


def ended(publisher: SqlitePublisher, thread: ReactorThread, race: Race, at_ms: int) -> None:
    """Publish a race that ended at a time."""
    publish(thread, publisher, [*positions_at(race, 0, 1000), record(race, "finished", at_ms)])


def close_pruned(thread: ReactorThread, publisher: Any) -> None:
    """Close a publisher when there is nothing left to prune."""

    def pruned() -> Deferred[None]:
        if not publisher._is_pruning:
            return succeed(None)
        return after(thread.reactor, 0.01).addCallback(lambda _: pruned())

    thread.call(pruned)
    thread.call(publisher.close)


def named(race: Race, run_id: str) -> Race:
    """Return the race with another id."""
    return Race(race.course, race.request.model_copy(update={"run_id": run_id}))


def run_ids(path: Path, table: str) -> list[str]:
    """Return the races that a table has rows of."""
    with sqlite3.connect(path) as file:
        return [row[0] for row in file.execute(f"SELECT DISTINCT runId FROM {table} ORDER BY 1")]


def test_old_races_are_deleted(thread: ReactorThread, tmp_path: Path, race: Race) -> None:
    """A race that ended longer ago than races are kept is deleted from every table."""
    path = tmp_path / "race.db"
    publisher = thread.call(lambda: SqlitePublisher(thread.reactor, path, history_days=1))
    day = 86_400_000
    for run_id, at_ms in (("a", 1), ("b", day // 2), ("c", day + 2)):
        ended(publisher, thread, named(race, run_id), at_ms)
    close_pruned(thread, publisher)

    for table in ("parkrun_history", "parkrun", "races"):
        assert run_ids(path, table) == ["b", "c"]


def test_the_file_does_not_grow_indefinitely(thread: ReactorThread, tmp_path: Path, race: Race) -> None:
    """While the file holds too much, histories and then ended races go; a race under way keeps its own."""
    path = tmp_path / "race.db"
    publisher = thread.call(lambda: SqlitePublisher(thread.reactor, path, history_mb=0.01))
    live = named(race, "live")
    publish(thread, publisher, [record(live, "running", 1), *positions_at(live, 0, 100)])
    ended(publisher, thread, named(race, "a"), 2)
    close_pruned(thread, publisher)

    for table in ("parkrun_history", "parkrun", "races"):
        assert run_ids(path, table) == ["live"]


def test_the_file_reuses_its_space(thread: ReactorThread, tmp_path: Path, race: Race) -> None:
    """One race after another, each above the limit: the file soon keeps its size."""
    path = tmp_path / "race.db"
    many = Race(race.course, race.request.model_copy(update={"competitors": 800}))
    sizes = []
    for number in range(6):
        publisher = thread.call(lambda: SqlitePublisher(thread.reactor, path, history_mb=0.01))
        ended(publisher, thread, named(many, f"race-{number}"), number + 1)
        close_pruned(thread, publisher)
        sizes.append(path.stat().st_size)

    assert max(sizes[3:]) <= max(sizes[:3])


def test_histories_go_before_races(thread: ReactorThread, tmp_path: Path, race: Race) -> None:
    """If deleting the oldest history is enough, everything else stays."""
    path = tmp_path / "race.db"
    publisher = thread.call(SqlitePublisher, thread.reactor, path)
    many = Race(race.course, race.request.model_copy(update={"competitors": 800}))
    for run_id, at_ms in (("a", 1), ("b", 2)):
        ended(publisher, thread, named(many, run_id), at_ms)
    publisher._history_bytes = thread.call(publisher._used) - 1
    publish(thread, publisher, [record(named(many, "b"), "finished", 3)])
    close_pruned(thread, publisher)

    assert run_ids(path, "parkrun_history") == ["b"]
    assert run_ids(path, "parkrun") == ["a", "b"]


@pytest.mark.parametrize("rows", [1, 7, 30, 1000])
def test_pruning_lets_others_in_between(
    thread: ReactorThread, tmp_path: Path, race: Race, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """A long history goes in steps, to its last row; what is published meanwhile is written."""
    monkeypatch.setattr(sqlite, "PRUNED", rows)
    path = tmp_path / "race.db"
    publisher = thread.call(lambda: SqlitePublisher(thread.reactor, path, history_mb=0.01))
    live, old = named(race, "live"), named(race, "old")
    ticks = [batch for tick in range(4) for batch in positions_at(old, tick, 1000)]
    publish(thread, publisher, [record(live, "running", 1), *ticks, record(old, "finished", 2)])
    publish(thread, publisher, list(positions_at(live, 0, 1000)))
    close_pruned(thread, publisher)

    for table in ("parkrun_history", "parkrun", "races"):
        assert run_ids(path, table) == ["live"]


def test_pruning_a_race_costs_the_same_after_many(thread: ReactorThread, tmp_path: Path, race: Race) -> None:
    """Races whose history has been deleted are not looked at one by one when further ones end."""
    path = tmp_path / "race.db"
    publisher = thread.call(lambda: SqlitePublisher(thread.reactor, path, history_mb=0.2))
    statements: list[str] = []
    publisher._file.set_trace_callback(statements.append)
    costs = []
    for number in range(40):
        statements.clear()
        ended(publisher, thread, named(race, f"race-{number:02}"), number + 1)
        thread.call(lambda: deferToThreadPool(thread.reactor, publisher._thread, lambda: None))
        costs.append(len(statements))
    close_pruned(thread, publisher)

    assert len(run_ids(path, "parkrun_history")) < 30
    assert len(run_ids(path, "races")) == 40
    assert max(costs[35:]) < 2 * max(costs[:10])


def test_raw_reads_are_pruned_with_the_history(
    thread: ReactorThread, tmp_path: Path, race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are deleted with their race, and a few rows at a time, as positions are."""
    monkeypatch.setattr(sqlite, "PRUNED", 7)
    path = tmp_path / "race.db"
    publisher = thread.call(lambda: SqlitePublisher(thread.reactor, path, history_mb=0.001))
    statements: list[str] = []
    publisher._file.set_trace_callback(statements.append)
    publish(thread, publisher, whole(race))
    close_pruned(thread, publisher)

    assert run_ids(path, "reads") == run_ids(path, "parkrun_history") == []
    steps = sum("DELETE FROM reads" in statement for statement in statements)
    assert steps >= len(events(whole(race), "reads")) // 7


def test_pruning_ends_with_the_publisher(
    thread: ReactorThread, tmp_path: Path, race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A close doesn't wait for a long history to be deleted; the next end of a race goes on with it."""
    monkeypatch.setattr(sqlite, "PRUNED", 1)
    path = tmp_path / "race.db"
    publisher = thread.call(lambda: SqlitePublisher(thread.reactor, path, history_mb=0.01))
    old = named(race, "old")
    publish(thread, publisher, [batch for tick in range(40) for batch in positions_at(old, tick, 1000)])
    publish(thread, publisher, [record(old, "finished", 2)])
    thread.call(publisher.close)
    assert run_ids(path, "parkrun_history") == ["old"]
    monkeypatch.undo()
    publisher = thread.call(lambda: SqlitePublisher(thread.reactor, path, history_mb=0.01))
    ended(publisher, thread, named(race, "next"), 3)
    close_pruned(thread, publisher)

    for table in ("parkrun_history", "parkrun", "races"):
        assert run_ids(path, table) == []
