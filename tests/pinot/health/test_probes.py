"""The probes, with the real Kafka and Pinot, without them, and with other servers."""

import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest
from confluent_kafka import TopicPartition

from pinot.health import simulator as simulator_probe
from pinot.health.embedded import EmbeddedProbe
from pinot.health.incomplete import EVERY_S, DefectsProbe, defects
from pinot.health.kafka import Admin, KafkaProbe
from pinot.health.pinot import PinotProbe, absent, consumer_of
from pinot.health.probes import of_embedded, of_stack
from pinot.health.sample import Consumer, Defects, Embedded, Failure, Kafka, Pinot, Races, Simulator
from pinot.health.simulator import SimulatorProbe
from pinot.local.stack import Stack
from stream.contract import TABLES, TOPICS, read_topics
from stream.pinot import PinotError
from stream.waiting import wait_for
from tests.pinot.conftest import Pinot as RealPinot
from tests.pinot.conftest import Row
from tests.processes import simulator
from tests.topics import reader

NOW_MS = 1_795_600_000_000


@pytest.fixture
def unreachable() -> Iterator[str]:
    """An address without a server."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{unused.getsockname()[1]}"


def test_kafka_ends(stack: Stack, pinot: RealPinot, position: Callable[..., Row]) -> None:
    """The probe returns the same end offsets as a consumer, and they grow with each message."""
    probe = KafkaProbe({"bootstrap.servers": stack.kafka})
    found = probe()
    assert isinstance(found, Kafka)
    assert found.ends.keys() == read_topics().keys()
    with reader(stack.kafka) as consumer:
        for topic, ends in found.ends.items():
            for partition, end in ends.items():
                _, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
                assert end == high
    pinot.send("parkrun", [position(bib, 1) for bib in range(20)])
    more = probe()
    assert isinstance(more, Kafka)
    came = {
        place: (end or 0) - (found.ends["parkrun"][place] or 0) for place, end in more.ends["parkrun"].items()
    }
    assert sum(came.values()) == 20


def test_one_client_as_long_as_kafka_answers(unreachable: str) -> None:
    """Probes share one connection; after a failure the next probe makes another one."""
    admin = Admin({"bootstrap.servers": unreachable})
    client = admin.client()
    assert admin.client() is client
    admin.failure(ValueError("no answer"))
    assert admin.client() is not client


def test_pinot_tables(stack: Stack, pinot: RealPinot, run: str, position: Callable[..., Row]) -> None:
    """The probe returns each table's row count, size and consumers."""
    pinot.send("parkrun", [position(1, 1), position(2, 1)])
    pinot.wait_until(f"select count(*) from parkrun where runId = '{run}'", [[2]])
    found = PinotProbe(stack.controller, stack.broker)()
    assert isinstance(found, Pinot)
    assert list(found.tables) == list(TABLES)
    for name, table in found.tables.items():
        assert [[table.rows]] == pinot.ask(f"select count(*) from {name}")
        size = httpx.get(f"{stack.controller}/tables/{name}/size", trust_env=False).json()
        assert table.size == size["reportedSizeInBytes"]
        assert (table.trouble, table.failed, table.absent) == ("", (), ())
    assert found.tables["courses"].consumers == {}
    kafka = KafkaProbe({"bootstrap.servers": stack.kafka})()
    assert isinstance(kafka, Kafka)
    for topic in TOPICS:
        ends, consumers = kafka.ends[topic], found.tables[topic].consumers
        assert {place: consumer.offset for place, consumer in consumers.items()} == ends
        assert {consumer.state for consumer in consumers.values()} == {"CONSUMING"}
    fresh = found.tables["parkrun"].fresh_at
    assert fresh is not None
    assert 0 <= time.time() - fresh < 3600


def test_races_under_way(stack: Stack, pinot: RealPinot, run: str, position: Callable[..., Row]) -> None:
    """The probe returns a running race's clock and its newest position's time, whatever the races' ids."""
    quoted = f"{run}-o'clock"  # by another producer: the topic is open
    plain = _race(run, speed=4.0, request='{"interval": 10}', clockStart=NOW_MS + 2500)
    races = [plain, _race(f"{run}-x", status="paused")]
    pinot.send("races", [*races, _race(quoted, request='{"replay": "a.gpx"}')])
    pinot.send("parkrun", [position(1, 1, emittedAt=NOW_MS), position(2, 1, emittedAt=NOW_MS + 500)])
    pinot.wait_until(f"select count(*) from races where runId like '{run}%'", [[3]])
    pinot.wait_until(f"select count(*) from parkrun where runId = '{run}'", [[2]])
    found = PinotProbe(stack.controller, stack.broker).races()
    assert isinstance(found, Races)
    mine = sorted((one for one in found.running if one.run_id.startswith(run)), key=lambda one: one.run_id)
    assert [(race.run_id, race.newest) for race in mine] == [(run, NOW_MS / 1000 + 0.5), (quoted, None)]
    assert mine[0].period == 2.5
    clocks = [(race.competitors, race.speed, race.clock_start, race.is_replay) for race in mine]
    start = NOW_MS / 1000
    assert clocks == [(2, 4.0, start + 2.5, False), (2, 1.0, start, True)]
    pinot.send("races", [_race(one, status="cancelled", updatedAt=NOW_MS + 2) for one in (run, quoted)])


