"""Rows about the last hour of wall time, kept up to date with minimal queries.

Only the last seconds of the hour are queried each time. A store may be behind and catch up later, so those
seconds count as unsettled, and one older minute after another is queried again. Memory holds one hour's rows,
regardless of the stream's length.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

Ask = Callable[[int, int | None], pd.DataFrame]

HOUR_S = 3600
CHUNK_S = 60
LARGEST_CHUNK_S = 600
"""Seconds per query: few at first, then each time as many as are already known."""
SETTLES_WITHIN_S = 15
"""Wall seconds within which an emitted event can be queried; later only while a store catches up."""
REREAD_EVERY_S = 5
"""Interval at which one of the older minutes is queried again: each of them once in five minutes."""
PATIENCE_S = 0.5
"""Maximum seconds to spend on reading the past, newest first, before showing what there is."""

FRESH_FOR_S = 0.9
"""Seconds; just under one, so that a viewer polling every second always gets new data."""
SETTLED_S = 1
"""Seconds that an event may take to reach the store; figures and series end this long before now."""


def settled(now: float) -> int:
    """The newest second (epoch) up to which the data is complete."""
    return math.floor(now) + 1 - SETTLED_S


@dataclass(frozen=True, eq=False)
class Hour:
    """The last hour, as far as it has been read.

    Attributes:
        rows: counted arrivals or paces, as `stream` has them.
        known_since: the first second that has been read (epoch).
        until: the second up to which the data is complete (epoch).
    """

    rows: pd.DataFrame
    known_since: int
    until: int

    def of(self, course: str | None) -> "Hour":
        """The rows of one course, or all."""
        return self if course is None else replace(self, rows=self.rows[self.rows["course"] == course])


class Recent:
    """The last hour's rows, each with its wall second (`second`).

    Args:
        ask: queries the rows of the seconds [since, until), or of all since.
        step: seconds that a row covers; queries begin at a multiple of it.
        clock: monotonic seconds.

    Attributes:
        rows: in the order of their seconds.
        known_since: the first second that has been read; an hour ago once all of it is.
    """

    def __init__(self, ask: Ask, step: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._step = step
        self._clock = clock
        self._asked_until = 0
        self._reread_from = 0
        self._reread_at = 0.0
        self._lock = threading.Lock()
        self._refreshed = -math.inf
        self.rows = pd.DataFrame({"second": pd.Series(dtype="int64")})
        self.known_since = 0

    def hour(self, clock: Callable[[], float]) -> Hour:
        """The rows now (epoch seconds), refreshed by the first request that finds them stale; thread-safe."""
        with self._lock:
            now = clock()
            # A clock that was set back makes the rows stale.
            if not 0 <= now - self._refreshed < FRESH_FOR_S:
                self.refresh(now)
                self._refreshed = now
            return Hour(self.rows, self.known_since, settled(self._refreshed))

    def refresh(self, now: float) -> pd.DataFrame:
        """Update the rows to `now` (epoch seconds), and return them; raises what `ask` does."""
        end = math.floor(now) + 1
        begin = self._down(end - HOUR_S)
        self._read_tail(begin, end)
        self._read_past(begin)
        if now - self._reread_at >= REREAD_EVERY_S and self.known_since == begin:
            self._reread(begin, end)
            self._reread_at = now
        self.rows = self.rows[self.rows["second"] >= begin]
        return self.rows

    def _read_tail(self, begin: int, end: int) -> None:
        if self._asked_until < begin:
            since = self.known_since = self._down(end - CHUNK_S)
            self.rows = self._ask(since, None)
        else:
            since = self._down(self._asked_until - SETTLES_WITHIN_S)
            self._replace(since, None)
        self._asked_until = end

    def _read_past(self, begin: int) -> None:
        give_up_at = self._clock() + PATIENCE_S
        while self.known_since > begin and self._clock() < give_up_at:
            known_s = self._asked_until - self.known_since
            since = max(begin, self.known_since - min(self._down(known_s), LARGEST_CHUNK_S))
            self._replace(since, self.known_since)
            self.known_since = since
        self.known_since = max(self.known_since, begin)

    def _reread(self, begin: int, end: int) -> None:
        settled = self._down(end - SETTLES_WITHIN_S)
        since = self._reread_from if begin <= self._reread_from < settled else begin
        self._reread_from = min(since + CHUNK_S, settled)
        self._replace(since, self._reread_from)

    def _replace(self, since: int, until: int | None) -> None:
        new = self._ask(since, until)
        second = self.rows["second"]
        before, after = self.rows[second < since], self.rows[second >= (math.inf if until is None else until)]
        # Empty tables are left out: concatenating them is occasionally slow in pandas.
        parts = [part for part in (before, new.sort_values("second"), after) if len(part)]
        self.rows = pd.concat(parts, ignore_index=True) if parts else new

    def _down(self, second: int) -> int:
        return second - second % self._step
