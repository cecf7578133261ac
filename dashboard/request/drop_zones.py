"""Repairs the role of Streamlit's drop zones for files, which screen readers read."""

from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

_SCRIPT = Path(__file__).parents[1] / "static" / "create" / "drop_zones.js"


def repair() -> None:
    """Repair those of the page, as long as it is shown."""
    _component()(key="drop-zones")


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component("racecast_drop_zones", html="<div></div>", js=_SCRIPT.read_text())
