"""The charts of the results page, made with Altair."""

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from dashboard.race import finish_list
from dashboard.race.finish_list import Results
from dashboard.ui.theme import BAND_COLOUR, BAR_COLOUR, LINE_COLOURS, Chart
from dashboard.ui.viewer import Unit
from stream.arrays import Floats
from stream.results import Rank

HEIGHT_PX = 300
LEGEND_ROW_PX = 30
LEGEND_COLUMNS = 2

MEDIAN, WINNER, LEADER = "Median", "Winner", "Leader"
MIN_SEC = "floor(round(datum.value) / 60) + ':' + format(round(datum.value) % 60, '02')"
H_MM_SS = (
    "floor(datum.value / 3600) + ':' + format(floor(datum.value / 60) % 60, '02')"
    " + ':' + format(floor(datum.value) % 60, '02')"
)


def pace(
    field: Results, found: Results, length: float | None, chosen: Mapping[str, int], unit: Unit
) -> Chart | None:
    """Pace by split: median and middle 80 % of a field, the winner, and the selected competitors.

    `chosen` are rows of the results `found` by label, which may be others than the field's. None before the
    first split.
    """
    distance, paces = _paces(field, length, unit)
    if not len(distance):
        return None
    low, middle, high = np.nanpercentile(paces, (10, 50, 90), axis=0)
    band = pd.DataFrame({"distance": distance, "low": low, "high": high})
    own, runs = (distance, paces) if found is field else _paces(found, length, unit)
    first = {WINNER if found.finished[0] else LEADER: 0} if len(found) else {}
    rows = {**first, **chosen}
    lines = pd.concat(
        [
            pd.DataFrame({"distance": metres, "pace": values, "who": word})
            for word, metres, values in [
                (MEDIAN, distance, middle),
                *((word, own, runs[row]) for word, row in rows.items()),
            ]
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


def _paces(found: Results, length: float | None, unit: Unit) -> tuple[Floats, Floats]:
    """Where the stretches end that competitors have run, shape (s,), and their paces, shape (n, s)."""
    metres, paces = finish_list.paces(found, length)
    paces = unit.pace(paces)
    been = ~np.isnan(paces).all(axis=0)
    return metres[been] / unit.metres, paces[:, been]


def finish_times(times: Floats, rank: Rank) -> Chart | None:
    """Histogram of the finish times that places go by, in seconds; None without finishers."""
    width, counts, starts = finish_list.bins(times)
    if not len(counts):
        return None
    marks = finish_list.marks(times).tolist()
    table = pd.DataFrame({"from": starts, "to": starts + width, "finishers": counts})
    drawn: alt.Chart = (
        alt.Chart(table)
        .mark_bar(color=BAR_COLOUR, binSpacing=1)
        .encode(
            x=alt.X(
                "from:Q",
                bin="binned",
                title=f"{rank.capitalize()} time",
                axis=alt.Axis(labelExpr=H_MM_SS, values=marks, labelOverlap=True),
                scale=alt.Scale(zero=False, nice=False),
            ),
            x2="to:Q",
            y=alt.Y("finishers:Q", title="Finishers", axis=alt.Axis(tickMinStep=1)),
        )
        .properties(height=HEIGHT_PX)
    )
    return drawn
