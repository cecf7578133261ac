"""The analytics page: current activity on the stream, over all races, in wall time and in event time."""

from dataclasses import astuple
from typing import NamedTuple

import streamlit as st

from dashboard.analytics import charts, competitors, feed, lateness
from dashboard.analytics.activity import Activity
from dashboard.analytics.connection import NAME, StreamConnection
from dashboard.analytics.parts import course_labels, follow, if_known, pick, race_labels, switch
from dashboard.race import choose
from dashboard.ui import formatting, words

RATES_S = (1, 2, 5, 10)
"""Refresh intervals of charts and figures."""
SPANS_MIN = (1, 5, 15)
"""Time spans of the figures."""
OPTIONS_EVERY_S = 5

HISTORIES = {"5 min": (300, 1), "15 min": (900, 5), "1 hour": (3600, 10)}
"""Time spans of the events' chart: seconds shown, and seconds per step."""
UNITS = {"per second": 1, "per minute": 60}
SERIES = {"run": "Race", "course": "Course"}
SHADES = "analytics-shades"
"""Session state key of the colours of the events' series."""

FIGURES = ("Events", "Competitors", "Finished", "Kilometres", "Courses", "Races")


class Choice(NamedTuple):
    """The viewer's choices for the whole page; None means all."""

    course: str | None
    span_min: int
    every_s: int


def show(create_page: st.Page) -> None:
    """Draw the page; if the last hour has no events, it links to `create_page`."""
    stream = st.connection(NAME, StreamConnection)
    words.title("Analytics")
    # Taken before drawing: otherwise races that appear meanwhile would count as offered and never be.
    offered = if_known(lambda: _options(stream))
    choice = _choose(stream)
    every = choice.every_s
    follow(lambda: _figures(stream, choice, create_page), every)
    words.section("Events")
    _events(stream, choice)
    with st.container(horizontal=True, key="analytics-pair"):
        with st.container(key="analytics-pace"):
            words.section("Pace")
            follow(lambda: _paces(stream, choice), every)
        with st.container(key="analytics-late"):
            words.section("Late events")
            lateness.show(stream, choice.course, every)
    words.section("Newest events")
    feed.show(stream, choice.course)
    # Last, because it grows with the finishers.
    words.section("Competitors")
    competitors.show(stream, choice.course)
    choose.wait_until(lambda: _options(stream) != offered, OPTIONS_EVERY_S)


def _options(stream: StreamConnection) -> tuple[object, ...]:
    """The available courses and races; raises `StoreError`."""
    progress = stream.ask(Activity.progress)
    return set(progress["course"]), set(progress["run"]), race_labels(), course_labels()


def _choose(stream: StreamConnection) -> Choice:
    """The choices for the whole page, in one row."""
    courses = if_known(course_labels) or {}
    known = if_known(lambda: stream.ask(Activity.progress)["course"].unique().tolist()) or []
    with st.container(horizontal=True, vertical_alignment="bottom", key="analytics-choice"):
        course = pick("Course", sorted(known), courses)
        span = switch("Compare the last", SPANS_MIN, SPANS_MIN[0], "{} min".format)
        every = switch("Refresh every", RATES_S, RATES_S[0], "{} s".format)
    return Choice(course, span, every)


def _figures(stream: StreamConnection, choice: Choice, create_page: st.Page) -> None:
    progress = stream.ask(Activity.progress, choice.course)
    updated = stream.activity.until()
    until, now, before = stream.figures(choice.span_min * 60, choice.course)
    zone = st.context.timezone
    words.facts(
        f"updated {formatting.clock(1000 * updated, zone)}",
        f"figures up to {formatting.clock(1000 * until, zone)}",
        f"{progress['events'].sum():,} events in the last hour",
        f"{len(progress):,} race{'s' if len(progress) != 1 else ''}",
    )
    values = zip(FIGURES, astuple(now), astuple(before), strict=True)
    words.tiles(*((word, _figure(value), _change(value, was)) for word, value, was in values))
    if not len(progress):
        words.notice("No events found: no positions were emitted in the last hour.", "info")
        st.page_link(create_page, label="Create a race", icon=":material/add_circle:")


def _figure(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _change(value: float, was: float) -> str:
    if not was:
        return "none before"
    change = value / was - 1
    return f"{formatting.change(change)}, was {_figure(was)}" if change else "no change"


def _events(stream: StreamConnection, choice: Choice) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="analytics-rates"):
        unit = switch("Count", list(UNITS), "per second")
        by = switch("By", list(SERIES), "run", SERIES.__getitem__)
        shown = switch("Over", list(HISTORIES), "5 min")
    follow(lambda: _rates(stream, choice, unit, by, shown), choice.every_s)


def _rates(stream: StreamConnection, choice: Choice, unit: str, by: str, shown: str) -> None:
    span_s, step_s = HISTORIES[shown]
    found = stream.ask(Activity.rates, by, span_s, max(step_s, UNITS[unit]), choice.course)
    if found.events.empty:
        whole = "any whole minute of " if unit == "per minute" else ""
        words.notice(f"No events found in {whole}the last {shown}.", "info")
        return
    labels = race_labels() if by == "run" else course_labels()
    shades = charts.colours(found.events["who"].unique(), st.session_state.get(SHADES, {}))
    st.session_state[SHADES] = shades
    st.altair_chart(charts.rates(found, labels, shades, per_s=UNITS[unit]))
    words.legend(charts.rates_legend(labels, shades))


def _paces(stream: StreamConnection, choice: Choice) -> None:
    found = stream.ask(Activity.paces, choice.course)
    if found.empty:
        words.notice("No events found for running competitors.", "info")
        return
    st.altair_chart(charts.paces(found))
    words.legend(charts.PACES)
