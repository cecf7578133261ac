"""The charts of the results page, made with Altair."""

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from dashboard.race import finish_list
from dashboard.race.finish_list import Results
from dashboard.ui.theme import BAND_COLOUR, BAR_COLOUR, LINE_COLOURS, Chart
from dashboard.ui.viewer import Unit

HEIGHT_PX = 300
LEGEND_ROW_PX = 30
LEGEND_COLUMNS = 2

MEDIAN, WINNER, LEADER = "Median", "Winner", "Leader"
MIN_SEC = "floor(round(datum.value) / 60) + ':' + format(round(datum.value) % 60, '02')"
H_MM_SS = (
    "floor(datum.value / 3600) + ':' + format(floor(datum.value / 60) % 60, '02')"
    " + ':' + format(floor(datum.value) % 60, '02')"
)


def pace(found: Results, length: float | None, chosen: Mapping[str, int], unit: Unit) -> Chart | None:
    """Pace by split: median and middle 80 % of the field, the winner, and the selected competitors.

    `chosen` are rows of the results by label. None before the first split.
    """
    metres, paces = finish_list.paces(found, length)
    paces = unit.pace(paces)
    been = ~np.isnan(paces).all(axis=0)
    metres, paces = metres[been], paces[:, been]
    if not len(metres):
        return None
    low, middle, high = np.nanpercentile(paces, (10, 50, 90), axis=0)
    distance = metres / unit.metres
    band = pd.DataFrame({"distance": distance, "low": low, "high": high})
    rows = {WINNER if found.finished[0] else LEADER: 0, **chosen}
    lines = pd.concat(
        [
            pd.DataFrame({"distance": distance, "pace": values, "who": word})
            for word, values in [(MEDIAN, middle), *((word, paces[row]) for word, row in rows.items())]
        ]
    ).dropna()
    words = [MEDIAN, *rows]
    across = alt.X("distance:Q", title=unit.word.capitalize(), axis=alt.Axis(tickMinStep=1, format="~r"))
    marks = finish_list.marks(np.concatenate([low, high, lines["pace"].to_numpy(float)]))
    up = alt.Scale(domain=[marks[0], marks[-1]], reverse=True)
    axis = alt.Axis(title=unit.min_sec, labelExpr=MIN_SEC, values=marks.tolist())
    area = alt.Chart(band).mark_area(opacity=0.2, color=BAND_COLOUR)
    line = alt.Chart(lines).mark_line(point=True, strokeWidth=2.5)
    colours = alt.Scale(domain=words, range=list(LINE_COLOURS[: len(words)]))
    return alt.layer(
        area.encode(x=across, y=alt.Y("low:Q", scale=up, axis=axis), y2="high:Q"),
        line.encode(
            x=across,
            y=alt.Y("pace:Q", scale=up, axis=axis),
            color=alt.Color(
                "who:N", scale=colours, legend=alt.Legend(title=None, orient="bottom", columns=LEGEND_COLUMNS)
            ),
        ),
    ).properties(height=HEIGHT_PX + LEGEND_ROW_PX * -(-len(words) // LEGEND_COLUMNS))  # the legend is in it


def finish_times(found: Results) -> Chart | None:
    """Histogram of the finish times that places go by; None without finishers."""
    width, counts, starts = finish_list.bins(found.time)
    if not len(counts):
        return None
    marks = finish_list.marks(found.time).tolist()
    table = pd.DataFrame({"from": starts, "to": starts + width, "finishers": counts})
    drawn: alt.Chart = (
        alt.Chart(table)
        .mark_bar(color=BAR_COLOUR, binSpacing=1)
        .encode(
            x=alt.X(
                "from:Q",
                bin="binned",
                title=f"{found.rank.capitalize()} time",
                axis=alt.Axis(labelExpr=H_MM_SS, values=marks, labelOverlap=True),
                scale=alt.Scale(zero=False, nice=False),
            ),
            x2="to:Q",
            y=alt.Y("finishers:Q", title="Finishers", axis=alt.Axis(tickMinStep=1)),
        )
        .properties(height=HEIGHT_PX)
    )
    return drawn
