"""`python -m pinot setup`, with and without a real cluster."""

import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are its API, but not in its __all__
    AdminClient,
    ConfigResource,
    ResourceType,
)

from pinot.__main__ import main
from pinot.admin import configs
from pinot.admin.cluster import Cluster, http_trouble, query_trouble
from pinot.admin.configs import read_schema
from pinot.admin.setup import set_up
from pinot.admin.topics import set_up_topics
from pinot.health.incomplete import RowCounter
from pinot.local.stack import Stack
from pinot.settings import Settings
from simulator.course.drawing import CourseError
from stream.contract import TABLES, TOPICS, read_topics
from stream.pinot import PinotError
from tests.pinot.conftest import Pinot
from tests.processes import ROOT
from tests.stacks import stack_settings

COURSES = ROOT / "courses"
NO_FENCE = """<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><LineString>
<coordinates>-0.1,51.5 -0.11,51.5</coordinates></LineString></Placemark></Document></kml>"""


@pytest.fixture
def restored(stack: Stack) -> Settings:
    """The stack's settings, for tests with other courses."""
    return stack_settings(stack)


def test_second_time_is_harmless(stack: Stack) -> None:
    """Repeated, it changes nothing and says so."""
    said: list[str] = []
    set_up(stack_settings(stack), said.append)
    done = [line for line in said if line.startswith(("topic ", "table "))]
    assert [line.partition(": ")[2] for line in done] == ["up to date"] * (len(read_topics()) + len(TABLES))


def test_courses_are_loaded_into_a_segment_each(stack: Stack) -> None:
    """Loading a course again replaces its segment."""
    set_up(stack_settings(stack), lambda _: None)
    segments = Cluster(stack.controller).segments("courses")
    for name in ("city-10k", "crystal-palace", "hilly-half", "track-10000m"):
        assert [segment for segment in segments if name in segment] == [f"courses_{name}"]


def test_topics_are_as_configured(stack: Stack) -> None:
    """Every topic has its configuration; those keyed by competitor have several partitions."""
    client = AdminClient({"bootstrap.servers": stack.kafka})
    there = client.list_topics(timeout=30).topics
    for name, topic in read_topics().items():
        resource = ConfigResource(ResourceType.TOPIC, name)
        found = client.describe_configs([resource])[resource].result(30)
        assert {key: found[key].value for key in topic["config"]} == topic["config"]
        assert len(there[name].partitions) == (topic["partitions"] or 2)


def test_partitions_of_a_topic_stay(stack: Stack) -> None:
    """A topic keeps its partitions, whatever the settings, and the set-up says why."""
    said: list[str] = []
    set_up_topics(stack.kafka_access, partitions=3, replication=1, say=said.append)
    assert "topic parkrun: up to date; it keeps its 2 partitions, because 3 would move keys" in said


