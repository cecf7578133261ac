"""The set-up as a whole: wait for the cluster, then topics, schemas, tables and courses. Safe to repeat."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pinot.cluster import Cluster, http_trouble, query_trouble
from pinot.configs import TABLES, read_schema, read_table
from pinot.consumer import consumer_properties, hidden
from pinot.topics import kafka_trouble, set_up_topics
from pinot.waiting import wait_for
from simulator.courses import load_folder
from simulator.drawing import CourseError
from simulator.pinot_controller import PinotError
from simulator.pinot_courses import CourseTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pinot.settings import Settings
    from simulator.course import Course

REFUSED_BY_KAFKA = "SaslAuthenticationException"
"""What Pinot says if Kafka doesn't let its consumers in."""
PINOTS_USER = "it is Pinot's user of Kafka: RACECAST_PINOT_KAFKA_USERNAME or else RACECAST_KAFKA_USERNAME"
OLD_SEGMENT = "courses"
"""In which older versions of the set-up kept all courses."""


def set_up(settings: Settings, say: Callable[[str], None] = print) -> None:
    """Bring the cluster to what the files in this folder and in the courses folder say.

    Raises:
        WaitedTooLongError: a part of the cluster doesn't answer.
        TopicError: Kafka refuses a topic.
        PinotError: Pinot refuses a schema, a table or the courses.
        CourseError: there is no course that can be used. A bad file beside good ones is only told of.
    """
    courses = _read_courses(settings.courses, say)
    kafka, admission = settings.client_config(), settings.admission()
    wait_for("Kafka", lambda: kafka_trouble(kafka), seconds=settings.wait, say=say)
    health = partial(http_trouble, f"{settings.pinot_controller}/health", admission)
    wait_for("Pinot's controller", health, seconds=settings.wait, say=say)
    set_up_topics(kafka, partitions=settings.partitions, replication=settings.replication, say=say)
    cluster = Cluster(settings.pinot_controller, admission)
    for name in TABLES:
        _set_up_table(cluster, name, settings, say)
    _load_courses(cluster, CourseTable(settings.pinot_controller, admission), courses)
    say(f"courses loaded: {len(courses)}")
    for name in TABLES:
        trouble = partial(query_trouble, settings.pinot_broker, name, admission)
        wait_for(f"table {name}", trouble, seconds=settings.wait, say=say)


def _read_courses(folder: Path, say: Callable[[str], None]) -> list[Course]:
    library = load_folder(folder)
    for error in library.errors.values():
        say(f"left out: {error}")
    if not library.courses:
        raise CourseError(f"{folder} has no course that can be used")
    return list(library.courses.values())


def _load_courses(cluster: Cluster, table: CourseTable, courses: list[Course]) -> None:
    """Bring these courses into their table; those that were uploaded stay in it."""
    for course in courses:
        table.load(course)
    if OLD_SEGMENT in cluster.segments("courses"):
        cluster.delete_segment("courses", OLD_SEGMENT)


def put_table(cluster: Cluster, config: Mapping[str, Any]) -> None:
    """Make or replace a table's config; raises PinotError, without the password that is in it."""
    try:
        cluster.put_table(config)
    except PinotError as error:
        why = hidden(str(error))
        raise PinotError(f"{why}; {PINOTS_USER}" if REFUSED_BY_KAFKA in why else why) from None


def _set_up_table(cluster: Cluster, name: str, settings: Settings, say: Callable[[str], None]) -> None:
    schema = read_schema(name)
    kafka = settings.pinot_kafka or settings.kafka
    consumer = consumer_properties(settings, *settings.pinots_user())
    config = read_table(name, kafka=kafka, replication=settings.replication, consumer=consumer)
    before = (cluster.schema(name), cluster.table(name))
    cluster.put_schema(schema)
    put_table(cluster, config)
    if before[1] is None:
        say(f"table {name}: made")
    elif before == (cluster.schema(name), cluster.table(name)):
        say(f"table {name}: up to date")
    else:
        cluster.reload(name)
        say(f"table {name}: changed")
