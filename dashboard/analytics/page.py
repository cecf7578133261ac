"""The analytics page: what comes on the stream just now, over all races, in wall time and in event time."""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import streamlit as st

from dashboard import context, formatting, words
from dashboard.analytics import charts, feed, legend
from dashboard.analytics.connection import NAME, StreamConnection
from dashboard.analytics.entrants import count_by, fence_times, pace_bands
from dashboard.analytics.figures import changes
from dashboard.analytics.windows import SIZES_S
from dashboard.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from dashboard.analytics.entrants import Entrants
    from dashboard.charts import Chart

RATES_S: Final = (1, 2, 5, 10)
"""How often charts and figures are drawn anew."""
SPANS_MIN: Final = (1, 5, 15)
"""Of the figures."""
FEED_EVERY_S: Final = (1, 2, 6, 10, 30)
FEED_DEFAULT_S: Final = 6
FEED_ROWS: Final = 100
FEED_PX: Final = 420
BARS_EVERY_S: Final = 5
OPTIONS_EVERY_S: Final = 5

HISTORIES: Final = {"5 min": (300, 1), "15 min": (900, 5), "1 hour": (3600, 10)}
"""Spans of the events' chart: seconds shown, and seconds of a step."""
UNITS: Final = {"per second": 1, "per minute": 60}
SERIES: Final = {"run": "Race", "course": "Course"}
EVERYTHING: Final = "All"
WINDOWS_OF: Final = "analytics-of"
SHADES: Final = "analytics-shades"
"""Where in the session the colours are kept that the events' series have."""

T = TypeVar("T")

FIGURES: Final = ("Events", "Competitors", "Finished", "Kilometres", "Courses", "Races")


class Choice(NamedTuple):
    """What the viewer has chosen for the whole page; None is everything."""

    course: str | None
    span_min: int
    every_s: int


def show(create_page: st.Page) -> None:
    """Draw the page; where nothing has come for an hour, it leads to `create_page`."""
    stream = st.connection(NAME, StreamConnection)
    words.title("Analytics")
    choice = _choose(stream)
    every = choice.every_s
    _follow(lambda: _figures(stream, choice, create_page), every)
    words.section("Events")
    _events(stream, choice)
    with st.container(horizontal=True, key="analytics-pair"):
        with st.container(key="analytics-pace"):
            words.section("Pace")
            _follow(lambda: _paces(stream, choice), every)
        with st.container(key="analytics-late"):
            words.section("Late events")
            _late(stream, choice)
    words.section("Newest events")
    _feed(stream)
    # Last, for it grows with the finishers.
    words.section("Competitors")
    _competitors(stream, choice)
    _watch(stream)


def _watch(stream: StreamConnection) -> None:
    """Run the page again as soon as there is something else to choose from."""
    drawn = _options(stream)

    @st.fragment(run_every=OPTIONS_EVERY_S)
    def look() -> None:
        now = _options(stream)
        if now is not None and now != drawn:
            st.rerun()

    look()


def _options(stream: StreamConnection) -> tuple[object, ...] | None:
    """Whatever can be chosen; None while the store is away."""

    def ask() -> tuple[object, ...]:
        told = stream.progress(None)
        categories = stream.entrants().categories
        return set(told["course"]), set(told["run"]), categories, _race_labels(), _course_labels()

    return _if_known(ask)


def _if_known(ask: Callable[[], T]) -> T | None:
    """An answer; None while the store is away, which the parts of the page say that follow it."""
    try:
        return ask()
    except StoreError:
        return None


def _follow(draw: Callable[[], None], every_s: int) -> None:
    """Draw a part of the page again and again; while the store is away, say so in its place."""

    @st.fragment(run_every=every_s)
    def part() -> None:
        try:
            draw()
        except StoreError as error:
            words.notice(str(error))

    part()


def _choose(stream: StreamConnection) -> Choice:
    """The choices for the whole page, in one row."""
    courses = _if_known(_course_labels) or {}
    told = _if_known(lambda: stream.progress(None)["course"].unique().tolist()) or []
    with st.container(horizontal=True, vertical_alignment="bottom", key="analytics-choice"):
        course = _pick("Course", sorted(told), courses)
        span = st.segmented_control(
            "Compare the last", SPANS_MIN, default=SPANS_MIN[0], format_func="{} min".format, required=True
        )
        every = st.segmented_control(
            "Refresh every", RATES_S, default=RATES_S[0], format_func="{} s".format, required=True
        )
    return Choice(course, span, every)


