"""How much of the dashboard a viewer sees: the whole, or one of the views that a link asks for."""

from enum import StrEnum
from urllib.parse import urlencode

import streamlit as st

from dashboard import context
from dashboard.settings import Settings
from dashboard.ui import viewer

PARAMETER = "view"
_KEPT = "view"
"""Session state key of a view that the session doesn't leave."""


class View(StrEnum):
    """The values of the query parameter `view`."""

    WHOLE = ""
    WATCH = "watch"
    """Without the controls that create and change races."""
    WALL = "wall"
    """Fills a large screen, without any controls."""
    ANNOUNCER = "announcer"
    """What an announcer reads out, in large type: who comes next, and the newest results."""
    EMBED = "embed"
    """Map and leaderboard, for a frame in another site's page."""


def view() -> View:
    """The view in the link. Links within a page don't name it, so `WATCH` and `EMBED` are put back into them.

    For `EMBED` that is more than convenience: another site's page frames it, and no click in it may lead to
    the controls.
    """
    asked = st.query_params.get(PARAMETER, "")
    known = View(asked) if asked in set(View) else View.WHOLE
    if known in {View.WATCH, View.EMBED}:
        st.session_state[_KEPT] = known
    elif known is View.WHOLE and _KEPT in st.session_state:
        known = View(st.session_state[_KEPT])
        st.query_params[PARAMETER] = known
    return known


def why_not() -> str | None:
    """Why this viewer cannot create or change races; None if they can."""
    if context.get(Settings).read_only:
        return "This dashboard is read-only. Races are created and changed elsewhere."
    if view() is not View.WHOLE:
        return "This link is for watching. It has no controls for creating or changing races."
    return None


def may_change() -> bool:
    """Whether this viewer can create and change races."""
    return why_not() is None


def offer(create_page: st.Page) -> None:
    """Link to the page that creates races, for viewers who can."""
    if may_change():
        st.page_link(create_page, label="Create a race", icon=":material/add_circle:")


def address(page: str, **parameters: str) -> str:
    """The address of a page, relative to the other pages, in this viewer's view and units."""
    kept = {PARAMETER: kept} if (kept := view()) is not View.WHOLE else {}
    query = urlencode({**parameters, **viewer.in_link(), **kept})
    return f"{page}?{query}" if query else page


def enter(chosen: View) -> None:
    """Put a view into the link."""
    st.query_params[PARAMETER] = chosen


def leave() -> None:
    """Return to the view before."""
    st.query_params.pop(PARAMETER, None)
