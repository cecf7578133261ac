"""A test's own tables on the real Pinot: copies under other names, each with its own topic."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any
from uuid import uuid4

from confluent_kafka.admin import AdminClient

from dashboard.store.pinot_broker import Broker
from dashboard.store.protocol import Parameter
from dashboard.store.sql_store import PinotStore
from pinot.admin.cluster import Cluster, query_trouble
from pinot.admin.configs import columns_of, read_schema, read_table
from pinot.admin.setup import set_up_table
from pinot.admin.topics import set_up_topics
from pinot.health.incomplete import RowCounter
from pinot.local.stack import Stack
from stream.contract import read_topics
from stream.pinot import ask, checked
from stream.waiting import wait_for
from tests.pinot.conftest import Pinot

SECONDS = 60.0


class Copy(Pinot):
    """A copy of a table, made by the set-up's own functions, and its topic.

    Attributes:
        name: of topic and table.
        schema, config: the table's; changes to them are in Pinot after `set_up`.
        store: a dashboard's store that queries this table instead of the original.
        counter: counts its defects.
    """

    def __init__(self, stack: Stack, table: str, **changes: Any) -> None:
        """Create the copy; `changes` are other values in its config."""
        super().__init__(stack)
        self.name = f"{table}_{uuid4().hex[:8]}"
        self.schema = deepcopy(read_schema(table)) | {"schemaName": self.name}
        self.store = PinotStore(_Renamed(stack.broker, table, self.name))
        self.counter = RowCounter(stack.broker, Cluster(stack.controller))
        self.config = read_table(table, kafka=stack.kafka, replication=1) | {"tableName": self.name} | changes
        (stream,) = self.config["ingestionConfig"]["streamIngestionConfig"]["streamConfigMaps"]
        stream["stream.kafka.topic.name"] = self.name
        topics = {self.name: read_topics()[table]}
        set_up_topics(stack.kafka_access, partitions=2, replication=1, say=print, topics=topics)
        self.set_up()

    def set_up(self, say: Callable[[str], None] = print) -> None:
        """Update the table as the set-up does, and wait until it can be queried."""
        set_up_table(self.counter.cluster, self.schema, self.config, wait=SECONDS, say=say)
        trouble = partial(query_trouble, self.stack.broker, self.name, columns=columns_of(self.schema))
        wait_for(self.name, trouble, seconds=SECONDS, say=print)

    def renew(self) -> None:
        """Commit the consuming segments, and wait until Pinot consumes into new ones."""
        before = set(self.counter.cluster.consumers(self.name))
        self.counter.cluster.begin_new_segments(self.name)

        def trouble() -> str | None:
            now = self.counter.cluster.consumers(self.name)
            return None if all(now.values()) and not before & set(now) else f"{now} after {before}"

        wait_for("new segments", trouble, seconds=SECONDS, say=print)

    def put(self, *values: bytes | None) -> None:
        """Publish any values to one partition, and wait until Kafka has them."""
        for value in values:
            self._producer.produce(self.name, value, "key", partition=0)
        assert self._producer.flush(30) == 0

    def wait_for_rows(self, rows: int) -> None:
        """Wait until the table has this number of rows, superseded ones too."""
        self.wait_until(f"select count(*) from {self.name} option(skipUpsert=true)", [[rows]])

    def drop(self) -> None:
        """Delete table, schema and topic."""
        for path in (f"/tables/{self.name}", f"/schemas/{self.name}"):
            checked(ask("DELETE", self.stack.controller, path))
        client = AdminClient({**self.stack.kafka_access})
        client.delete_topics([self.name])[self.name].result(30)


class _Renamed(Broker):
    """Queries the copy where a query names the original."""

    def __init__(self, address: str, table: str, name: str) -> None:
        super().__init__(address)
        self._table, self._name = f"FROM {table}", f"FROM {name}"

    def ask(self, query: str, **parameters: Parameter) -> list[list[Any]]:
        return super().ask(query.replace(self._table, self._name), **parameters)
