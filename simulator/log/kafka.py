"""The race log in Kafka: any number of simulators write it, and each reads all of it.

The topic `races` has the records, `progress` how far the parts are delivered. A write is done when it has
been read back: then this simulator and the order in the topic agree. `simulator.log.group` distributes the
parts.
"""

import time
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import count
from threading import Thread
from typing import Any, NamedTuple, NoReturn

import orjson
import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are its API, but not in its __all__
    AdminClient,
    OffsetSpec,
)
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.threads import blockingCallFromThread, deferToThread

from simulator.log.group import LEAVE_WITHIN, Membership
from simulator.log.log import Listener
from simulator.log.states import counts
from simulator.publishers.deliveries import Deliveries
from simulator.publishers.encode import HEADERS, encode, encode_progress, progress_key
from simulator.publishers.publisher import PublishError, known
from simulator.race.events import Progress, RaceRecord
from stream.contract import PROGRESS, TABLES
from stream.kafka import AuthErrorListener
from stream.parts import partition_of
from stream.race_states import ENDED

WRITE_WITHIN = 10.0
"""Seconds within which a record has to be written, and then read back."""
LOOK = 2.0
"""Seconds to wait for a broker's list of topics, and for the ends of its partitions."""
READ_WITHIN = 10.0
"""Seconds to wait for the next record while the log is read for the first time."""
PAUSE = 1.0
"""Seconds between two attempts to read a log that cannot be read."""
QUIET = 5.0
"""Seconds without a record after which the log is asked whether it has any."""
STEP = 0.1
"""Longest time in seconds for which the reading thread waits for records."""
POLL = 0.005
"""Seconds between two looks whether a record is written."""
MOST = 1000
"""Most records that are read at once."""
OLD_FIELDS = {"runsFrom", "toldUntil"}
"""Former names of clockStart and deliveredUntil."""
WRITER = "writer"
"""The header of a message by which its writer knows it again."""
READING = {"enable.auto.commit": False, "auto.offset.reset": "earliest", "log_level": 2}
WRITING = {
    "enable.idempotence": True,
    "acks": "all",
    "partitioner": "murmur2_random",
    "message.timeout.ms": int(WRITE_WITHIN * 1000),
    # A race's record contains its request, which may have a course of 100,000 points.
    "message.max.bytes": 8 * 1024 * 1024,
    "linger.ms": 0,
    "compression.type": "lz4",
    "log_level": 2,
}

_result_of: Any = blockingCallFromThread  # its types do not allow for a function that returns a Deferred
Place = tuple[str, int]
"""A topic and a partition."""


class Entry(NamedTuple):
    """A message of the log, decoded; `content` is None if there is none, as of a deleted race."""

    place: Place
    offset: int
    writer: str
    content: RaceRecord | Progress | None


