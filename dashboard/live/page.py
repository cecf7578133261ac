"""The live page: one race's map, leaderboard and figures.

The script reruns on user input and when what it has drawn is outdated. Data that changes every second
bypasses it: the map fetches it and passes it to the leaderboard.
"""

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.live import announcer, board, controls, embed, next_race, shown, view_menu, wall
from dashboard.race import choose
from dashboard.race.forecasts import FORECAST
from dashboard.race.race_map import MapOptions
from dashboard.race.sample import LISTED
from dashboard.race.snapshot import Snapshot
from dashboard.store.protocol import Race
from dashboard.ui import formatting, viewer, viewing, words
from dashboard.ui.viewing import View

HEIGHT_PX = 560
"""Height of map and leaderboard."""


def show(create_page: st.Page) -> None:
    """Draw the page in the viewer's view; without a race, it links to `create_page`."""
    view = viewing.view()
    if view is View.WALL:
        wall.show(create_page)
    elif view is View.ANNOUNCER:
        announcer.show(create_page)
    elif view is View.EMBED:
        embed.show(create_page)
    else:
        _show(create_page)


def _show(create_page: st.Page) -> None:
    def draw(run_id: str, labels: Mapping[str, str], top: DeltaGenerator) -> None:
        snapshot = shown.newest(run_id)
        with top:
            controls.show(snapshot.race)
            board.share(snapshot)
            options = view_menu.show()
        _show_race(snapshot, options)
        shown.follow(snapshot, lambda: choose.race_labels() != labels)

    choose.show(create_page, draw)


def _show_race(snapshot: Snapshot, options: MapOptions) -> None:
    has_begun = _has_begun(snapshot)
    has_forecasts = has_begun and view_menu.wants_forecasts() and _can_be_forecast(snapshot)
    # On phones, page.css puts the parts of these containers into another order.
    with st.container(key="live"):
        with st.container(key="head", gap="xsmall"):
            words.title(snapshot.race.name)
            _facts(snapshot)
            if (standing := _standing(snapshot.race)) is not None:
                words.notice(standing, "info")
            if snapshot.sample is not None:
                words.notice(_sample(snapshot, has_begun=has_begun), "info")
            next_race.offer(snapshot.race)
            board.figures(snapshot)
            if has_begun:
                board.tallies(snapshot)
        with st.container(key="stage", horizontal=True):
            with st.container(key="map"):
                shown.draw_map(snapshot, options, HEIGHT_PX)
            with st.container(key="leaderboard"):
                if has_begun:
                    board.leaderboard(snapshot, HEIGHT_PX, has_forecasts=has_forecasts)
                else:
                    board.start_list(snapshot)
        if has_forecasts:
            board.expected(snapshot)
        if has_begun:
            board.panels(snapshot)


def _has_begun(snapshot: Snapshot) -> bool:
    """Whether there is more to show than the start list; the page runs again when the status changes."""
    return snapshot.race.status not in {"scheduled", "paused"} or len(snapshot.positions) > 0


def _can_be_forecast(snapshot: Snapshot) -> bool:
    """Whether there are competitors on a course that is known; the page runs again when either changes."""
    return snapshot.race.status in FORECAST and snapshot.course is not None


def _facts(snapshot: Snapshot) -> None:
    race, course = snapshot.race, snapshot.course
    with st.container(key="facts", horizontal=True, gap=None):
        words.facts(
            race.course_name,
            formatting.distance(course.distance, viewer.current().unit) if course else "length unknown",
            race.status,
        )
        words.facts(
            formatting.counted(race.competitors, "competitor", "competitors"),
            f"{race.speed:g}\N{MULTIPLICATION SIGN} speed",
            f"seed {race.seed}",
            f"start {formatting.day_and_clock(race.start_time, viewer.current())}",
        )


def _sample(snapshot: Snapshot, *, has_begun: bool) -> str:
    """Say what a sample shows of a race, and what is exact."""
    if not has_begun:
        return f"The start list shows {snapshot.sample_in_words}."
    return (
        f"Map and lists show {snapshot.sample_in_words}. Leaderboard and counts are of all. "
        f"The leaderboard has the first {LISTED:,} places; its search finds all competitors."
    )


def _standing(race: Race) -> str | None:
    """Explain why no competitors move."""
    match race.status:
        case "paused":
            return "This race is paused."
        case "cancelled":
            return "This race was cancelled. The map shows the last positions."
    return None
