"""SQL injection texts as run id, name, club, category, bib and course are rejected or stored unchanged.

They are sent to the API of a real simulator, and passed to the queries of both stores of the dashboard.
"""

import csv
import io
import re
import sqlite3
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import pinotdb
import pytest

from dashboard.store.pinot_broker import Broker
from dashboard.store.protocol import Store
from dashboard.store.sql_store import PinotStore, SqlStore
from dashboard.store.sqlite_file import SqliteFile
from simulator.race.start_list import read as start_list_of
from stream.waiting import wait_for
from tests.dashboard.events import KafkaWriter, SqliteWriter, Writer, competitor, passing, position, race
from tests.processes import simulator
from tests.torture.sql_texts import KNOWN, TEXTS

VISIBLE_WITHIN_S = 60.0
TABLES = ("races", "competitors", "parkrun", "passings", "courses")
RUN_ID = re.compile("[A-Za-z0-9_-]{1,64}", re.ASCII)
VALID_NAMES = [text for text in TEXTS if text.isprintable() and text.strip() and len(text) <= 120]
"""Texts that are valid as names, categories and clubs."""
INVALID_NAMES = [text for text in TEXTS if text not in VALID_NAMES]


class StoreUnderTest(NamedTuple):
    """A store, and ways to write to it and inspect it.

    Attributes:
        store: reads it.
        writer: writes to it.
        flags: the simulator's flags for this store.
        count_rows: returns the number of rows of a table, of one race or of all.
        prefix: prefix of run ids that no other test uses.
    """

    store: Store
    writer: Writer
    flags: tuple[str, ...]
    count_rows: Callable[[str, str | None], int]
    prefix: str

    def wait_for(self, is_visible: Callable[[], bool]) -> None:
        """Wait until written rows are visible."""
        problem = "written rows are not visible yet"
        wait_for("the store", lambda: None if is_visible() else problem, seconds=VISIBLE_WITHIN_S, say=print)


@pytest.fixture(params=["sqlite", pytest.param("pinot", marks=pytest.mark.stack)])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> StoreUnderTest:
    """Each of the two stores in turn."""
    prefix = f"sql{uuid.uuid4().hex[:8]}"
    if request.param == "sqlite":
        path = tmp_path / "race.db"
        flags = ("--sqlite", str(path))
        store = SqlStore(SqliteFile(path))
        return StoreUnderTest(store, SqliteWriter(path), flags, _SqliteCount(path), prefix)
    stack = request.getfixturevalue("stack")
    kafka = ("--publisher", "kafka", "--kafka", stack.kafka)
    count = _PinotCount(stack.ports.broker)
    return StoreUnderTest(PinotStore(Broker(stack.broker)), KafkaWriter(stack.kafka), kafka, count, prefix)


class _SqliteCount:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, table: str, run_id: str | None) -> int:
        where = "" if run_id is None else f" WHERE runId = '{run_id}'"
        with closing(sqlite3.connect(self._path)) as connection:
            (rows,) = connection.execute(f"SELECT count(*) FROM {table}{where}").fetchone()
        return int(rows)


class _PinotCount:
    def __init__(self, port: int) -> None:
        self._connection = pinotdb.connect(host="127.0.0.1", port=port, path="/query/sql", scheme="http")

    def __call__(self, table: str, run_id: str | None) -> int:
        where = "" if run_id is None else f" WHERE runId = '{run_id}'"
        cursor = self._connection.cursor()
        (rows,) = cursor.execute(f"SELECT count(*) FROM {table}{where}").fetchone()
        return int(rows)


class ApiClient(NamedTuple):
    """A client of a simulator's API."""

    client: httpx.Client

    def create(self, **fields: Any) -> httpx.Response:
        """Request a race that starts tomorrow, with one competitor unless there is a start list."""
        start = datetime.now(UTC) + timedelta(days=1)
        competitors = {} if "start_list" in fields else {"competitors": 1}
        body = {"course": "crystal-palace", "start_at": start.isoformat(), **competitors, **fields}
        return self.client.post("/races", json=body)

    def cancel_all(self) -> None:
        """Cancel all scheduled races; a later simulator on the same store would recover them."""
        for listed in self.client.get("/races").json()["races"]:
            if listed["status"] == "scheduled":
                self.client.post(listed["links"]["cancel"]).raise_for_status()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiClient]:
    """A simulator with a SQLite file; in the end it must be ready, and its log must contain no error."""
    folder = tmp_path_factory.mktemp("simulator")
    flags = ("--sqlite", str(folder / "race.db"), "--requests-per-second", "0")
    with simulator(folder, *flags) as running:
        with httpx.Client(base_url=running.address, trust_env=False, timeout=30) as client:
            yield ApiClient(client)
            assert client.get("/readyz").status_code == 200
        assert running.end() == 0
    assert "[error" not in running.log.read_text()


def is_rejected(response: httpx.Response, field: str) -> bool:
    """Return whether a request was rejected because of this field only."""
    if response.status_code != 422:
        return False
    return {error["field"] for error in response.json()["errors"]} == {field}


