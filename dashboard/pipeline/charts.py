"""The pipeline's charts over the last 15 minutes: age of the newest position, and message rates.

Only the data changes: Streamlit updates a chart in place if its specification stays the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from statistics import median
from typing import Any, NamedTuple

import altair as alt
import pandas as pd

from dashboard.pipeline.freshness import Age
from dashboard.pipeline.sampler import EVERY_S, KEPT_S
from dashboard.ui.theme import LINE_COLOURS, ON_WALLS
from pinot.health.report import Report
from stream.contract import TOPICS

Moment = tuple[float, Sequence[tuple[str, float | None]]]
"""Epoch seconds, and each line's value then; None where there is none."""

HEIGHT_PX = 260
ROOM_PX = 280
"""Height of a chart or its placeholder."""
AXIS_PX = 44
"""Width of the axis labels, so that the chart keeps its place when they get longer."""

GAP_S = 5 * EVERY_S
"""Lines break where there are no samples."""


class Lines(NamedTuple):
    """A chart's axis, its lines, and the minimum upper end of the axis."""

    title: str
    names: tuple[str, ...]
    floor: float


AGE = Lines("seconds", ("median", "maximum"), floor=2)
AGE_STEP_S = 5
"""Seconds of one point of `AGE`: single ages go up and down between two ticks."""
RATES = Lines("messages per second", TOPICS, floor=10)


def ages(found: Sequence[Age]) -> pd.DataFrame | None:
    """The rows of the chart `AGE`; None if there is no line to draw."""
    steps = groupby(found, key=lambda age: age.taken // AGE_STEP_S * AGE_STEP_S)
    return _table([(step, _of_step(inside)) for step, inside in steps])


def _of_step(found: Iterable[Age]) -> Sequence[tuple[str, float | None]]:
    known = [age.seconds for age in found if age.seconds is not None]
    values = (median(known), max(known)) if known else (None, None)
    return list(zip(AGE.names, values, strict=True))


def rates(reports: Sequence[Report]) -> pd.DataFrame | None:
    """The rows of the chart `RATES`; None if there is no line to draw."""
    return _table([(one.taken, _of_topics(one)) for one in reports])


def _of_topics(report: Report) -> Sequence[tuple[str, float | None]]:
    """The rates of the topics with events; that of `progress` would be a line along the axis."""
    return [(row.name, row.numbers["per_second"]) for row in report.topics if row.name in RATES.names]


def _table(moments: Sequence[Moment]) -> pd.DataFrame | None:
    if sum(any(value is not None for _, value in values) for _, values in moments) < 2:
        return None
    table = pd.DataFrame(_rows(moments), columns=["time", "line", "value"])
    return table.assign(time=pd.to_datetime(table["time"], unit="s", utc=True))


def _rows(moments: Sequence[Moment]) -> Iterator[tuple[float, str, float | None]]:
    """One row per value; rows without a value at the end of each line and at both ends of the time span."""
    newest, values = moments[-1]
    before = newest - KEPT_S
    yield before, values[0][0], None
    for taken, values in moments:
        for line, value in values:
            if taken - before > GAP_S:
                yield taken, line, None
            yield taken, line, value
        before = taken


@cache
def chart(lines: Lines, clock: str, *, on_wall: bool = False) -> dict[str, Any]:
    """A Vega-Lite specification, without its data; `clock` is the format of times of day."""
    base = alt.Chart(alt.NamedData("reports"))
    across = alt.X("time:T", title=None, axis=alt.Axis(format=clock, tickCount=5, labelOverlap=True))
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
    layers = alt.layer(whole, line).properties(height=HEIGHT_PX)
    drawn: dict[str, Any] = (layers.configure(**ON_WALLS) if on_wall else layers).to_dict()
    del drawn["data"]
    return drawn
