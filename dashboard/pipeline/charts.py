"""The pipeline's charts over the last 15 minutes: age of the newest position, and message rates.

Only the data changes: Streamlit updates a chart in place if its specification stays the same.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from dashboard.pipeline.sampler import EVERY_S, KEPT_S
from dashboard.ui.theme import LINE_COLOURS
from pinot.health.report import Report
from stream.contract import TOPICS

Values = Sequence[tuple[str, float | None]]

HEIGHT_PX = 260
ROOM_PX = 280
"""Height of a chart or its placeholder."""
AXIS_PX = 44
"""Width of the axis labels, so that the chart keeps its place when they get longer."""

GAP_S = 5 * EVERY_S
"""Lines break where there are no samples: the page had no viewers."""


class Lines(NamedTuple):
    """A chart's axis, its lines, their values in a report, and the minimum upper end of the axis."""

    title: str
    names: tuple[str, ...]
    values: Callable[[Report], Values]
    floor: float


AGE = Lines("seconds", ("newest position",), lambda one: [("newest position", one.freshness)], floor=2)
RATES = Lines(
    "messages per second",
    TOPICS,
    lambda one: [(row.name, row.numbers["per_second"]) for row in one.topics],
    floor=10,
)


def rows(lines: Lines, reports: Sequence[Report]) -> pd.DataFrame | None:
    """The rows of a chart: a line's value at each sample; None if there is no line to draw."""
    values = [lines.values(one) for one in reports]
    if sum(any(value is not None for _, value in these) for these in values) < 2:
        return None
    table = pd.DataFrame(_rows(reports, values), columns=["time", "line", "value"])
    return table.assign(time=pd.to_datetime(table["time"], unit="s", utc=True))


def _rows(reports: Sequence[Report], values: Sequence[Values]) -> Iterator[tuple[float, str, float | None]]:
    """One row per value; rows without a value at the end of each line and at both ends of the time span."""
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
    """A Vega-Lite specification, without its data."""
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
    # The axes cover all rows, those without a value too, and reach at least to the floor.
    whole = base.mark_point(opacity=0).encode(x=across, y=alt.YDatum(lines.floor, title=lines.title, axis=up))
    drawn: dict[str, Any] = alt.layer(whole, line).properties(height=HEIGHT_PX).to_dict()
    del drawn["data"]
    return drawn
