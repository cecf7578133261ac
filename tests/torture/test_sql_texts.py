"""SQL as run id, name, club, category, bib and course: it is refused, or it is a text like any other.

Through the API of a real simulator, and in the queries of both stores of the dashboard: on a real SQLite
file, and on the real Kafka and Pinot.
"""

from __future__ import annotations

import csv
import io
import re
import sqlite3
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import httpx
import pinotdb
import pytest

from dashboard.store.pinot import PinotStore
from dashboard.store.pinot_broker import Broker
from dashboard.store.sql_store import SqlStore
from dashboard.store.sqlite_file import SqliteFile
from stream.waiting import wait_for
from tests.dashboard.events import KafkaWriter, SqliteWriter, competitor, passing, position, race
from tests.processes import simulator
from tests.torture.sql_texts import KNOWN, TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dashboard.store.protocol import Store
    from tests.dashboard.events import Writer

VISIBLE_WITHIN_S = 30.0
TABLES = ("races", "competitors", "parkrun", "passings", "courses")
RUN_ID = re.compile("[A-Za-z0-9_-]{1,64}", re.ASCII)
WORDS = [text for text in TEXTS if text.isprintable() and text.strip() and len(text) <= 120]
"""Those that may be names, categories and clubs."""
NO_WORDS = [text for text in TEXTS if text not in WORDS]


class Place(NamedTuple):
    """A store, and how to get at it.

    Attributes:
        flags: a simulator with these writes to it.
        rows: how many a table has, or has of a race.
        prefix: of run ids that no other test uses.
    """

    store: Store
    writer: Writer
    flags: tuple[str, ...]
    rows: Callable[[str, str | None], int]
    prefix: str

    def wait_for(self, seen: Callable[[], bool]) -> None:
        """Wait until the store shows what was written."""
        trouble = "it doesn't show what was written"
        wait_for("the store", lambda: None if seen() else trouble, seconds=VISIBLE_WITHIN_S, say=print)


