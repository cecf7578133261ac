"""Figures, leaderboard and lists: parts of the page that live on the map's pictures, past Streamlit.

They are mounted once; what changes every second goes past Streamlit (see `race_map`). Only what a viewer
chooses in them comes back here.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    """The race in a few numbers, with their change over the last minute, and how fresh they are."""
    race = snapshot.race
    _part("figures", snapshot, competitors=race.competitors, tick=race.interval / race.speed)


def leaderboard(
    snapshot: Snapshot, height: int, favourites: Sequence[int], on_favourites: Callable[[list[int]], None]
) -> None:
    """Everybody in order. `on_favourites` is called with the bibs that a viewer has chosen."""
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
    """At the front, at the back, just finished, and who is in which geofence for how long."""
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
