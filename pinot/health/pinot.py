"""Probe of Pinot: its tables and the races under way, through its controller and broker.

It uses the fields that Pinot 0.11 and 1.5 both have: `consumingSegmentsInfo` has the state and
`partitionToOffsetMap`, `size` the same top-level names.
"""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from pinot.health.sample import Consumer, Failure, Pinot, RaceNews, Races, Table
from pinot.health.verdict import SETUP
from pinot.health.words import reason
from stream.contract import TABLES
from stream.pinot import (
    NO_SERVER,
    OPEN,
    PinotAuth,
    PinotError,
    checked,
    query,
    request,
    trouble,
    without_password,
)

Segments = Mapping[str, Mapping[str, str]]
"""States by segment and server."""

PATIENCE_S = 2.0
"""Timeout of one request; a healthy Pinot responds in a tenth of a second."""
ON_SERVERS = {"ONLINE", "CONSUMING"}
"""States in which a segment can be queried."""
NOT_PINOT = (ValueError, LookupError, TypeError, AttributeError)
"""Raised when a response is not Pinot's."""
ERRORS = (httpx.HTTPError, httpx.InvalidURL, PinotError, *NOT_PINOT)
"""Raised if Pinot is unreachable or rejects a request, or if another server responds."""

RUNNING = Path(__file__).with_name("pinot_running.sql").read_text()
NEWEST = "SELECT runId, max(emittedAt) FROM parkrun WHERE runId IN ({}) GROUP BY runId LIMIT 1000"


def _text(value: str) -> str:
    """Return a text as SQL; other producers may have written run ids with quotes to the topic."""
    return "'" + value.replace("'", "''") + "'"


class PinotProbe:
    """Probes the Pinot whose controller and broker are at these URLs."""

    def __init__(self, controller: str, broker: str, pinot_auth: PinotAuth = OPEN) -> None:
        self._controller = _Part("controller", controller, pinot_auth)
        self._broker = _Part("broker", broker, pinot_auth)

    def __call__(self) -> Pinot | Failure:
        """Return the tables of Racecast that exist."""
        taken = time.time()
        for part in (self._controller, self._broker):
            try:
                checked(part.get("/health"))
            except ERRORS as error:
                return part.failure(error)
        try:
            return Pinot(self._tables(), taken)
        except ERRORS as error:
            return self._controller.failure(error)

    def races(self) -> Races | Failure:
        """Return the races with the status `running`."""
        taken = time.time()
        try:
            running = self._broker.rows(RUNNING)
            runs = ", ".join(_text(run) for run, *_ in running)
            newest = dict(self._broker.rows(NEWEST.format(runs))) if running else {}
            return Races(tuple(RaceNews.of_row(row, newest.get(row[0])) for row in running), taken)
        except _NoTableError as error:
            return Failure(
                f"Pinot cannot query its tables ({error}). {SETUP} if this lasts longer than a minute."
            )
        except ERRORS as error:
            return self._broker.failure(error)

    def _tables(self) -> dict[str, Table]:
        existing = checked(self._controller.get("/tables")).json()["tables"]
        there = [name for name in TABLES if name in existing]
        # In parallel, because each request waits for servers: five tables in turn would exceed the timeout.
        with ThreadPoolExecutor(max_workers=len(TABLES)) as pool:
            return dict(zip(there, pool.map(self._table, there), strict=True))

    def _table(self, name: str) -> Table:
        counted = self._broker.query(f"SELECT count(*) FROM {name}")  # noqa: S608 - the table's name is ours
        rows = (counted.get("resultTable") or {}).get("rows")
        wrong = trouble(counted) or ("" if rows else NO_SERVER)
        fresh = counted.get("minConsumingFreshnessTimeMs") or 0
        size = checked(self._controller.get(f"/tables/{name}/size")).json()["reportedSizeInBytes"]
        wanted, there = (self._segments(name, view) for view in ("idealstate", "externalview"))
        is_streamed = any(state == "CONSUMING" for _, _, state in _states(wanted))
        return Table(
            rows=int(rows[0][0]) if rows and not wrong else None,
            trouble=wrong,
            size=max(0, int(size)),
            fresh_at=fresh / 1000 if 0 < fresh < 2**62 else None,
            consumers=self._consumers(name) if is_streamed else {},
            failed=tuple(sorted({segment for segment, _, state in _states(there) if state == "ERROR"})),
            absent=tuple(sorted(absent(wanted, there))),
        )

    def _segments(self, table: str, view: str) -> Segments:
        """Return the desired (idealstate) or actual (externalview) states."""
        answer = self._controller.get(f"/tables/{table}/{view}")
        if answer.status_code == httpx.codes.NOT_FOUND:  # the table is being created or deleted
            return {}
        kinds = checked(answer).json()
        return {name: servers for kind in kinds.values() for name, servers in (kind or {}).items()}

    def _consumers(self, table: str) -> dict[int, Consumer]:
        answer = checked(self._controller.get(f"/tables/{table}/consumingSegmentsInfo")).json()
        return dict(consumer_of(*item) for item in answer["_segmentToConsumingInfoMap"].items())


