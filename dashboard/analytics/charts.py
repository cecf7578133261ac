"""The analytics page's charts, by Altair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import altair as alt
import pandas as pd

from dashboard import formatting
from dashboard.analytics.entrants import PACE_BAND_S
from dashboard.charts import BAR_COLOUR, HEIGHT_PX, LINE_COLOURS, MIN_SEC

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboard.analytics.activity import Rates
    from dashboard.charts import Chart

SERIES_COLOURS: Final = (
    "#56b4e9",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#8d7500",
    "#0072b2",
    "#d55e00",
    "#999999",
)
AVERAGE_COLOURS: Final = ("#d55e00", "#0072b2")
LATE_COLOUR: Final = "#d55e00"
OPEN_OPACITY: Final = 0.45
BARS_PX: Final = 34
"""Height of a bar with its gap, in pixels."""
AXIS_PX: Final = 60
"""Height of the axis below the bars, with its title."""
MOST_BARS: Final = 15
"""Of one chart, the longest."""
LABEL_PX: Final = 160
"""So wide the names beside the bars may be."""

_LEGEND: Final = alt.Legend(title=None, orient="bottom", columns=2, labelLimit=300)
_CLOCK: Final = alt.Axis(format="%H:%M:%S", labelOverlap=True, tickCount=6)


def rates(found: Rates, labels: Mapping[str, str], *, per_s: int) -> Chart:
    """Events per `per_s` seconds over the last while, stacked, and the moving averages of all together.

    `labels` are the words for the series; each stays in its place and its colour as long as the series do.
    """
    events = found.events.assign(
        time=pd.to_datetime(found.events["second"], unit="s", utc=True),
        rate=found.events["events"] * (per_s / found.step_s),
        who=found.events["who"].map(lambda who: labels.get(who, who)),
    )
    averages = found.averages.assign(
        time=pd.to_datetime(found.averages["second"], unit="s", utc=True),
        rate=found.averages["rate"] * per_s,
    )
    across = alt.X("time:T", title=None, axis=_CLOCK)
    title = f"events per {'second' if per_s == 1 else 'minute'}"
    words = sorted(events["who"].unique())
    shades = alt.Scale(domain=words, range=list(SERIES_COLOURS[: len(words)]))
    lines = alt.Scale(domain=["1 min average", "5 min average"], range=list(AVERAGE_COLOURS))
    area = (
        alt.Chart(events)
        .mark_area(interpolate="step-after", opacity=0.75)
        .encode(
            x=across,
            y=alt.Y("rate:Q", stack="zero", title=title),
            color=alt.Color("who:N", scale=shades, legend=_LEGEND),
        )
    )
    line = (
        alt.Chart(averages)
        .mark_line(strokeWidth=2)
        .encode(
            x=across, y=alt.Y("rate:Q", title=title), color=alt.Color("what:N", scale=lines, legend=_LEGEND)
        )
    )
    drawn: Chart = alt.layer(area, line).resolve_scale(color="independent").properties(height=HEIGHT_PX)
    return drawn


def paces(found: pd.DataFrame) -> Chart:
    """Mean and median pace over the last hour."""
    table = found.assign(time=pd.to_datetime(found["second"], unit="s", utc=True))
    colours = alt.Scale(domain=["Mean", "Median"], range=list(LINE_COLOURS[:2]))
    drawn: alt.Chart = (
        alt.Chart(table)
        .mark_line(strokeWidth=2, point=len(table) <= 4)
        .encode(
            x=alt.X("time:T", title=None, axis=_CLOCK),
            y=alt.Y(
                "pace:Q",
                title="min:sec per km",
                axis=alt.Axis(labelExpr=MIN_SEC),
                scale=alt.Scale(zero=False, reverse=True),
            ),
            color=alt.Color("what:N", scale=colours, legend=_LEGEND),
        )
        .properties(height=HEIGHT_PX)
    )
    return drawn


def bars(counted: pd.DataFrame, what: str, unit: str, *, value: str = "count") -> Chart:
    """Bars in the order of the rows, the first `MOST_BARS` of them."""
    table = counted[[what, value]].head(MOST_BARS)
    sort = table[what].tolist()
    across = alt.Y(f"{what}:N", sort=sort, title=None, axis=alt.Axis(labelLimit=LABEL_PX))
    long = alt.X(f"{value}:Q", title=unit, axis=alt.Axis(tickMinStep=1, tickCount=5))
    base = alt.Chart(table).encode(y=across, x=long)
    drawn: Chart = alt.layer(
        base.mark_bar(color=BAR_COLOUR),
        base.mark_text(align="left", dx=4).encode(text=alt.Text(f"{value}:Q", format=",.0f")),
    ).properties(height=BARS_PX * len(table) + AXIS_PX)
    return drawn


def pace_bands(counted: pd.DataFrame) -> Chart:
    """Finishers per band of pace, the fastest on the left."""
    words = [band_word(band) for band in counted["band"].tolist()]
    table = pd.DataFrame({"band": words, "count": counted["count"]})
    drawn: alt.Chart = (
        alt.Chart(table)
        .mark_bar(color=BAR_COLOUR)
        .encode(
            x=alt.X(
                "band:N", sort=words, title="min:sec per km", axis=alt.Axis(labelAngle=-45, labelOverlap=True)
            ),
            y=alt.Y("count:Q", title="Finishers", axis=alt.Axis(tickMinStep=1)),
        )
        .properties(height=HEIGHT_PX)
    )
    return drawn


def band_word(band: int) -> str:
    """A band of pace in words: its first and its last second."""
    return f"{formatting.duration(band)}\N{EN DASH}{formatting.duration(band + PACE_BAND_S - 1)}"


def windows(found: pd.DataFrame, size_s: int) -> Chart:
    """The events of each window of event time; what came late on top, windows that are open faded."""
    late = found["late"].clip(upper=found["events"])
    on_time = found["events"] - late
    parts = [
        pd.DataFrame({"what": what, "low": low, "high": high, "open": found["is_open"]}).assign(
            start=pd.to_datetime(found["start"], unit="s", utc=True),
            end=pd.to_datetime(found["start"] + size_s, unit="s", utc=True),
        )
        for what, low, high in (("on time", 0, on_time), ("late", on_time, found["events"]))
    ]
    colours = alt.Scale(domain=["on time", "late"], range=[BAR_COLOUR, LATE_COLOUR])
    drawn: alt.Chart = (
        alt.Chart(pd.concat(parts, ignore_index=True))
        .mark_rect()
        .encode(
            x=alt.X("start:T", title="Event time", axis=_CLOCK),
            x2="end:T",
            y=alt.Y("low:Q", title="Events", axis=alt.Axis(tickMinStep=1)),
            y2="high:Q",
            color=alt.Color("what:N", scale=colours, legend=_LEGEND),
            opacity=alt.condition("datum.open", alt.value(OPEN_OPACITY), alt.value(1.0)),
        )
        .properties(height=HEIGHT_PX)
    )
    return drawn
