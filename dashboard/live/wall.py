"""The live page on a wall: map, clock, leaders and newest finishers, filling the screen without scrolling.

It shows the race in the link; a link without one always the newest race, so it goes from one to the next.
"""

import streamlit as st

from dashboard.live import board, shown
from dashboard.race import streets
from dashboard.race.race_map import MapOptions
from dashboard.race.snapshot import Snapshot
from dashboard.ui import formatting, viewer, words

MAP_PX = 720
"""Height of the map until the style sheet (views.css) gives it the screen's."""


def show(create_page: st.Page) -> None:
    """Draw the wall; without a race, it says so."""
    shown.alone(create_page, _draw)


def _draw(snapshot: Snapshot) -> None:
    race, course = snapshot.race, snapshot.course
    with st.container(key="wall"):
        with st.container(key="wall-head", gap=None):
            words.title(race.name)
            length = [formatting.distance(course.distance, viewer.current().unit)] if course else []
            sampled = [f"Map and newest finishers: {snapshot.sample_in_words}"] if snapshot.sample else []
            words.facts(race.course_name, *length, *sampled)
        with st.container(key="wall-map"):
            options = MapOptions(shown.REFRESH_MS, streets=streets.wanted())
            shown.draw_map(snapshot, options, MAP_PX, has_timeline=False)
        with st.container(key="wall-board", gap=None):
            board.figures(snapshot, "wall")
            board.tallies(snapshot, "wall")
            board.leaders(snapshot, "wall")
