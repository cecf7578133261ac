"""Text that pages show verbatim.

Streamlit's own text elements parse Markdown: a race named `![](http://…)` would load an image. Text that may
come from a user, the API or an error message goes through here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import streamlit as st

from dashboard.ui.escape import escape

if TYPE_CHECKING:
    from collections.abc import Iterable

_STYLE = Path(__file__).parents[1] / "static" / "page.css"


def style() -> None:
    """The pages' style sheet; once per page."""
    st.html(_STYLE)


def title(text: str) -> None:
    """The page's heading."""
    st.html(f'<h1 class="page-title">{escape(text)}</h1>')


def section(text: str) -> None:
    """The heading of a part of the page."""
    st.html(f'<h2 class="section-title">{escape(text)}</h2>')


def group(text: str) -> None:
    """The heading of a group of fields."""
    st.html(f'<h3 class="group-title">{escape(text)}</h3>')


def tiles(*figures: tuple[str, str, str]) -> None:
    """Figures side by side, each with a label above and a note below."""
    items = "".join(
        f'<div class="tile"><span>{escape(word)}</span><strong>{escape(value)}</strong>'
        f"<small>{escape(note)}</small></div>"
        for word, value, note in figures
    )
    st.html(f'<div class="tiles">{items}</div>')


def legend(marks: Iterable[tuple[str, str, str]]) -> None:
    """A chart's legend: a label, a colour and a kind of mark (see `.legend` in page.css) per entry."""
    items = "".join(
        f'<span><i class="{kind}" style="color: {colour}"></i>{escape(word)}</span>'
        for word, colour, kind in marks
    )
    st.html(f'<p class="legend">{items}</p>')


def facts(*texts: str) -> None:
    """Short facts on one muted line."""
    items = "".join(f"<span>{escape(text)}</span>" for text in texts)
    st.html(f'<p class="facts">{items}</p>')


def notes(texts: Iterable[str]) -> None:
    """Notes as a list."""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    st.html(f'<ul class="notes">{items}</ul>')


def notice(text: str, kind: Literal["error", "warning", "info"] = "error") -> None:
    """A prominent message that screen readers announce."""
    role = "alert" if kind == "error" else "status"
    st.html(f'<div class="notice {kind}" role="{role}">{escape(text)}</div>')


def hint(text: str) -> None:
    """A muted hint below a field."""
    st.html(f'<p class="hint">{escape(text)}</p>')


def plain(text: str) -> None:
    """A plain sentence."""
    st.html(f'<p class="plain">{escape(text)}</p>')