def _pick(word: str, options: list[str], labels: Mapping[str, str]) -> str | None:
    """One of the options, or None for all. One that has gone meanwhile stays chosen, and finds nothing."""
    key = f"analytics-{word}"
    chosen = st.session_state.get(key, EVERYTHING)
    known = [EVERYTHING, *options, *({chosen} - {EVERYTHING, *options})]
    picked = st.selectbox(word, known, key=key, format_func=lambda option: labels.get(option, option))
    return None if picked == EVERYTHING else picked


def _course_labels() -> dict[str, str]:
    return _apart({race.course: race.course_name for race in context.current().snapshots.races()})


def _race_labels() -> dict[str, str]:
    return _apart({race.run_id: race.name for race in context.current().snapshots.races()})


def _apart(names: Mapping[str, str]) -> dict[str, str]:
    """Names by their keys, with the key behind those that aren't the only one: no two are alike."""
    times = Counter(names.values())
    return {key: name if times[name] == 1 else f"{name} ({key})" for key, name in names.items()}


def _figures(stream: StreamConnection, choice: Choice, create_page: st.Page) -> None:
    progress = stream.progress(choice.course)
    now, before = stream.figures(choice.span_min * 60, choice.course)
    zone = st.context.timezone
    words.facts(
        f"updated {formatting.clock(1000 * stream.until(), zone)}",
        f"{progress['events'].sum():,} events in the last hour",
        f"{len(progress):,} race{'s' if len(progress) != 1 else ''}",
    )
    values = zip(FIGURES, astuple(now), astuple(before), changes(now, before), strict=True)
    words.tiles(*((word, _figure(value), _change(change, was)) for word, value, was, change in values))
    if not len(progress):
        words.notice("No events found: for an hour nobody has told a position.", "info")
        st.page_link(create_page, label="Create a race", icon=":material/add_circle:")


def _figure(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _change(change: float | None, was: float) -> str:
    if change is None:
        return "none before"
    return f"{change:+,.0%}, was {_figure(was)}" if change else "as before"


def _events(stream: StreamConnection, choice: Choice) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="analytics-rates"):
        unit = st.segmented_control("Count", list(UNITS), default="per second", required=True)
        by = st.segmented_control(
            "By", list(SERIES), default="run", format_func=SERIES.__getitem__, required=True
        )
        shown = st.segmented_control("Over", list(HISTORIES), default="5 min", required=True)
    _follow(lambda: _rates(stream, choice, unit, by, shown), choice.every_s)


def _rates(stream: StreamConnection, choice: Choice, unit: str, by: str, shown: str) -> None:
    span_s, step_s = HISTORIES[shown]
    found = stream.rates(by, span_s, max(step_s, UNITS[unit]), choice.course)
    if found.events.empty:
        whole = "any whole minute of " if unit == "per minute" else ""
        _nothing(f"No events found in {whole}the last {shown}.")
        return
    labels = _race_labels() if by == "run" else _course_labels()
    shades = legend.colours(found.events["who"].unique(), st.session_state.get(SHADES, {}))
    st.session_state[SHADES] = shades
    _draw(charts.rates(found, labels, shades, per_s=UNITS[unit]))
    words.legend(legend.of_rates(labels, shades))


def _paces(stream: StreamConnection, choice: Choice) -> None:
    found = stream.paces(choice.course)
    if found.empty:
        _nothing("No events found of anybody running.")
        return
    _draw(charts.paces(found))
    words.legend(legend.PACES)


