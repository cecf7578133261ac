"""Stores of a race's events: read the events back and compare them with those that the core computes."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import httpx
import orjson

from simulator.publishers.encode import encode
from simulator.race.events import entries_of, passings_until, positions_at
from simulator.race.race import Race
from tests.topics import iter_topic, iter_values, race_of

TOPICS = ("parkrun", "passings", "competitors")
BATCH = 5000


class EventStore(Protocol):
    """A store that a simulator writes to."""

    @property
    def name(self) -> str:
        """The store's name in reports."""
        ...

    @property
    def flags(self) -> tuple[str, ...]:
        """The simulator's flags for this store."""
        ...

    def events(self, topic: str, race: Race) -> Iterator[dict[str, Any]]:
        """Yield the events of a race; those of a Kafka topic in order of arrival within each partition."""
        ...

    def out_of_order(self, race: Race) -> int:
        """Count what is out of order; see `outcome.FaultResult`."""
        ...


@dataclass(frozen=True)
class SqliteEventStore:
    """A SQLite file."""

    file: Path
    name: str = "SQLite"

    @property
    def flags(self) -> tuple[str, ...]:
        """The simulator's flags."""
        return "--sqlite", str(self.file)

    def events(self, topic: str, race: Race) -> Iterator[dict[str, Any]]:
        """Yield the rows of a table; positions come from the history."""
        yield from self._rows("parkrun_history" if topic == "parkrun" else topic, race)

    def out_of_order(self, race: Race) -> int:
        """Count the competitors whose newest position is not their last."""
        newest = {row["competitorId"]: row["eventId"] for row in self._rows("parkrun", race)}
        return sum(newest.get(bib) != event_id for bib, event_id in last_events(race).items())

    def _rows(self, table: str, race: Race) -> Iterator[dict[str, Any]]:
        with closing(sqlite3.connect(self.file)) as connection:
            connection.row_factory = sqlite3.Row
            rows = connection.execute(f"SELECT * FROM {table} WHERE runId = ?", (race.run_id,))
            yield from map(dict, rows)


@dataclass(frozen=True)
class KafkaEventStore:
    """The topics of a Kafka broker."""

    bootstrap: str
    name: str = "Kafka"

    @property
    def flags(self) -> tuple[str, ...]:
        """The simulator's flags."""
        return "--publisher", "kafka", "--kafka", self.bootstrap

    def events(self, topic: str, race: Race) -> Iterator[dict[str, Any]]:
        """Yield a topic's events."""
        return (message.event for message in iter_topic(self.bootstrap, topic, race.run_id))

    def out_of_order(self, race: Race) -> int:
        """Count positions that arrive after a later one of the same competitor, without duplicates."""
        sequence = {event["eventId"]: nth for nth, event in enumerate(expected_events(race, "parkrun"))}
        latest: dict[int, int] = {}
        seen: set[int] = set()
        out_of_order = 0
        for event in self.events("parkrun", race):
            nth, bib = sequence.get(event["eventId"]), event["competitorId"]
            if nth is None or nth in seen:
                continue
            seen.add(nth)
            out_of_order += nth < latest.get(bib, -1)
            latest[bib] = max(nth, latest.get(bib, -1))
        return out_of_order


@dataclass(frozen=True)
class FinishedTopics(KafkaEventStore):
    """Topics to which nothing more is written: each is read once for all races."""

    def events(self, topic: str, race: Race) -> Iterator[dict[str, Any]]:
        """Yield a topic's events."""
        return map(orjson.loads, self._values[topic][race.run_id])

    @cached_property
    def _values(self) -> dict[str, defaultdict[str, list[bytes]]]:
        values: dict[str, defaultdict[str, list[bytes]]] = {topic: defaultdict(list) for topic in TOPICS}
        for topic, of_races in values.items():
            for key, value in iter_values(self.bootstrap, topic):
                of_races[race_of(key)].append(value)
        return values


class NotReadyError(Exception):
    """Pinot responds but cannot answer the query yet, for example while it loads segments."""


