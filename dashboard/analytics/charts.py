"""The analytics page's charts, by Altair, and their legends.

A chart's specification contains no data: series, colours and order are columns of its table. So the browser
updates the chart's rows instead of rebuilding it every second. A legend is text below its chart, not a part
of it: long names have room there, on a phone too.
"""

from collections.abc import Mapping
from typing import NamedTuple

import altair as alt
import pandas as pd

from dashboard.analytics.activity import Rates
from dashboard.analytics.entrants import PACE_BAND_S
from dashboard.analytics.series import AVERAGED_OVER_S, with_gaps
from dashboard.ui import formatting
from dashboard.ui.theme import BAR_COLOUR, LINE_COLOURS, Chart
from dashboard.ui.viewer import Unit, Viewer


class Mark(NamedTuple):
    """A legend entry: a label, its CSS colour, and the kind of mark (see `.legend` in page.css)."""

    word: str
    colour: str
    kind: str = "area"


INK = "currentColor"
"""The page's text colour in either theme: charts are SVG, so CSS applies."""
AVERAGES = tuple(map(Mark, AVERAGED_OVER_S, (INK, INK), ("line", "dashed")))
PACES = (Mark("Mean", LINE_COLOURS[0], "line"), Mark("Median", LINE_COLOURS[1], "line"))
WINDOWS = (Mark("on time", BAR_COLOUR), Mark("late", "#d55e00"), Mark("still open", BAR_COLOUR, "faint"))
OPEN_OPACITY = 0.45
"""Opacity of open windows, also in page.css: inside a visible outline."""

DASHES = ([1, 0], [3, 3])
"""Line styles of the moving averages, in the order of `AVERAGED_OVER_S`: solid and dashed."""
RATES_PX = 260
PACES_PX = 360
"""Height beside the windows' controls."""
HEIGHT_PX = 240
BARS_PX = 28
"""Height of a bar with its gap, in pixels."""
MOST_BARS = 15
"""Maximum bars of one chart, the longest; the number of others is shown below it."""
LABEL_PX = 130
"""Maximum width of the labels beside the bars."""

_MIN_SEC = alt.Axis(format="%-M:%S", labelOverlap=True, tickCount=6)
"""Paces are drawn as times of day, so that axis marks fall on whole, half and quarter minutes."""


def rates(found: Rates, labels: Mapping[str, str], viewer: Viewer, *, per_s: int) -> Chart:
    """Events per `per_s` seconds, stacked, and the moving averages of all series, which have these labels."""
    who = found.events["who"]
    place = {name: number for number, name in enumerate(found.colours)}
    steps = found.events.assign(
        rate=found.events["events"] * (per_s / found.step_s),
        word=who.map(lambda name: labels.get(name, name)),
        colour=who.map(found.colours),
        place=who.map(place),
    )
    events = _closed(steps, found.step_s)
    events = events.assign(time=_moments(events["second"]))
    averages = found.averages.assign(
        time=_moments(found.averages["second"]), rate=found.averages["rate"] * per_s
    )
    title = f"events per {'second' if per_s == 1 else 'minute'}"
    across, up = alt.X("time:T", title=None, axis=_clock(viewer)), alt.Y("rate:Q", title=title, stack="zero")
    dashes = alt.Scale(domain=list(AVERAGED_OVER_S), range=list(DASHES))
    area = (
        alt.Chart(events)
        .mark_area(interpolate="step-after", opacity=0.85)
        .encode(
            x=across, y=up, color=alt.Color("colour:N", scale=None), order="place:Q", tooltip=_words("word")
        )
    )
    line = (
        alt.Chart(averages)
        .mark_line(strokeWidth=2, color=INK)
        .encode(
            x=across,
            y=alt.Y("rate:Q", title=title),
            strokeDash=alt.StrokeDash("what:N", scale=dashes, legend=None),
            tooltip=_words("what"),
        )
    )
    return alt.layer(area, line).properties(height=RATES_PX)


def _closed(steps: pd.DataFrame, step_s: int) -> pd.DataFrame:
    """The steps and the end of the last one: a step is drawn up to the row that follows it."""
    last = steps[steps["second"] == steps["second"].max()]
    closed: pd.DataFrame = pd.concat([steps, last.assign(second=last["second"] + step_s)], ignore_index=True)
    return closed


def paces(found: pd.DataFrame, viewer: Viewer) -> Chart:
    """Mean and median pace over the last hour; the lines break where no competitor ran."""
    lines = with_gaps(found, "pace")
    values = viewer.unit.pace(lines["pace"])
    table = lines.assign(
        time=_moments(lines["second"]),
        up=_moments(values),
        word=[
            f"{what} {formatting.duration(pace)}" for what, pace in zip(lines["what"], values, strict=True)
        ],
    )
    shades = alt.Scale(domain=[mark.word for mark in PACES], range=[mark.colour for mark in PACES])
    drawn: alt.Chart = (
        alt.Chart(table, height=PACES_PX)
        .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=14))
        .encode(
            x=alt.X("time:T", title=None, axis=_clock(viewer)),
            y=alt.Y(
                "up:T",
                title=viewer.unit.min_sec,
                axis=_MIN_SEC,
                scale=alt.Scale(type="utc", nice=True, reverse=True),
            ),
            color=alt.Color("what:N", scale=shades, legend=None),
            tooltip=_words("word"),
        )
    )
    return drawn


