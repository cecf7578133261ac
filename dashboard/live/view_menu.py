"""The View menu: the viewer's choices for the live page, which the link keeps."""

import streamlit as st

from dashboard.race import link, streets
from dashboard.race.race_map import MapOptions
from dashboard.ui import viewing
from dashboard.ui.viewing import View

RATES_S = (1, 2, 5, 10)
COLOURS = {"status": "Status", "category": "Category"}

_FORECASTS = "forecasts"
"""Also the name of the parameter in the link."""


def wants_forecasts() -> bool:
    """Whether the viewer wants forecasts."""
    return bool(st.session_state.get(_FORECASTS, True))


def show() -> MapOptions:
    """The viewer's choices for the map."""
    with st.popover("View", icon=":material/tune:"):
        on = st.toggle("Auto-refresh", value=True, key="refresh", bind="query-params")
        seconds = st.segmented_control(
            "Every",
            RATES_S,
            default=RATES_S[0],
            format_func="{} s".format,
            disabled=not on,
            required=True,
            key="every",
            bind="query-params",
        )
        if st.button("Refresh now", disabled=on):
            st.session_state["asked"] = st.session_state.get("asked", 0) + 1
        colour = st.segmented_control(
            "Colour by",
            list(COLOURS),
            default="status",
            format_func=COLOURS.__getitem__,
            required=True,
            key="colour",
            bind="query-params",
        )
        has_forecasts = st.toggle(
            "Forecasts",
            value=True,
            key=_FORECASTS,
            bind="query-params",
            help="Expected finish in the leaderboard and on the map's cards, and who is expected next.",
        )
        has_streets = streets.switch()
        st.button(
            "Announcer board",
            icon=":material/campaign:",
            help="Who comes next, who has just finished, and the podiums that are decided, in large type",
            on_click=viewing.enter,
            args=[View.ANNOUNCER],
        )
    return MapOptions(
        round(seconds * 1000) if on else None,
        st.session_state.get("asked", 0),
        colour=colour,
        favourites=link.favourites(),
        follow=link.followed(),
        moment=link.moment(),
        streets=has_streets,
        forecasts=has_forecasts,
    )
