"""The live page: one race's map, leaderboard and figures.

The page's script runs when the viewer does something. In between only a fragment runs, which draws figures
and leaderboard from the picture all viewers share; the map looks after itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st
from streamlit_folium import st_folium

from dashboard import board, choose, context, words
from dashboard.race_map import Wishes, race_map
from dashboard.snapshots import UnknownRaceError
from dashboard.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamlit.delta_generator import DeltaGenerator

    from dashboard.snapshots import Snapshot
    from dashboard.store import Course

HEIGHT_PX = 480
"""Of map and leaderboard alike."""

RATES_S = (1, 2, 5, 10)


def show(create_page: st.Page) -> None:
    """Draw the page; where there is no race, it leads to `create_page`."""
    refresh_s = _refresh_settings()
    run_id = None
    try:
        run_id = choose.race(create_page)
        labels = choose.race_labels(context.current().snapshots.races())
        if run_id is not None:
            _show_race(run_id, context.current().snapshots.get(run_id), labels, refresh_s)
    except UnknownRaceError:
        words.notice("This race isn't there yet. The page shows it as soon as it is.", "info")
        choose.wait_until(lambda: choose.can_be_read(run_id))
    except StoreError as error:
        words.notice(str(error))
        choose.wait_until(lambda: choose.can_be_read(run_id))


def _refresh_settings() -> float | None:
    """Seconds between two refreshes, or None, as chosen in the sidebar."""
    with st.sidebar:
        on = st.toggle("Auto-refresh", value=True)
        seconds = st.segmented_control(
            "Every", RATES_S, default=RATES_S[0], format_func="{} s".format, disabled=not on, required=True
        )
        if st.button("Refresh now", disabled=on):
            st.session_state["asked"] = st.session_state.get("asked", 0) + 1
    return float(seconds) if on else None


def _show_race(run_id: str, snapshot: Snapshot, labels: Mapping[str, str], refresh_s: float | None) -> None:
    words.title(snapshot.race.name)
    figures = st.container(key="figures")
    with st.container(key="stage", horizontal=True):
        with st.container(key="map"):
            _map(snapshot, refresh_s)
        leaderboard = st.container(key="leaderboard")
    drawn = _Drawn(run_id, snapshot.course, labels)
    st.fragment(_refresh, run_every=refresh_s)(drawn, figures, leaderboard)


def _map(snapshot: Snapshot, refresh_s: float | None) -> None:
    refresh_ms = None if refresh_s is None else round(refresh_s * 1000)
    st_folium(
        race_map(snapshot.race, snapshot.course, context.current().settings),
        # streamlit-folium tells maps apart by their script less all that looks like Folium's ids, and
        # run ids do: without the key two races could share a frame.
        key=f"map-{snapshot.race.run_id}",
        height=HEIGHT_PX,
        use_container_width=True,
        returned_objects=[],
        feature_group_to_add=Wishes(refresh_ms, st.session_state.get("asked", 0)),
    )


@dataclass(frozen=True, eq=False)
class _Drawn:
    """What only the whole page draws, as it has drawn it."""

    run_id: str
    course: Course | None
    labels: Mapping[str, str]


def _refresh(drawn: _Drawn, figures: DeltaGenerator, leaderboard: DeltaGenerator) -> None:
    """The fragment: all that changes with each tick, drawn into the places the page has for it."""
    snapshots = context.current().snapshots
    labels, trouble = drawn.labels, None
    try:
        snapshots.get(drawn.run_id)
        labels = choose.race_labels(snapshots.races())
    except StoreError as error:
        trouble = str(error)
    except UnknownRaceError:
        st.rerun()
    snapshot = snapshots.last(drawn.run_id)
    if snapshot is None or snapshot.course is not drawn.course or labels != drawn.labels:
        st.rerun()
    with figures:
        board.figures(snapshot, trouble)
    with leaderboard:
        board.leaderboard(snapshot, HEIGHT_PX)
