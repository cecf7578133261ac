"""Upload of a course file through the API as soon as it is chosen, with errors next to the fields."""

from collections.abc import Callable, Mapping

import streamlit as st

from dashboard.api import ApiError, ConflictError, OfferedCourse, RaceApi, RefusedError
from dashboard.ui import words

KINDS = ("kml", "kmz", "gpx", "tcx", "geojson", "json", "geojsonl", "geojsons", "gz", "zip")

_ABOUT = (
    "A KML, KMZ, GPX, TCX or GeoJSON file, also packed with gzip or zip, with one line from start to finish. "
    "Points called Start and Finish are its markers; polygons are its geofences."
)

_ROUND = "course-upload-round"
"""Counts uploads: a new number recreates the fields empty."""

_SAID = "course-upload-said"
"""Errors of the file in the field, by field ("" for none in particular)."""


def offer(api: RaceApi, take_up: Callable[[OfferedCourse], None]) -> bool:
    """Draw the fields, and return whether the file in them was refused.

    An accepted course is passed to `take_up` before the page is drawn, and the fields are empty again.
    """
    nth = st.session_state.get(_ROUND, 0)
    file_key, name_key = f"course-file-{nth}", f"course-name-{nth}"

    def read() -> None:
        _hand_in(api, take_up, file_key, name_key)

    with st.container(horizontal=True, key="fields-upload"):
        with st.container():
            below_name = _name(name_key, read)
        with st.container():
            file = st.file_uploader(
                "Course file of your own",
                type=list(KINDS),
                key=file_key,
                on_change=read,
                help=_ABOUT,
            )
            # The file is gone after a visit to another page, and so is what was wrong with it.
            said: Mapping[str, str] = st.session_state.get(_SAID, {}) if file is not None else {}
            for field, place in (("name", below_name), ("file", st.container()), ("", st.container())):
                if field in said:
                    with place:
                        words.notice(said[field])
            if "" in said:
                st.button("Try again", icon=":material/refresh:", on_click=read)
    return bool(said)


def _name(key: str, read: Callable[[], None]) -> st.delta_generator.DeltaGenerator:
    """Draw the name's field and return the place below it."""
    st.text_input(
        "Short name of your course",
        key=key,
        placeholder="Optional",
        help="Used in links and tables: letters, digits, - and _. Without one, it is derived from the file.",
        on_change=read,
        persist_state="session",
    )
    return st.container()


def _hand_in(api: RaceApi, take_up: Callable[[OfferedCourse], None], file_key: str, name_key: str) -> None:
    st.session_state.pop(_SAID, None)
    file, name = st.session_state.get(file_key), st.session_state[name_key].strip() or None
    if file is None:
        return
    try:
        course = api.upload_course(file.getvalue(), name)
    except RefusedError as refused:
        said = {field: said for field, said in refused.mistakes.items() if field in ("file", "name")}
        if "file" in said:
            said["file"] = f"This file can't be used: {said['file']}. Remove it, or choose another one."
        st.session_state[_SAID] = said or {"": str(refused)}
    except ConflictError as error:
        st.session_state[_SAID] = {"name": str(error)}
    except ApiError as error:
        st.session_state[_SAID] = {"": str(error)}
    else:
        st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
        take_up(course)
