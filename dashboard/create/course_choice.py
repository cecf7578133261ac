"""The course of a race: chosen from the API's courses and shown on a map."""

from collections.abc import Sequence

import streamlit as st

from dashboard import context
from dashboard.api import ApiError, OfferedCourse, RaceApi
from dashboard.create import upload
from dashboard.race.race_map import course_map
from dashboard.settings import Settings
from dashboard.store.protocol import Course
from dashboard.ui import formatting, words
from dashboard.ui.maps import show_map

MAP_HEIGHT_PX = 400

SHOWN_FENCES = 5
"""Maximum number of geofences named beside the map, which labels all of them."""

_CHOSEN = "course-chosen"
"""Session state key of the chosen course's short name."""

_NEW = "course-new"
"""Session state key of the last uploaded course's short name."""

_DRAWN = "course-drawn"
"""Session state key of the map's course: the page reruns with every key press."""


def keep() -> None:
    """Keep the choice across a run that doesn't draw the chooser."""
    if _CHOSEN in st.session_state:
        # Streamlit identifies an option by its label, and a course's label changes with a new upload.
        st.session_state[_CHOSEN] = st.session_state[_CHOSEN]


def choose_next(short_name: str) -> None:
    """Select this course when the chooser is drawn next."""
    st.session_state[_CHOSEN] = short_name


def choose(api: RaceApi, offered: Sequence[OfferedCourse]) -> OfferedCourse | None:
    """Draw chooser, upload and map, and return the chosen course; None if there is none to choose."""
    by_name = {course.short_name: course for course in offered}
    if not by_name:
        words.notice("The simulator has no courses yet. Upload the first one.", "info")
        upload.offer(api, _take_up, is_open=True)
        return None
    if st.session_state.get(_CHOSEN) not in by_name:
        choose_next(next(iter(by_name)))
    # The short name comes last: Streamlit treats options with equal labels as one.
    labels = {
        name: f"{course.long_name} · {formatting.kilometres(course.distance)} km · {name}"
        for name, course in by_name.items()
    }
    chosen = st.selectbox("Course", list(labels), format_func=labels.__getitem__, key=_CHOSEN)
    upload.offer(api, _take_up)
    _preview(api, by_name[chosen])
    return by_name[chosen]


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
        show_map(course_map(drawn, context.get(Settings)), f"preview-{course.short_name}", MAP_HEIGHT_PX)
    if course.warnings:
        # Expanded only after the viewer's own upload.
        is_new = st.session_state.get(_NEW) == course.short_name
        with st.expander("Notes on this course", expanded=is_new):
            words.notes(course.warnings)


def _fences(names: Sequence[str]) -> str:
    if not names:
        return "no geofence"
    more = f" and {len(names) - SHOWN_FENCES} more" if len(names) > SHOWN_FENCES else ""
    return f"geofence{'s' if len(names) > 1 else ''}: {', '.join(names[:SHOWN_FENCES])}{more}"


def _drawn(api: RaceApi, offered: OfferedCourse) -> Course:
    """The course on the map; requested again when another course or a new version of this one is chosen."""
    kept: tuple[OfferedCourse, Course] | None = st.session_state.get(_DRAWN)
    if kept is None or kept[0] != offered:
        kept = st.session_state[_DRAWN] = (offered, api.course(offered.short_name))
    return kept[1]
