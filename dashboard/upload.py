"""The course of a race: one that the API offers, or a file of one's own, handed in through the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import formatting, words
from dashboard.api import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.api import OfferedCourse, RaceApi

CHOSEN = "course-chosen"
"""Where the session keeps the short name of the chosen course."""

KINDS = ("kml", "kmz", "gpx")

_WANTED = "course-wanted"
"""A course that was handed in: it is the chosen one in the next run, when the chooser isn't drawn yet."""

_ROUND = "course-upload-round"
"""Counts uploads: another number makes the fields anew, and empty."""


def choose(api: RaceApi, offered: Sequence[OfferedCourse]) -> OfferedCourse | None:
    """Draw the chooser and the way to upload, and answer the chosen course; None if there is none at all."""
    by_name = {course.short_name: course for course in offered}
    if (wanted := st.session_state.pop(_WANTED, None)) is not None:
        st.session_state[CHOSEN] = wanted
    if by_name:
        if st.session_state.get(CHOSEN) not in by_name:
            st.session_state[CHOSEN] = next(iter(by_name))
        else:
            # Written back each time: Streamlit forgets the field of a page that is left.
            st.session_state[CHOSEN] = st.session_state[CHOSEN]
        st.selectbox("Course", list(by_name), format_func=lambda name: _label(by_name[name]), key=CHOSEN)
    else:
        words.notice("The simulator has no course yet: hand in the first one.", "info")
    with st.expander("A course of your own", icon=":material/upload:", expanded=not by_name):
        _upload(api)
    return by_name.get(st.session_state.get(CHOSEN, ""))


def _label(course: OfferedCourse) -> str:
    # The short name last: two options that read the same would be one to Streamlit.
    return f"{course.long_name} · {formatting.kilometres(course.distance)} km · {course.short_name}"


def _upload(api: RaceApi) -> None:
    words.plain(
        "A KML, KMZ or GPX file with one line from the start to the finish; points called Start and Finish "
        "are its markers, polygons its geofences."
    )
    nth = st.session_state.get(_ROUND, 0)
    file = st.file_uploader("Course file", type=list(KINDS), key=f"course-file-{nth}")
    below_file = st.empty()
    name = st.text_input(
        "Short name",
        key=f"course-name-{nth}",
        placeholder="Empty: made of the file's own name",
        help="For links and tables: letters, digits, - and _.",
    )
    below_name = st.empty()
    if not st.button("Hand it in", disabled=file is None, icon=":material/upload:") or file is None:
        return
    try:
        course = api.upload_course(file.getvalue(), name.strip() or None)
    except RefusedError as refused:
        for field, place in (("file", below_file), ("name", below_name)):
            if field in refused.mistakes:
                with place:
                    words.notice(refused.mistakes[field])
        if refused.mistakes.keys().isdisjoint({"file", "name"}):
            words.notice(str(refused))
        return
    st.session_state[_ROUND] = nth + 1
    st.session_state[_WANTED] = course.short_name
    st.rerun()
