"""Scrolls to the figures of new plans, which begin below the fields."""

from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

FIGURES = "plan-figures"
"""Key of the container with the figures."""
_SCRIPT = Path(__file__).parents[1] / "static" / "plan" / "reveal.js"


def reveal(computed: int) -> None:
    """Scroll to the figures; `computed` is another number for each computation, or 0 if there is none."""
    _component()(key="plan-reveal", data={"computed": computed})


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component("racecast_reveal", html="<div></div>", js=_SCRIPT.read_text())