def as_start_list(*rows: dict[str, str]) -> str:
    """Format rows as CSV with all cells quoted."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0].keys(), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("field", ["run_id", "course", "name", "bib"])
def test_invalid_fields_are_rejected(api: ApiClient, field: str) -> None:
    """A text that is not a valid run id, course, name or bib is rejected; other texts are accepted."""
    for text in TEXTS:
        if field == "bib":
            response = api.create(start_list=as_start_list({"bib": text, "name": "Ada"}))
            # White space is stripped, and an empty bib is filled in, as is one that says so. Timing systems
            # write 0 for none.
            is_empty = text.strip().lower() in {"", "-", "--", "null", "none", "0"}
            assert is_rejected(response, "start_list") != is_empty, text
            continue
        response = api.create(**{field: text})
        is_valid = RUN_ID.fullmatch(text) if field == "run_id" else field == "name" and text in VALID_NAMES
        if is_valid:
            assert response.status_code == 201, text
            assert response.json()[field] == text
            assert api.client.get(response.json()["links"]["self"]).json()[field] == text
        else:
            assert is_rejected(response, field), text


@pytest.mark.parametrize("column", ["name", "category", "club"])
def test_unprintable_start_list_cells_are_rejected(api: ApiClient, column: str) -> None:
    """A start list with a control character or too long a cell is rejected; an empty cell is filled in."""
    for text in INVALID_NAMES:
        response = api.create(start_list=as_start_list({column: text, "bib": "1"}))
        # White space becomes a space, and invisible characters are left out.
        words = " ".join(text.split())
        is_valid = not any(unicodedata.category(letter) == "Cc" for letter in words) and len(words) <= 120
        assert is_rejected(response, "start_list") != is_valid, text


def test_hostile_paths_and_queries(api: ApiClient) -> None:
    """Hostile texts in the path return 404, and as query parameters 422."""
    run_id = api.create().json()["run_id"]
    for text in TEXTS:
        # The server does not read longer URLs.
        quoted = quote(text[:2000], safe="")
        if not text or text == ".." or RUN_ID.fullmatch(text):
            continue
        for path in (f"/races/{quoted}", f"/races/{quoted}/results.csv", f"/courses/{quoted}"):
            assert api.client.get(path).status_code == 404, path
        assert api.client.post(f"/races/{quoted}/cancel").status_code == 404
        response = api.client.get(f"/races/{run_id}/tracks?bib={quoted}&interval={quoted}&truth={quoted}")
        assert response.status_code == 422, text


def test_store_queries_with_hostile_texts(target: StoreUnderTest) -> None:
    """Store queries with hostile texts find no rows of other races and change nothing."""
    known = f"{target.prefix}-{KNOWN}"
    target.writer.write("races", [race(known)])
    target.writer.write("competitors", [competitor(known, bib) for bib in (1, 2, 3)])
    target.writer.write("parkrun", [position(known, bib) for bib in (1, 2, 3)])
    target.writer.write("passings", [passing(known, bib) for bib in (1, 2, 3)])
    target.wait_for(lambda: _rows_of_race(target, known) == (1, 3, 3, 3))
    before = [target.count_rows(table, None) for table in TABLES]

    for text in (*TEXTS, "\ud800", "\udcff'"):
        hostile = text.replace(KNOWN, known)
        assert target.store.race(hostile) is None, hostile
        assert target.store.course(hostile) is None, hostile
        assert target.store.competitors(hostile) == {}, hostile
        assert len(target.store.positions(hostile)) == 0, hostile
        assert len(target.store.positions_at(hostile, 60)) == 0, hostile
        assert len(target.store.positions_at(hostile, 60, look_back=60)) == 0, hostile
        assert len(target.store.passings(hostile)) == 0, hostile
        assert len(target.store.passings(hostile, 1)) == 0, hostile

    assert _rows_of_race(target, known) == (1, 3, 3, 3)
    # Other tests may have written to the same tables.
    after = [target.count_rows(table, None) for table in TABLES]
    assert all(now >= then for now, then in zip(after, before, strict=True))
    assert len(target.store.positions(known)) == 3


def _rows_of_race(target: StoreUnderTest, run_id: str) -> tuple[int, ...]:
    return tuple(target.count_rows(table, run_id) for table in TABLES if table != "courses")


def test_names_are_stored_unchanged(target: StoreUnderTest, tmp_path: Path) -> None:
    """Names of races are stored as they were entered, and those of competitors as the start list is read."""
    start_list = as_start_list(*({"name": text, "category": text, "club": text} for text in VALID_NAMES))
    names = {f"{target.prefix}_{number:02}": text for number, text in enumerate(VALID_NAMES)}
    with_start_list = f"{target.prefix}-all"
    with (
        simulator(tmp_path, *target.flags, "--requests-per-second", "0") as running,
        httpx.Client(base_url=running.address, trust_env=False, timeout=30) as client,
    ):
        api = ApiClient(client)
        for run_id, name in names.items():
            assert api.create(run_id=run_id, name=name).status_code == 201, name
        assert api.create(run_id=with_start_list, start_list=start_list).status_code == 201
        api.cancel_all()
        assert running.end() == 0

    target.wait_for(lambda: all(target.store.race(run_id) for run_id in names))
    target.wait_for(lambda: len(target.store.competitors(with_start_list)) == len(VALID_NAMES))
    found = {run_id: getattr(target.store.race(run_id), "name", None) for run_id in names}
    competitors = target.store.competitors(with_start_list)

    assert found == names
    listed = start_list_of(start_list)
    expected = zip(listed.name, listed.category, listed.club, strict=True)
    for texts, (_, stored) in zip(expected, sorted(competitors.items()), strict=True):
        assert (stored.name, stored.category, stored.club) == texts
    unchanged = [text for text, name in zip(VALID_NAMES, listed.name, strict=True) if text.strip() == name]
    assert len(unchanged) >= len(VALID_NAMES) - 3
