"""The stream in six numbers: a span of wall time, and how it compares with the one before. Pure."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Figures:
    """What came in a span of wall time.

    Attributes:
        events: as they came.
        competitors: who told something; the same bib in two races is two.
        finished: competitors who told their finish.
        kilometres: run by all of them together.
        courses, races: of which something was told.
    """

    events: int
    competitors: int
    finished: int
    kilometres: float
    courses: int
    races: int


def figures(seen: pd.DataFrame, before: pd.DataFrame) -> Figures:
    """Work out the figures of a span from who was seen in it (`stream.SEEN`), and in the span before.

    A competitor has run from the furthest place told in the span before to the furthest in this one; who told
    nothing in the span before, from the first place told in this one.
    """
    known = seen.merge(
        before[["run", "competitor", "last"]], "left", ["run", "competitor"], suffixes=("", "_before")
    )
    since = known["last_before"].fillna(known["first"])
    return Figures(
        events=int(seen["events"].sum()),
        competitors=len(seen),
        finished=int(seen["finished"].sum()),
        kilometres=float((known["last"] - since).clip(lower=0).sum()) / 1000,
        courses=int(seen["course"].nunique()),
        races=int(seen["run"].nunique()),
    )


def changes(now: Figures, before: Figures) -> tuple[float | None, ...]:
    """The relative change of each figure, in their order; None where there was nothing before."""
    pairs = zip(astuple(now), astuple(before), strict=True)
    return tuple(value / earlier - 1 if earlier else None for value, earlier in pairs)
