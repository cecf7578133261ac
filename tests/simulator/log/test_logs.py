"""The contract of a race log, on the embedded store and on the real Kafka."""

import uuid
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
from confluent_kafka import Producer
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults, succeed

from pinot.local.stack import Stack
from simulator.log import group, kafka
from simulator.log.kafka import KafkaLog
from simulator.log.local import LocalLog, claim
from simulator.log.log import RaceLog
from simulator.log.states import changed, counts
from simulator.publishers import publisher
from simulator.publishers.deliveries import Deliveries
from simulator.publishers.publisher import PublishError
from simulator.publishers.sqlite import SqlitePublisher
from simulator.race.events import Progress, RaceRecord
from stream.waiting import wait_for
from tests.simulator.reactor_thread import ReactorThread
from tests.topics import read_topic

CREATED_MS = 1_767_258_000_000


class Reader:
    """Applies the entries of a log, as an engine does."""

    def __init__(self) -> None:
        self.states: dict[str, RaceRecord] = {}
        self.progress: dict[tuple[str, int], float] = {}
        self.partitions: set[int] = set()

    async def apply(self, record: RaceRecord) -> bool:
        """Keep the records that count."""
        is_counted = counts(self.states.get(record.run_id), record)
        if is_counted:
            self.states[record.run_id] = record
        return is_counted

    def apply_progress(self, progress: Progress) -> None:
        """Keep it."""
        self.progress[progress.run_id, progress.part] = progress.delivered_until

    def take(self, partitions: Iterable[int]) -> None:
        """Note it."""
        assert self.partitions.isdisjoint(partitions)
        self.partitions.update(partitions)

    def release(self, partitions: Iterable[int]) -> Deferred[bool]:
        """Note it."""
        self.partitions.difference_update(partitions)
        return succeed(True)

    def lose(self, partitions: Iterable[int]) -> None:
        """Note it."""
        self.partitions.difference_update(partitions)


class Place(Protocol):
    """A place that logs are kept in."""

    def log(self) -> RaceLog:
        """Return a log that is not open yet."""
        ...


class SqlitePlace:
    """A file."""

    def __init__(self, thread: ReactorThread, file: Path) -> None:
        self._thread = thread
        self._file = file

    def log(self) -> RaceLog:
        """Return a log that is not open yet."""
        publisher = self._thread.call(SqlitePublisher, self._thread.reactor, self._file)
        return LocalLog(publisher, publisher.stored)


class KafkaPlace:
    """The real Kafka."""

    def __init__(self, thread: ReactorThread, bootstrap: str) -> None:
        self._thread = thread
        self.bootstrap = bootstrap

    def log(self) -> RaceLog:
        """Return a log that is not open yet."""
        access = {"bootstrap.servers": self.bootstrap}
        deliveries = Deliveries(self._thread.reactor.seconds)
        return KafkaLog(self._thread.reactor, access, uuid.uuid4().hex, deliveries)


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.stack)])
def place(request: pytest.FixtureRequest, thread: ReactorThread, tmp_path: Path) -> Place:
    """Each place in turn."""
    if request.param == "kafka":
        return KafkaPlace(thread, request.getfixturevalue("stack").kafka)
    return SqlitePlace(thread, tmp_path / "race.db")


@pytest.fixture
def created() -> RaceRecord:
    """The first record of a race with an id of its own."""
    run_id = f"race-{uuid.uuid4().hex}"
    request = '{"seed":7}'
    return RaceRecord(
        run_id, "Race", "straight", CREATED_MS, "running", 3, 1.0, 7, CREATED_MS, request, CREATED_MS, -1.0
    )


def result(thread: ReactorThread, coroutine: Any) -> Any:
    """What a coroutine returns that runs in the reactor."""
    return thread.call(lambda: ensureDeferred(coroutine))


def opened(thread: ReactorThread, log: RaceLog) -> Reader:
    """A reader of a log, with partitions."""
    reader = Reader()
    result(thread, log.open(reader))
    wait_for("partitions", lambda: None if reader.partitions else "there are none", seconds=30, say=print)
    return reader


def test_what_is_written_is_applied(thread: ReactorThread, place: Place, created: RaceRecord) -> None:
    """A record is applied when it has been written, and again by the next simulator, with the progress."""
    log = place.log()
    reader = opened(thread, log)
    paused = changed(created, "pause", CREATED_MS + 60_000)
    assert result(thread, log.append(created)) is True
    assert reader.states[created.run_id] == created
    assert result(thread, log.append(paused)) is True
    result(thread, log.record(Progress(created.run_id, 2, 60.0, CREATED_MS)))
    assert reader.progress[created.run_id, 2] == 60.0
    result(thread, log.caught_up())
    assert result(thread, log.close()) is True
    assert reader.partitions == set()

    log = place.log()
    reader = opened(thread, log)
    assert reader.states[created.run_id] == paused
    assert reader.progress[created.run_id, 2] == 60.0
    assert result(thread, log.close()) is True


def test_a_record_that_does_not_count_is_reported(
    thread: ReactorThread, place: Place, created: RaceRecord
) -> None:
    """Of two requests with one run id, and of two changes of one state, one counts."""
    log = place.log()
    reader = opened(thread, log)
    other = replace(created, request='{"seed":8}', seed=8)
    both: list[bool] = thread.call(
        lambda: gatherResults([ensureDeferred(log.append(one)) for one in (created, other)])
    )
    assert both == [True, False]
    cancelled = changed(created, "cancel", CREATED_MS + 1000)
    assert result(thread, log.append(cancelled)) is True
    assert result(thread, log.append(changed(created, "pause", CREATED_MS + 2000))) is False
    assert reader.states[created.run_id] == cancelled
    assert result(thread, log.close()) is True


