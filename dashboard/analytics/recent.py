"""Rows about the last hour of wall time, kept up to date by asking for what can have changed.

What is settled is not asked for again and again: of an hour's events, those of the last seconds are. A store
may be behind, though, and catch up later. So the seconds before the newest count as unsettled, and one older
minute after the other is asked for anew. The memory is that of an hour's rows, however long the stream is.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[[int, int | None], pd.DataFrame]

HOUR_S: Final = 3600
CHUNK_S: Final = 60
LARGEST_CHUNK_S: Final = 600
"""Seconds that are asked for at once: at first few, then each time as many as are known already."""
SETTLES_WITHIN_S: Final = 15
"""Wall seconds within which what was told can be queried; later only while a store catches up."""
ASKED_ANEW_EVERY_S: Final = 5
"""So often one of the older minutes is asked for anew: each of them once in five minutes."""
PATIENCE_S: Final = 0.5
"""Seconds spent at a time on reading the past, newest first, before what there is is shown."""


class Recent:
    """The last hour's rows, each with the wall second (`second`) it is about.

    Args:
        ask: asks for the rows of the seconds [since, until), or of all since.
        step: seconds that a row is about; what is asked for begins at a multiple of it.
        clock: seconds that only go forward.

    Attributes:
        rows: in the order of their seconds.
        known_since: the first second that has been read; an hour ago as soon as all of it is.
    """

    def __init__(self, ask: Ask, step: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._step = step
        self._clock = clock
        self._asked_until = 0
        self._anew_from = 0
        self._anew_at = 0.0
        self.rows = pd.DataFrame({"second": pd.Series(dtype="int64")})
        self.known_since = 0

    def refresh(self, now: float) -> pd.DataFrame:
        """Bring the rows to `now` (epoch seconds), and return them; raises what `ask` does."""
        end = math.floor(now) + 1
        begin = self._down(end - HOUR_S)
        self._read_tail(begin, end)
        self._read_past(begin)
        if now - self._anew_at >= ASKED_ANEW_EVERY_S and self.known_since == begin:
            self._read_anew(begin, end)
            self._anew_at = now
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

    def _read_anew(self, begin: int, end: int) -> None:
        settled = self._down(end - SETTLES_WITHIN_S)
        since = self._anew_from if begin <= self._anew_from < settled else begin
        self._anew_from = min(since + CHUNK_S, settled)
        self._replace(since, self._anew_from)

    def _replace(self, since: int, until: int | None) -> None:
        new = self._ask(since, until)
        second = self.rows["second"]
        before, after = self.rows[second < since], self.rows[second >= (math.inf if until is None else until)]
        # Empty tables are left out: what pandas makes of them takes longer from time to time.
        parts = [part for part in (before, new.sort_values("second"), after) if len(part)]
        self.rows = pd.concat(parts, ignore_index=True) if parts else new

    def _down(self, second: int) -> int:
        return second - second % self._step
