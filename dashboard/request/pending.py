"""Values that the page gives its fields: a preset's, or paces in another unit.

After a run that is interrupted, the browser sends the old values of those fields that it hasn't drawn. So
values are given until a run has drawn all fields, and not after: each value given by a run overwrites what
is being typed. A field that has a value of its own meanwhile keeps it.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

_KEY = "race-pending"


def give(values: Mapping[str, Any]) -> None:
    """Give fields new values, by session state key; must run before they are drawn."""
    given = _given()
    for key, value in values.items():
        given[key] = [*given.get(key, ()), st.session_state.get(key), value]
        st.session_state[key] = value


def give_again() -> None:
    """Give the values that an earlier run gave, unless it drew all fields."""
    for key, known in _given().items():
        *_, value = known
        if st.session_state.get(key, value) in known:
            st.session_state[key] = value


def settle() -> None:
    """All fields are drawn, so the browser has their values."""
    _given().clear()


def _given() -> dict[str, list[Any]]:
    """By session state key: the values that the field had, and last the one that it gets."""
    given: dict[str, list[Any]] = st.session_state.setdefault(_KEY, {})
    return given
