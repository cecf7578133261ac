"""The live page: one race's map, leaderboard and figures.

The script reruns on user input and when what it has drawn is outdated. Data that changes every second
bypasses it: the map fetches it and passes it to the leaderboard.
"""

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import context
from dashboard.api import ApiError, RaceApi
from dashboard.live import board
from dashboard.race import choose
from dashboard.race.race_map import MapOptions, race_map
from dashboard.race.snapshots import Snapshot, Snapshots, UnknownRaceError
from dashboard.settings import Settings
from dashboard.store.protocol import Race, StoreError
from dashboard.ui import formatting, words
from dashboard.ui.maps import show_map
from stream.race_states import Action, actions

HEIGHT_PX = 560
"""Height of map and leaderboard."""

RATES_S = (1, 2, 5, 10)
COLOURS = {"status": "Status", "category": "Category"}

LOOK_EVERY_S = 2.0
"""How often the page checks whether what it has drawn is outdated."""

MAX_FAVOURITES = 20
"""Keeps links short enough for all mail clients."""

ICONS = {"pause": ":material/pause:", "resume": ":material/play_arrow:", "cancel": ":material/stop:"}


def show(create_page: st.Page, results_page: st.Page) -> None:
    """Draw the page; without a race, it links to `create_page`."""

    def draw(run_id: str, labels: Mapping[str, str], top: DeltaGenerator) -> None:
        snapshot = _newest(run_id)
        with top:
            _changes(snapshot.race)
            st.page_link(
                results_page, label="Results", icon=":material/leaderboard:", query_params={"run": run_id}
            )
            options = _map_options()
        _show_race(snapshot, options)
        _follow(snapshot, labels)

    choose.show(create_page, draw)


def _newest(run_id: str) -> Snapshot:
    """The newest snapshot; while the store is unavailable the last one, which figures and map mark as old."""
    snapshots = context.get(Snapshots)
    try:
        return snapshots.get(run_id)
    except StoreError:
        last = snapshots.last(run_id)
        if last is None:
            raise
        return last


def _show_race(snapshot: Snapshot, options: MapOptions) -> None:
    with st.container(gap="xsmall"):
        words.title(snapshot.race.name)
        _facts(snapshot)
        if (standing := _standing(snapshot.race)) is not None:
            words.notice(standing, "info")
        board.figures(snapshot)
    with st.container(key="stage", horizontal=True):
        with st.container(key="map"):
            _map(snapshot, options)
        with st.container(key="leaderboard"):
            board.leaderboard(snapshot, HEIGHT_PX, favourites(), _keep_favourites)
    board.panels(snapshot)


def _facts(snapshot: Snapshot) -> None:
    race, course = snapshot.race, snapshot.course
    words.facts(
        race.course_name,
        f"{formatting.kilometres(course.distance)} km" if course else "length unknown",
        race.status,
        f"{race.competitors:,} competitor{'s' if race.competitors != 1 else ''}",
        f"{race.speed:g}\N{MULTIPLICATION SIGN} speed",
        f"seed {race.seed}",
        f"start {formatting.day_and_clock(race.start_time, st.context.timezone)}",
    )


def _standing(race: Race) -> str | None:
    """Explain why no competitors move."""
    match race.status:
        case "scheduled":
            return f"Starts {formatting.day_and_clock(race.start_time, st.context.timezone)}."
        case "paused":
            return "This race is paused."
        case "cancelled":
            return "This race was cancelled. The map shows the last positions."
    return None


def _changes(race: Race) -> None:
    """Buttons for the race's possible actions; cancelling asks for confirmation."""
    for change in actions(race.status):
        label = change.capitalize()
        if change == "cancel":
            with st.popover(label, icon=ICONS[change]):
                words.plain("All competitors stop where they are. A cancelled race cannot be resumed.")
                if st.button("Cancel the race", type="primary"):
                    _change(race, change)
        elif st.button(label, icon=ICONS[change]):
            _change(race, change)


def _change(race: Race, change: Action) -> None:
    try:
        context.get(RaceApi).change(race.run_id, change)
    except ApiError as error:
        words.notice(str(error))


def _map_options() -> MapOptions:
    """The viewer's choices for the map."""
    with st.popover("View", icon=":material/tune:"):
        on = st.toggle("Auto-refresh", value=True)
        seconds = st.segmented_control(
            "Every", RATES_S, default=RATES_S[0], format_func="{} s".format, disabled=not on, required=True
        )
        if st.button("Refresh now", disabled=on):
            st.session_state["asked"] = st.session_state.get("asked", 0) + 1
        colour = st.segmented_control(
            "Colour by", list(COLOURS), default="status", format_func=COLOURS.__getitem__, required=True
        )
    refresh_ms = round(seconds * 1000) if on else None
    return MapOptions(refresh_ms, st.session_state.get("asked", 0), colour=colour, favourites=favourites())


def _map(snapshot: Snapshot, options: MapOptions) -> None:
    drawn = race_map(snapshot.race, snapshot.course, context.get(Settings))
    # streamlit-folium identifies maps by their script without anything that looks like Folium's ids, and run
    # ids do: without the key two races could share a frame.
    show_map(drawn, f"map-{snapshot.race.run_id}", HEIGHT_PX, options)


def favourites() -> list[int]:
    """The bibs in the link, in order; invalid ones are left out."""
    bibs = {int(text) for text in st.query_params.get("fav", "").split(",") if text.isdecimal()}
    return sorted(bibs)[:MAX_FAVOURITES]


def _keep_favourites(bibs: list[int]) -> None:
    if bibs:
        st.query_params["fav"] = ",".join(map(str, sorted(bibs)[:MAX_FAVOURITES]))
    else:
        st.query_params.pop("fav", None)


def _follow(drawn: Snapshot, labels: Mapping[str, str]) -> None:
    """Rerun the page when the race's state, its course or the chooser's labels have changed."""
    snapshots = context.get(Snapshots)

    @st.fragment(run_every=LOOK_EVERY_S)
    def look() -> None:
        try:
            now = snapshots.get(drawn.race.run_id)
            known = choose.race_labels()
        except StoreError:
            return  # the map says so, and the last snapshot stays
        except UnknownRaceError:
            st.rerun()
        if (now.race.status, now.course, known) != (drawn.race.status, drawn.course, labels):
            st.rerun()

    look()
