"""The chart of arrivals, by Altair. Its specification contains no data: the browser only updates its rows."""

import altair as alt
import pandas as pd

from dashboard.raceday.arrivals import STEP_S, Arrivals
from dashboard.ui import formatting
from dashboard.ui.theme import BAR_COLOUR, Chart
from dashboard.ui.viewer import Viewer
from stream.arrays import Ints

HEIGHT_PX = 190
ROOM_PX = 16
"""Pixels around a chart, so that its place does not scroll."""
FAINT = 0.45
"""Opacity of expected arrivals, inside a visible outline; also in page.css."""
LEGEND = (("so far", BAR_COLOUR, "area"), ("expected", BAR_COLOUR, "faint"))


def arrivals(found: Arrivals, viewer: Viewer) -> Chart:
    """Arrivals by five minutes, with those that are expected on top of those so far."""
    so_far = found.so_far.astype(float)
    parts = [
        pd.DataFrame({"low": low, "high": high, "expected": is_expected}).assign(
            start=_moments(found.start),
            end=_moments(found.start + STEP_S),
            word=[
                f"{formatting.short_clock(1000 * start, viewer)}: {many:,.0f} {word}"
                for start, many in zip(found.start.tolist(), high - low, strict=True)
            ],
        )
        for low, high, is_expected, word in (
            (so_far * 0, so_far, False, "so far"),
            (so_far, so_far + found.expected, True, "expected"),
        )
    ]
    table = pd.concat(parts, ignore_index=True)
    table = table[table["high"] > table["low"]]  # an empty bar would get an outline
    drawn: alt.Chart = (
        alt.Chart(table, height=HEIGHT_PX)
        .mark_rect(strokeWidth=1, fill=BAR_COLOUR, stroke=BAR_COLOUR)
        .encode(
            x=alt.X("start:T", title=None, axis=_clock(viewer)),
            x2="end:T",
            y=alt.Y("low:Q", title="Arrivals in 5 min", axis=alt.Axis(tickMinStep=1)),
            y2="high:Q",
            fillOpacity=alt.condition("datum.expected", alt.value(FAINT), alt.value(1.0)),
            strokeOpacity=alt.condition("datum.expected", alt.value(1.0), alt.value(0.0)),
            tooltip=alt.Tooltip("word:N", title=" "),
        )
    )
    return drawn


def _clock(viewer: Viewer) -> alt.Axis:
    return alt.Axis(format=formatting.axis_clock(viewer), labelOverlap=True, tickCount=6)


def _moments(seconds: Ints) -> pd.Series:
    return pd.Series(pd.to_datetime(seconds, unit="s", utc=True))