def test_defects(stack: Stack, pinot: RealPinot, run: str, position: Callable[..., Row]) -> None:
    """The probe returns a count of the tables: an event without a status is one incomplete row."""
    direct = partial(defects, broker=stack.broker, controller=stack.controller)
    before = direct()["parkrun"].incomplete
    lacking = position(1, 1)
    del lacking["status"]
    pinot.send("parkrun", [lacking])
    pinot.wait_until(f"select count(*) from parkrun where runId = '{run}'", [[1]])
    found = _first_count(DefectsProbe(direct))
    assert found is not None
    assert found.keys() == set(TOPICS)
    assert found["parkrun"].incomplete == before + 1


def test_defects_are_counted_now_and_then() -> None:
    """A count is valid for half a minute; a slow or failing one does not block the caller."""
    now, counts, hangs = [0.0], [0], threading.Event()

    def count() -> Mapping[str, Defects]:
        counts[0] += 1
        if counts[0] == 2:
            raise PinotError("not now")
        if counts[0] == 3:
            assert hangs.wait(30)
        return {"parkrun": Defects(counts[0], 0)}

    probe = DefectsProbe(count, lambda: now[0])
    assert _first_count(probe) == {"parkrun": Defects(1, 0)}
    now[0] = EVERY_S - 1
    assert probe() == {"parkrun": Defects(1, 0)}
    assert counts == [1]
    now[0] = EVERY_S
    wait_for("a failure", lambda: None if probe() is None else "none yet", seconds=60, say=print)
    now[0] = 2 * EVERY_S
    assert probe() is None
    now[0] = 3 * EVERY_S
    assert probe() is None
    assert counts == [3]
    hangs.set()
    assert _first_count(probe) is not None


def _first_count(probe: DefectsProbe) -> Mapping[str, Defects] | None:
    """Return the probe's first count."""
    wait_for("a count", lambda: None if probe() else "none yet", seconds=60, say=print)
    return probe()


def test_simulator_and_embedded_store(tmp_path: Path) -> None:
    """The probes agree on the simulator's metrics and its file: the same races and positions."""
    file = tmp_path / "races.db"
    with simulator(tmp_path, "--sqlite", str(file)) as api:
        probes = of_embedded(SimulatorProbe(api.address), file)
        before = probes.take()
        assert isinstance(before.simulator, Simulator)
        assert (before.simulator.running, before.simulator.reasons) == (0, ())
        body = {"course": "crystal-palace", "competitors": 5, "speed": 10, "interval": 10, "run_id": "mine"}
        httpx.post(f"{api.address}/races", json=body, trust_env=False).raise_for_status()
        wait_for("positions", lambda: None if _newest(file) else "none yet", seconds=60, say=print)
        found = probes.take()
        metrics = api.metrics()
    assert isinstance(found.simulator, Simulator)
    assert isinstance(found.races, Races)
    assert isinstance(found.embedded, Embedded)
    assert (found.kafka, found.pinot) == (None, None)
    assert found.simulator.running == 1
    assert 0 < found.simulator.ticks <= metrics["racecast_ticks_total"]
    assert found.simulator.lag < 1
    ((run_id, period, newest),) = [(race.run_id, race.period, race.newest) for race in found.races.running]
    assert (run_id, period, newest) == ("mine", 1.0, found.embedded.newest)
    (race,) = found.races.running
    assert (race.competitors, race.speed, race.is_replay) == (5, 10.0, False)
    assert abs(found.taken - race.clock_start) < 120
    assert newest is not None
    assert abs(found.taken - newest) < 10
    assert found.embedded.size > 0
    assert found.embedded.log_size > 0


