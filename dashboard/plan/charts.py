"""The planning page's charts, by Altair. Those of two plans have the same scales, so they can be compared."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from dashboard.plan import figures
from dashboard.plan.plan import Plan
from dashboard.ui.theme import BAND_COLOUR, LINE_COLOURS, Chart
from dashboard.ui.viewer import Unit

HEAT_PX, WIDTHS_PX, STARTS_PX = 340, 160, 220
MAP_PX = 320
"""Width and height of the course from above, which fits on a phone."""
MAP_MARGIN_PX = 10
AXIS_PX = 44
"""Width of the labels of all vertical axes, so that the charts are aligned."""
MOST_WAVES = len(LINE_COLOURS)
"""Number of waves with a colour of their own."""
INK = "currentColor"
"""The page's text colour in either theme: charts are SVG, so CSS applies."""


class Scales(NamedTuple):
    """The upper ends of the axes of all plans that are shown.

    Attributes:
        distance: in the viewer's unit.
        minutes: from the first gun to the end.
        width: metres.
        start_minutes: from the first gun to the last start.
        starters: who cross the start line in a minute.
    """

    distance: float
    minutes: int
    width: float
    start_minutes: int
    starters: int


def scales(plans: Sequence[Plan], start_widths: Sequence[float | None], unit: Unit) -> Scales:
    """The scales for plans and the widths of their start lines."""
    wide = [plan.width[np.isfinite(plan.width)].max(initial=0.0) for plan in plans]
    return Scales(
        distance=max(float(plan.last[-1]) for plan in plans) / unit.metres,
        minutes=figures.longest(plans),
        width=max(*map(float, wide), *(width or 0.0 for width in start_widths), 1.0),
        start_minutes=max(int(np.flatnonzero(plan.waves.sum(axis=0)).max(initial=0)) + 1 for plan in plans),
        starters=max(int(plan.waves.sum(axis=0).max()) for plan in plans),
    )


def heat(plan: Plan, shared: Scales, unit: Unit) -> Chart:
    """Density over the course and the minutes."""
    drawn: alt.Chart = (
        alt.Chart(figures.heat(plan, unit), height=HEAT_PX, description=_densest(plan, unit))
        .mark_rect(aria=False)
        .encode(
            x=_across("from", shared, unit),
            x2="to:Q",
            y=alt.Y(
                "since:Q",
                title="Minutes after the first gun",
                scale=alt.Scale(domain=[0, shared.minutes], nice=False),
                axis=_up(),
            ),
            y2="until:Q",
            color=alt.Color("colour:N", scale=None),
            tooltip=_words(),
        )
    )
    return drawn


def _densest(plan: Plan, unit: Unit) -> str:
    """The chart of densities in a sentence."""
    peak = figures.peak(plan)
    return (
        f"Density over the course and the time. It is highest {figures.place(peak.at, unit)}, "
        f"{peak.minute} minutes after the first gun: {figures.amount(peak.value, 'density')}"
    )


def widths(plan: Plan, start_width: float | None, shared: Scales, unit: Unit) -> Chart:
    """Width along the course, and that of the start line as a point."""
    up: dict[str, Any] = {"scale": alt.Scale(domain=[0, shared.width]), "axis": _up(tickCount=3)}
    course = (
        alt.Chart(figures.widths(plan, unit))
        .mark_rect(color=BAND_COLOUR, opacity=0.7, aria=False)
        .encode(
            x=_across("from", shared, unit),
            x2="to:Q",
            y=alt.Y("width:Q", title="Metres", **up),
            y2=alt.datum(0),
            tooltip=_words(),
        )
    )
    known = [] if start_width is None else [start_width]
    line = pd.DataFrame(
        {"from": [0.0] * len(known), "width": known, "word": [f"Start line {one:g} m wide" for one in known]}
    )
    start = (
        alt.Chart(line)
        .mark_point(shape="triangle-right", filled=True, size=90, color=INK, opacity=1, aria=False)
        .encode(x=_across("from", shared, unit), y=alt.Y("width:Q", **up), tooltip=_words())
    )
    return alt.layer(course, start).properties(height=WIDTHS_PX, description="Width along the course")


def course(pieces: pd.DataFrame) -> Chart:
    """The course from above, of the same scale in both directions; the circle is the start."""
    places = pieces[["x", "y"]].to_numpy()
    low, high = places.min(axis=0), places.max(axis=0)
    middle, half = (low + high) / 2.0, (high - low).max() / 2.0
    across, up = (
        alt.Scale(domain=[at - half, at + half], nice=False, zero=False, padding=MAP_MARGIN_PX)
        for at in middle.tolist()
    )
    drawn = (
        alt.Chart(pieces)
        .mark_line(strokeCap="butt", strokeJoin="round", aria=False)
        .encode(
            x=alt.X("x:Q", scale=across, axis=None),
            y=alt.Y("y:Q", scale=up, axis=None),
            detail="piece:N",
            order="step:Q",
            strokeWidth=alt.StrokeWidth("thick:Q", scale=None),
            color=alt.Color("colour:N", scale=None),
            tooltip=_words(),
        )
    )
    start = (
        alt.Chart(pieces.head(1))
        .mark_point(size=140, strokeWidth=2, color=INK, opacity=1, aria=False)
        .encode(x=alt.X("x:Q", scale=across, axis=None), y=alt.Y("y:Q", scale=up, axis=None))
    )
    return alt.layer(drawn, start).properties(
        width=MAP_PX, height=MAP_PX, description="The course from above, by width and highest density"
    )


def starts(plan: Plan, shared: Scales) -> Chart:
    """Runners who cross the start line in each minute, stacked by wave."""
    table = figures.starts(plan)
    table = table.assign(colour=[LINE_COLOURS[(wave - 1) % MOST_WAVES] for wave in table["wave"]])
    drawn: alt.Chart = (
        alt.Chart(table, height=STARTS_PX, description="Runners who cross the start line in each minute")
        .mark_bar(aria=False)
        .encode(
            x=alt.X(
                "minute:Q",
                bin="binned",
                title="Minutes after the first gun",
                scale=alt.Scale(domain=[0, shared.start_minutes], nice=False),
                axis=alt.Axis(tickMinStep=1, format="d", labelOverlap=True),
            ),
            x2="end:Q",
            y=alt.Y(
                "runners:Q",
                title="Runners per minute",
                stack="zero",
                scale=alt.Scale(domain=[0, shared.starters]),
                axis=_up(tickCount=4),
            ),
            color=alt.Color("colour:N", scale=None),
            order="wave:Q",
            tooltip=_words(),
        )
    )
    return drawn


def _across(column: str, shared: Scales, unit: Unit) -> alt.X:
    return alt.X(
        f"{column}:Q",
        title=unit.word.capitalize(),
        scale=alt.Scale(domain=[0, shared.distance], nice=False),
        axis=alt.Axis(format="~r", tickCount=8, labelOverlap=True, grid=False),
    )


def _up(**other: Any) -> alt.Axis:
    return alt.Axis(minExtent=AXIS_PX, maxExtent=AXIS_PX, labelOverlap=True, **other)


def _words() -> alt.Tooltip:
    return alt.Tooltip("word:N", title=" ")
