"""Values that the page gives its fields: a preset's, or paces in another unit.

After a run that is interrupted, the browser sends the old values of those fields that it hasn't drawn. So
values are given until a run has drawn all fields, and not after: each value given by a run overwrites what
has been typed since it began.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

_KEY = "race-pending"


def give(values: Mapping[str, Any]) -> None:
    """Give fields new values, by session state key; must run before they are drawn."""
    st.session_state[_KEY] = {**st.session_state.get(_KEY, {}), **values}
    st.session_state.update(values)


def give_again() -> None:
    """Give the values that an earlier run gave, unless it drew all fields."""
    st.session_state.update(st.session_state.get(_KEY, {}))


def settle() -> None:
    """All fields are drawn, so the browser has their values."""
    st.session_state.pop(_KEY, None)