def _late(stream: StreamConnection, choice: Choice) -> None:
    chosen = st.session_state.get(WINDOWS_OF)
    try:
        told = stream.progress(choice.course)["run"].tolist()
    except StoreError as error:
        if chosen is None:
            words.notice(str(error))
            return
        told = [chosen]
    labels = _if_known(_race_labels) or {}
    if not told:
        _nothing("No events found.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="analytics-windows"):
        run_id = _pick_race(told, labels)
        size_s = st.segmented_control(
            "Each", SIZES_S, default=10, format_func="{} s".format, required=True, key="analytics-size"
        )
    _follow(lambda: _lateness(stream, run_id, size_s), choice.every_s)


def _pick_race(told: list[str], labels: Mapping[str, str]) -> str:
    """One of the races, by name; at first, and when the chosen one has gone, the first that is given."""
    if st.session_state.get(WINDOWS_OF) not in told:
        st.session_state[WINDOWS_OF] = told[0]

    def label(run: str) -> str:
        return labels.get(run, run)

    return st.selectbox("Windows of", sorted(told, key=label), format_func=label, key=WINDOWS_OF)


def _lateness(stream: StreamConnection, run_id: str, size_s: int) -> None:
    progress = stream.progress(None)
    these = progress[progress["run"] == run_id]
    found = stream.windows(run_id, size_s)
    if these.empty or found is None:
        _nothing("No events found in the last hour.")
        return
    race = these.iloc[0]
    late, events = int(race["late"]), int(race["events"])
    words.facts(
        f"watermark {formatting.clock(1000 * int(race['watermark']), st.context.timezone)} event time",
        f"{stream.allowed_lateness_s} s allowed",
        f"{late:,} of {events:,} events late ({late / events:.2%})",
    )
    if found.empty:
        _nothing("No window is whole yet.")
        return
    _draw(charts.windows(found, size_s))
    words.legend(legend.WINDOWS)


def _competitors(stream: StreamConnection, choice: Choice) -> None:
    categories = _if_known(lambda: stream.entrants().categories) or []
    with st.container(horizontal=True, key="analytics-category"):
        category = _pick("Category", categories, {})
    _follow(lambda: _bars(stream, choice.course, category), BARS_EVERY_S)


def _bars(stream: StreamConnection, course: str | None, category: str | None) -> None:
    entrants = stream.entrants().only(course, category)
    labels = _course_labels()
    with st.container(horizontal=True, key="analytics-bars"):
        for title, chart in _bar_charts(entrants, labels):
            with st.container(key=f"analytics-bar-{title.split()[-1]}"):
                words.group(title)
                if chart is None:
                    _nothing("No events found.")
                else:
                    _draw(chart)


def _bar_charts(entrants: Entrants, courses: Mapping[str, str]) -> list[tuple[str, Chart | None]]:
    """Each chart with its heading; None where there is nothing to count."""
    finishers = entrants.people[entrants.people["finished"]]
    by_course = count_by(entrants.people, "course")
    by_course["course"] = by_course["course"].map(lambda name: courses.get(name, name))
    fences = fence_times(entrants.stays)
    fences["minutes"] = fences["seconds"] / 60  # of all together
    bands = pace_bands(finishers)
    return [
        ("Competitors per course", _bars_of(by_course, "course")),
        ("Finishers per pace band", charts.pace_bands(bands) if len(bands) else None),
        ("Minutes in each geofence", _bars_of(fences, "fence", "minutes")),
        ("Finishers per category", _bars_of(count_by(finishers, "category"), "category")),
        ("Finishers per club", _bars_of(count_by(finishers, "club"), "club")),
    ]


def _bars_of(counted: pd.DataFrame, what: str, value: str = "count") -> Chart | None:
    return charts.bars(counted, what, value) if len(counted) else None


def _feed(stream: StreamConnection) -> None:
    labels = _if_known(_race_labels) or {}
    with st.container(horizontal=True, vertical_alignment="bottom", key="analytics-feed"):
        run_id = _pick("Race", list(labels), labels)
        bib = st.number_input("Bib", min_value=1, step=1, value=None, placeholder="all", key="analytics-bib")
        every = st.segmented_control(
            "Every", FEED_EVERY_S, default=FEED_DEFAULT_S, format_func="{} s".format, required=True
        )
    _follow(lambda: _newest(stream, labels, run_id, bib), every)


def _newest(stream: StreamConnection, labels: Mapping[str, str], run_id: str | None, bib: int | None) -> None:
    events = stream.newest(FEED_ROWS, run_id, bib)
    if events.empty:
        _nothing("No events found.")
        return
    shown = feed.table(events, labels, st.context.timezone)
    st.dataframe(
        feed.marked(shown), height=FEED_PX, hide_index=True, row_height=30, column_config=feed.columns()
    )


def _draw(chart: Chart) -> None:
    st.altair_chart(chart, width="stretch")


def _nothing(text: str) -> None:
    words.notice(text, "info")
