"""Topics, schemas and tables agree with the contract and with each other."""

from typing import Any

import pytest

from pinot.admin.configs import HERE, columns_of, read_schema, read_table
from pinot.admin.schemas import schema_of, text_of
from simulator.course.course import MAX_DISTANCE
from simulator.course.survey import limits
from stream.contract import PROGRESS, READS, TABLES, TOPICS, read_topics

DAY_MS = 24 * 60 * 60 * 1000


def config(table: str) -> dict[str, Any]:
    """Return the config of `table` for a Kafka at "kafka:1" and two replicas."""
    return read_table(table, kafka="kafka:1", replication=2)


def stream(table: str) -> dict[str, str]:
    """Return the stream that fills `table`."""
    (only,) = config(table)["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"]
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize("table", TABLES)
def test_schema_files_are_those_of_the_contract(table: str) -> None:
    """The schema's file is what `make schemas` writes."""
    text = (HERE / "schemas" / f"{table}.json").read_text()

    assert text == text_of(schema_of(TABLES[table])), "run make schemas"


@pytest.mark.parametrize("table", TABLES)
def test_file_schema_and_table_have_one_name(table: str) -> None:
    """A table's file, schema and config have the same name, which newer versions of Pinot require."""
    assert (read_schema(table)["schemaName"], config(table)["tableName"]) == (table, table)


@pytest.mark.parametrize("table", TOPICS)
def test_newest_wins_by_the_contracts_column(table: str) -> None:
    """Each stream table keeps the row with the greatest comparison column, without a gap for readers."""
    assert config(table)["upsertConfig"] == {
        "mode": "FULL",
        "comparisonColumn": TABLES[table].version,
        "consistencyMode": "SYNC",
    }


@pytest.mark.parametrize("table", TOPICS)
def test_a_week_is_kept(table: str) -> None:
    """Each stream table keeps rows for a week, by a time column of its schema."""
    segments = config(table)["segmentsConfig"]
    times = {spec["name"] for spec in read_schema(table)["dateTimeFieldSpecs"]}
    assert (segments["retentionTimeUnit"], segments["retentionTimeValue"]) == ("DAYS", "7")
    assert segments["timeColumnName"] in times


@pytest.mark.parametrize("table", TOPICS)
def test_stream_is_the_topic_of_the_tables_name(table: str) -> None:
    """Each stream table consumes the topic of its own name, which the set-up creates."""
    assert stream(table)["stream.kafka.topic.name"] == table
    assert table in read_topics()
    assert stream(table)["stream.kafka.broker.list"] == "kafka:1"


def test_every_topic_has_a_table() -> None:
    """Every topic that the set-up creates fills a table, but for the simulators' own and the raw reads."""
    assert set(read_topics()) == {*TOPICS, PROGRESS.name, READS.name}


@pytest.mark.parametrize("table", TABLES)
def test_replication_comes_from_the_settings(table: str) -> None:
    """The number of replicas is in each property that a version of Pinot reads."""
    segments = config(table)["segmentsConfig"]
    assert {segments["replication"], segments.get("replicasPerPartition", "2")} == {"2"}


@pytest.mark.parametrize("table", TABLES)
def test_config_has_only_columns_that_exist(table: str) -> None:
    """Indexes and transforms use columns of the schema."""
    indexing = config(table)["tableIndexConfig"]
    named = {name for part, names in indexing.items() if part.endswith("Columns") for name in names}
    transforms = config(table).get("ingestionConfig", {}).get("transformConfigs", [])
    named |= {transform["columnName"] for transform in transforms}
    named |= {column["name"] for column in config(table).get("fieldConfigList", [])}
    assert named <= set(columns_of(read_schema(table)))


def test_positions_are_compressed_in_both_versions() -> None:
    """Each column of positions without a dictionary has a codec; Pinot 0.11 needs it in both lists."""
    positions = config("parkrun")
    codecs = {(column["name"], column["compressionCodec"]) for column in positions["fieldConfigList"]}
    raw = positions["tableIndexConfig"]["noDictionaryColumns"]
    assert codecs == {(column, "ZSTANDARD") for column in raw}
    assert {column["encodingType"] for column in positions["fieldConfigList"]} == {"RAW"}


def test_lookup_table_is_a_dimension_table() -> None:
    """Courses are on every server, where `lookup` needs them."""
    assert (config("courses")["isDimTable"], config("courses")["tableType"]) == (True, "OFFLINE")


def test_positions_leave_kafka_after_a_day() -> None:
    """Kafka keeps positions for a day and deletes them in segments of at most two hours."""
    topic = read_topics()["parkrun"]["config"]
    assert topic["cleanup.policy"] == "delete"
    assert int(topic["retention.ms"]) == DAY_MS
    assert int(topic["segment.ms"]) <= DAY_MS / 12


@pytest.mark.parametrize("topic", ["races", "competitors"])
def test_state_is_compacted(topic: str) -> None:
    """Kafka keeps the last event of every race and competitor."""
    assert read_topics()[topic]["config"]["cleanup.policy"] == "compact"


def test_longest_request_fits_its_column_and_its_topic() -> None:
    """A request with a course of 100,000 points fits; Pinot's default is 512 characters, Kafka's 1 MB."""
    (request,) = [s for s in read_schema("races")["dimensionFieldSpecs"] if s["name"] == "request"]
    largest = 100_000 * len("[-0.064245123456789,51.419386123456789],")
    assert request["maxLength"] >= largest
    assert int(read_topics()["races"]["config"]["max.message.bytes"]) >= largest


LONGEST_NAME = limits.MAX_NAME * len("\\ud83d\\ude00")


def test_longest_lists_of_a_course_fit_their_columns() -> None:
    """The columns hold as many and as detailed lists as a course may have."""
    columns = {s["name"]: s.get("maxLength") for s in read_schema("courses")["dimensionFieldSpecs"]}
    points = limits.MAX_FENCE_POINTS * len("-179.123456789 -89.123456789, ")
    visits = limits.MAX_FENCE_PASSES * len("[999999.999, 999999.999], ")
    names = limits.MAX_FENCES * (LONGEST_NAME + len('{"name": "", "wkt": "POLYGON (())", "visits": []}, '))
    assert columns["fences"] >= points + visits + names
    # Between two points of the file, a line is divided near a pole into pieces of about 30 m.
    vertices = limits.MAX_POINTS + MAX_DISTANCE / 29
    assert columns["altitudes"] >= vertices * len("-499.9,")
    passes = limits.MAX_MAT_PASSES * len("999999.999, ")
    names = limits.MAX_MATS * (LONGEST_NAME + len('{"name": "", "distances": []}, '))
    assert columns["timingPoints"] >= passes + names
    # One more than the markers': that of the path.
    assert columns["widths"] >= (limits.MAX_WIDTHS + 1) * len("[999999.9,123.123456789012345],")