class KafkaLog:
    """A log that all simulators of a cluster share.

    Args:
        reactor: Twisted's; records are applied in its thread.
        access: librdkafka's connection settings, from `KafkaAccess.client_config`.
        name: the simulator's, which no other has.
        deliveries: counts the records that are written.
    """

    def __init__(self, reactor: Any, access: Mapping[str, Any], name: str, deliveries: Deliveries) -> None:
        self.partitions = 1
        self._reactor = reactor
        self._access = {**access, "client.id": name, "reconnect.backoff.max.ms": 1000}
        self._auth_errors = AuthErrorListener(access)
        self._name = name
        self._deliveries = deliveries
        self._log = structlog.get_logger()
        self._listener: Listener | None = None
        self._consumer: Consumer | None = None
        self._reading: Thread | None = None
        self._membership: Membership | None = None
        self._is_closing = False
        self._following: dict[Place, int] = {}  # the offset of the next record of each partition
        self._renewed_at: dict[Place, int] = {}  # the ends for which the last consumer was made
        self._waiting: list[tuple[dict[Place, int], Deferred[None]]] = []
        self._numbers = count(1)
        self._writes: dict[str, Deferred[bool]] = {}
        self._writer = Producer({**self._access, **WRITING, "error_cb": self._auth_errors})
        self._is_polling = False
        asking: dict[str, Any] = {**self._access, "log_level": 2, "error_cb": self._auth_errors}
        self._admin: Any = AdminClient(asking)

    async def open(self, listener: Listener) -> None:
        """Read the log to its end, pass on the newest records, follow it, and join the group."""
        races, progress = await deferToThread(self._read_all)
        for one in progress:
            listener.apply_progress(one)
        for record in races:
            await listener.apply(record)
        self._listener = listener
        self._reading = Thread(target=self._follow, name="race log", daemon=True)
        self._reading.start()
        self._membership = Membership(self._reactor, self._access, listener, self.reached)
        self._membership.join()

    async def append(self, record: RaceRecord) -> bool:
        """Write a record, and return whether it counts when it has been read back."""
        (key,), (value,) = encode(record)[1:]
        is_counted = await self._write("races", key, value)
        self._deliveries.delivered["races"] += 1
        return is_counted

    async def record(self, progress: Progress) -> None:
        """Write how far a part is delivered."""
        key = progress_key(progress.run_id, progress.part)
        partition = partition_of(progress.run_id, progress.part, self.partitions)
        await self._write("progress", key, encode_progress(progress), partition)

    async def forget(self, run_id: str, part: int) -> None:
        """Delete the progress of a part whose race has ended."""
        partition = partition_of(run_id, part, self.partitions)
        await self._write("progress", progress_key(run_id, part), None, partition)

    async def caught_up(self) -> None:
        """Return when the records that the topic `races` has now have been applied."""
        await self.reached(await deferToThread(self._ends, "races"))

    async def reached(self, ends: dict[Place, int]) -> None:
        """Return when all records before these offsets have been applied."""
        waiting: Deferred[None] = Deferred()
        self._waiting.append((ends, waiting))
        self._let_go()
        await waiting.addTimeout(READ_WITHIN, self._reactor, _too_late)

    def trouble(self) -> str | None:
        """Return why the log cannot be followed, or None."""
        return self._auth_errors.refusal or (self._membership.trouble() if self._membership else None)

    async def close(self) -> bool:
        """Leave the group: its parts are released before."""
        is_delivered = True
        if self._membership is not None:
            is_delivered = await self._membership.leave()
        self._is_closing = True
        if self._reading is not None:
            await deferToThread(self._reading.join, LEAVE_WITHIN)
        return is_delivered

    # Writing.

    async def _write(self, topic: str, key: bytes, value: bytes | None, partition: int = -1) -> bool:
        name = f"{self._name}:{next(self._numbers)}"
        applied: Deferred[bool] = Deferred()
        self._writes[name] = applied
        try:
            self._writer.produce(
                topic,
                key=key,
                value=value,
                headers={**HEADERS.get(topic, {}), WRITER: name.encode()},
                on_delivery=partial(self._written, name),
                partition=partition,
            )
        except (BufferError, KafkaException) as error:
            del self._writes[name]
            raise PublishError(f"Kafka takes no record for {topic}: {error}") from error
        self._poll()
        try:
            return await applied.addTimeout(2 * WRITE_WITHIN, self._reactor, _too_late)
        finally:
            self._writes.pop(name, None)

    def _written(self, name: str, error: KafkaError | None, _: "Message[bytes, bytes]") -> None:
        """Give up a record that Kafka has not taken (called by `poll`); others are still to be read."""
        if error is None or (applied := self._writes.pop(name, None)) is None:
            return
        why = self._auth_errors.refusal or f"no broker has taken it: {error.str()}"
        if not applied.called:
            applied.errback(PublishError(why))

    def _poll(self) -> None:
        if self._is_polling:
            return
        self._writer.poll(0)
        if self._writes:
            self._is_polling = True
            self._reactor.callLater(POLL, self._poll_again)

    def _poll_again(self) -> None:
        self._is_polling = False
        self._poll()

    # Reading.

    def _read_all(self) -> tuple[list[RaceRecord], list[Progress]]:
        """Read both topics to their ends (in a thread); raises PublishError if they can't be read.

        Returns the newest records of the races, as `known` does, and the progress of the parts.
        """
        auth_errors = AuthErrorListener(self._access)
        consumer = self._reader(auth_errors)
        races: dict[str, RaceRecord] = {}
        progress: dict[tuple[str, int], Progress] = {}
        try:
            self._following, ends = self._begin(consumer)
            self._read_on(consumer)
            for entry in self._until(consumer, ends):
                match entry.content:
                    case RaceRecord() as record if counts(races.get(record.run_id), record):
                        races[record.run_id] = record
                    case Progress() as found:
                        key = found.run_id, found.part
                        before = progress.get(key, found)
                        progress[key] = max(before, found, key=lambda one: one.delivered_until)
                    case _:
                        pass
        except KafkaException as error:
            consumer.poll(0)
            why = auth_errors.refusal or f"the races can't be read: {error.args[0].str()}"
            raise PublishError(why) from error
        newest = sorted(races.values(), key=lambda record: (record.status in ENDED, -record.updated_at))
        return known(newest), list(progress.values())

    def _reader(self, auth_errors: AuthErrorListener) -> Consumer:
        """Return a new consumer in the place of the former one."""
        if self._consumer is not None:
            self._consumer.close()
        settings = {**self._access, "group.id": "racecast-log", **READING, "error_cb": auth_errors}
        self._consumer = Consumer(settings)
        return self._consumer

    def _read_on(self, consumer: Consumer) -> None:
        """Let a consumer read from where the log has been read to."""
        consumer.assign([TopicPartition(*place, at) for place, at in self._following.items()])

    def _begin(self, consumer: Consumer) -> tuple[dict[Place, int], dict[Place, int]]:
        """The first offset of each partition, and the one after its last."""
        topics = consumer.list_topics(timeout=LOOK).topics
        if missing := [topic for topic in ("races", "progress") if topic not in topics]:
            names = " and no topic ".join(missing)
            raise PublishError(f"Kafka has no topic {names}: python -m pinot setup creates them")
        places = [(topic, number) for topic in ("races", "progress") for number in topics[topic].partitions]
        self.partitions = len(topics["progress"].partitions)
        marks = {
            place: consumer.get_watermark_offsets(TopicPartition(*place), timeout=LOOK) for place in places
        }
        return (
            {place: first for place, (first, _) in marks.items()},
            {place: end for place, (_, end) in marks.items()},
        )

    def _until(self, consumer: Consumer, ends: Mapping[Place, int]) -> Iterator[Entry]:
        """Yield all entries before these offsets, and perhaps some after them."""
        quiet = 0.0
        while any(self._following[place] < end for place, end in ends.items()):
            entries = self._some(consumer)
            quiet = 0.0 if entries else quiet + STEP
            if quiet > READ_WITHIN:
                raise PublishError("the races can't be read: Kafka is slow")
            for entry in entries:
                self._following[entry.place] = entry.offset + 1
                yield entry

    def _some(self, consumer: Consumer) -> list[Entry]:
        # `consume` alone would wait for MOST messages.
        first = consumer.poll(STEP)
        messages = [] if first is None else [first, *consumer.consume(MOST, timeout=0.0)]
        for message in messages:
            if (error := message.error()) is not None:
                raise PublishError(f"the races can't be read: {error.str()}")
        return [self._entry(message) for message in messages]

    def _entry(self, message: "Message[bytes, bytes]") -> Entry:
        topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
        headers: Any = message.headers() or ()
        writer: bytes = dict(headers).get(WRITER, b"")
        content: RaceRecord | Progress | None = None
        try:
            if (value := message.value()) is not None:
                event = orjson.loads(value)
                content = record_of_event(event) if topic == "races" else _progress(event)
        except PublishError:
            if self._listener is None:  # otherwise an older version has begun to write
                raise
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            # Other programs can write to the topic, too.
            self._log.warning("message is not a record", topic=topic, offset=offset, why=repr(error))
        return Entry((topic, partition), offset, writer.decode(errors="replace"), content)

    def _ends(self, topic: str) -> dict[Place, int]:
        """The offsets after the last records of a topic (in a thread).

        Not by the consumer: while one thread waits for its messages, others wait for that thread.
        """
        places = [TopicPartition(*place) for place in self._following if place[0] == topic]
        latest = {place: OffsetSpec.latest() for place in places}  # type: ignore[no-untyped-call]
        try:
            # After a restart of the broker the client would ask for offsets of the leader's former epoch.
            self._admin.list_topics(topic, timeout=LOOK)
            answers = self._admin.list_offsets(latest, request_timeout=LOOK)
            return {(topic, place.partition): one.result(LOOK).offset for place, one in answers.items()}
        except (KafkaException, TimeoutError) as error:
            raise PublishError(f"the races can't be read: {self._auth_errors.refusal or error}") from error

    def _follow(self) -> None:
        """Pass on the records, in the reactor, as they come (in a thread of its own)."""
        quiet = 0.0
        while (consumer := self._consumer) is not None and not self._is_closing:
            try:
                entries = self._some(consumer)
                quiet = 0.0 if entries else quiet + STEP
                if quiet > QUIET:
                    quiet = 0.0
                    self._check_that_there_is_nothing()
            except (PublishError, KafkaException) as error:
                self._log.warning("the race log can't be read", why=str(error))
                time.sleep(PAUSE)
                continue
            if entries:
                _result_of(self._reactor, self._pass_on, entries)
        if self._consumer is not None:
            self._consumer.close()

    def _check_that_there_is_nothing(self) -> None:
        """Read with a new consumer if there are records that this one does not bring.

        After a restart of the broker, librdkafka may never fetch a partition again (its issue 4492).
        """
        ends = self._ends("races") | self._ends("progress")
        is_behind = any(self._following[place] < end for place, end in ends.items())
        # What is there need not be a record: a transaction of another program ends with a marker.
        if is_behind and ends != self._renewed_at:
            self._renewed_at = ends
            self._log.info("the race log is read on with a new consumer")
            self._read_on(self._reader(self._auth_errors))

    def _pass_on(self, entries: list[Entry]) -> Deferred[None]:
        return ensureDeferred(self._apply_all(entries))

    async def _apply_all(self, entries: list[Entry]) -> None:
        for entry in entries:
            is_counted = False
            try:
                is_counted = await self._apply_one(entry)
            except Exception:  # noqa: BLE001 - a bug in one race must not stop the others
                self._log.error(
                    "record not understood", place=entry.place, offset=entry.offset, exc_info=True
                )
            self._following[entry.place] = entry.offset + 1
            if (applied := self._writes.pop(entry.writer, None)) is not None and not applied.called:
                applied.callback(is_counted)
        self._let_go()

    async def _apply_one(self, entry: Entry) -> bool:
        listener = self._listener
        if listener is None or entry.content is None:
            return False
        if isinstance(entry.content, RaceRecord):
            return await listener.apply(entry.content)
        listener.apply_progress(entry.content)
        return True

    def _let_go(self) -> None:
        """Wake those who wait for records that have been applied."""
        waiting, self._waiting = self._waiting, []
        for ends, one in waiting:
            if one.called:
                continue
            if all(self._following[place] >= end for place, end in ends.items()):
                one.callback(None)
            else:
                self._waiting.append((ends, one))


def _too_late(*_: object) -> NoReturn:
    raise PublishError("Kafka is slow: the race log has not shown the record yet")


def _progress(event: Mapping[str, Any]) -> Progress:
    run_id, part, delivered_until, updated_at = (event[name] for name in PROGRESS.columns)
    return Progress(str(run_id), int(part), float(delivered_until), int(updated_at))


def record_of_event(event: dict[str, Any]) -> RaceRecord:
    """Return a race's record; raises PublishError if it has the field names of older versions."""
    if old := sorted(OLD_FIELDS & event.keys()):
        raise PublishError(
            f"the topic races has records of an older version of Racecast ({', '.join(old)}): "
            "python -m pinot reset deletes all races and sets Kafka and Pinot up again"
        )
    fields = TABLES["races"].fields.values()
    values = {field.name: field.default for field in fields if not field.required} | event
    # 0, the default, stands for the start time.
    values["clockStart"] = values["clockStart"] or values["startTime"]
    return RaceRecord(*(values[field.name] for field in fields))
