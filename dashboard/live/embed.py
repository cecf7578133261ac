"""The live page in a frame of another site's page: map and leaders, and a link to the whole page."""

import streamlit as st

from dashboard.live import board, shown
from dashboard.race import link, streets
from dashboard.race.race_map import MapOptions
from dashboard.race.snapshot import Snapshot
from dashboard.ui import words

MAP_PX = 360
"""Height of the map until the style sheet (views.css) gives it the frame's."""


def show(create_page: st.Page) -> None:
    """Draw map and leaders; without a race, it says so."""
    shown.alone(create_page, _draw)


def _draw(snapshot: Snapshot) -> None:
    race = snapshot.race
    with st.container(key="embed"):
        with st.container(key="embed-head"):
            note = f"Map: {snapshot.sample_size_in_words}" if snapshot.sample else ""
            words.away(race.name, f"./?run={race.run_id}", "Whole page", note)
        with st.container(key="embed-map"):
            options = MapOptions(shown.REFRESH_MS, favourites=link.favourites(), streets=streets.wanted())
            shown.draw_map(snapshot, options, MAP_PX, has_timeline=False)
        with st.container(key="embed-board"):
            board.leaders(snapshot, "embed")
