"""Upload of a course file through the API, with the API's errors next to the fields."""

from collections.abc import Callable, Mapping

import streamlit as st

from dashboard.api import ApiError, OfferedCourse, RaceApi, RefusedError
from dashboard.ui import words

KINDS = ("kml", "kmz", "gpx", "geojson", "json")

_ROUND = "course-upload-round"
"""Counts uploads: a new number recreates the fields empty."""

_SAID = "course-upload-said"
"""Errors of the last attempt by field ("" for none in particular), kept until the next attempt."""


def offer(api: RaceApi, take_up: Callable[[OfferedCourse], None], *, is_open: bool = False) -> None:
    """Draw the fields; passes an accepted course to `take_up` before the page reruns."""
    with st.expander("Upload a course", icon=":material/upload:", expanded=is_open):
        words.plain(
            "A KML, KMZ, GPX or GeoJSON file with one line from start to finish. Points called Start and "
            "Finish are its markers; polygons are its geofences."
        )
        said: Mapping[str, str] = st.session_state.get(_SAID, {})
        nth = st.session_state.get(_ROUND, 0)
        file_key, name_key = f"course-file-{nth}", f"course-name-{nth}"
        file = st.file_uploader("Course file", type=list(KINDS), key=file_key, on_change=_forget)
        _say(said, "file")
        st.text_input(
            "Short name",
            key=name_key,
            placeholder="Empty: derived from the file name",
            help="Used in links and tables: letters, digits, - and _.",
            on_change=_forget,
        )
        _say(said, "name")
        st.button(
            "Upload",
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
