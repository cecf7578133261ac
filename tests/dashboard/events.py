"""Events for tests, as the stream's contract words them, and the two ways they get into a store."""

import json
import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from confluent_kafka import Producer

from simulator.course.library import load_folder
from simulator.publishers.sqlite_file import open_file
from simulator.race.events import CourseRecord
from stream.contract import TABLES

ROOT = Path(__file__).parents[2]
NOW = 1_790_000_000_000

Event = dict[str, Any]


def race(run_id: str, **other: Any) -> Event:
    """An event of `races`."""
    return {
        "runId": run_id,
        "name": "Saturday",
        "course": "crystal-palace",
        "startTime": NOW,
        "status": "running",
        "competitors": 3,
        "speed": 2.5,
        "seed": 9_007_199_254_740_993,  # no double holds this
        "updatedAt": NOW,
        "request": "{}",
        **other,
    }


def competitor(run_id: str, bib: int, **other: Any) -> Event:
    """An event of `competitors`."""
    return {
        "runId": run_id,
        "competitorId": bib,
        "name": f"Runner {bib}",
        "category": "W35",
        "wave": 1,
        "club": "",
        "sex": "",
        **other,
    }


def position(run_id: str, bib: int, **other: Any) -> Event:
    """An event of `parkrun`."""
    event = {
        "runId": run_id,
        "competitorId": bib,
        "rawTime": 60,
        "lat": 51.42,
        "lon": -0.065,
        "distance": 200.0,
        "course": "crystal-palace",
        "status": "running",
        "elapsed": 60.0,
        "emittedAt": NOW + 60_000,
        **other,
    }
    event["eventId"] = f"{run_id}-{bib}-{event['rawTime']}"
    event.setdefault("timestamp", NOW + 1000 * int(event["rawTime"]))
    return event


def passing(run_id: str, bib: int, **other: Any) -> Event:
    """An event of `passings`."""
    event = {
        "runId": run_id,
        "competitorId": bib,
        "kind": "split",
        "point": "1 km",
        "lap": 1,
        "distance": 1000.0,
        "elapsed": 300.0,
        **other,
    }
    event["timestamp"] = NOW + round(1000 * float(event["elapsed"]))
    return event


class Writer(Protocol):
    """Puts events where a store reads them."""

    def write(self, table: str, events: Iterable[Event]) -> None:
        """Write events to a table; they need not be visible at once."""
        ...


class SqliteWriter:
    """Writes as the simulator does to its embedded file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        open_file(path).close()
        self.write("courses", [_crystal_palace(), _of_file("hilly-half"), _of_file("city-10k")])

    def write(self, table: str, events: Iterable[Event]) -> None:
        """Write events to a table, the newest last; positions to their history as well."""
        tables = ["parkrun", "parkrun_history"] if table == "parkrun" else [table]
        with closing(sqlite3.connect(self._path)) as connection, connection:
            for event in events:
                names = ", ".join(event)
                values = ", ".join("?" * len(event))
                for each in tables:
                    statement = f"INSERT OR REPLACE INTO {each} ({names}) VALUES ({values})"
                    connection.execute(statement, list(event.values()))


class KafkaWriter:
    """Writes to the topics that Pinot reads."""

    def __init__(self, kafka: str) -> None:
        self._producer = Producer({"bootstrap.servers": kafka, "partitioner": "murmur2_random"})

    def write(self, table: str, events: Iterable[Event]) -> None:
        """Write events to the topic of the table's name, and wait until Kafka has them."""
        for event in events:
            key = event["runId"]
            if "competitorId" in event:
                key += f":{event['competitorId']}"
            self._producer.produce(table, json.dumps(event), key)
        self._producer.flush(30)


def _crystal_palace() -> Event:
    """The row of `courses` made from the course file by nothing but a regular expression."""
    text = (ROOT / "courses" / "crystal-palace.kml").read_text()
    found = re.findall(r"<coordinates>(.*?)</coordinates>", text, re.DOTALL)
    line, (start,), (finish,), fence = ([p.split(",")[:2] for p in each.split()] for each in found)
    return {
        "shortName": "crystal-palace",
        "longName": "Crystal Palace",
        "distance": 4966.4452,
        "courseMap": f"LINESTRING ({_wkt(line)})",
        "geoFenceLocation": f"POLYGON (({_wkt([*fence, fence[0]])}))",
        "startLocation": f"POINT ({_wkt([start])})",
        "endLocation": f"POINT ({_wkt([finish])})",
        "fences": json.dumps([{"name": "Geofence", "wkt": f"POLYGON (({_wkt([*fence, fence[0]])}))"}]),
    }


def _of_file(short_name: str) -> Event:
    """The row of `courses` as the simulator writes it."""
    (row,) = CourseRecord(load_folder(ROOT / "courses").courses[short_name]).rows()
    return dict(zip(TABLES["courses"].columns, row, strict=True))


def _wkt(points: list[list[str]]) -> str:
    return ", ".join(" ".join(point) for point in points)
