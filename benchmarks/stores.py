"""The stores that benchmarks measure through, and when each tick of a race is complete in a query."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np

from dashboard.store.pinot_broker import Broker
from dashboard.store.sqlite_file import SqliteFile
from pinot.admin.setup import set_up
from tests.stacks import stack_settings, started

POLL_INTERVAL_S = 0.02
"""Pause between two queries."""
EARLY_S = 0.1
"""Time before the earliest possible moment of the next tick at which polling resumes."""
NEWEST_TICK = "SELECT COUNT(*), MIN(rawTime) FROM {table} WHERE runId = '{run}'"
EMISSION_TIMES = (
    "SELECT rawTime, MIN(emittedAt) FROM {all} WHERE runId = '{run}' GROUP BY rawTime LIMIT 100000 {option}"
)

Times = dict[int, float]
"""Epoch seconds by tick."""


@dataclass(frozen=True)
class MeasuredStore:
    """A store, as simulator and dashboard are given it.

    Attributes:
        name: its name in reports.
        simulator: flags of the simulator.
        dashboard: flags of the dashboard, the last of which is the store's address.
    """

    name: str
    simulator: tuple[str, ...]
    dashboard: tuple[str, ...]

    @property
    def address(self) -> str:
        """The SQLite file, or the address of Pinot's broker."""
        return self.dashboard[-1]


def sqlite(folder: Path) -> MeasuredStore:
    """A new SQLite file in `folder`."""
    file = ("--sqlite", str(folder / "measured.db"))
    return MeasuredStore("SQLite", ("--publisher", "sqlite", *file), ("--store", "sqlite", *file))


@contextmanager
def pinot(folder: Path) -> Iterator[MeasuredStore]:
    """A new Kafka and Pinot, stopped afterwards."""
    with started(folder / "stack") as stack:
        set_up(stack_settings(stack))
        kafka = ("--publisher", "kafka", "--kafka", stack.kafka)
        yield MeasuredStore("Pinot", kafka, ("--store", "pinot", "--pinot-broker", stack.broker))


class TickWatch:
    """Polls a table of positions of a store, by its address, for complete ticks of a race: one per second.

    It doesn't poll while the next tick can't have been published yet: that would slow down large races.
    """

    def __init__(self, address: str, run_id: str, competitors: int, table: str = "parkrun") -> None:
        self._is_pinot = address.startswith("http")
        self._store = Broker(address) if self._is_pinot else SqliteFile(Path(address))
        self._table = table
        self._run_id = run_id
        self._competitors = competitors

    def watch(self, stop: Event) -> Times:
        """When each tick was first complete in a query, until `stop` is set."""
        seen: Times = {}
        least_lag = float("inf")  # between a tick's race time and the moment it was seen
        pause = 0.0
        while not stop.wait(max(pause, POLL_INTERVAL_S)):
            pause = 0.0
            ((count, newest),) = self._store.ask(NEWEST_TICK.format(table=self._table, run=self._run_id))
            if count != self._competitors:
                continue
            tick, now = int(newest), time.time()
            record(seen, tick, now)
            least_lag = min(least_lag, now - tick)
            pause = tick + 1 + least_lag - EARLY_S - now
        return seen

    def emission_times(self) -> Times:
        """When the first batch of each tick was published."""
        every, option = self._table, "option(skipUpsert=true)"
        if not self._is_pinot:
            every, option = f"{self._table}_history", ""
        query = EMISSION_TIMES.format(all=every, run=self._run_id, option=option)
        return {int(tick): emitted / 1000 for tick, emitted in self._store.ask(query)}


def record(seen: Times, newest: int, at: float) -> None:
    """Record the time for all ticks after the last one seen up to `newest`; at first only for `newest`."""
    for tick in range(max(seen, default=newest - 1) + 1, newest + 1):
        seen[tick] = at


def percentiles(seen: Times, emitted: Times, ticks: range) -> dict[str, float]:
    """Return percentiles of the seconds from the emission of each of `ticks` until it was seen."""
    ages = np.array([seen[tick] - emitted[tick] for tick in ticks if tick in seen])
    names = {"p50": 50, "p95": 95, "p99": 99, "max": 100}
    return {name: float(np.percentile(ages, share)) for name, share in names.items()} | {"ticks": len(ages)}
