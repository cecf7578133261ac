"""Arrivals and paces as time series. Pure; input columns are those of `stream`.

The second in progress is never part of a series: an incomplete rate would look like a drop.
"""

import numpy as np
import pandas as pd

from stream.arrays import Ints

AVERAGED_OVER_S = {"1 min average": 60, "5 min average": 300}
MOST_SERIES = 8
USUAL_GAPS = 3
"""A line breaks where two of its points are further apart than this many times their usual distance."""
OTHERS = "all others"
"""The combined series of those beyond `MOST_SERIES`."""


def rates(arrivals: pd.DataFrame, by: str, since: int, until: int, step: int) -> pd.DataFrame:
    """Events in steps of wall time from `since` up to `until`, both multiples of `step`: long form.

    Columns: `second` (start of the step), `who` (run or course, as `by` says), `events` (in the step). Empty
    steps have 0. If there are too many series, the busiest `MOST_SERIES` - 1 have one of their own.
    """
    these = arrivals[(arrivals["second"] >= since) & (arrivals["second"] < until)]
    total = these.groupby(by)["events"].sum().sort_values(ascending=False, kind="stable")
    named = set(total.index if len(total) <= MOST_SERIES else total.index[: MOST_SERIES - 1])
    who = these[by].where(these[by].isin(named), OTHERS)
    steps = np.arange(since, until, step)
    counted = these.groupby([who.rename("who"), these["second"] // step * step])["events"].sum()
    every = pd.MultiIndex.from_product([who.unique(), steps], names=["who", "second"])
    return counted.reindex(every, fill_value=0).reset_index()[["second", "who", "events"]]


def averages(arrivals: pd.DataFrame, since: int, until: int, step: int, known_since: int) -> pd.DataFrame:
    """Moving averages of events per second of all series, at the end of each step: long form.

    Columns: `second` (end of the step), `what`, `rate` (events per second). A moment has an average as soon
    as all its seconds are known.
    """
    parts = []
    for what, span in AVERAGED_OVER_S.items():
        ends = np.arange(since, until, step) + step
        ends = ends[ends - span >= known_since]
        sums = _until(arrivals, ends) - _until(arrivals, ends - span)
        parts.append(pd.DataFrame({"second": ends, "what": what, "rate": sums / span}))
    return pd.concat(parts, ignore_index=True)


def _until(arrivals: pd.DataFrame, ends: Ints) -> Ints:
    """The number of events before each of these seconds, shape (k,)."""
    second, events = arrivals["second"].to_numpy(), arrivals["events"].to_numpy()
    order = np.argsort(second, kind="stable")
    summed = np.concatenate([[0], np.cumsum(events[order])])
    return summed[np.searchsorted(second[order], ends)]


def paces(counted: pd.DataFrame) -> pd.DataFrame:
    """Mean and median pace (seconds per kilometre) of all running competitors in each step: long form.

    Columns: `second`, `what`, `pace`. The median is a whole second: of the middle position, or the lower of
    two.
    """
    steps = counted.groupby("second", sort=True)
    mean = steps["seconds"].sum() / steps["events"].sum()
    at_pace = counted.groupby(["second", "pace"], sort=True)["events"].sum()
    share = at_pace.groupby("second").cumsum() / at_pace.groupby("second").transform("sum")
    median = share[share >= 0.5].reset_index().groupby("second")["pace"].first()
    parts = [
        pd.DataFrame({"second": found.index, "what": what, "pace": found.to_numpy(dtype=np.float64)})
        for what, found in (("Mean", mean), ("Median", median))
    ]
    return pd.concat(parts, ignore_index=True)


def with_gaps(lines: pd.DataFrame, value: str) -> pd.DataFrame:
    """Lines in long form (`second`, `what`, `value`), with a row without a value where one breaks."""
    parts = [lines]
    for what, line in lines.groupby("what"):
        seconds = np.sort(line["second"].to_numpy())
        apart = np.diff(seconds)
        ends = seconds[:-1][apart > USUAL_GAPS * np.median(apart)] if len(apart) else seconds[:0]
        parts.append(pd.DataFrame({"second": ends + 1, "what": what, value: np.nan}))
    parts = [part for part in parts if len(part)]
    return pd.concat(parts).sort_values(["what", "second"], kind="stable", ignore_index=True)
