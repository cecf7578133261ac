"""What all views of a live race share: its newest snapshot, its map, and when to draw it again."""

from collections.abc import Callable

import streamlit as st

from dashboard import context
from dashboard.race import choose, component
from dashboard.race.race_map import MapOptions, race_map
from dashboard.race.snapshot import Snapshot
from dashboard.race.snapshots import Snapshots, UnknownRaceError
from dashboard.settings import Settings
from dashboard.store.protocol import StoreError
from dashboard.ui import viewer
from dashboard.ui.maps import show_map

REFRESH_MS = 1000
"""Refresh interval of the map in views in which it cannot be chosen."""


def newest(run_id: str) -> Snapshot:
    """The newest snapshot; while the store is unavailable the last one, which figures and map mark as old."""
    snapshots = context.get(Snapshots)
    try:
        return snapshots.get(run_id)
    except StoreError:
        last = snapshots.last(run_id)
        if last is None:
            raise
        return last


def alone(create_page: st.Page, draw: Callable[[Snapshot], None]) -> None:
    """Draw a view without a chooser: of the race in the link; without one, always of the newest race."""
    is_pinned = "run" in st.query_params

    def drawn(run_id: str) -> None:
        snapshot = newest(run_id)
        draw(snapshot)
        follow(snapshot, lambda: not is_pinned and choose.newest() != run_id)

    choose.show_alone(create_page, drawn)


def draw_map(snapshot: Snapshot, options: MapOptions, height_px: int, *, has_timeline: bool = True) -> None:
    """The race on the map, with the profile and, unless left out, the timeline below it."""
    settings, reader = context.get(Settings), viewer.current()
    drawn = race_map(snapshot.race, snapshot.course, settings, reader, has_timeline=has_timeline)
    # streamlit-folium identifies maps by their script without anything that looks like Folium's ids, and run
    # ids do: without the key two races could share a frame.
    show_map(drawn, f"map-{snapshot.race.run_id}", height_px, options)


def follow(drawn: Snapshot, is_outdated: Callable[[], bool] = lambda: False) -> None:
    """Rerun the page when the race's state or its course has changed, or when `is_outdated`.

    Looks when the map's feed says that something has changed. `is_outdated` may raise `StoreError`.
    """
    snapshots = context.get(Snapshots)

    @st.fragment
    def look() -> None:
        with st.container(key="watch"):
            component.mount("watch", drawn.race.run_id, {"outline": lambda _: None})
        try:
            now = snapshots.get(drawn.race.run_id)
            is_old = is_outdated()
        except StoreError:
            return  # the map says so, and the last snapshot stays
        except UnknownRaceError:
            st.rerun()
        if is_old or (now.race.status, now.course) != (drawn.race.status, drawn.course):
            st.rerun()

    look()