def bars(counted: pd.DataFrame, what: str, value: str = "count") -> Chart:
    """Bars in the order of the rows, at most `MOST_BARS`, each with its number."""
    table = counted[[what, value]].head(MOST_BARS)
    number = alt.Text(f"{value}:Q", format=",.0f")
    in_order = alt.EncodingSortField("place", op="min")
    names = alt.Axis(labelLimit=LABEL_PX, labelExpr="slice(datum.value, 1)")
    # Vega keeps bars by name in an object, which has inherited keys such as `constructor` and `__proto__`.
    table = table.assign(
        place=range(len(table)),
        key="=" + table[what],
        word=[f"{name}: {amount:,.0f}" for name, amount in zip(table[what], table[value], strict=True)],
    )
    base = alt.Chart(table).encode(
        x=alt.X(f"{value}:Q", axis=None, scale=alt.Scale(nice=False)),
        y=alt.Y("key:N", sort=in_order, title=None, axis=names),
        tooltip=_words("word"),
    )
    return alt.layer(
        base.mark_bar(color=BAR_COLOUR), base.mark_text(align="left", dx=4, color=INK).encode(text=number)
    ).properties(height=alt.Step(BARS_PX), autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))


def pace_bands(counted: pd.DataFrame, unit: Unit) -> Chart:
    """Finishers per pace band, the fastest on the left."""
    table = pd.DataFrame(
        {
            "from": _moments(counted["band"]),
            "to": _moments(counted["band"] + PACE_BAND_S),
            "count": counted["count"],
            "word": [
                f"{count:,} at {band_word(band)}" for band, count in counted[["band", "count"]].to_numpy()
            ],
        }
    )
    drawn: alt.Chart = (
        alt.Chart(table, height=HEIGHT_PX)
        .mark_rect(color=BAR_COLOUR, stroke=INK, strokeOpacity=0.25, strokeWidth=0.5)
        .encode(
            x=alt.X("from:T", title=unit.min_sec, axis=_MIN_SEC, scale=alt.Scale(type="utc")),
            x2="to:T",
            y=alt.Y("count:Q", title="Finishers", axis=alt.Axis(tickMinStep=1)),
            tooltip=_words("word"),
        )
    )
    return drawn


def band_word(band: int) -> str:
    """A pace band as text: its first and its last second."""
    return f"{formatting.duration(band)}\N{EN DASH}{formatting.duration(band + PACE_BAND_S - 1)}"


def windows(found: pd.DataFrame, size_s: int, viewer: Viewer) -> Chart:
    """The events of each event-time window, late ones on top; open windows are faded with an outline."""
    late = found["late"].clip(upper=found["events"])
    on_time = found["events"] - late
    parts = [
        pd.DataFrame({"low": low, "high": high, "open": found["is_open"]}).assign(
            colour=mark.colour,
            start=_moments(found["start"]),
            end=_moments(found["start"] + size_s),
            word=[f"{count:,} {mark.word}" for count in high - low],
        )
        for mark, low, high in zip(
            WINDOWS[:2], (on_time * 0, on_time), (on_time, found["events"]), strict=True
        )
    ]
    table = pd.concat(parts, ignore_index=True)
    table = table[table["high"] > table["low"]]  # an empty bar would get an outline
    drawn: alt.Chart = (
        alt.Chart(table, height=HEIGHT_PX)
        .mark_rect(strokeWidth=1.5)
        .encode(
            x=alt.X("start:T", title="Event time", axis=_clock(viewer)),
            x2="end:T",
            y=alt.Y("low:Q", title="Events", axis=alt.Axis(tickMinStep=1)),
            y2="high:Q",
            fill=alt.Fill("colour:N", scale=None),
            fillOpacity=alt.condition("datum.open", alt.value(OPEN_OPACITY), alt.value(1.0)),
            stroke=alt.Stroke("colour:N", scale=None),
            strokeOpacity=alt.condition("datum.open", alt.value(1.0), alt.value(0.0)),
            tooltip=_words("word"),
        )
    )
    return drawn


def _clock(viewer: Viewer) -> alt.Axis:
    return alt.Axis(format=formatting.axis_clock(viewer, seconds=True), labelOverlap=True, tickCount=6)


def _moments(seconds: pd.Series) -> pd.Series:
    return pd.to_datetime(seconds, unit="s", utc=True)


def _words(column: str) -> alt.Tooltip:
    return alt.Tooltip(f"{column}:N", title=" ")


def rates_legend(found: Rates, labels: Mapping[str, str]) -> list[Mark]:
    """The legend of the event rates."""
    return [*(Mark(labels.get(who, who), colour) for who, colour in found.colours.items()), *AVERAGES]
