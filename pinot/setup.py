"""The set-up as a whole: wait for the cluster, then topics, schemas, tables and courses. Safe to repeat."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pinot.cluster import Cluster, http_trouble, query_trouble
from pinot.configs import TABLES, read_schema, read_table
from pinot.courses import load_courses
from pinot.topics import kafka_trouble, set_up_topics
from pinot.waiting import wait_for
from simulator.courses import load_folder
from simulator.drawing import CourseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pinot.settings import Settings
    from simulator.course import Course


def set_up(settings: Settings, say: Callable[[str], None] = print) -> None:
    """Bring the cluster to what the files in this folder and in the courses folder say.

    Raises:
        WaitedTooLongError: a part of the cluster doesn't answer.
        TopicError: Kafka refuses a topic.
        PinotError: Pinot refuses a schema, a table or the courses.
        CourseError: there is no course that can be used. A bad file beside good ones is only told of.
    """
    courses = _read_courses(settings.courses, say)
    wait_for("Kafka", lambda: kafka_trouble(settings.kafka), seconds=settings.wait, say=say)
    health = f"{settings.pinot_controller}/health"
    wait_for("Pinot's controller", lambda: http_trouble(health), seconds=settings.wait, say=say)
    set_up_topics(settings.kafka, partitions=settings.partitions, replication=settings.replication, say=say)
    cluster = Cluster(settings.pinot_controller)
    for name in TABLES:
        _set_up_table(cluster, name, settings, say)
    say(f"courses loaded: {load_courses(cluster, courses)}")
    for name in TABLES:
        trouble = partial(query_trouble, settings.pinot_broker, name)
        wait_for(f"table {name}", trouble, seconds=settings.wait, say=say)


def _read_courses(folder: Path, say: Callable[[str], None]) -> list[Course]:
    library = load_folder(folder)
    for error in library.errors.values():
        say(f"left out: {error}")
    if not library.courses:
        raise CourseError(f"{folder} has no course that can be used")
    return list(library.courses.values())


def _set_up_table(cluster: Cluster, name: str, settings: Settings, say: Callable[[str], None]) -> None:
    schema = read_schema(name)
    kafka = settings.pinot_kafka or settings.kafka
    config = read_table(name, kafka=kafka, replication=settings.replication)
    before = (cluster.schema(name), cluster.table(name))
    cluster.put_schema(schema)
    cluster.put_table(config)
    if before[1] is None:
        say(f"table {name}: made")
    elif before == (cluster.schema(name), cluster.table(name)):
        say(f"table {name}: up to date")
    else:
        cluster.reload(name)
        say(f"table {name}: changed")
