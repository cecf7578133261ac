"""`python -m pinot reset`: deletes everything of Racecast in a cluster and creates it again."""

from collections.abc import Callable
from functools import partial

from pinot.admin.cluster import Cluster
from pinot.admin.setup import read_courses, set_up, wait_for_cluster
from pinot.admin.topics import TopicError, delete_topic, topic_remains
from pinot.settings import Settings
from stream.contract import TABLES, read_topics
from stream.formats import FORMATTED
from stream.pinot import PinotError, without_password
from stream.registry import RegistryError, subject_of
from stream.waiting import WaitedTooLongError, wait_for


class ResetError(RuntimeError):
    """Something could not be deleted; the text says what."""


def what_goes(settings: Settings) -> str:
    """Describe what a reset deletes."""
    controller = without_password(settings.pinot_controller)
    subjects = ", ".join(map(subject_of, FORMATTED))
    registry = f", in the schema registry the subjects {subjects}" if settings.schema_registry else ""
    return (
        f"This deletes all races and all their events: in the Pinot at {controller} the "
        f"tables and schemas {', '.join(TABLES)}, in the Kafka at {settings.kafka} the topics "
        f"{', '.join(read_topics())}{registry}. Stop all simulators first: events that they publish "
        "meanwhile are lost, and they would continue races that the stores no longer have."
    )


def reset(settings: Settings, say: Callable[[str], None] = print) -> None:
    """Delete tables, schemas and topics, wait until they are gone, and create them again.

    If something cannot be deleted, the rest is, and the cluster is set up in any case.

    Raises:
        ResetError: something could not be deleted.
        As set_up does; before anything is deleted if Kafka, Pinot or the courses are missing.
    """
    read_courses(settings.courses, lambda _: None)
    wait_for_cluster(settings, say)
    cluster = Cluster(settings.pinot_controller, settings.pinot_auth())
    kafka = settings.client_config()
    left = []

    def delete(
        what: str, deletion: Callable[[], bool], remains: Callable[[], str | None] = lambda: None
    ) -> None:
        """Delete one thing and wait until nothing remains of it."""
        try:
            was_there = deletion()
            wait_for(f"the deletion of {what}", remains, seconds=settings.wait, say=say)
        except (PinotError, RegistryError, TopicError, WaitedTooLongError) as error:
            say(f"{what}: cannot be deleted: {error}")
            left.append(what)
        else:
            say(f"{what}: {'deleted' if was_there else 'does not exist'}")

    # Tables before the topics that they consume and before their schemas: Pinot keeps a schema in use.
    for name in TABLES:
        delete(f"table {name}", partial(cluster.delete_table, name), partial(cluster.traces, name))
    for name in TABLES:
        delete(f"schema {name}", partial(cluster.delete_schema, name))
    for name in read_topics():
        delete(f"topic {name}", partial(delete_topic, kafka, name), partial(topic_remains, kafka, name))
    if (schemas := settings.schemas()) is not None:
        for topic in FORMATTED:
            delete(f"subject {subject_of(topic)}", partial(schemas.delete, topic))
    set_up(settings, say)
    if left:
        raise ResetError(f"could not delete: {', '.join(left)}")
