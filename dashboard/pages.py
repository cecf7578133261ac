"""The script that Streamlit runs for every viewer: page navigation and the selected page."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import streamlit as st

from dashboard.analytics import page as analytics
from dashboard.create import page as create
from dashboard.live import page as live
from dashboard.pipeline import page as pipeline
from dashboard.plan import page as plan
from dashboard.race import choose
from dashboard.race.routes import LIVE
from dashboard.raceday import page as raceday
from dashboard.results import page as results
from dashboard.ui import navigation, viewer, viewing, words
from dashboard.ui.viewing import View

_ICON = Path(__file__).parent / "static" / "icon.svg"


def main() -> None:
    """Show a page."""
    st.set_page_config(page_title="Racecast", page_icon=str(_ICON), layout="wide")
    words.style()
    bar = st.container(key="bar")  # before the units menu in the order of the Tab key
    viewer.menu()
    live_page = st.Page(
        lambda: live.show(create_page),
        title="Live",
        icon=":material/directions_run:",
        url_path=LIVE,
        default=True,
    )
    results_page = st.Page(
        lambda: results.show(create_page),
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
        lambda: _create(live_page), title="New race", icon=":material/add_circle:", url_path="new"
    )
    plan_page = st.Page(
        lambda: plan.show(create_page), title="Plan", icon=":material/groups:", url_path="plan"
    )
    pipeline_page = st.Page(
        pipeline.show, title="Pipeline", icon=":material/monitor_heart:", url_path="pipeline"
    )
    race_day_page = st.Page(
        lambda: raceday.show(create_page), title="Race day", icon=":material/timer:", url_path="race-day"
    )
    pages = [
        live_page,
        results_page,
        race_day_page,
        plan_page,
        create_page,
        analytics_page,
        pipeline_page,
    ]
    here = st.navigation([*pages, *_unknown_page(pages)], position="hidden")
    if viewing.view() is not View.EMBED:
        offered = [page for page in pages if page is not create_page or viewing.may_change()]
        walls = {page.url_path for page in (live_page, analytics_page, pipeline_page)}
        with bar:
            navigation.show(offered, here, on_walls=here.url_path in walls)
    here.run()


def _create(live_page: st.Page) -> None:
    """The page that creates a race, or why this viewer cannot."""
    if (reason := viewing.why_not()) is None:
        create.show(live_page)
        return
    words.title("New race")
    words.notice(reason, "info")
    st.page_link(live_page, label="Watch a race", icon=":material/directions_run:")


def _unknown_page(known: Sequence[st.Page]) -> Iterator[st.Page]:
    """A page at the requested address, unless one of these or the dashboard's root is there."""
    path = PurePosixPath(unquote(urlsplit(st.context.url or "").path)).name
    if path and path not in {page.url_path for page in known}:
        yield st.Page(
            lambda: choose.unknown("Unknown page", f"There is no page “{path}”.", "./"),
            title="Unknown page",
            url_path=path,
            visibility="hidden",
        )


main()