@dataclass(frozen=True)
class PinotEventStore:
    """The tables of a Pinot cluster; the simulator writes to the Kafka topics that they consume.

    `query_url` is the query endpoint of the broker, or of the controller, which forwards to a broker.
    """

    query_url: str
    name: str = "Pinot"
    flags: tuple[str, ...] = ()

    def events(self, topic: str, race: Race) -> Iterator[dict[str, Any]]:
        """Yield the rows of a table; positions come from the history."""
        columns = list(next(expected_events(race, topic)))
        yield from self._rows(topic, race, columns, "option(skipUpsert=true)")

    def out_of_order(self, race: Race) -> int:
        """Count the competitors whose newest position is not their last."""
        rows = self._rows("parkrun", race, ["competitorId", "eventId"])
        newest = {row["competitorId"]: row["eventId"] for row in rows}
        return sum(newest.get(bib) != event_id for bib, event_id in last_events(race).items())

    def not_caught_up(self, race: Race, race_time: float) -> str | None:
        """Return the progress while no position at `race_time` (s) or later has arrived, then None."""
        return self._below(race, "max(rawTime)", race_time)

    def incomplete(self, race: Race, positions: int) -> str | None:
        """Return the progress while there are fewer than `positions` positions, then None."""
        return self._below(race, "count(*)", positions)

    def _below(self, race: Race, aggregate: str, minimum: float) -> str | None:
        try:
            ((found,),) = self._query(f"SELECT {aggregate} FROM parkrun", race, "option(skipUpsert=true)")
        except NotReadyError as error:
            return str(error)
        return None if found >= minimum else f"{aggregate} is {found:,} of {minimum:,}"

    def _rows(self, table: str, race: Race, columns: list[str], option: str = "") -> Iterator[dict[str, Any]]:
        # Some tables store `timestamp` as TIMESTAMP; the events have it in milliseconds.
        quoted = [f'CAST("{name}" AS LONG)' if name == "timestamp" else f'"{name}"' for name in columns]
        rows = self._query(f"SELECT {', '.join(quoted)} FROM {table}", race, option)
        return (dict(zip(columns, row, strict=True)) for row in rows)

    def _query(self, select: str, race: Race, option: str) -> list[list[Any]]:
        return query_pinot(self.query_url, f"{select} WHERE runId = '{race.run_id}' LIMIT 10000000 {option}")


def query_pinot(query_url: str, sql: str) -> list[list[Any]]:
    """Return the rows of a query result.

    Raises:
        NotReadyError: if Pinot returns an error or no result.
    """
    response = httpx.post(query_url, json={"sql": sql}, trust_env=False, timeout=60).json()
    if response["exceptions"]:
        raise NotReadyError(response["exceptions"][0]["message"])
    if "resultTable" not in response:
        raise NotReadyError("no server has any of the table's segments")
    rows: list[list[Any]] = response["resultTable"]["rows"]
    return rows


def last_events(race: Race) -> dict[int, str]:
    """Return the event id of each competitor's last position, by tracker time."""
    positions = sorted(expected_events(race, "parkrun"), key=lambda event: event["timestamp"])
    return {event["competitorId"]: event["eventId"] for event in positions}


def expected_events(race: Race, topic: str) -> Iterator[dict[str, Any]]:
    """Yield a topic's events as the core computes them, in order."""
    ticks = range(race.last_tick + 1)
    batches: dict[str, Iterable[Any]] = {
        "parkrun": chain.from_iterable(positions_at(race, tick, BATCH) for tick in ticks),
        "passings": chain.from_iterable(passings_until(race, tick, BATCH) for tick in ticks),
        "competitors": entries_of(race, BATCH),
    }
    for batch in batches[topic]:
        yield from map(orjson.loads, encode(batch).values)


def count_events(race: Race, store: EventStore) -> tuple[int, int, int]:
    """Return the numbers of expected, found and unexpected events of a race.

    All fields but `emittedAt` are compared. Duplicates count once.
    """
    expected = {digest for topic in TOPICS for digest in _digests(topic, expected_events(race, topic))}
    stored = {digest for topic in TOPICS for digest in _digests(topic, store.events(topic, race))}
    return len(expected), len(expected & stored), len(stored - expected)


def _digests(topic: str, events: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Yield a short digest of each event, to compare millions of events in little memory."""
    for event in events:
        text = orjson.dumps([topic, {**event, "emittedAt": 0}], option=orjson.OPT_SORT_KEYS)
        yield blake2b(text, digest_size=10).digest()
