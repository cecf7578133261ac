"""The page component of static/board/: its parts draw a race in the browser, bypassing Streamlit.

A part is mounted once for each race. Only the viewer's choices in it come back to Python.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from dashboard.ui import viewer

_STATIC = Path(__file__).parents[1] / "static"
_SCRIPTS = (
    "formatting.js",
    "live_feed.js",
    "names.js",
    "forecasts.js",
    "race_clock.js",
    "board/page.js",
    "board/search.js",
    "board/filters.js",
    "board/finder.js",
    "board/table.js",
    "board/clock.js",
    "board/leaders.js",
    "board/announcer.js",
    "board/figures.js",
    "board/tallies.js",
    "board/moment.js",
    "board/leaderboard.js",
    "board/panels.js",
    "board/expected.js",
    "board/results_feed.js",
    "board/print_head.js",
    "board/race_list.js",
    "board/results.js",
    "board/stays.js",
    "board/start_list.js",
    "board/teams.js",
    "board/share.js",
    "board/stay_awake.js",
    "board/board_feeds.js",
    "board/announcer_board.js",
    "board/watch.js",
    "board/main.js",
)
"""In the order of their dependencies."""
_STYLES = ("motion.css", "board/board.css", "board/looks.css", "board/list.css", "board/announcer.css")

Keepers = Mapping[str, Callable[[object], None]]
"""Called with the viewer's choices, by the names under which the part sets them; values are unchecked."""


def mount(
    part: str,
    run_id: str,
    keepers: Keepers = MappingProxyType({}),
    *,
    width: Literal["stretch", "content"] = "stretch",
    **data: Any,
) -> None:
    """Draw a part of a race's page with this data."""
    key = f"{part}-{run_id}"

    def hear(name: str) -> Callable[[], None]:
        return lambda: keepers[name](st.session_state[key].get(name))

    hearing: dict[str, Any] = {f"on_{name}_change": hear(name) for name in keepers}
    given = {"part": part, "run": run_id, "viewer": viewer.current().for_scripts, **data}
    _component()(key=key, data=given, width=width, **hearing)


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "racecast_board",
        html='<div class="part"></div>',
        css=_text(_STYLES),
        js=_text(_SCRIPTS),
    )


def _text(names: Sequence[str]) -> str:
    return "\n".join((_STATIC / name).read_text() for name in names)
