"""Bar charts of the entrants of the last hour's races and their results."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd
import streamlit as st

from dashboard.analytics import charts
from dashboard.analytics.connection import StreamConnection
from dashboard.analytics.entrants import NO_CLUB, Entrants, count_by, fence_times, pace_bands
from dashboard.analytics.parts import course_labels, follow, if_known, pick
from dashboard.race.sample import MOST_WHOLE, SAMPLED
from dashboard.ui import viewer, words
from dashboard.ui.theme import Chart
from dashboard.ui.viewer import Unit

EVERY_S = 5
NO_FINISHER = "No finisher found."


class Bars(NamedTuple):
    """A heading, a chart (None if there is nothing to count), the text without one, and the bars left out."""

    title: str
    chart: Chart | None
    nothing: str
    more: int = 0


def show(stream: StreamConnection, course: str | None) -> None:
    """Draw the bars, of one course or of all, and the choice of a category."""
    entrants = if_known(stream.entrants) or Entrants.of([])
    here = entrants.only(course, None).categories
    with st.container(horizontal=True, key="analytics-category"):
        category = pick("Category", here, {}, set(entrants.categories) - set(here))
    follow(lambda: _draw(stream, course, category, here), EVERY_S)


def _draw(stream: StreamConnection, course: str | None, category: str | None, offered: list[str]) -> None:
    here = stream.entrants().only(course, None)
    if here.categories != offered:
        st.rerun()
    entrants = here.only(None, category)
    labels = course_labels()
    if entrants.sampled:
        words.hint(
            f"Of a race with more than {MOST_WHOLE:,} competitors, these are a sample of about {SAMPLED:,}."
        )
    with st.container(horizontal=True, key="analytics-bars"):
        for title, chart, nothing, more in _bar_charts(entrants, labels, viewer.current().unit):
            with st.container(key=f"analytics-bar-{title.split()[-1]}"):
                words.group(title)
                if chart is None:
                    words.notice(nothing if len(entrants.people) else "No events found.", "info")
                else:
                    st.altair_chart(chart)
                if more:
                    words.hint(f"and {more:,} more")


def _bar_charts(entrants: Entrants, courses: Mapping[str, str], unit: Unit) -> list[Bars]:
    finishers = entrants.people[entrants.people["finished"]]
    by_course = count_by(entrants.people, "course")
    by_course["course"] = by_course["course"].map(lambda name: courses.get(name, name))
    fences = fence_times(entrants.stays)
    fences["minutes"] = fences["seconds"] / 60
    bands = pace_bands(finishers, unit)
    members = finishers[finishers["club"] != NO_CLUB]
    pace_chart = charts.pace_bands(bands, unit) if len(bands) else None
    return [
        _bars("Competitors per course", by_course, "course", "No events found."),
        Bars("Finishers per pace band", pace_chart, NO_FINISHER),
        _bars("Minutes in each geofence", fences, "fence", "No geofence visits found.", "minutes"),
        _bars("Finishers per category", count_by(finishers, "category"), "category", NO_FINISHER),
        _bars("Finishers per club", count_by(members, "club"), "club", "No finisher with a club found."),
    ]


def _bars(title: str, counted: pd.DataFrame, what: str, nothing: str, value: str = "count") -> Bars:
    chart = charts.bars(counted, what, value) if len(counted) else None
    return Bars(title, chart, nothing, max(0, len(counted) - charts.MOST_BARS))
