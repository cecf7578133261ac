"""The offer of the next race once the one shown has ended."""

import time

import streamlit as st

from dashboard import context
from dashboard.race import choose, current
from dashboard.race.snapshots import Snapshots
from dashboard.store.protocol import Race
from dashboard.ui import words


def offer(shown: Race) -> None:
    """Offer the newest race that started after this one and is running, if this one has ended."""
    newer = current.next_running(context.get(Snapshots).races(), shown, 1000 * time.time())
    if newer is None:
        return
    with st.container(key="next-race", horizontal=True, vertical_alignment="center", gap="small"):
        words.notice(f"The next race is on: {newer.name}.", "info")
        st.button(
            "Watch it", icon=":material/directions_run:", on_click=choose.show_race, args=[newer.run_id]
        )
