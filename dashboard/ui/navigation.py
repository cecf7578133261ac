"""The navigation between the pages, and the way into the full-screen view and back.

On wide screens it is a bar at the top, on phones one at the bottom, within reach of the thumb.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from dashboard.ui import viewing
from dashboard.ui.viewing import View

_STATIC = Path(__file__).parents[1] / "static" / "navigation"


def show(pages: Sequence[st.Page], here: st.Page, *, on_walls: bool) -> None:
    """Draw the links to the pages, and follow the one that was clicked.

    `on_walls`: whether the page `here` has a full-screen view.
    """
    view = viewing.view()
    chosen = _component()(
        key="navigation",
        data={
            "links": [] if view is View.WALL else [_link(page, here) for page in pages],
            "fullScreen": "leave" if view is View.WALL else "enter" if on_walls else "",
        },
        on_page_change=lambda: None,
        on_wall_change=_follow_wall,
    )
    by_path = {page.url_path: page for page in pages}
    if (page := by_path.get(chosen.page)) is not None:
        # Without them it would clear the link, which Streamlit refuses while widgets are bound to it.
        st.switch_page(page, query_params={})


def _follow_wall() -> None:
    if st.session_state["navigation"].wall == "enter":
        viewing.enter(View.WALL)
    else:
        viewing.leave()


def _link(page: st.Page, here: st.Page) -> dict[str, object]:
    return {
        "path": page.url_path,
        "address": viewing.address(f"./{page.url_path}"),
        "title": page.title,
        "icon": page.icon.removeprefix(":material/").removesuffix(":"),
        "here": page.url_path == here.url_path,
    }


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "racecast_navigation",
        html='<div class="navigation"></div>',
        css=(_STATIC / "navigation.css").read_text(),
        js="\n".join((_STATIC / name).read_text() for name in ("menus.js", "navigation.js")),
    )
