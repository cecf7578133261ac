"""A course file of one's own, handed in through the API, whose words on mistakes stand at the fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.api import ApiError, RefusedError
from dashboard.ui import words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dashboard.api import OfferedCourse, RaceApi

KINDS = ("kml", "kmz", "gpx", "geojson", "json")

_ROUND = "course-upload-round"
"""Counts uploads: another number makes the fields anew, and empty."""

_SAID = "course-upload-said"
"""What came of the last attempt, by field; "" is about no field. It stays until another one is made."""


def offer(api: RaceApi, take_up: Callable[[OfferedCourse], None], *, is_open: bool = False) -> None:
    """Draw the fields; a course that the API has taken goes to `take_up` before the page runs again."""
    with st.expander("A course of your own", icon=":material/upload:", expanded=is_open):
        words.plain(
            "A KML, KMZ, GPX or GeoJSON file with one line from the start to the finish; points called Start "
            "and Finish are its markers, polygons its geofences."
        )
        said: Mapping[str, str] = st.session_state.get(_SAID, {})
        nth = st.session_state.get(_ROUND, 0)
        file_key, name_key = f"course-file-{nth}", f"course-name-{nth}"
        file = st.file_uploader("Course file", type=list(KINDS), key=file_key, on_change=_forget)
        _say(said, "file")
        st.text_input(
            "Short name",
            key=name_key,
            placeholder="Empty: made of the file's own name",
            help="For links and tables: letters, digits, - and _.",
            on_change=_forget,
        )
        _say(said, "name")
        st.button(
            "Hand it in",
            disabled=file is None,
            icon=":material/upload:",
            on_click=lambda: _hand_in(api, take_up, file_key, name_key),
        )
        _say(said, "")


def _say(said: Mapping[str, str], field: str) -> None:
    if field in said:
        words.notice(said[field])


def _forget() -> None:
    st.session_state.pop(_SAID, None)


def _hand_in(api: RaceApi, take_up: Callable[[OfferedCourse], None], file_key: str, name_key: str) -> None:
    name = st.session_state[name_key].strip() or None
    try:
        course = api.upload_course(st.session_state[file_key].getvalue(), name)
    except RefusedError as refused:
        mistakes = {field: said for field, said in refused.mistakes.items() if field in ("file", "name")}
        st.session_state[_SAID] = mistakes or {"": str(refused)}
    except ApiError as error:
        st.session_state[_SAID] = {"": str(error)}
    else:
        _forget()
        st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
        take_up(course)
