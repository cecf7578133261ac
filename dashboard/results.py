"""The results page: a race's finish list, its charts and its replay."""

from __future__ import annotations

import streamlit as st

from dashboard import choose, context, replay, words


def show(create_page: st.Page, live_page: st.Page) -> None:
    """Draw the page; where there is no race, it leads to `create_page`."""
    run_id = choose.race(choose.race_labels(), create_page, st.container())
    if run_id is not None:
        snapshot = context.current().snapshots.get(run_id)
        words.title(snapshot.race.name)
        replay.show(snapshot)
