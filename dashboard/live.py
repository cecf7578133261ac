"""The live page: one race's map, leaderboard and figures.

The page's script runs when the viewer does something. In between only a fragment runs, which draws figures
and leaderboard from the picture all viewers share; the map looks after itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st
from streamlit_folium import st_folium

from dashboard import board, context, formatting, words
from dashboard.race_map import Wishes, race_map
from dashboard.snapshots import UnknownRaceError
from dashboard.store import StoreError, is_run_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from streamlit.delta_generator import DeltaGenerator

    from dashboard.snapshots import Snapshot
    from dashboard.store import Course, Race

HEIGHT_PX = 480
"""Of map and leaderboard alike."""

RATES_S = (1, 2, 5, 10)

LOOK_AGAIN_S = 1.0
"""How often a page that waits for something looks whether it is there."""


def show(create_page: st.Page) -> None:
    """Draw the page; where there is no race, it leads to `create_page`."""
    refresh_s = _refresh_settings()
    run_id = None
    try:
        labels = _labels(context.current().snapshots.races())
        run_id = _choose_race(labels, create_page)
        if run_id is not None:
            _show_race(run_id, context.current().snapshots.get(run_id), labels, refresh_s)
    except UnknownRaceError:
        words.notice("This race isn't there yet. The page shows it as soon as it is.", "info")
        _wait_until(lambda: _can_be_read(run_id))
    except StoreError as error:
        words.notice(str(error))
        _wait_until(lambda: _can_be_read(run_id))


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


def _choose_race(labels: Mapping[str, str], create_page: st.Page) -> str | None:
    """The run id in the link, which follows the chooser; the newest race's if there is none."""
    run_id = st.query_params.get("run") or next(iter(labels), None)
    if run_id is None:
        words.title("No race yet")
        st.page_link(create_page, label="Create the first one")
        _wait_until(lambda: bool(context.current().snapshots.races()))
        return None
    if not is_run_id(run_id):
        words.title("No such race")
        words.notice("No race can have the name that is in this link.", "info")
        st.button("Show the newest race", on_click=st.query_params.clear)
        return None
    st.query_params["run"] = run_id
    st.session_state["chosen"] = run_id
    st.selectbox(
        "Race",
        [*labels, *({run_id} - labels.keys())],
        format_func=lambda option: labels.get(option, option),
        key="chosen",
        on_change=lambda: st.query_params.update(run=st.session_state["chosen"]),
        label_visibility="collapsed",
    )
    return run_id


def _labels(races: Sequence[Race]) -> dict[str, str]:
    """What the chooser says of each race, by run id, the newest first."""
    return {race.run_id: _label(race) for race in races}


def _label(race: Race) -> str:
    start = formatting.day_and_clock(race.start_time, st.context.timezone)
    return f"{race.name} · {race.status} · {start} · {race.run_id}"


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
        labels = _labels(snapshots.races())
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


def _can_be_read(run_id: str | None) -> bool:
    """True if what `show` needs can be read; raises what it would raise."""
    context.current().snapshots.races()
    if run_id is not None:
        context.current().snapshots.get(run_id)
    return True


def _wait_until(ready: Callable[[], bool]) -> None:
    """Run the page again as soon as `ready`."""

    @st.fragment(run_every=LOOK_AGAIN_S)
    def look() -> None:
        try:
            is_ready = ready()
        except (StoreError, UnknownRaceError):
            return  # the next look may find it
        if is_ready:
            st.rerun()

    look()
