"""The analytics page: current activity on the stream, over all races, in wall time and in event time."""

from typing import NamedTuple

import streamlit as st

from dashboard.analytics import charts, competitors, feed, lateness
from dashboard.analytics.activity import Activity
from dashboard.analytics.connection import NAME, StreamConnection
from dashboard.analytics.figures import Figures
from dashboard.analytics.parts import course_labels, follow, if_known, pick, race_labels, section, switch
from dashboard.race import choose
from dashboard.ui import formatting, viewer, viewing, words
from dashboard.ui.theme import ON_WALLS, Chart
from dashboard.ui.viewer import Unit
from dashboard.ui.viewing import View

RATES_S = (1, 2, 5, 10)
"""Refresh intervals of charts and figures."""
SPANS_MIN = (1, 5, 15)
"""Time spans of the figures."""
OPTIONS_EVERY_S = 5
WALL_EVERY_S = 2
"""Refresh interval on a wall, which has no switch for it."""

HISTORIES = {"5 min": (300, 1), "15 min": (900, 5), "1 hour": (3600, 10)}
"""Time spans of the events' chart: seconds shown, and seconds per step."""
UNITS = {"per second": 1, "per minute": 60}
SERIES = {"run": "Race", "course": "Course"}


class Choice(NamedTuple):
    """The viewer's choices for the whole page; None means all."""

    course: str | None
    span_min: int
    every_s: int


def show(create_page: st.Page) -> None:
    """Draw the page in the viewer's view; if the last hour has no events, it links to `create_page`."""
    stream = st.connection(NAME, StreamConnection)
    if viewing.view() is View.WALL:
        _show_on_wall(stream, create_page)
        return
    words.title("Analytics")
    # All parts have their place before the first of them is drawn: what comes later moves nothing.
    top = st.container(horizontal=True, vertical_alignment="bottom", key="analytics-choice")
    with top:
        words.placeholder()
    figures = section("figures")
    events = section("events", "Events")
    with st.container(horizontal=True, key="analytics-pair"):
        pace = section("pace", "Pace")
        late = section("late", "Late events")
    newest = section("newest", "Newest events")
    # Last, because it grows with the finishers.
    people = section("competitors", "Competitors")

    # Taken before drawing: otherwise races that appear meanwhile would count as offered and never be.
    offered = if_known(lambda: _options(stream))
    with top:
        choice = _choose(stream)
    with figures:
        follow(lambda: _figures(stream, choice, create_page), choice.every_s)
    with events:
        _events(stream, choice)
    with pace:
        follow(lambda: _paces(stream, choice), choice.every_s)
    with late:
        lateness.show(stream, choice.course, choice.every_s)
    with newest:
        feed.show(stream, choice.course)
    with people:
        competitors.show(stream, choice.course)
    choose.wait_until(lambda: _options(stream) != offered, OPTIONS_EVERY_S)


def _show_on_wall(stream: StreamConnection, create_page: st.Page) -> None:
    """What fits on a wall: figures, events and paces of all races."""
    choice = Choice(None, SPANS_MIN[0], WALL_EVERY_S)
    with st.container(key="wall-page"):
        words.title("Analytics")
        follow(lambda: _figures(stream, choice, create_page), choice.every_s)
        with st.container(horizontal=True, key="wall-charts"):
            with st.container():
                words.section("Events")
                follow(lambda: _rates(stream, choice, "per second", "run", "5 min"), choice.every_s)
            with st.container():
                words.section("Pace")
                follow(lambda: _paces(stream, choice), choice.every_s)


def _options(stream: StreamConnection) -> tuple[object, ...]:
    """The available courses and races; raises `StoreError`."""
    progress = stream.ask(Activity.progress)
    return set(progress["course"]), set(progress["run"]), race_labels(), course_labels()


def _choose(stream: StreamConnection) -> Choice:
    """The choices for the whole page, in one row."""
    courses = if_known(course_labels) or {}
    known = if_known(lambda: stream.ask(Activity.progress)["course"].unique().tolist()) or []
    course = pick("Course", sorted(known), courses)
    span = switch("Compare the last", SPANS_MIN, SPANS_MIN[0], "{} min".format)
    every = switch("Refresh every", RATES_S, RATES_S[0], "{} s".format)
    return Choice(course, span, every)


def _figures(stream: StreamConnection, choice: Choice, create_page: st.Page) -> None:
    progress = stream.ask(Activity.progress, choice.course)
    updated = stream.activity.until()
    until, now, before = stream.figures(choice.span_min * 60, choice.course)
    reader = viewer.current()
    words.facts(
        f"updated {formatting.clock(1000 * updated, reader)}",
        f"figures up to {formatting.clock(1000 * until, reader)}",
        f"{progress['events'].sum():,} events in the last hour",
        formatting.counted(len(progress), "race", "races"),
    )
    values = zip(labelled(now, reader.unit).items(), labelled(before, reader.unit).values(), strict=True)
    words.tiles(*((word, _figure(value), _change(value, was)) for (word, value), was in values))
    if not len(progress):
        words.notice("No events found: no positions were emitted in the last hour.", "info")
        viewing.offer(create_page)


def labelled(found: Figures, unit: Unit) -> dict[str, float]:
    """The figures by label."""
    return {
        "Events": found.events,
        "Competitors": found.competitors,
        "Finished": found.finished,
        f"{unit.word.capitalize()}s": found.metres / unit.metres,
        "Courses": found.courses,
        "Races": found.races,
    }


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
    _draw(charts.rates(found, labels, viewer.current(), per_s=UNITS[unit]))
    words.legend(charts.rates_legend(found, labels))


def _paces(stream: StreamConnection, choice: Choice) -> None:
    found = stream.ask(Activity.paces, choice.course)
    if found.empty:
        words.notice("No events found for running competitors.", "info")
        return
    _draw(charts.paces(found, viewer.current()))
    words.legend(charts.PACES)


def _draw(chart: Chart) -> None:
    """Draw a chart at its own height; on a wall, at all that is left, in type that grows with the screen."""
    if viewing.view() is View.WALL:
        st.altair_chart(chart.configure(**ON_WALLS), height="stretch")
    else:
        st.altair_chart(chart)
