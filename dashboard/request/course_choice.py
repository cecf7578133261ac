"""The course of a race: one of the API's courses or a file, shown on a map."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import streamlit as st

from dashboard import context
from dashboard.api import ApiError, OfferedCourse, RaceApi
from dashboard.race import streets
from dashboard.race.race_map import MapOptions, course_map
from dashboard.request import upload
from dashboard.settings import Settings
from dashboard.store.protocol import Course
from dashboard.ui import formatting, viewer, words
from dashboard.ui.maps import show_map
from dashboard.ui.select import apart, chosen, select

MAP_HEIGHT_PX = 360
PROFILE_PX = 110
"""Height of the elevation profile below the map, of a course with altitudes."""

SHOWN_NAMES = 5
"""Maximum number of geofences, and of timing points, named above the map, which labels all of them."""

CHOSEN = "course-chosen"
"""Session state key of the chosen course's short name."""

_NEW = "course-new"
"""Session state key of the last uploaded course's short name."""

_DRAWN = "course-drawn"
"""Session state key of the map's course: the page reruns with every key press."""


class Choice(NamedTuple):
    """The chosen course.

    Attributes:
        course: None if there is none to choose.
        is_refused: whether a file was chosen that can't be used, so that the race can't start.
    """

    course: OfferedCourse | None
    is_refused: bool


def choose(api: RaceApi, offered: Sequence[OfferedCourse], *, may_upload: bool = True) -> Choice:
    """Draw chooser, upload and map."""
    by_name = {course.short_name: course for course in offered}
    if not by_name:
        more = " Choose a file for the first one." if may_upload else ""
        words.notice(f"The simulator has no courses yet.{more}", "info")
        return Choice(None, may_upload and upload.offer(api, _take_up))
    if chosen(CHOSEN) not in by_name:
        st.session_state[CHOSEN] = next(iter(by_name))
    labels = apart({name: _label(course) for name, course in by_name.items()})
    name = select("Course", labels, key=CHOSEN, label_visibility="collapsed", persist_state="session")
    is_refused = may_upload and upload.offer(api, _take_up)
    _preview(api, by_name[name])
    return Choice(by_name[name], is_refused)


def _label(course: OfferedCourse) -> str:
    return f"{course.long_name} · {formatting.distance(course.distance, viewer.current().unit)}"


def _take_up(course: OfferedCourse) -> None:
    st.session_state[CHOSEN] = course.short_name
    st.session_state[_NEW] = course.short_name


def _preview(api: RaceApi, course: OfferedCourse) -> None:
    is_new = st.session_state.get(_NEW) == course.short_name
    if is_new:
        words.notice(f"Your file is the course {course.long_name}, short name {course.short_name}.", "info")
    words.facts(
        *_facts(course),
    )
    try:
        shown = drawn(api, course)
    except ApiError as error:
        words.notice(str(error))
    else:
        show_map(
            course_map(shown, context.get(Settings), viewer.current()),
            f"preview-{course.short_name}",
            MAP_HEIGHT_PX + (0 if shown.altitudes is None else PROFILE_PX),
            MapOptions(streets=streets.wanted()),
        )
    if course.warnings:
        # Expanded only after the viewer's own upload.
        with st.expander("Notes on this course", expanded=is_new):
            words.notes(course.warnings)


def _facts(course: OfferedCourse) -> Iterator[str]:
    unit = viewer.current().unit
    yield formatting.distance(course.distance, unit)
    yield f"{course.laps} laps" if course.laps > 1 else "one lap"
    yield "no altitudes" if course.climb is None else f"{formatting.altitude(course.climb, unit)} of climb"
    yield _named("timing point", course.timing_points)
    yield _named("geofence", course.fences)


def _named(what: str, names: Sequence[str]) -> str:
    if not names:
        return f"no {what}s"
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return f"{what}{'s' if len(names) > 1 else ''}: {', '.join(names[:SHOWN_NAMES])}{more}"


def drawn(api: RaceApi, offered: OfferedCourse) -> Course:
    """The course on the map; requested again when another course or a new version of this one is chosen."""
    kept: tuple[OfferedCourse, Course] | None = st.session_state.get(_DRAWN)
    if kept is None or kept[0] != offered:
        kept = st.session_state[_DRAWN] = (offered, api.course(offered.short_name))
    return kept[1]
