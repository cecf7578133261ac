"""The analytics page's data, computed once for all viewers; thread-safe."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import pandas as pd

from dashboard.analytics import figures, series, watermark
from dashboard.analytics.figures import Figures
from dashboard.analytics.palette import Palette
from dashboard.analytics.recent import Hour, Recent, settled
from dashboard.analytics.stream import PACE_STEP_S, Stream
from dashboard.analytics.windows import Windows

NEWEST_WITHIN_S = 3600
"""Seconds; older events aren't shown among the newest."""

MOST_WINDOWS = 32
"""Maximum number of cached windows, by race and size; the least recently requested is evicted."""


@dataclass(frozen=True, eq=False)
class Rates:
    """Event rates.

    Attributes:
        events: by step and series (see `series.rates`).
        averages: of all series together (see `series.averages`).
        step_s: seconds per step.
        colours: of the series, the lowest first.
    """

    events: pd.DataFrame
    averages: pd.DataFrame
    step_s: int
    colours: Mapping[str, str]


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
        self._arrivals = Recent(stream.arrivals)
        self._paces = Recent(stream.paces, PACE_STEP_S)
        self._windows: OrderedDict[tuple[str, int], Windows] = OrderedDict()
        self._counting = threading.Lock()
        self._palettes = {"run": Palette(), "course": Palette()}
        self.allowed_lateness_s = allowed_lateness_s

    def arrivals(self, course: str | None = None) -> Hour:
        """Counted arrivals of the last hour."""
        return self._arrivals.hour(self._now).of(course)

    def paces(self, course: str | None = None) -> pd.DataFrame:
        """Mean and median pace in each whole step of the last hour (see `series.paces`)."""
        hour = self._paces.hour(self._now).of(course)
        return series.paces(hour.rows[hour.rows["second"] + PACE_STEP_S <= hour.until])

    def until(self, step_s: int = 1) -> int:
        """The newest second (epoch), a multiple of `step_s`, up to which the data is complete."""
        newest = settled(self._now())
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
        events = series.rates(hour.rows, by, *span)
        averages = series.averages(hour.rows, *span, hour.known_since)
        return Rates(events, averages, step_s, self._palettes[by].colours(events["who"].unique().tolist()))

    def progress(self, course: str | None = None) -> pd.DataFrame:
        """Each race's progress and late events (see `watermark.progress`)."""
        return watermark.progress(self.arrivals(course).rows, self.allowed_lateness_s)

    def windows(self, run_id: str, size_s: int) -> pd.DataFrame | None:
        """The newest windows of a race (see `windows.Windows`); None without events in the last hour."""
        hour = self.arrivals()
        arrivals = hour.rows[hour.rows["run"] == run_id]
        if not len(arrivals):
            return None
        key = (run_id, size_s)
        with self._counting:
            windows = self._windows.setdefault(key, Windows(size_s, partial(self._stream.panes, run_id)))
            self._windows.move_to_end(key)
            if len(self._windows) > MOST_WINDOWS:
                self._windows.popitem(last=False)
            return windows.refresh(arrivals, self.allowed_lateness_s, hour.known_since)

    def newest(
        self, count: int, run_id: str | None = None, bib: int | None = None, course: str | None = None
    ) -> pd.DataFrame:
        """The newest events, newest first (see `stream.NEWEST`), and the mask of `late` ones."""
        since = math.floor(self._now()) - NEWEST_WITHIN_S
        events = self._stream.newest(count, since, run_id=run_id, bib=bib, course=course)
        marks = watermark.watermarks(self.arrivals().rows, self.allowed_lateness_s)
        return events.assign(late=watermark.late_of(events, marks))
