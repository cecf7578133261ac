"""Presets: buttons that fill in the form, one of them marked while the form is as it says."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from dashboard.api import OfferedCourse, RaceField
from dashboard.create import race_form, start_list
from dashboard.request import course_choice, inputs, paces, pending
from dashboard.ui import formatting, viewer, words

_NTH = "race-preset-nth"
"""Session state key of the number of the widget that shows the presets."""


class Preset(NamedTuple):
    """A button's title and icon, and the fields of `POST /races` that it fills in."""

    title: str
    icon: str
    request: Mapping[str, Any]


PRESETS = {
    preset["title"]: Preset(**preset)
    for preset in tomllib.loads(Path(__file__).with_name("presets.toml").read_text("utf-8"))["presets"]
}
"""By title; everything can be changed afterwards."""


def offer(offered: Sequence[OfferedCourse], fields: Mapping[str, RaceField]) -> None:
    """Draw the buttons, above the fields, which have their first values already."""
    filled_in = [title for title, preset in PRESETS.items() if _is_filled_in(preset, offered, fields)]
    marked = filled_in[0] if filled_in else None
    if st.session_state.get(_marked()) != marked:
        # In a new widget: until the browser has drawn the change, it sends the old mark with whatever else is
        # changed, and that would count as a press.
        st.session_state[_NTH] = st.session_state.get(_NTH, 0) + 1
        st.session_state[_marked()] = marked
    st.pills(
        "Start with a preset",
        list(PRESETS),
        format_func=lambda title: f"{PRESETS[title].icon} {title}",
        key=_marked(),
        on_change=_fill_in,
        args=(offered, fields),
    )
    words.hint(_meaning(PRESETS[marked].request) if marked else "Everything can be changed below.")


def _marked() -> str:
    """The session state key of the marked preset."""
    return f"race-preset-{st.session_state.get(_NTH, 0)}"


def _meaning(request: Mapping[str, Any]) -> str:
    if whose := paces.OF_THEIR_OWN.get(request.get("pace_model", "")):
        run_at = f"paces of {whose}"
    else:
        unit = viewer.current().unit
        fastest, slowest = (paces.write(request[name], unit) for name in race_form.PACES)
        run_at = f"{fastest} to {slowest} min/{unit.each}"
    runners, speed = formatting.counted(request["competitors"], "runner", "runners"), request["speed"]
    return f"{runners}, {run_at}, {speed:g}\N{MULTIPLICATION SIGN} speed"


def _values(
    preset: Preset, offered: Sequence[OfferedCourse], fields: Mapping[str, RaceField]
) -> dict[str, Any]:
    """What a preset sets the fields to, by session state key. A course that isn't offered is left out."""
    course = preset.request["course"]
    is_offered = any(one.short_name == course for one in offered)
    return inputs.values(preset.request, fields, viewer.current().unit) | (
        {course_choice.CHOSEN: course} if is_offered else {}
    )


def _is_filled_in(preset: Preset, offered: Sequence[OfferedCourse], fields: Mapping[str, RaceField]) -> bool:
    values = _values(preset, offered, fields)
    return not start_list.is_given() and all(st.session_state.get(key) == values[key] for key in values)


def _fill_in(offered: Sequence[OfferedCourse], fields: Mapping[str, RaceField]) -> None:
    preset = PRESETS.get(st.session_state[_marked()])
    if preset is None:
        return  # pressed again: it stays as it is
    pending.give(_values(preset, offered, fields))
    start_list.remove()
