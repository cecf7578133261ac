"""A race's watermark, its late events, and its event-time windows."""

from collections.abc import Mapping

import streamlit as st

from dashboard.analytics import charts
from dashboard.analytics.activity import Activity
from dashboard.analytics.connection import StreamConnection
from dashboard.analytics.parts import follow, if_known, in_order, race_labels, switch
from dashboard.analytics.windows import SIZES_S
from dashboard.store.protocol import StoreError
from dashboard.ui import formatting, viewer, words
from dashboard.ui.select import chosen, select

WINDOWS_OF = "analytics-of"
"""Session state key of the race."""


def show(stream: StreamConnection, course: str | None, every_s: int) -> None:
    """Draw it for a race that the viewer chooses, of one course or of all."""
    of = chosen(WINDOWS_OF)
    try:
        run_ids = stream.ask(Activity.progress, course)["run"].tolist()
    except StoreError as error:
        if of is None:
            words.notice(str(error))
            return
        run_ids = [of]
    labels = if_known(race_labels) or {}
    with st.container(horizontal=True, vertical_alignment="bottom", key="analytics-windows"):
        run_id = _pick_race(run_ids, labels)
        size_s = switch("Window size", SIZES_S, 10, "{} s".format, key="analytics-size")
    follow(lambda: _lateness(stream, run_id, size_s), every_s)


def _pick_race(run_ids: list[str], labels: Mapping[str, str]) -> str | None:
    """One of the races, by name; the first one initially, and when the chosen one has disappeared."""
    word = "Windows of"
    if not run_ids:
        st.selectbox(word, [], disabled=True, placeholder="No race")
        return None
    if chosen(WINDOWS_OF) not in run_ids:
        st.session_state[WINDOWS_OF] = run_ids[0]
    known = {run: labels.get(run, run) for run in run_ids}
    options = in_order(WINDOWS_OF, sorted(known, key=known.__getitem__))
    return select(word, {run: known[run] for run in options}, key=WINDOWS_OF)


def _lateness(stream: StreamConnection, run_id: str | None, size_s: int) -> None:
    if run_id is None:
        words.notice("No events found.", "info")
        return
    progress = stream.ask(Activity.progress)
    these = progress[progress["run"] == run_id]
    found = stream.ask(Activity.windows, run_id, size_s)
    if these.empty or found is None:
        words.notice("No events found in the last hour.", "info")
        return
    race = these.iloc[0]
    late, events = int(race["late"]), int(race["events"])
    words.facts(
        f"watermark {formatting.clock(1000 * int(race['watermark']), viewer.current())} event time",
        f"{stream.activity.allowed_lateness_s} s allowed",
        f"{late:,} of {events:,} events late ({late / events:.2%})",
    )
    if found.empty:
        words.notice("No complete windows yet.", "info")
        return
    st.altair_chart(charts.windows(found, size_s, viewer.current()))
    words.legend(charts.WINDOWS)
