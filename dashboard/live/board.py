"""Figures, leaderboard and lists: page components that use the map's payloads, bypassing Streamlit.

They are mounted once (see `race_map`). Only the viewer's choices in them come back to Python.
"""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from dashboard.race.snapshots import Snapshot

_STATIC = Path(__file__).parents[1] / "static"
_SCRIPTS = (
    "formatting.js",
    "board/page.js",
    "board/figures.js",
    "board/leaderboard.js",
    "board/panels.js",
    "board/main.js",
)

FAVOURITES = "favourites"


def figures(snapshot: Snapshot) -> None:
    """Key figures with their change over the last minute, and the age of the data."""
    race = snapshot.race
    _part("figures", snapshot, competitors=race.competitors, tick=race.interval / race.speed)


def leaderboard(
    snapshot: Snapshot, height: int, favourites: Sequence[int], on_favourites: Callable[[list[int]], None]
) -> None:
    """The leaderboard. `on_favourites` is called with the viewer's favourite bibs."""
    distance = snapshot.course.distance if snapshot.course else None
    key = _key("leaderboard", snapshot)

    def chosen() -> None:
        bibs = st.session_state[key].get(FAVOURITES) or []
        on_favourites([bib for bib in bibs if isinstance(bib, int)])

    _part(
        "leaderboard",
        snapshot,
        chosen,
        height=height,
        distance=distance,
        favourites=list(favourites),
    )


def panels(snapshot: Snapshot) -> None:
    """Lists: at the front, at the back, just finished, and current geofence visits with their durations."""
    _part("panels", snapshot)


def _part(
    part: str, snapshot: Snapshot, on_favourites_change: Callable[[], None] | None = None, **data: Any
) -> None:
    _component()(
        key=_key(part, snapshot),
        data={"part": part, "run": snapshot.race.run_id, **data},
        on_favourites_change=on_favourites_change or (lambda: None),
    )


def _key(part: str, snapshot: Snapshot) -> str:
    return f"{part}-{snapshot.race.run_id}"


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "racecast_board",
        html='<div class="part"></div>',
        css=(_STATIC / "board" / "board.css").read_text(),
        js="\n".join((_STATIC / name).read_text() for name in _SCRIPTS),
    )
