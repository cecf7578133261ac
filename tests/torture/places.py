"""Where a race's events go, read again and compared with those of the undisturbed race."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import orjson

from simulator.publishers.encode import encode
from simulator.race.events import entries_of, passings_until, positions_at
from tests.topics import reads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from simulator.race.race import Race

TOPICS = ("parkrun", "passings", "competitors")
BATCH = 5000


class Place(Protocol):
    """A store, by its name and the simulator's flags for it."""

    @property
    def name(self) -> str:
        """What to call it."""
        ...

    @property
    def flags(self) -> tuple[str, ...]:
        """What makes a simulator write there."""
        ...

    def events(self, topic: str, race: Race) -> Iterator[dict[str, Any]]:
        """Yield what it has of a race; from a topic in order of arrival within each partition."""
        ...

    def reordered(self, race: Race) -> int:
        """Count what is not in the race's own order; see `outcome.Fault`."""
        ...


@dataclass(frozen=True)
class SqlitePlace:
    """The embedded store in a file."""

    file: Path
    name: str = "SQLite"

    @property
    def flags(self) -> tuple[str, ...]:
        """The simulator's flags."""
        return "--sqlite", str(self.file)

    def events(self, topic: str, race: Race) -> Iterator[dict[str, Any]]:
        """Yield the rows of a table; of positions the history."""
        yield from self._rows("parkrun_history" if topic == "parkrun" else topic, race)

    def reordered(self, race: Race) -> int:
        """Count the competitors whose newest position isn't their last."""
        newest = {row["competitorId"]: row["eventId"] for row in self._rows("parkrun", race)}
        return sum(newest.get(bib) != event_id for bib, event_id in last_events(race).items())

    def _rows(self, table: str, race: Race) -> Iterator[dict[str, Any]]:
        with closing(sqlite3.connect(self.file)) as store:
            store.row_factory = sqlite3.Row
            rows = store.execute(f"SELECT * FROM {table} WHERE runId = ?", (race.run_id,))
            yield from map(dict, rows)


@dataclass(frozen=True)
class KafkaPlace:
    """The topics of the real Kafka."""

    bootstrap: str
    name: str = "Kafka"

    @property
    def flags(self) -> tuple[str, ...]:
        """The simulator's flags."""
        return "--publisher", "kafka", "--kafka", self.bootstrap

    def events(self, topic: str, race: Race) -> Iterator[dict[str, Any]]:
        """Yield a topic's events."""
        return (read.event for read in reads(self.bootstrap, topic, race.run_id))

    def reordered(self, race: Race) -> int:
        """Count the positions that arrive first behind one of the same competitor that is told later."""
        place = {event["eventId"]: nth for nth, event in enumerate(undisturbed(race, "parkrun"))}
        latest: dict[int, int] = {}
        seen: set[int] = set()
        behind = 0
        for event in self.events("parkrun", race):
            nth, bib = place.get(event["eventId"]), event["competitorId"]
            if nth is None or nth in seen:
                continue
            seen.add(nth)
            behind += nth < latest.get(bib, -1)
            latest[bib] = max(nth, latest.get(bib, -1))
        return behind


class NotReadyError(Exception):
    """Pinot answers, and not with all that it has: its segments are being loaded."""


@dataclass(frozen=True)
class PinotPlace:
    """The tables of the real Pinot; the simulator writes to the topics that they are made of.

    `queries` is the URL that answers queries: the broker's, or the controller's, which asks a broker.
    """

    queries: str
    name: str = "Pinot"
    flags: tuple[str, ...] = ()

    def events(self, topic: str, race: Race) -> Iterator[dict[str, Any]]:
        """Yield the rows of a table; of positions the history."""
        columns = list(next(undisturbed(race, topic)))
        yield from self._rows(topic, race, columns, "option(skipUpsert=true)")

    def reordered(self, race: Race) -> int:
        """Count the competitors whose newest position isn't their last."""
        rows = self._rows("parkrun", race, ["competitorId", "eventId"])
        newest = {row["competitorId"]: row["eventId"] for row in rows}
        return sum(newest.get(bib) != event_id for bib, event_id in last_events(race).items())

    def behind(self, race: Race, seconds: float) -> str | None:
        """Say how far its positions go, if not so far."""
        return self._short_of(race, "max(rawTime)", seconds)

    def lacks(self, race: Race, positions: int) -> str | None:
        """Say how many positions it has, if not so many."""
        return self._short_of(race, "count(*)", positions)

    def _short_of(self, race: Race, what: str, wanted: float) -> str | None:
        try:
            ((found,),) = self._ask(f"SELECT {what} FROM parkrun", race, "option(skipUpsert=true)")
        except NotReadyError as error:
            return str(error)
        return None if found >= wanted else f"{what} is {found:,} of {wanted:,}"

    def _rows(self, table: str, race: Race, columns: list[str], option: str = "") -> Iterator[dict[str, Any]]:
        # What the events have as milliseconds is a time of its own kind in some tables.
        quoted = [f'CAST("{name}" AS LONG)' if name == "timestamp" else f'"{name}"' for name in columns]
        rows = self._ask(f"SELECT {', '.join(quoted)} FROM {table}", race, option)
        return (dict(zip(columns, row, strict=True)) for row in rows)

    def _ask(self, select: str, race: Race, option: str) -> list[list[Any]]:
        return ask_pinot(self.queries, f"{select} WHERE runId = '{race.run_id}' LIMIT 10000000 {option}")


def ask_pinot(queries: str, sql: str) -> list[list[Any]]:
    """Return the rows that a query gives, from the URL that answers queries; raises NotReadyError."""
    answer = httpx.post(queries, json={"sql": sql}, trust_env=False, timeout=60).json()
    if answer["exceptions"]:
        raise NotReadyError(answer["exceptions"][0]["message"])
    if "resultTable" not in answer:
        raise NotReadyError("no server has any of the table's segments")
    rows: list[list[Any]] = answer["resultTable"]["rows"]
    return rows


def last_events(race: Race) -> dict[int, str]:
    """Return the id of each competitor's last position, by the trackers' clocks."""
    told = sorted(undisturbed(race, "parkrun"), key=lambda event: event["timestamp"])
    return {event["competitorId"]: event["eventId"] for event in told}


def undisturbed(race: Race, topic: str) -> Iterator[dict[str, Any]]:
    """Yield a topic's events as an undisturbed race tells them."""
    ticks = range(race.last_tick + 1)
    batches: dict[str, Iterable[Any]] = {
        "parkrun": chain.from_iterable(positions_at(race, tick, BATCH) for tick in ticks),
        "passings": chain.from_iterable(passings_until(race, tick, BATCH) for tick in ticks),
        "competitors": entries_of(race, BATCH),
    }
    for batch in batches[topic]:
        yield from map(orjson.loads, encode(batch).values)


def count(race: Race, place: Place) -> tuple[int, int, int]:
    """Return how many events the undisturbed race has, how many of them are there, and how many others.

    Events are compared whole, but for the moment of handing over. A repeat of one counts once.
    """
    told = {mark for topic in TOPICS for mark in _marks(topic, undisturbed(race, topic))}
    there = {mark for topic in TOPICS for mark in _marks(topic, place.events(topic, race))}
    return len(told), len(told & there), len(there - told)


def _marks(topic: str, events: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Yield a few bytes for each event that tell it from all others: there may be millions."""
    for event in events:
        text = orjson.dumps([topic, {**event, "emittedAt": 0}], option=orjson.OPT_SORT_KEYS)
        yield blake2b(text, digest_size=10).digest()
