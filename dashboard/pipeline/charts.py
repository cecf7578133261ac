"""The pipeline's charts over the last quarter of an hour: how old the newest position is, and what comes.

What changes is the data alone: Streamlit draws a chart whose text is the same into what is there, and doesn't
build it anew.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import altair as alt
import pandas as pd

from dashboard.pipeline.sampler import EVERY_S, KEPT_S
from dashboard.ui.theme import LINE_COLOURS
from stream.topics import read_topics

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinot.health.report import Report

HEIGHT_PX = 260
ROOM_PX = 280
"""For a chart, or the words in its place."""
AXIS_PX = 44
"""Room for the numbers beside a chart, so that it doesn't move when they get longer."""

GAP_S = 5 * EVERY_S
"""Where nobody watched, lines end: nothing is known of that time."""


class Lines(NamedTuple):
    """What a chart is of: its axis, its lines, and how far up it reaches at least."""

    title: str
    names: tuple[str, ...]
    floor: float


AGE = Lines("seconds", ("newest position",), floor=2)
RATES = Lines("messages per second", tuple(read_topics()), floor=10)

Row = tuple[float, str, float | None]
"""Epoch seconds, the line's name, its value."""


def freshness(reports: Sequence[Report]) -> pd.DataFrame | None:
    """Seconds since the newest position at each look; None if there is no line to draw."""
    return _table(reports, [[(AGE.names[0], one.freshness)] for one in reports])


def messages(reports: Sequence[Report]) -> pd.DataFrame | None:
    """Messages a second of each topic at each look; None if there is no line to draw."""
    return _table(reports, [[(row.name, row.per_second) for row in one.topics] for one in reports])


def _table(
    reports: Sequence[Report], values: Sequence[Sequence[tuple[str, float | None]]]
) -> pd.DataFrame | None:
    if sum(any(value is not None for _, value in these) for these in values) < 2:
        return None
    table = pd.DataFrame(_rows(reports, values), columns=["time", "line", "value"])
    return table.assign(time=pd.to_datetime(table["time"], unit="s", utc=True))


def _rows(reports: Sequence[Report], values: Sequence[Sequence[tuple[str, float | None]]]) -> Iterator[Row]:
    """A row for each value; one without a value where a line ends, and at both ends of the time shown."""
    newest = reports[-1].taken
    name = values[-1][0][0]
    yield newest - KEPT_S, name, None
    before = newest - KEPT_S
    for one, these in zip(reports, values, strict=True):
        for line, value in these:
            if one.taken - before > GAP_S:
                yield one.taken, line, None
            yield one.taken, line, value
        before = one.taken


@cache
def chart(lines: Lines) -> dict[str, Any]:
    """A chart in Vega-Lite's words, without its data."""
    base = alt.Chart(alt.NamedData("reports"))
    across = alt.X("time:T", title=None, axis=alt.Axis(format="%H:%M", tickCount=5, labelOverlap=True))
    up = alt.Axis(minExtent=AXIS_PX, tickCount=5, grid=True)
    colours = alt.Scale(domain=list(lines.names), range=list(LINE_COLOURS[: len(lines.names)]))
    legend = alt.Legend(title=None, orient="bottom", columns=2) if len(lines.names) > 1 else None
    line = base.mark_line(strokeWidth=2).encode(
        x=across,
        y=alt.Y("value:Q", title=lines.title, axis=up),
        color=alt.Color("line:N", scale=colours, legend=legend),
    )
    # The axes reach as far as all rows do, also those without a value, and up to the floor.
    whole = base.mark_point(opacity=0).encode(x=across, y=alt.YDatum(lines.floor, title=lines.title, axis=up))
    drawn: dict[str, Any] = alt.layer(whole, line).properties(height=HEIGHT_PX).to_dict()
    del drawn["data"]
    return drawn