@pytest.mark.stack
def test_a_reader_that_stops_fetching_is_replaced(
    thread: ReactorThread, stack: Stack, created: RaceRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A consumer that brings nothing any more, as after a restart of the broker, is not the end."""
    monkeypatch.setattr(kafka, "QUIET", 0.5)
    log: Any = KafkaPlace(thread, stack.kafka).log()
    reader = opened(thread, log)
    assert result(thread, log.append(created)) is True
    consumer = log._consumer
    consumer.pause(consumer.assignment())

    assert result(thread, log.append(changed(created, "pause", CREATED_MS + 60_000))) is True
    result(thread, log.record(Progress(created.run_id, 0, 60.0, CREATED_MS)))

    assert reader.states[created.run_id].status == "paused"
    assert reader.progress[created.run_id, 0] == 60.0
    assert log._consumer is not consumer
    assert result(thread, log.close()) is True


@pytest.mark.stack
def test_a_log_whose_parts_are_not_released_is_closed_all_the_same(
    thread: ReactorThread, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that is never released does not keep a simulator from ending; not all is delivered then."""
    monkeypatch.setattr(group, "LEAVE_WITHIN", 0.5)
    monkeypatch.setattr(group, "RELEASE_WITHIN", 1000.0)
    log = KafkaPlace(thread, stack.kafka).log()
    reader = opened(thread, log)
    released: Deferred[bool] = Deferred()
    monkeypatch.setattr(reader, "release", lambda _: released)

    assert result(thread, log.close()) is False

    thread.call(released.callback, True)


@pytest.mark.stack
def test_simulators_share_the_partitions(thread: ReactorThread, stack: Stack, created: RaceRecord) -> None:
    """Each partition has one owner; all read what one writes; what a closed log owned is taken over."""
    place = KafkaPlace(thread, stack.kafka)
    one, other = place.log(), place.log()
    first = opened(thread, one)
    second = opened(thread, other)

    def not_shared() -> str | None:
        shares = len(first.partitions), len(second.partitions)
        return None if sum(shares) == one.partitions and min(shares) > 0 else f"shares {shares}"

    wait_for("the shares", not_shared, seconds=30, say=print)
    assert first.partitions.isdisjoint(second.partitions)
    assert result(thread, one.append(created)) is True
    result(thread, other.caught_up())
    assert second.states[created.run_id] == created
    assert result(thread, other.append(changed(created, "cancel", CREATED_MS + 1))) is True
    assert result(thread, one.append(changed(created, "pause", CREATED_MS + 2))) is False
    assert result(thread, one.close()) is True
    wait_for(
        "all partitions",
        lambda: None if len(second.partitions) == other.partitions else f"{second.partitions}",
        seconds=30,
        say=print,
    )
    assert result(thread, other.close()) is True


def test_the_run_ids_of_all_races_stay_taken(
    thread: ReactorThread, place: Place, created: RaceRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A simulator knows that races existed that it does not keep, and nothing of their requests."""
    monkeypatch.setattr(publisher, "MAX_KNOWN", 0)
    log = place.log()
    opened(thread, log)
    ended = replace(created, run_id=f"{created.run_id}-ended")
    for record in (created, ended, changed(ended, "cancel", CREATED_MS + 1)):
        assert result(thread, log.append(record)) is True
    assert result(thread, log.close()) is True

    log = place.log()
    states = opened(thread, log).states
    assert states[created.run_id] == created
    assert states[ended.run_id].request == ""
    assert result(thread, log.append(ended)) is False
    assert result(thread, log.close()) is True


@pytest.mark.stack
def test_what_is_no_record_is_skipped(thread: ReactorThread, stack: Stack, created: RaceRecord) -> None:
    """Messages of others in the topics, before and after the log is opened, stop no simulator."""
    producer = Producer({"bootstrap.servers": stack.kafka})

    def garbage() -> None:
        for topic in ("races", "progress"):
            for value in (b"", b"no JSON", b"[]", b"{}", b'{"runId": 7, "part": "x"}', None):
                producer.produce(topic, key=b"garbage", value=value)
        producer.flush(10)

    garbage()
    log = KafkaPlace(thread, stack.kafka).log()
    reader = opened(thread, log)
    garbage()
    assert result(thread, log.append(created)) is True
    assert reader.states[created.run_id] == created
    assert result(thread, log.close()) is True


@pytest.mark.stack
def test_records_have_the_headers_of_events(thread: ReactorThread, stack: Stack, created: RaceRecord) -> None:
    """A record in Kafka has the type and version that all events of `races` have, beside its writer."""
    log = KafkaPlace(thread, stack.kafka).log()
    opened(thread, log)
    assert result(thread, log.append(created)) is True
    assert result(thread, log.close()) is True
    (read,) = read_topic(stack.kafka, "races", created.run_id)

    assert (read.headers["type"], read.headers["version"]) == (b"Race", b"14")
    assert read.headers.keys() == {"type", "version", "writer"}


def test_a_store_has_one_simulator(tmp_path: Path) -> None:
    """A second simulator with the same file is refused while the first has it."""
    store = tmp_path / "race.db"
    claimed = claim(store)
    with pytest.raises(
        PublishError, match=r"race\.db can't be opened: another simulator uses it: stop that one"
    ):
        claim(store)
    claimed.close()
    claim(store).close()


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    """What can't be claimed for another reason gets that reason."""
    with pytest.raises(PublishError, match="unable to open database file"):
        claim(tmp_path / "nowhere" / "race.db")
