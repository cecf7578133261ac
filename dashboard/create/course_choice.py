"""The course of a race: chosen from those that the API offers, and shown on a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st
from streamlit_folium import st_folium

from dashboard import context
from dashboard.api import ApiError
from dashboard.create import upload
from dashboard.race.race_map import course_map
from dashboard.settings import Settings
from dashboard.ui import formatting, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.api import OfferedCourse, RaceApi
    from dashboard.store.protocol import Course

MAP_HEIGHT_PX = 400

SHOWN_FENCES = 5
"""So many geofences are named beside the map, which names them all."""

_CHOSEN = "course-chosen"
"""Where the session keeps the short name of the chosen course."""

_NEW = "course-new"
"""Where it keeps that of the course that was handed in last."""

_DRAWN = "course-drawn"
"""Where it keeps what the map shows: the page runs with every key that is pressed."""


def keep() -> None:
    """Have the choice outlive a run in which the chooser isn't drawn."""
    if _CHOSEN in st.session_state:
        # Streamlit knows an option by its label, and that of a course changes when it is handed in anew.
        st.session_state[_CHOSEN] = st.session_state[_CHOSEN]


def choose_next(short_name: str) -> None:
    """Have this course be the chosen one when the chooser is drawn next."""
    st.session_state[_CHOSEN] = short_name


def choose(api: RaceApi, offered: Sequence[OfferedCourse]) -> OfferedCourse | None:
    """Draw chooser, upload and map, and answer the chosen course; None if there is none to choose."""
    by_name = {course.short_name: course for course in offered}
    if not by_name:
        words.notice("The simulator has no course yet: hand in the first one.", "info")
        upload.offer(api, _take_up, is_open=True)
        return None
    if st.session_state.get(_CHOSEN) not in by_name:
        choose_next(next(iter(by_name)))
    chosen = st.selectbox(
        "Course", list(by_name), format_func=lambda name: _label(by_name[name]), key=_CHOSEN
    )
    upload.offer(api, _take_up)
    _preview(api, by_name[chosen])
    return by_name[chosen]


def _label(course: OfferedCourse) -> str:
    # The short name last: two options that read the same would be one to Streamlit.
    return f"{course.long_name} · {formatting.kilometres(course.distance)} km · {course.short_name}"


def _take_up(course: OfferedCourse) -> None:
    choose_next(course.short_name)
    st.session_state[_NEW] = course.short_name


def _preview(api: RaceApi, course: OfferedCourse) -> None:
    words.facts(
        f"{formatting.kilometres(course.distance)} km",
        f"{course.laps} laps" if course.laps > 1 else "one lap",
        _fences(course.fences),
    )
    try:
        drawn = _drawn(api, course)
    except ApiError as error:
        words.notice(str(error))
    else:
        st_folium(
            course_map(drawn, context.get(Settings)),
            key=f"preview-{course.short_name}",
            height=MAP_HEIGHT_PX,
            use_container_width=True,
            returned_objects=[],
        )
    if course.warnings:
        # Open for who has just handed it in; for everybody else it is no news.
        is_new = st.session_state.get(_NEW) == course.short_name
        with st.expander("Notes on this course", expanded=is_new):
            words.notes(course.warnings)


def _fences(names: Sequence[str]) -> str:
    if not names:
        return "no geofence"
    more = f" and {len(names) - SHOWN_FENCES} more" if len(names) > SHOWN_FENCES else ""
    return f"geofence{'s' if len(names) > 1 else ''}: {', '.join(names[:SHOWN_FENCES])}{more}"


def _drawn(api: RaceApi, offered: OfferedCourse) -> Course:
    """What the map shows; asked for anew when another course, or this one anew, is offered."""
    kept: tuple[OfferedCourse, Course] | None = st.session_state.get(_DRAWN)
    if kept is None or kept[0] != offered:
        kept = st.session_state[_DRAWN] = (offered, api.course(offered.short_name))
    return kept[1]
