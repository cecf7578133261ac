"""Text that pages show verbatim.

Streamlit's own text elements parse Markdown: a race named `![](http://…)` would load an image. Text that may
come from a user, the API or an error message goes through here.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from dashboard.ui.escape import templates

_STATIC = Path(__file__).parents[1] / "static"
_STYLES = ("motion.css", "page.css", "views.css")


@cache
def _macros() -> Any:
    return templates("dashboard.ui").get_template("words.html").module


def style() -> None:
    """The pages' style sheets; once per page."""
    for name in _STYLES:
        st.html(_STATIC / name)


def title(text: str) -> None:
    """The page's heading."""
    st.html(_macros().title(text))


def section(text: str) -> None:
    """The heading of a part of the page."""
    st.html(_macros().section(text))


def group(text: str) -> None:
    """The heading of a group of fields."""
    st.html(_macros().group(text))


def tiles(*figures: tuple[str, str, str]) -> None:
    """Figures side by side, each with a label above and a note below."""
    st.html(_macros().tiles(figures))


def legend(marks: Iterable[tuple[str, str, str]]) -> None:
    """A chart's legend: a label, a colour and a kind of mark (see `.legend` in page.css) per entry."""
    st.html(_macros().legend(marks))


def away(text: str, address: str, link: str, note: str = "") -> None:
    """A heading, a note and a link that opens in a new tab, for a page in a frame."""
    st.html(_macros().away(text, address, link, note))


def facts(*texts: str) -> None:
    """Short facts on one muted line."""
    st.html(_macros().facts(texts))


def notes(texts: Iterable[str]) -> None:
    """Notes as a list."""
    st.html(_macros().notes(texts))


def placeholder() -> None:
    """Nothing that can be seen: it keeps an empty container on the page."""
    st.html(_macros().placeholder())


def links(entries: Iterable[tuple[str, str, str]]) -> None:
    """Links as a list, each with its address, its text and a note."""
    st.html(_macros().links(entries))


def notice(text: str, kind: Literal["error", "warning", "info"] = "error") -> None:
    """A prominent message that screen readers announce."""
    st.html(_macros().notice(text, kind))


def hint(text: str) -> None:
    """A muted hint below a field."""
    st.html(_macros().hint(text))


def plain(text: str) -> None:
    """A plain sentence."""
    st.html(_macros().plain(text))
