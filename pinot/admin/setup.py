"""`python -m pinot setup`: waits for the cluster, then sets up topics, schemas, tables and courses.

For Avro and Protobuf it also registers the schemas of the events.

Safe to repeat.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pinot.admin.cluster import Cluster, http_trouble, query_trouble
from pinot.admin.configs import columns_of, read_schema, read_table, with_defaults_of
from pinot.admin.consumer import consumer_properties, hidden
from pinot.admin.decoders import decoder_properties
from pinot.admin.topics import kafka_trouble, set_up_topics
from pinot.settings import Settings
from simulator.course.course import Course
from simulator.course.drawing import CourseError
from simulator.course.library import load_folder
from simulator.publishers.pinot_courses import CourseTable
from stream.contract import TABLES
from stream.formats import FORMATTED
from stream.pinot import PinotError
from stream.waiting import wait_for

REFUSED_BY_KAFKA = "SaslAuthenticationException"
"""Part of Pinot's error if Kafka rejects its consumers' credentials."""
PINOTS_USER = "check Pinot's Kafka user: RACECAST_PINOT_KAFKA_USERNAME, by default RACECAST_KAFKA_USERNAME"
OLD_SEGMENT = "courses"
"""The segment in which older versions kept all courses."""


def set_up(settings: Settings, say: Callable[[str], None] = print) -> None:
    """Create or update everything in the cluster from the files in `pinot/` and the courses folder.

    Raises:
        WaitedTooLongError: a part of the cluster does not respond.
        TopicError: Kafka rejects a topic.
        PinotError: Pinot rejects a schema, a table or a course.
        RegistryError: the schema registry rejects a schema.
        CourseError: there is no valid course. An invalid file beside valid ones is only reported.
    """
    courses = read_courses(settings.courses, say)
    wait_for_cluster(settings, say)
    kafka, pinot_auth, replication = settings.client_config(), settings.pinot_auth(), settings.replication
    set_up_topics(kafka, partitions=settings.partitions, replication=replication, say=say)
    register_schemas(settings, say)
    cluster = Cluster(settings.pinot_controller, pinot_auth)
    address = settings.pinot_kafka or settings.kafka
    consumer = consumer_properties(settings, *settings.pinots_user())
    for name in TABLES:
        config = read_table(
            name,
            kafka=address,
            replication=replication,
            retention_days=settings.retention_days,
            stream=consumer | decoder_properties(settings.pinots_schemas(), name),
        )
        set_up_table(cluster, read_schema(name), config, wait=settings.wait, say=say)
    table = CourseTable(settings.pinot_controller, pinot_auth, settings.wait)
    for course in courses:
        table.load(course)
    if OLD_SEGMENT in cluster.segments("courses"):
        cluster.delete_segment("courses", OLD_SEGMENT)
    say(f"courses loaded: {len(courses)}")
    for name in TABLES:
        columns = columns_of(read_schema(name))
        trouble = partial(query_trouble, settings.pinot_broker, name, pinot_auth, columns)
        wait_for(f"table {name}", trouble, seconds=settings.wait, say=say)


def wait_for_cluster(settings: Settings, say: Callable[[str], None]) -> None:
    """Wait until Kafka, Pinot's controller and the schema registry, if there is one, respond.

    Raises:
        WaitedTooLongError: one of them does not.
        TopicError, PinotError: one of them rejects the credentials.
    """
    kafka, pinot_auth = settings.client_config(), settings.pinot_auth()
    wait_for("Kafka", lambda: kafka_trouble(kafka), seconds=settings.wait, say=say)
    health = partial(http_trouble, f"{settings.pinot_controller}/health", pinot_auth)
    wait_for("Pinot's controller", health, seconds=settings.wait, say=say)
    if (schemas := settings.schemas()) is not None:
        wait_for("the schema registry", schemas.trouble, seconds=settings.wait, say=say)


def register_schemas(settings: Settings, say: Callable[[str], None]) -> None:
    """Register the schemas of the events, unless they are JSON; raises RegistryError if one is rejected."""
    if (schemas := settings.schemas()) is not None:
        for topic in FORMATTED:
            number = schemas.register(topic)
            say(f"{settings.format} schema of {topic}: registered, id {number}")


def read_courses(folder: Path, say: Callable[[str], None]) -> list[Course]:
    """Return a folder's valid courses and report all that is wrong; raise CourseError if none is valid."""
    library = load_folder(folder)
    for error in library.errors.values():
        say(f"skipped: {error}")
    for name, course in library.courses.items():
        for warning in course.warnings:
            say(f"{library.files[name].name}: {warning}")
    if not library.courses:
        raise CourseError(f"{folder} has no valid course")
    return list(library.courses.values())


def put_table(cluster: Cluster, config: Mapping[str, Any]) -> None:
    """Create or replace a table's config; raise PinotError without the password in it."""
    try:
        cluster.put_table(config)
    except PinotError as error:
        why = hidden(str(error))
        raise PinotError(f"{why}; {PINOTS_USER}" if REFUSED_BY_KAFKA in why else why) from None


def set_up_table(
    cluster: Cluster,
    schema: Mapping[str, Any],
    config: Mapping[str, Any],
    *,
    wait: float,
    say: Callable[[str], None] = print,
) -> None:
    """Create a table, or update it while it continues to consume.

    When this returns, new rows have the schema's new columns. Existing rows get their defaults later;
    `query_trouble` says when.

    Raises:
        PinotError: Pinot rejects the schema or the config.
        WaitedTooLongError: it took longer than `wait` seconds.
    """
    name = config["tableName"]
    before = (cluster.schema(name), cluster.table(name))
    _put_schema(cluster, schema, say)
    put_table(cluster, config)
    if before[1] is None:
        say(f"table {name}: created")
    elif before == (cluster.schema(name), cluster.table(name)):
        say(f"table {name}: up to date")
    else:
        _renew(cluster, config, wait, say)
        say(f"table {name}: changed")


def _put_schema(cluster: Cluster, schema: Mapping[str, Any], say: Callable[[str], None]) -> None:
    try:
        cluster.put_schema(schema)
    except PinotError:
        name = schema["schemaName"]
        kept = with_defaults_of(cluster.schema(name) or {}, schema)
        if kept == schema:
            raise
        # Pinot 0.11 accepts new columns but no change to existing ones.
        cluster.put_schema(kept)
        say(
            f"table {name}: existing columns keep their defaults; to change them, run python -m pinot reset, "
            "which deletes all events"
        )


def _renew(cluster: Cluster, config: Mapping[str, Any], wait: float, say: Callable[[str], None]) -> None:
    """Update all segments to the newest schema and config.

    A consuming segment keeps the schema it started with: after a reload its rows have the new columns'
    defaults, and only the next segment stores their values. Newer versions of Pinot start one on reload; 0.11
    needs a forced commit.
    """
    name = config["tableName"]
    if config["tableType"] == "OFFLINE":
        cluster.reload(name)
        return
    old = set(cluster.consumers(name))
    cluster.reload(name)
    cluster.begin_new_segments(name)
    wait_for(f"new segments of {name}", partial(_still_filled, cluster, name, old), seconds=wait, say=say)


def _still_filled(cluster: Cluster, table: str, old: set[str]) -> str | None:
    """Return why not only new segments are being consumed, or None."""
    now = cluster.consumers(table)
    if ending := old & set(now):
        return f"Pinot still consumes into {', '.join(sorted(ending))}"
    idle = [segment for segment, servers in now.items() if not servers]
    return f"no server consumes into {', '.join(idle)} yet" if idle else None
