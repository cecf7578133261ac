"""The analytics page's data, computed once for all viewers; thread-safe."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dashboard.analytics import figures, series, watermark
from dashboard.analytics.recent import Recent
from dashboard.analytics.stream import PACE_STEP_S
from dashboard.analytics.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from dashboard.analytics.figures import Figures
    from dashboard.analytics.stream import Stream

FRESH_FOR_S: Final = 0.9
"""Seconds; just under one, so that a viewer polling every second always gets new data."""

SETTLED_S: Final = 1
"""Seconds that an event may take to reach the store; figures and series end this long before now."""

NEWEST_WITHIN_S: Final = 3600
"""Seconds; older events aren't shown among the newest."""

MOST_WINDOWS: Final = 32
"""Maximum number of cached windows, by race and size; the least recently requested is evicted."""


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

    def of(self, course: str | None) -> Hour:
        """The rows of one course, or all."""
        if course is None:
            return self
        return Hour(self.rows[self.rows["course"] == course], self.known_since, self.until)


@dataclass(frozen=True, eq=False)
class Rates:
    """Event rates.

    Attributes:
        events: by step and series (see `series.rates`).
        averages: of all series together (see `series.averages`).
        step_s: seconds per step.
    """

    events: pd.DataFrame
    averages: pd.DataFrame
    step_s: int


class _Shared:
    """An hour's rows, refreshed by the first request that finds them stale."""

    def __init__(self, recent: Recent, now: Callable[[], float]) -> None:
        self._recent = recent
        self._now = now
        self._lock = threading.Lock()
        self._refreshed = -math.inf

    def hour(self) -> Hour:
        with self._lock:
            now = self._now()
            # A clock that was set back makes the rows stale.
            if not 0 <= now - self._refreshed < FRESH_FOR_S:
                self._recent.refresh(now)
                self._refreshed = now
            return Hour(self._recent.rows, self._recent.known_since, _settled(self._refreshed))


def _settled(now: float) -> int:
    """The newest second (epoch) up to which the data is complete."""
    return math.floor(now) + 1 - SETTLED_S


class Activity:
    """Queries a stream; every method raises `StoreError` if it cannot be read.

    Args:
        stream: where the events are.
        allowed_lateness_s: seconds that an event's time may be behind the newest of its race.
        now: epoch seconds.
    """

    def __init__(self, stream: Stream, allowed_lateness_s: int, now: Callable[[], float] = time.time) -> None:
        self._stream = stream
        self._now = now
        self._arrivals = _Shared(Recent(stream.arrivals), now)
        self._paces = _Shared(Recent(stream.paces, PACE_STEP_S), now)
        self._windows: OrderedDict[tuple[str, int], Windows] = OrderedDict()
        self._counting = threading.Lock()
        self.allowed_lateness_s = allowed_lateness_s

    def arrivals(self, course: str | None = None) -> Hour:
        """Counted arrivals of the last hour."""
        return self._arrivals.hour().of(course)

    def paces(self, course: str | None = None) -> pd.DataFrame:
        """Mean and median pace in each whole step of the last hour (see `series.paces`)."""
        hour = self._paces.hour().of(course)
        return series.paces(hour.rows[hour.rows["second"] + PACE_STEP_S <= hour.until])

    def until(self, step_s: int = 1) -> int:
        """The newest second (epoch), a multiple of `step_s`, up to which the data is complete."""
        newest = _settled(self._now())
        return newest - newest % step_s

    def figures(self, span_s: int, until: int, course: str | None = None) -> tuple[Figures, Figures]:
        """The figures of the `span_s` seconds of wall time before `until`, and of as many before them."""
        seen = [self._stream.seen(until - (n + 1) * span_s, until - n * span_s) for n in range(3)]
        if course is not None:
            seen = [rows[rows["course"] == course] for rows in seen]
        last, before, earlier = seen
        return figures.figures(last, before), figures.figures(before, earlier)

    def rates(self, by: str, span_s: int, step_s: int, course: str | None = None) -> Rates:
        """Events in steps of the last `span_s` seconds, by `run` or by `course`."""
        hour = self.arrivals(course)
        until = hour.until - hour.until % step_s
        span = (max(until - span_s, hour.known_since - hour.known_since % -step_s), until, step_s)
        return Rates(
            series.rates(hour.rows, by, *span), series.averages(hour.rows, *span, hour.known_since), step_s
        )

    def progress(self, course: str | None = None) -> pd.DataFrame:
        """Each race's progress and late events (see `watermark.progress`)."""
        return watermark.progress(self.arrivals(course).rows, self.allowed_lateness_s)

    def windows(self, run_id: str, size_s: int) -> pd.DataFrame | None:
        """The newest windows of a race (see `windows.Windows`); None without events in the last hour."""
        hour = self.arrivals()
        arrivals = hour.rows[hour.rows["run"] == run_id]
        if not len(arrivals):
            return None
        with self._counting:
            windows = self._windows_of(run_id, size_s)
            return windows.refresh(arrivals, self.allowed_lateness_s, hour.known_since)

    def _windows_of(self, run_id: str, size_s: int) -> Windows:
        def ask(since: int, until: int, came_since: int) -> pd.DataFrame:
            return self._stream.panes(run_id, since, until, came_since)

        windows = self._windows.setdefault((run_id, size_s), Windows(size_s, ask))
        self._windows.move_to_end((run_id, size_s))
        if len(self._windows) > MOST_WINDOWS:
            self._windows.popitem(last=False)
        return windows

    def newest(
        self, count: int, run_id: str | None = None, bib: int | None = None, course: str | None = None
    ) -> pd.DataFrame:
        """The newest events, newest first (see `stream.NEWEST`), and the mask of `late` ones."""
        since = math.floor(self._now()) - NEWEST_WITHIN_S
        events = self._stream.newest(count, since, run_id=run_id, bib=bib, course=course)
        marks = watermark.watermarks(self.arrivals().rows, self.allowed_lateness_s)
        return events.assign(late=watermark.late_of(events, marks))
