"""The newest events as a table, with unusual ones highlighted."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from dashboard.analytics.activity import Activity
from dashboard.analytics.connection import StreamConnection
from dashboard.analytics.parts import follow, if_known, pick, race_labels, races_on, switch
from dashboard.store.protocol import OUT
from dashboard.ui import formatting, viewer, words
from dashboard.ui.viewer import Viewer

EVERY_S = (1, 2, 6, 10, 30)
DEFAULT_S = 6
ROWS = 100
HEIGHT_PX = 420

LATE = "late"
MARKS = {
    LATE: "background-color: rgb(213 94 0 / 28%)",
    "paused": "background-color: rgb(230 159 0 / 26%)",
    "finished": "background-color: rgb(0 158 115 / 24%)",
    **dict.fromkeys(OUT, "background-color: rgb(128 128 128 / 28%)"),
}
"""Row styles by status, and for late events. The table also has the word."""


def show(stream: StreamConnection, course: str | None) -> None:
    """Draw the table, of one course or of all, and the choices of race, bib and interval."""
    # Both or neither: otherwise a race would count as one on another course when the store becomes
    # unavailable.
    labels, here = if_known(lambda: (race_labels(), races_on(course))) or ({}, [])
    with st.container(horizontal=True, vertical_alignment="bottom", key="analytics-feed"):
        run_id = pick("Race", here, labels, labels.keys() - set(here))
        bib = st.number_input("Bib", min_value=1, step=1, value=None, placeholder="all", key="analytics-bib")
        every = switch("Every", EVERY_S, DEFAULT_S, "{} s".format)
    follow(lambda: _newest(stream.ask(Activity.newest, ROWS, run_id, bib, course), labels), every)


def _newest(events: pd.DataFrame, labels: Mapping[str, str]) -> None:
    if events.empty:
        words.notice("No events found.", "info")
        return
    shown = _table(events, labels, viewer.current()).style.apply(_mark, axis=1)
    st.dataframe(shown, height=HEIGHT_PX, hide_index=True, row_height=30, column_config=_columns())


def _table(events: pd.DataFrame, labels: Mapping[str, str], reader: Viewer) -> pd.DataFrame:
    """The columns as shown, of events as `Activity.newest` returns them, in their order."""
    emitted = events["emitted_at"].tolist()
    elapsed, distance = events["elapsed"].tolist(), events["distance"].tolist()
    return pd.DataFrame(
        {
            "Emitted": [formatting.exact_clock(ms, reader) for ms in emitted],
            "Bib": events["competitor"],
            "Status": events["status"],
            "Race time": [formatting.race_time(seconds) for seconds in elapsed],
            "Distance": [formatting.distance(metres, reader.unit) for metres in distance],
            "Pace": [
                formatting.pace(s, metres, reader.unit) for s, metres in zip(elapsed, distance, strict=True)
            ],
            "Event time": [formatting.clock(ms, reader) for ms in events["timestamp"].tolist()],
            "Arrived": [LATE if is_late else "on time" for is_late in events["late"].tolist()],
            "Race": [labels.get(run, run) for run in events["run"].tolist()],
        }
    )


def _columns() -> dict[str, ColumnConfig]:
    """Column widths; race names, of unknown length, take the rest."""
    text = st.column_config.TextColumn
    return {
        "Emitted": text(width=126),
        "Bib": st.column_config.NumberColumn(width=60, format="%d"),
        "Status": text(width=85),
        **{name: text(width=90, alignment="right") for name in ("Race time", "Distance", "Pace")},
        "Event time": text(width=90),
        "Arrived": text(width=75),
    }


def _mark(row: pd.Series) -> list[str]:
    """The style of an unusual row's cells."""
    key = LATE if row["Arrived"] == LATE else str(row["Status"])
    return [MARKS.get(key, "")] * len(row)
