"""Probe of Pinot's tables, through its controller and broker. Works with Pinot 0.11 and 1.5.

It uses the fields that both versions have: `consumingSegmentsInfo` has the state and `partitionToOffsetMap`,
`size` the same top-level names.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx

from pinot.health.asking import NO_ANSWER, NOT_PINOT, Asker
from pinot.health.sample import Consumer, Pinot, Table
from stream.contract import TABLES
from stream.pinot import NO_SERVER, OPEN, checked, trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pinot.health.sample import Failure
    from stream.pinot import PinotAuth

ON_SERVERS = {"ONLINE", "CONSUMING"}
"""States in which a segment can be queried."""


class PinotProbe:
    """Probes the Pinot whose controller and broker are at these URLs."""

    def __init__(self, controller: str, broker: str, pinot_auth: PinotAuth = OPEN) -> None:
        self._controller = Asker("controller", controller, pinot_auth)
        self._broker = Asker("broker", broker, pinot_auth)

    def __call__(self) -> Pinot | Failure:
        """Return the tables of Racecast that exist."""
        taken = time.time()
        for part in (self._controller, self._broker):
            try:
                checked(part.ask("/health"))
            except NO_ANSWER as error:
                return part.failure(error)
        try:
            return Pinot(self._tables(), taken)
        except (*NO_ANSWER, *NOT_PINOT) as error:
            return self._controller.failure(error)

    def _tables(self) -> dict[str, Table]:
        there = [name for name in TABLES if name in checked(self._get("/tables")).json()["tables"]]
        # In parallel, because each request waits for servers: five tables in turn would exceed the timeout.
        with ThreadPoolExecutor(max_workers=len(TABLES)) as pool:
            return dict(zip(there, pool.map(self._table, there), strict=True))

    def _table(self, name: str) -> Table:
        count = f"select count(*) from {name}"  # noqa: S608 - the table's name is ours
        counted = self._broker.query(count)
        rows = (counted.get("resultTable") or {}).get("rows")
        wrong = trouble(counted) or ("" if rows else NO_SERVER)
        fresh = counted.get("minConsumingFreshnessTimeMs") or 0
        size = checked(self._get(f"/tables/{name}/size")).json()["reportedSizeInBytes"]
        wanted, there = (self._segments(name, view) for view in ("idealstate", "externalview"))
        return Table(
            rows=int(rows[0][0]) if rows and not wrong else None,
            trouble=wrong,
            size=max(0, int(size)),
            fresh_at=fresh / 1000 if 0 < fresh < 2**62 else None,
            consumers=self._consumers(name) if _is_streamed(wanted) else {},
            failed=tuple(sorted({segment for segment, _, state in _states(there) if state == "ERROR"})),
            absent=tuple(sorted(_absent(wanted, there))),
        )

    def _segments(self, table: str, view: str) -> Mapping[str, Mapping[str, str]]:
        """Return states by segment and server: desired (idealstate) or actual (externalview)."""
        answer = self._get(f"/tables/{table}/{view}")
        if answer.status_code == httpx.codes.NOT_FOUND:  # the table is being created or deleted
            return {}
        kinds = checked(answer).json()
        return {name: servers for kind in kinds.values() for name, servers in (kind or {}).items()}

    def _consumers(self, table: str) -> dict[int, Consumer]:
        answer = checked(self._get(f"/tables/{table}/consumingSegmentsInfo")).json()
        return dict(_consumer(*item) for item in answer["_segmentToConsumingInfoMap"].items())

    def _get(self, path: str) -> httpx.Response:
        return self._controller.ask(path)


def _consumer(segment: str, servers: list[dict[str, Any]]) -> tuple[int, Consumer]:
    """Return the partition (from the segment's name, table__partition__number__time) and its consumer."""
    partition = int(segment.rsplit("__", 3)[1])
    copies = [
        Consumer(
            state=str(one["consumerState"]),
            offset=_offset(one["partitionToOffsetMap"].get(str(partition))),
            consumed_at=one["lastConsumedTimestamp"] / 1000 if one["lastConsumedTimestamp"] > 0 else None,
        )
        for one in servers
    ]
    return partition, min(copies, key=_well_being, default=Consumer("", None, None))


def _well_being(consumer: Consumer) -> tuple[bool, int]:
    return consumer.state == "CONSUMING", -1 if consumer.offset is None else consumer.offset


def _offset(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _is_streamed(wanted: Mapping[str, Mapping[str, str]]) -> bool:
    return any(state == "CONSUMING" for _, _, state in _states(wanted))


def _states(view: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Yield segment, server and state."""
    for segment, servers in view.items():
        for server, state in servers.items():
            yield segment, server, state


def _absent(wanted: Mapping[str, Mapping[str, str]], there: Mapping[str, Mapping[str, str]]) -> set[str]:
    """Return segments that a server should have but has neither loaded nor failed to load."""
    return {
        segment
        for segment, server, state in _states(wanted)
        if state in ON_SERVERS and there.get(segment, {}).get(server) not in ON_SERVERS | {"ERROR"}
    }
