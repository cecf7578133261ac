"""Whether a tick is in the store as a whole: that of a large race arrives in several batches."""

import numpy as np

from dashboard.store.protocol import Mark, Positions
from stream.arrays import Floats

REPORTING = ("waiting", "running", "paused")
"""Statuses of competitors who have a position at each tick."""
MISSED_TICKS = 3
"""A competitor without a position for more ticks than this is not waited for: the tracker is off."""


def is_whole(positions: Positions, interval: float) -> bool:
    """Whether all competitors who report have the newest tick; `interval` is race seconds between ticks."""
    times = _times(positions, interval)
    return not len(times) or bool(times.min() == times.max())


def next_whole(mark: Mark, positions: Positions, interval: float) -> float:
    """The `raw_time` of the mark with which the next tick is whole: that of `positions`, if it is not yet.

    `mark` is the mark of `positions`.
    """
    times = _times(positions, interval)
    if not len(times):
        return mark.raw_time
    newest = times.max()
    tick = newest + interval if times.min() == newest else newest
    return mark.raw_time + float((_whole_seconds(tick) - _whole_seconds(times)).sum())


def _times(positions: Positions, interval: float) -> Floats:
    """Race seconds of the newest position of each competitor who reports."""
    reporting: Floats = positions.elapsed[np.isin(positions.status, REPORTING)]
    if not len(reporting):
        return reporting
    with_tracker: Floats = reporting[reporting >= reporting.max() - MISSED_TICKS * interval]
    return with_tracker


def _whole_seconds(times: Floats) -> Floats:
    # 100 ticks of 1.15 s are 114.99999999999999 s.
    return np.floor(np.round(times, 6))
