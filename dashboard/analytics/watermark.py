"""Late events: how far a race's stream has come in event time, and what came behind that.

A race's watermark is the highest event time that it has told, less an allowed lateness: what is older is no
longer waited for. It moves once a second of wall time, so in which order a second's events are read changes
nothing: an event is late if its event time lies behind the watermark of the seconds before the one in which
it left the simulator. That is a property of the event, the same for every reader, in whatever order it reads.

Pure: counted arrivals (`stream.ARRIVALS`) in, columns and numbers out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from stream.arrays import Mask

NOTHING_YET = np.iinfo(np.int64).min // 2
"""The watermark before a race has told anything: nothing lies behind it."""


def watermarks(arrivals: pd.DataFrame, allowed_s: int) -> pd.DataFrame:
    """The watermark of each race in each wall second in which it told something.

    Columns: `run`, `second`, `watermark` (event second): that which holds for what comes in that second, made
    by the seconds before.
    """
    peaks = arrivals.groupby(["run", "second"], sort=True)["event_second"].max()
    reached = peaks.groupby("run").cummax().groupby("run").shift(1)
    marks = (reached - allowed_s).fillna(NOTHING_YET).astype("int64")
    return marks.rename("watermark").reset_index()


def is_late(arrivals: pd.DataFrame, allowed_s: int) -> Mask:
    """Which of the arrivals were late, shape (n,)."""
    marks = arrivals[["run", "second"]].merge(watermarks(arrivals, allowed_s), how="left")
    return np.asarray(arrivals["event_second"].to_numpy() < marks["watermark"].to_numpy(), dtype=np.bool_)


def progress(arrivals: pd.DataFrame, allowed_s: int) -> pd.DataFrame:
    """How far each race has come, the one that told something last first.

    Columns: `run`, `course`, `second` (of wall time, the newest), `watermark` (event second, as it is now),
    `events`, `late` (both counted as they came).
    """
    late = arrivals["events"].where(is_late(arrivals, allowed_s), 0)
    found = (
        arrivals.assign(late=late)
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
    """Which of single events (`stream.NEWEST`) were late, shape (n,), by the `watermarks` of their races."""
    second = pd.DataFrame({"run": events["run"], "second": events["emitted_at"] // 1000})
    found = second.merge(marks, how="left")["watermark"].fillna(NOTHING_YET)
    return np.asarray((events["timestamp"] // 1000).to_numpy() < found.to_numpy(), dtype=np.bool_)
