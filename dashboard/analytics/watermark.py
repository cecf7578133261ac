"""Late events: a race's progress in event time, and the events behind its watermark.

A race's watermark is its highest event time, less an allowed lateness. It advances once per second of wall
time, so the order of events within a second doesn't matter: an event is late if its event time is behind the
watermark of the seconds before the one it was emitted in. Lateness is thus a property of the event, the same
for every reader and reading order.

Pure: counted arrivals (`stream.ARRIVALS`) in, columns and numbers out.
"""

import numpy as np
import pandas as pd

from stream.arrays import Mask

NOTHING_YET = np.iinfo(np.int64).min // 2
"""The watermark before a race's first event: nothing is behind it."""


def watermarks(arrivals: pd.DataFrame, allowed_s: int) -> pd.DataFrame:
    """The watermark of each race in each wall second with events.

    Columns: `run`, `second`, `watermark` (event second): the one that applies to events of that second,
    derived from the seconds before.
    """
    peaks = arrivals.groupby(["run", "second"], sort=True)["event_second"].max()
    reached = peaks.groupby("run").cummax().groupby("run").shift(1)
    marks = (reached - allowed_s).fillna(NOTHING_YET).astype("int64")
    return marks.rename("watermark").reset_index()


def is_late(arrivals: pd.DataFrame, marks: pd.DataFrame) -> Mask:
    """Mask of late arrivals, shape (n,), by their races' `watermarks`."""
    found = arrivals[["run", "second"]].merge(marks, how="left")["watermark"].fillna(NOTHING_YET)
    return np.asarray(arrivals["event_second"].to_numpy() < found.to_numpy(), dtype=np.bool_)


def with_late(arrivals: pd.DataFrame, allowed_s: int) -> pd.DataFrame:
    """The arrivals, with the number of `late` events among the `events` of each row."""
    late = is_late(arrivals, watermarks(arrivals, allowed_s))
    return arrivals.assign(late=arrivals["events"].where(late, 0))


def progress(arrivals: pd.DataFrame, allowed_s: int) -> pd.DataFrame:
    """Each race's progress, the most recently active first.

    Columns: `run`, `course`, `second` (of wall time, the newest), `watermark` (event second, current),
    `events`, `late` (both with duplicates).
    """
    found = (
        with_late(arrivals, allowed_s)
        .groupby("run", as_index=False)
        .agg(
            course=("course", "first"),
            second=("second", "max"),
            watermark=("event_second", "max"),
            events=("events", "sum"),
            late=("late", "sum"),
        )
    )
    found["watermark"] -= allowed_s
    return found.sort_values(["second", "run"], ascending=[False, True], ignore_index=True)


def late_of(events: pd.DataFrame, marks: pd.DataFrame) -> Mask:
    """Mask of late events among single events (`stream.NEWEST`), shape (n,), by their races' `watermarks`."""
    seconds = {"second": events["emitted_at"] // 1000, "event_second": events["timestamp"] // 1000}
    return is_late(events.assign(**seconds), marks)
