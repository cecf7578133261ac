"""The pipeline page: each component's status, summary and figures, with their recent history."""

from collections.abc import Sequence

import streamlit as st

from dashboard import context
from dashboard.pipeline import cards, charts
from dashboard.pipeline.sampler import Sampler
from dashboard.ui import formatting, words
from pinot.health.report import Report
from pinot.health.words import seconds

REFRESH_S = 2.0
FIRST_LOOK_S = 1.0
"""Seconds the first viewer waits for a report instead of for the next refresh."""
OLD_S = 10.0
"""Seconds; an older report is marked prominently."""


def show() -> None:
    """Draw the page; it refreshes by itself."""
    words.title("Pipeline")
    st.fragment(_follow, run_every=REFRESH_S)()


def _follow() -> None:
    pipeline = context.get(Sampler)
    reports = pipeline.look(FIRST_LOOK_S)
    if not reports:
        words.facts("first measurement in progress")
        return
    newest = reports[-1]
    age = max(0.0, pipeline.now() - newest.taken)
    words.facts(f"measured {formatting.clock(1000 * newest.taken, st.context.timezone)}", f"{age:.0f} s ago")
    if age > OLD_S:
        words.notice(f"These figures are {seconds(age)} old. Waiting for new ones.", "warning")
    cards.parts(newest)
    _charts(reports)
    if newest.topics:
        words.section("Topics")
        cards.topics(newest)
    if newest.tables:
        words.section("Tables")
        cards.tables(newest)


def _charts(reports: Sequence[Report]) -> None:
    with st.container(horizontal=True, key="pipeline-charts"):
        with st.container(key="pipeline-freshness"):
            words.section("Age of the newest position")
            _chart(charts.AGE, reports)
        if reports[-1].topics:
            with st.container(key="pipeline-messages"):
                words.section("Messages")
                _chart(charts.RATES, reports)


def _chart(lines: charts.Lines, reports: Sequence[Report]) -> None:
    table = charts.rows(lines, reports)
    with st.container(height=charts.ROOM_PX, border=False):
        if table is None:
            words.notice("No data yet.", "info")
        else:
            st.vega_lite_chart(table, charts.chart(lines))
