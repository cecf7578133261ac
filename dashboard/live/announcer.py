"""The announcer board: who comes next, who has just finished, and the podiums that are decided.

It shows the race in the link; a link without one always the newest race, as a wall does.
"""

import streamlit as st

from dashboard.live import board, shown
from dashboard.race.sample import LISTED
from dashboard.race.snapshot import Snapshot


def show(create_page: st.Page) -> None:
    """Draw the board; without a race, it says so."""
    shown.alone(create_page, _draw)


def _draw(snapshot: Snapshot) -> None:
    with st.container(key="announcer"):
        board.announcer(snapshot, _note(snapshot))


def _note(snapshot: Snapshot) -> str:
    """Say what the board shows of a race that is shown by a sample."""
    if snapshot.sample is None:
        return ""
    return (
        f"Podiums: groups with three among the first {LISTED:,} finishers. "
        f"Next at a split: the leaders and {snapshot.sample_size_in_words}."
    )
