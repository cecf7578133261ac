"""What was typed and chosen outlives runs of a page that don't draw its fields: Streamlit forgets it then."""

from __future__ import annotations

import streamlit as st

_KEPT = "kept"
"""Where the session keeps copies of fields' values, by their keys."""


def hold(key: str) -> None:
    """Keep what a field holds, or give it what was kept; to be done in each run, before it is drawn.

    A value is given only to a field that has none: each one that a run gives replaces what has been typed
    since that run began.
    """
    kept = st.session_state.setdefault(_KEPT, {})
    if key in st.session_state:
        kept[key] = st.session_state[key]
    elif key in kept:
        st.session_state[key] = kept[key]


def let_go(key: str) -> None:
    """Forget what a field holds and what was kept of it."""
    st.session_state.pop(key, None)
    st.session_state.get(_KEPT, {}).pop(key, None)
