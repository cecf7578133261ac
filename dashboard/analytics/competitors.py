"""Bar charts of the entrants of the last hour's races and their results."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from dashboard.analytics import charts
from dashboard.analytics.entrants import NO_CLUB, Entrants, count_by, fence_times, pace_bands
from dashboard.analytics.parts import course_labels, follow, if_known, pick
from dashboard.ui import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from dashboard.analytics.connection import StreamConnection
    from dashboard.ui.theme import Chart

EVERY_S = 5
PER_COURSE = "Competitors per course"
PER_BAND = "Finishers per pace band"
PER_FENCE = "Minutes in each geofence"
PER_CATEGORY = "Finishers per category"
PER_CLUB = "Finishers per club"
NO_BARS = {
    PER_BAND: "No finisher found.",
    PER_FENCE: "No geofence visits found.",
    PER_CATEGORY: "No finisher found.",
    PER_CLUB: "No finisher with a club found.",
}
"""Messages for competitors without anything to count."""


class Bars(NamedTuple):
    """A chart, None if there is nothing to count; its heading; the number of bars left out."""

    title: str
    chart: Chart | None
    more: int = 0


def show(stream: StreamConnection, course: str | None) -> None:
    """Draw the bars, of one course or of all, and the choice of a category."""
    entrants = if_known(stream.entrants) or Entrants.of([])
    here = entrants.only(course, None).categories
    with st.container(horizontal=True, key="analytics-category"):
        category = pick("Category", here, {}, set(entrants.categories) - set(here))
    follow(lambda: _bars(stream, course, category, here), EVERY_S)


def _bars(stream: StreamConnection, course: str | None, category: str | None, offered: list[str]) -> None:
    here = stream.entrants().only(course, None)
    if here.categories != offered:
        st.rerun()
    entrants = here.only(None, category)
    labels = course_labels()
    with st.container(horizontal=True, key="analytics-bars"):
        for title, chart, more in _bar_charts(entrants, labels):
            with st.container(key=f"analytics-bar-{title.split()[-1]}"):
                words.group(title)
                if chart is None:
                    words.notice(NO_BARS[title] if len(entrants.people) else "No events found.", "info")
                else:
                    st.altair_chart(chart)
                if more:
                    words.hint(f"and {more:,} more")


def _bar_charts(entrants: Entrants, courses: Mapping[str, str]) -> list[Bars]:
    finishers = entrants.people[entrants.people["finished"]]
    by_course = count_by(entrants.people, "course")
    by_course["course"] = by_course["course"].map(lambda name: courses.get(name, name))
    fences = fence_times(entrants.stays)
    fences["minutes"] = fences["seconds"] / 60
    bands = pace_bands(finishers)
    members = finishers[finishers["club"] != NO_CLUB]
    return [
        _bars_of(PER_COURSE, by_course, "course"),
        Bars(PER_BAND, charts.pace_bands(bands) if len(bands) else None),
        _bars_of(PER_FENCE, fences, "fence", "minutes"),
        _bars_of(PER_CATEGORY, count_by(finishers, "category"), "category"),
        _bars_of(PER_CLUB, count_by(members, "club"), "club"),
    ]


def _bars_of(title: str, counted: pd.DataFrame, what: str, value: str = "count") -> Bars:
    chart = charts.bars(counted, what, value) if len(counted) else None
    return Bars(title, chart, max(0, len(counted) - charts.MOST_BARS))