class _NoTableError(Exception):
    """The broker responds, but with an error."""


@dataclass(frozen=True)
class _Part:
    """A part of Pinot, "controller" or "broker". Each request raises one of ERRORS."""

    name: str
    url: str
    auth: PinotAuth

    def get(self, path: str) -> httpx.Response:
        """Return the response, whatever its status."""
        return request("GET", self.url + path, pinot_auth=self.auth, timeout=PATIENCE_S)

    def query(self, sql: str) -> dict[str, Any]:
        """Return a broker's response."""
        return query(self.url, sql, self.auth, patience=PATIENCE_S)

    def rows(self, sql: str) -> list[list[Any]]:
        """Return the rows of a broker's response; raises _NoTableError if it is an error."""
        answer = self.query(sql)
        if wrong := trouble(answer):
            raise _NoTableError(wrong)
        rows: list[list[Any]] = answer["resultTable"]["rows"]
        return rows

    def failure(self, error: Exception) -> Failure:
        """Return the message for an error raised by a request."""
        url, why = without_password(self.url), reason(error)
        where, setting = f"Pinot's {self.name} at {url}", f"RACECAST_PINOT_{self.name.upper()}"
        if isinstance(error, PinotError):  # its text names the setting
            return Failure(f"{where} rejects the request. {why}.")
        if "CERTIFICATE_VERIFY" in why:
            return Failure(
                f"{where} has an untrusted certificate. Set RACECAST_PINOT_CA to the certificates to trust."
            )
        if isinstance(error, NOT_PINOT):
            return Failure(f"The server at {url} is not Pinot's {self.name}. Set {setting} to its address.")
        return Failure(
            f"{where} does not answer ({why}). Start it (make stack), or set {setting} to its address."
        )


def consumer_of(segment: str, servers: list[dict[str, Any]]) -> tuple[int, Consumer]:
    """Return the partition (from the segment's name, table__partition__number__time) and its consumer."""
    partition = segment.rsplit("__", 3)[1]
    copies = [
        Consumer(str(one["consumerState"]), _offset(one["partitionToOffsetMap"].get(partition)))
        for one in servers
    ]
    return int(partition), min(copies, key=_well_being, default=Consumer("", None))


def _well_being(consumer: Consumer) -> tuple[bool, int]:
    return consumer.state == "CONSUMING", -1 if consumer.offset is None else consumer.offset


def _offset(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _states(view: Segments) -> Iterator[tuple[str, str, str]]:
    """Yield segment, server and state."""
    for segment, servers in view.items():
        for server, state in servers.items():
            yield segment, server, state


def absent(wanted: Segments, there: Segments) -> set[str]:
    """Return segments that a server should have but has neither loaded nor failed to load."""
    return {
        segment
        for segment, server, state in _states(wanted)
        if state in ON_SERVERS and there.get(segment, {}).get(server) not in ON_SERVERS | {"ERROR"}
    }
