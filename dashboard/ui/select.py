"""Select boxes whose labels may change while they are shown.

Between browser and server, Streamlit speaks of a chosen option by its label. A label can change: a race is
paused, a name occurs twice now, the viewer chooses another language. The browser may send the former label
once more, and Streamlit then takes that text as the chosen option. So each box knows its former labels.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


@dataclass
class _Box:
    """What a session knows of one select box."""

    options: dict[str, str] = field(default_factory=dict)
    """Options by label, former labels included."""
    shown: str | None = None
    """The option that it showed last."""


def select(
    word: str,
    labels: Mapping[str, str],
    *,
    key: str,
    place: DeltaGenerator | None = None,
    on_choice: Callable[[str], None] = lambda _: None,
    **settings: Any,
) -> str:
    """Draw a select box in `place` and return the chosen option; at first that is the first one.

    `labels` are texts by option, at least one and no two equal (see `apart`). `on_choice` is called when the
    viewer chooses another option, before the page runs again. `settings` are those of `st.selectbox`. Set the
    session state of `key` to change the choice.
    """
    box = _box(key)
    box.options.update({label: option for option, label in labels.items()})
    option = chosen(key)
    if option != st.session_state.get(key):
        st.session_state[key] = option
    drawn: str = (st if place is None else place).selectbox(
        word,
        list(labels),
        format_func=labels.__getitem__,
        key=key,
        on_change=_choose,
        args=(key, on_choice),
        **settings,
    )
    box.shown = drawn
    return drawn


def apart(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels by option, with the option appended to those that occur more than once."""
    times = Counter(labels.values())
    return {option: text if times[text] == 1 else f"{text} · {option}" for option, text in labels.items()}


def chosen(key: str) -> str | None:
    """The option that is chosen in a box; None if it has not been drawn."""
    value: str | None = st.session_state.get(key)
    options = _box(key).options
    return value if value is None or value in options.values() else options.get(value, value)


def _choose(key: str, on_choice: Callable[[str], None]) -> None:
    option = chosen(key)
    if option is not None and option != _box(key).shown:
        on_choice(option)


def _box(key: str) -> _Box:
    box: _Box = st.session_state.setdefault(f"{key}-box", _Box())
    return box
