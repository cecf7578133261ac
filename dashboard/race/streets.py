"""The viewer's choice whether maps have a street map, which loads tiles from another host."""

import streamlit as st

from dashboard import context
from dashboard.settings import Settings

_KEY = "streets"
"""Also the name of the parameter in the link."""


def switch() -> bool:
    """The switch, if the dashboard has a street map, and its state."""
    if context.get(Settings).street_map is None:
        return False
    return st.toggle("Street map", value=True, key=_KEY, bind="query-params", persist_state="session")


def wanted() -> bool:
    """The choice so far in this session or in the link, on pages without the switch."""
    return bool(st.session_state.get(_KEY, st.query_params.get(_KEY) != "false"))