@pytest.fixture(params=["sqlite", pytest.param("pinot", marks=pytest.mark.stack)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Each of the two stores in turn."""
    prefix = f"sql{uuid.uuid4().hex[:8]}"
    if request.param == "sqlite":
        path = tmp_path / "race.db"
        flags = ("--sqlite", str(path))
        return Place(SqlStore(SqliteFile(path)), SqliteWriter(path), flags, _SqliteCount(path), prefix)
    stack = request.getfixturevalue("stack")
    kafka = ("--publisher", "kafka", "--kafka", stack.kafka)
    counting = _PinotCount(stack.ports.broker)
    return Place(PinotStore(Broker(stack.broker)), KafkaWriter(stack.kafka), kafka, counting, prefix)


class _SqliteCount:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, table: str, run_id: str | None) -> int:
        of_race = "" if run_id is None else f" WHERE runId = '{run_id}'"
        with closing(sqlite3.connect(self._path)) as connection:
            (found,) = connection.execute(f"SELECT count(*) FROM {table}{of_race}").fetchone()
        return int(found)


class _PinotCount:
    def __init__(self, port: int) -> None:
        self._connection = pinotdb.connect(host="127.0.0.1", port=port, path="/query/sql", scheme="http")

    def __call__(self, table: str, run_id: str | None) -> int:
        of_race = "" if run_id is None else f" WHERE runId = '{run_id}'"
        cursor = self._connection.cursor()
        (found,) = cursor.execute(f"SELECT count(*) FROM {table}{of_race}").fetchone()
        return int(found)


class Asked(NamedTuple):
    """A simulator, asked over and over."""

    client: httpx.Client

    def create(self, **fields: Any) -> httpx.Response:
        """Ask for a race of tomorrow, of one competitor unless others are listed."""
        start = datetime.now(UTC) + timedelta(days=1)
        few = {} if "start_list" in fields else {"competitors": 1}
        body = {"course": "crystal-palace", "start_at": start.isoformat(), **few, **fields}
        return self.client.post("/races", json=body)

    def cancel_all(self) -> None:
        """Cancel what isn't cancelled: who shares the store would take it up."""
        for known in self.client.get("/races").json()["races"]:
            if known["status"] == "scheduled":
                self.client.post(known["links"]["cancel"]).raise_for_status()


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """A simulator with an SQLite file; it has to be well to the end, and say nothing of errors."""
    folder = tmp_path_factory.mktemp("asked")
    flags = ("--sqlite", str(folder / "race.db"), "--requests-per-second", "0")
    with simulator(folder, *flags) as running:
        with httpx.Client(base_url=running.address, trust_env=False, timeout=30) as client:
            yield Asked(client)
            assert client.get("/readyz").status_code == 200
        assert running.end() == 0
    assert "[error" not in running.log.read_text()


def is_refused(answer: httpx.Response, field: str) -> bool:
    """Tell whether a request is refused for this field alone."""
    return answer.status_code == 422 and {error["field"] for error in answer.json()["errors"]} == {field}


def as_start_list(*rows: dict[str, str]) -> str:
    """Return rows as CSV, every cell in quotes."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0].keys(), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("field", ["run_id", "course", "name", "bib"])
def test_what_is_no_such_thing_is_refused(asked: Asked, field: str) -> None:
    """A text that can't be a run id, a course, a name or a bib is refused for that; other texts are taken."""
    for text in TEXTS:
        if field == "bib":
            answer = asked.create(start_list=as_start_list({"bib": text, "name": "Ada"}))
            # An empty cell is filled in; spaces and the end of a line are no part of it.
            assert is_refused(answer, "start_list") == bool(text.strip()), text
            continue
        answer = asked.create(**{field: text})
        is_right = RUN_ID.fullmatch(text) if field == "run_id" else field == "name" and text in WORDS
        if is_right:
            assert answer.status_code == 201, text
            assert answer.json()[field] == text
            assert asked.client.get(answer.json()["links"]["self"]).json()[field] == text
        else:
            assert is_refused(answer, field), text


@pytest.mark.parametrize("column", ["name", "category", "club"])
def test_words_that_cannot_be_printed_are_refused(asked: Asked, column: str) -> None:
    """Of the start list a text that is no word is refused; one that is empty is filled in."""
    for text in NO_WORDS:
        answer = asked.create(start_list=as_start_list({column: text, "bib": "1"}))
        # White space at the ends is no part of it.
        trimmed = text.strip()
        is_right = trimmed.isprintable() and len(trimmed) <= 120
        assert is_refused(answer, "start_list") != is_right, text


def test_paths_and_queries_are_not_found(asked: Asked) -> None:
    """Of a text that is no race and no course there is nothing, and no text is a bib."""
    run_id = asked.create().json()["run_id"]
    for text in TEXTS:
        # Longer addresses aren't read at all.
        there = quote(text[:2000], safe="")
        if not text or text == ".." or RUN_ID.fullmatch(text):
            continue
        for path in (f"/races/{there}", f"/races/{there}/results.csv", f"/courses/{there}"):
            assert asked.client.get(path).status_code == 404, path
        assert asked.client.post(f"/races/{there}/cancel").status_code == 404
        answer = asked.client.get(f"/races/{run_id}/tracks?bib={there}&interval={there}&truth={there}")
        assert answer.status_code == 422, text


def test_stores_find_nothing_for_hostile_texts(place: Place) -> None:
    """Whatever a store is asked for, it finds nothing of another race, and nothing is changed."""
    known = f"{place.prefix}-{KNOWN}"
    place.writer.write("races", [race(known)])
    place.writer.write("competitors", [competitor(known, bib) for bib in (1, 2, 3)])
    place.writer.write("parkrun", [position(known, bib) for bib in (1, 2, 3)])
    place.writer.write("passings", [passing(known, bib) for bib in (1, 2, 3)])
    # Tables that others write to may grow, and this race's rows are all there.
    place.wait_for(lambda: _rows(place, known) == (1, 3, 3, 3))
    before = [place.rows(table, None) for table in TABLES]

    for text in (*TEXTS, "\ud800", "\udcff'"):
        hostile = text.replace(KNOWN, known)
        assert place.store.race(hostile) is None, hostile
        assert place.store.course(hostile) is None, hostile
        assert place.store.competitors(hostile) == {}, hostile
        assert len(place.store.positions(hostile)) == 0, hostile
        assert len(place.store.positions_at(hostile, 60)) == 0, hostile
        assert len(place.store.positions_at(hostile, 60, look_back=60)) == 0, hostile
        assert len(place.store.passings(hostile)) == 0, hostile
        assert len(place.store.passings(hostile, 1)) == 0, hostile

    assert _rows(place, known) == (1, 3, 3, 3)
    assert all(place.rows(table, None) >= had for table, had in zip(TABLES, before, strict=True))
    assert len(place.store.positions(known)) == 3


def _rows(place: Place, run_id: str) -> tuple[int, ...]:
    return tuple(place.rows(table, run_id) for table in TABLES if table != "courses")


def test_texts_come_back_as_typed(place: Place, tmp_path: Path) -> None:
    """Names of races, and names, categories and clubs of competitors, are in the store as they were typed."""
    listed = as_start_list(*({"name": text, "category": text, "club": text} for text in WORDS))
    names = {f"{place.prefix}_{number:02}": text for number, text in enumerate(WORDS)}
    everybody = f"{place.prefix}-all"
    with (
        simulator(tmp_path, *place.flags, "--requests-per-second", "0") as running,
        httpx.Client(base_url=running.address, trust_env=False, timeout=30) as client,
    ):
        asked = Asked(client)
        for run_id, name in names.items():
            assert asked.create(run_id=run_id, name=name).status_code == 201, name
        assert asked.create(run_id=everybody, start_list=listed).status_code == 201
        asked.cancel_all()
        assert running.end() == 0

    place.wait_for(lambda: all(place.store.race(run_id) for run_id in names))
    place.wait_for(lambda: len(place.store.competitors(everybody)) == len(WORDS))
    found = {run_id: getattr(place.store.race(run_id), "name", None) for run_id in names}
    people = place.store.competitors(everybody)

    assert found == names
    for text, (_, who) in zip(WORDS, sorted(people.items()), strict=True):
        assert (who.name, who.category, who.club) == (text.strip(),) * 3
