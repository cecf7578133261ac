"""The script that Streamlit runs for every viewer: page navigation and the selected page."""

from pathlib import Path

import streamlit as st

from dashboard.analytics import page as analytics
from dashboard.create import page as create
from dashboard.live import page as live
from dashboard.pipeline import page as pipeline
from dashboard.race.routes import LIVE
from dashboard.results import page as results
from dashboard.ui import words

_ICON = Path(__file__).parent / "static" / "icon.svg"


def main() -> None:
    """Show a page."""
    st.set_page_config(page_title="Racecast", page_icon=str(_ICON), layout="wide")
    words.style()
    live_page = st.Page(
        lambda: live.show(create_page, results_page),
        title="Live",
        icon=":material/directions_run:",
        url_path=LIVE,
        default=True,
    )
    results_page = st.Page(
        lambda: results.show(create_page, live_page),
        title="Results",
        icon=":material/leaderboard:",
        url_path="results",
    )
    analytics_page = st.Page(
        lambda: analytics.show(create_page),
        title="Analytics",
        icon=":material/monitoring:",
        url_path="analytics",
    )
    create_page = st.Page(
        lambda: create.show(live_page), title="New race", icon=":material/add_circle:", url_path="new"
    )
    pipeline_page = st.Page(
        pipeline.show, title="Pipeline", icon=":material/monitor_heart:", url_path="pipeline"
    )
    st.navigation([live_page, results_page, create_page, analytics_page, pipeline_page], position="top").run()


main()