def test_changed_files_change_the_cluster(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes to a table's file reach the cluster with the next set-up, and can be reverted."""
    for folder in ("schemas", "tables"):
        shutil.copytree(configs.HERE / folder, tmp_path / folder)
    file = tmp_path / "tables" / "competitors.json"
    file.write_text(file.read_text().replace("${retention_days}", "8"))
    kept = []
    for files in (tmp_path, configs.HERE):
        monkeypatch.setattr(configs, "HERE", files)
        said: list[str] = []
        set_up(stack_settings(stack), said.append)
        assert "table competitors: changed" in said
        table = Cluster(stack.controller).table("competitors")
        assert table is not None
        kept.append(table["segmentsConfig"]["retentionTimeValue"])
    assert kept == ["8", "7"]


def test_tables_keep_events_as_long_as_the_settings_say(stack: Stack) -> None:
    """All tables of events get the days of --retention-days, also if they exist, and again the usual ones."""
    found = []
    for changed in ({"retention_days": 400}, {}):
        set_up(stack_settings(stack).model_copy(update=changed), lambda _: None)
        tables = [Cluster(stack.controller).table(name) or {} for name in TOPICS]
        found.append({table["segmentsConfig"]["retentionTimeValue"] for table in tables})
    assert found == [{"400"}, {"7"}]


def test_errors_of_the_cluster_are_passed_on(stack: Stack) -> None:
    """A column cannot be removed, and Pinot's error about that is passed on."""
    schema = read_schema("competitors")
    schema["dimensionFieldSpecs"].pop()
    with pytest.raises(PinotError, match="400 for /schemas/competitors: Backward incompatible schema"):
        Cluster(stack.controller).put_schema(schema)


def test_course_without_a_fence(pinot: Pinot, tmp_path: Path, restored: Settings) -> None:
    """A course without a geofence is loaded with an empty one; an invalid file is only reported."""
    (tmp_path / "no-fence.kml").write_text(NO_FENCE)
    (tmp_path / "bad.kml").write_text("nothing")
    said: list[str] = []
    set_up(restored.model_copy(update={"courses": tmp_path}), said.append)
    try:
        fences = "select ST_AsText(geoFenceLocation) from courses where shortName = 'no-fence'"
        pinot.wait_until(fences, [["POLYGON EMPTY"]])
    finally:
        Cluster(restored.pinot_controller).delete_segment("courses", "courses_no-fence")
    assert [line for line in said if line.startswith("skipped: bad.kml")]


def test_folder_without_courses_is_rejected(tmp_path: Path) -> None:
    """A folder without a course is rejected before any request to the cluster."""
    with pytest.raises(CourseError, match="no valid course"):
        set_up(Settings(courses=tmp_path), lambda _: None)


def test_unreachable_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    """Without Kafka it gives up after the configured time, and says what it waited for."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        status = main(["setup", "--kafka", f"127.0.0.1:{port}", "--wait", "0.1"])
    assert status == 1
    expected = f"waited 0.1 s for Kafka: Kafka at 127.0.0.1:{port} (PLAINTEXT): "
    assert expected in capsys.readouterr().err


@pytest.mark.usefixtures("dead_proxy")
def test_proxies_are_ignored(answering: Callable[[int, bytes], str]) -> None:
    """Requests to Pinot ignore the environment's proxies."""
    address = answering(200, b'{"exceptions": [], "resultTable": {}, "schemaName": "parkrun"}')
    assert http_trouble(address) is None
    assert query_trouble(address, "parkrun") == "no server serves it yet"
    assert Cluster(address).schema("parkrun") is not None


@pytest.mark.parametrize("body", [b"", b"[]", b'{"exceptions": 7}', b"<html>Hello</html>"])
def test_another_server(body: bytes, answering: Callable[[int, bytes], str]) -> None:
    """A response from another kind of server at the broker's address is reported as such."""
    address = answering(200, body)
    assert query_trouble(address, "parkrun") == f"{address}: the response is not from a Pinot broker"
    with pytest.raises(PinotError, match="the response is not from a Pinot broker"):
        RowCounter(address, Cluster(address)).rows("parkrun")


def test_settings_come_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting has a variable of the same name."""
    monkeypatch.setenv("RACECAST_PINOT_KAFKA", "kafka:9092")
    monkeypatch.setenv("RACECAST_PARTITIONS", "8")
    settings = Settings()
    assert (settings.pinot_kafka, settings.partitions) == ("kafka:9092", 8)


def test_address_may_end_with_a_slash() -> None:
    """A URL means the same with a slash at its end."""
    assert Settings(pinot_broker="http://pinot:8099/").pinot_broker == "http://pinot:8099"


def test_wrong_setting_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """An invalid value, or two contradictory ones, are rejected in one line that names the setting."""
    assert main(["setup", "--partitions", "0"]) == 2
    assert capsys.readouterr().err == "--partitions must be at least 1\n"
    assert main(["setup", "--pinot-username", "anna"]) == 2
    assert capsys.readouterr().err == "--pinot-username and RACECAST_PINOT_PASSWORD need each other\n"
