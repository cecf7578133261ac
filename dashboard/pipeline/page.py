"""The pipeline page: each component's status, summary and figures, with their recent history."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import context
from dashboard.pipeline import cards, charts
from dashboard.pipeline.freshness import Freshness
from dashboard.pipeline.sampler import KEPT_S, Sampler
from dashboard.ui import formatting, viewer, viewing, words
from dashboard.ui.viewing import View
from pinot.health.report import Report
from pinot.health.words import seconds

REFRESH_S = 2.0
FIRST_LOOK_S = 1.0
"""Seconds the first viewer waits for a report instead of for the next refresh."""
OLD_S = 10.0
"""Seconds; an older report is marked prominently."""


def show() -> None:
    """Draw the page in the viewer's view; it refreshes by itself."""
    on_wall = viewing.view() is View.WALL
    with st.container(key="wall-page" if on_wall else None):
        words.title("Pipeline")
        st.fragment(_follow, run_every=REFRESH_S)(on_wall=on_wall)


def _follow(*, on_wall: bool) -> None:
    pipeline = context.get(Sampler)
    reports = pipeline.look(FIRST_LOOK_S)
    if not reports:
        words.facts("first measurement in progress")
        return
    newest = reports[-1]
    age = max(0.0, pipeline.now() - newest.taken)
    words.facts(f"measured {formatting.clock(1000 * newest.taken, viewer.current())}", f"{age:.0f} s ago")
    if age > OLD_S:
        words.notice(f"These figures are {seconds(age)} old. Waiting for new ones.", "warning")
    cards.parts(newest)
    with st.container(horizontal=True, key="wall-charts" if on_wall else "pipeline-charts"):
        _charts(reports, on_wall=on_wall)
        if on_wall:
            with st.container(key="wall-freshness"):
                _freshness()
    if on_wall:
        return
    _freshness()
    if newest.topics:
        words.section("Topics")
        cards.topics(newest)
    if newest.tables:
        words.section("Tables")
        cards.tables(newest)
    if newest.simulators:
        words.section("Simulators")
        cards.simulators(newest)


def _charts(reports: Sequence[Report], *, on_wall: bool) -> None:
    with st.container(key="pipeline-freshness"):
        words.section("Age of the newest position")
        _chart(charts.AGE, charts.ages(context.get(Freshness).ages(KEPT_S)), on_wall=on_wall)
    if reports[-1].topics:
        with st.container(key="pipeline-messages"):
            words.section("Messages")
            _chart(charts.RATES, charts.rates(reports), on_wall=on_wall)


def _freshness() -> None:
    freshness = context.get(Freshness)
    words.section("Freshness")
    words.facts(
        "age of the newest position, sampled every second while a race runs",
        f"sampling for the last {seconds(freshness.sampled_s())}",
    )
    cards.spans(freshness.spans())


def _chart(lines: charts.Lines, table: pd.DataFrame | None, *, on_wall: bool) -> None:
    with st.container(height="stretch" if on_wall else charts.ROOM_PX, border=False):
        if table is None:
            words.notice("No data yet.", "info")
        else:
            drawn = charts.chart(lines, formatting.axis_clock(viewer.current()), on_wall=on_wall)
            st.vega_lite_chart(table, drawn, height="stretch" if on_wall else "content")
