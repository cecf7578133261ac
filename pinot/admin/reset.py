"""`python -m pinot reset`: deletes everything of Racecast in a cluster and creates it again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pinot.admin.cluster import Cluster
from pinot.admin.setup import read_courses, set_up, wait_for_cluster
from pinot.admin.topics import TopicError, delete_topic, topic_is_there
from stream.contract import TABLES, TOPICS
from stream.pinot import PinotError, without_password
from stream.waiting import WaitedTooLongError, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinot.settings import Settings

REFUSALS = (PinotError, TopicError, WaitedTooLongError)


class ResetError(RuntimeError):
    """Something could not be deleted; the text says what."""


def what_goes(settings: Settings) -> str:
    """Describe what a reset deletes."""
    controller = without_password(settings.pinot_controller)
    return (
        f"This deletes all races and all their events: in the Pinot at {controller} the "
        f"tables and schemas {', '.join(TABLES)}, in the Kafka at {settings.kafka} the topics "
        f"{', '.join(TOPICS)}. Stop the simulator first: events that it publishes meanwhile are lost, "
        "and it would continue races that the stores no longer have."
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
    # Tables before the topics that they consume and before their schemas: Pinot keeps a schema in use.
    goes = [
        *((f"table {name}", partial(_delete_table, cluster, name, settings.wait, say)) for name in TABLES),
        *((f"schema {name}", partial(cluster.delete_schema, name)) for name in TABLES),
        *((f"topic {name}", partial(_delete_topic, settings, name, say)) for name in TOPICS),
    ]
    left = [what for what, delete in goes if not _deleted(what, delete, say)]
    set_up(settings, say)
    if left:
        raise ResetError(f"could not delete: {', '.join(left)}")


def _deleted(what: str, delete: Callable[[], bool], say: Callable[[str], None]) -> bool:
    """Delete one thing; return whether it is gone."""
    try:
        say(f"{what}: {'deleted' if delete() else 'does not exist'}")
    except REFUSALS as error:
        say(f"{what}: cannot be deleted: {error}")
        return False
    return True


def _delete_table(cluster: Cluster, name: str, seconds: float, say: Callable[[str], None]) -> bool:
    """Delete it and wait: Pinot rejects a new table while servers still drop the old one."""
    was_there = cluster.delete_table(name)
    wait_for(f"the deletion of table {name}", lambda: cluster.traces(name), seconds=seconds, say=say)
    return was_there


def _delete_topic(settings: Settings, name: str, say: Callable[[str], None]) -> bool:
    """Delete it and wait: Kafka responds before all its brokers have deleted it."""
    was_there = delete_topic(settings.client_config(), name)
    wait_for(
        f"the deletion of topic {name}",
        lambda: "Kafka still lists it" if topic_is_there(settings.client_config(), name) else None,
        seconds=settings.wait,
        say=say,
    )
    return was_there