def test_unreachable_parts(unreachable: str, tmp_path: Path) -> None:
    """An unreachable part is named with its address and setting within seconds; nothing is raised."""
    url = f"http://{unreachable}"
    begun = time.monotonic()
    found = of_stack(
        SimulatorProbe(url), {"bootstrap.servers": unreachable}, controller=url, broker=url
    ).take()
    assert time.monotonic() - begun < 6
    settings = {"kafka": "RACECAST_KAFKA", "pinot": "RACECAST_PINOT_CONTROLLER", "simulator": "RACECAST_API"}
    assert isinstance(found.group, Failure)
    for part, setting in settings.items():
        failure = getattr(found, part)
        assert isinstance(failure, Failure)
        assert unreachable in failure.sentence
        assert setting in failure.sentence
        assert "Errno" not in failure.sentence
    assert isinstance(found.races, Failure)
    missing = of_embedded(SimulatorProbe(url), tmp_path / "none.db").take()
    for failure in (missing.embedded, missing.races):
        assert isinstance(failure, Failure)
        assert "There is no race file" in failure.sentence
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("body", [b"", b"[]", b'{"tables": 7}', b"<html>Hello</html>"])
def test_another_server(body: bytes, answering: Callable[[int, bytes], str]) -> None:
    """A response from another kind of server is reported as such."""
    address = answering(200, body)
    for probe, what in (
        (PinotProbe(address, address), "is not Pinot's"),
        (PinotProbe(address, address).races, "is not Pinot's broker"),
        (SimulatorProbe(address), "is not the simulator's API"),
    ):
        found = probe()
        assert isinstance(found, Failure)
        assert what in found.sentence


def test_wrong_token(answering: Callable[[int, bytes], str]) -> None:
    """If the API rejects the token, the failure names the setting."""
    found = SimulatorProbe(answering(401, b"{}"), "wrong")()
    assert isinstance(found, Failure)
    assert "RACECAST_TOKEN" in found.sentence


def test_invalid_file(tmp_path: Path) -> None:
    """A file that is not SQLite is a failure."""
    (tmp_path / "x.db").write_text("nothing" * 1000)
    found = EmbeddedProbe(tmp_path / "x.db")()
    assert isinstance(found, Failure)
    assert "RACECAST_SQLITE" in found.sentence


def test_every_metric_exists(tmp_path: Path) -> None:
    """The simulator exports each metric that the probe reads."""
    with simulator(tmp_path, "--sqlite", str(tmp_path / "races.db")) as api:
        metrics = simulator_probe._metrics(api.get("/metrics").text)
    assert set(simulator_probe.METRICS.values()) <= metrics.keys()


def test_counted_by_topic() -> None:
    """A counter is summed over its labels, and races are counted by status."""
    text = (
        "# TYPE racecast_delivery_errors counter\n"
        'racecast_delivery_errors_total{topic="parkrun"} 2\n'
        'racecast_delivery_errors_total{topic="races"} 3\n'
        "# TYPE racecast_races gauge\n"
        'racecast_races{status="running"} 1\nracecast_races{status="paused"} 4\n'
    )
    metrics = simulator_probe._metrics(text)
    assert metrics["racecast_delivery_errors_total"] == 5
    assert metrics[simulator_probe.RUNNING] == 1


def test_consumer_of_newer_pinot() -> None:
    """Of several replicas the worst counts; additional fields of newer versions are ignored."""
    copies = [
        {
            "serverName": f"Server_{number}",
            "consumerState": state,
            "lastConsumedTimestamp": 5000,
            "partitionToOffsetMap": {"3": offset},
            "partitionOffsetInfo": {"currentOffsetsMap": {"3": offset}},
        }
        for number, (state, offset) in enumerate([("CONSUMING", "9"), ("CONSUMING", "7"), ("CONSUMING", "8")])
    ]
    assert consumer_of("parkrun__3__12__20261125T1303Z", copies) == (3, Consumer("CONSUMING", 7))
    copies[2]["consumerState"] = "NOT_CONSUMING"
    assert consumer_of("parkrun__3__12__20261125T1303Z", copies)[1].state == "NOT_CONSUMING"
    assert consumer_of("parkrun__3__12__20261125T1303Z", []) == (3, Consumer("", None))


def test_segments_that_are_missing() -> None:
    """A segment is missing if a server should have it but has neither loaded nor failed to load it."""
    wanted = {"a": {"s1": "ONLINE", "s2": "ONLINE"}, "b": {"s1": "CONSUMING"}, "c": {"s1": "OFFLINE"}}
    assert absent(wanted, wanted) == set()
    assert absent(wanted, {"a": {"s1": "ONLINE", "s2": "OFFLINE"}, "b": {"s1": "ERROR"}}) == {"a"}
    assert absent(wanted, {"a": wanted["a"]}) == {"b"}


def _newest(file: Path) -> int | None:
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            newest: int | None = connection.execute("SELECT max(emittedAt) FROM parkrun").fetchone()[0]
    except sqlite3.OperationalError:
        return None
    return newest


def _race(run_id: str, **other: object) -> Row:
    return {
        "runId": run_id,
        "name": "Saturday",
        "course": "crystal-palace",
        "startTime": NOW_MS,
        "status": "running",
        "competitors": 2,
        "speed": 1.0,
        "seed": 1,
        "updatedAt": NOW_MS,
        "request": "{}",
    } | other
