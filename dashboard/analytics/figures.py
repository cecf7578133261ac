"""The stream in six numbers: a span of wall time, compared with the one before. Pure."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Figures:
    """The figures of a span of wall time.

    Attributes:
        events: number of events, duplicates included.
        competitors: competitors with events; the same bib in two races counts twice.
        finished: competitors who emitted their finish.
        metres: total distance run.
        courses, races: those with events.
    """

    events: int
    competitors: int
    finished: int
    metres: float
    courses: int
    races: int


def figures(seen: pd.DataFrame, before: pd.DataFrame) -> Figures:
    """Compute the figures of a span from the competitors seen in it (`stream.SEEN`), and in the span before.

    A competitor's distance runs from the furthest position of the previous span to the furthest of this one;
    without events in the previous span, from the first position of this one.
    """
    known = seen.merge(
        before[["run", "competitor", "last"]], "left", ["run", "competitor"], suffixes=("", "_before")
    )
    since = known["last_before"].fillna(known["first"])
    return Figures(
        events=int(seen["events"].sum()),
        competitors=len(seen),
        finished=int(seen["finished"].sum()),
        metres=float((known["last"] - since).clip(lower=0).sum()),
        courses=int(seen["course"].nunique()),
        races=int(seen["run"].nunique()),
    )
