"""The race days that are looked at: read and computed once for all viewers."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from dashboard.race.forecasts import Forecaster
from dashboard.race.snapshot import Snapshot
from dashboard.race.snapshots import Snapshots
from dashboard.raceday.day import Day
from dashboard.raceday.exact import Exact, ExactReader
from dashboard.store.protocol import Store

FRESH_FOR_S = 4.0
"""Seconds after which a race day is read again."""
EXACT_FOR_S = 20.0
"""Seconds after which what is exact of a race with a sample is read again."""
SHARE = 0.1
"""Share of the time that is spent on reading it, if it takes longer."""
MAX_RACES = 16
"""Maximum number of race days that are kept; the least recently requested is dropped."""


class _Kept:
    """One race day, read by one thread at a time, which holds `reading`."""

    def __init__(self, reader: ExactReader) -> None:
        self.reading = threading.Lock()
        self.reader = reader
        self.day: Day | None = None
        self.read_at = -math.inf
        self.exact: Exact | None = None
        self.exact_due = -math.inf
        self.is_exact_final = False


class RaceDays:
    """The newest day of each race; thread-safe.

    Args:
        store: where races are read.
        snapshots: the races.
        forecaster: their forecasts.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        store: Store,
        snapshots: Snapshots,
        forecaster: Forecaster,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._forecaster = forecaster
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, run_id: str) -> Day:
        """The day of a race, at most `FRESH_FOR_S` seconds old; while another thread reads it, the last one.

        Raises `UnknownRaceError`, and `StoreError` if the store cannot be read.
        """
        kept = self._race(run_id)
        day = kept.day
        if day is not None and self._clock() - kept.read_at < FRESH_FOR_S:
            return day
        if not kept.reading.acquire(blocking=day is None):
            return day or self.get(run_id)
        try:
            if kept.day is None or self._clock() - kept.read_at >= FRESH_FOR_S:
                kept.day = self._read(run_id, kept)
                kept.read_at = self._clock()
            return kept.day
        finally:
            kept.reading.release()

    def _read(self, run_id: str, kept: _Kept) -> Day:
        forecasts = self._forecaster.get(run_id)
        snapshot, splits = self._snapshots.with_passings(run_id)
        last = kept.day
        if snapshot.sample is not None:
            self._read_exact(snapshot, kept)
        if last and last.snapshot is snapshot and last.forecasts is forecasts and last.exact is kept.exact:
            return last
        return Day(snapshot, splits, forecasts, kept.exact)

    def _read_exact(self, snapshot: Snapshot, kept: _Kept) -> None:
        """Read what is exact if it is due; of a race that is over, once more."""
        begun = self._clock()
        if kept.is_exact_final or begun < kept.exact_due:
            return
        kept.exact = kept.reader.read(snapshot.race)
        kept.exact_due = begun + max(EXACT_FOR_S, (self._clock() - begun) / SHARE)
        kept.is_exact_final = snapshot.is_final

    def _race(self, run_id: str) -> _Kept:
        with self._lock:
            if run_id not in self._kept:
                self._kept[run_id] = _Kept(ExactReader(self._store, run_id))
                if len(self._kept) > MAX_RACES:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(run_id)
            return self._kept[run_id]
