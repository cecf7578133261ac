"""The page that makes a race: a form for the API's POST /races, and the API's own words on mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import context, formatting, words
from dashboard.api import ApiError, OfferedCourse, RefusedError

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from dashboard.api import RaceApi


def show(live_page: st.Page) -> None:
    """Draw the page; after the API has made the race, `live_page` shows it."""
    words.title("New race")
    api = context.current().api
    try:
        course = _choose_course(api.courses())
        form = _RaceForm(course) if course else None
        run_id = _create(api, form) if form and form.sent else None
    except ApiError as error:
        words.notice(str(error))
        return
    if run_id is not None:
        st.switch_page(live_page, query_params={"run": run_id})


def _create(api: RaceApi, form: _RaceForm) -> str | None:
    """The new race's run id; None if the API refused it and the form says why."""
    try:
        return api.create_race(form.request)
    except RefusedError as refused:
        form.show_mistakes(refused)
        return None


def _choose_course(offered: list[OfferedCourse]) -> OfferedCourse | None:
    if not offered:
        words.notice("The simulator has no course yet: put a KML file where it reads them.", "info")
        return None
    course = st.selectbox("Course", offered, format_func=_course_label)
    for warning in course.warnings:
        words.notice(warning, "warning")
    return course


def _course_label(course: OfferedCourse) -> str:
    return f"{course.long_name} · {formatting.kilometres(course.distance)} km"


class _RaceForm:
    """The fields, what they hold, and below each the place for what is wrong with it.

    Limits are the API's to check: here would be a second place to keep them.
    """

    def __init__(self, course: OfferedCourse) -> None:
        self.request: dict[str, Any] = {"course": course.short_name}
        self._below: dict[str, DeltaGenerator] = {}
        with st.form("race"):
            self._take("name", st.text_input("Name", placeholder=course.long_name) or None)
            self._field_and_clock()
            self._pauses()
            self.sent = st.form_submit_button("Start the race", type="primary")

    def show_mistakes(self, refused: RefusedError) -> None:
        """The API's words, each below its field; those about no field of ours below the form."""
        words.notice(str(refused))
        for name, mistake in refused.mistakes.items():
            if name in self._below:
                with self._below[name]:
                    words.notice(mistake)
            else:
                words.notice(f"{name}: {mistake}")

    def _field_and_clock(self) -> None:
        left, right = st.columns(2)
        with left:
            self._take("competitors", st.number_input("Competitors", value=100, step=50))
            self._take("fastest", st.number_input("Fastest pace, seconds per km", value=144.0, step=5.0))
            self._take("slowest", st.number_input("Slowest pace, seconds per km", value=500.0, step=5.0))
        with right:
            speed_help = "Race seconds per second: at 10, an hour of running takes six minutes."
            self._take("speed", st.number_input("Speed", value=10.0, step=1.0, help=speed_help))
            seed_help = "The same course, settings and seed give the same race. Empty: a new one."
            self._take("seed", _number_if_any(st.text_input("Seed", help=seed_help)))

    def _pauses(self) -> None:
        share, shortest, longest = st.columns(3)
        with share:
            percent = st.number_input("Stopping in a geofence, %", value=0.0, step=5.0)
            self._take("how_many_get_stopped", percent / 100)
        with shortest:
            self._take("min_pause", st.number_input("Shortest pause, seconds", value=5.0, step=5.0))
        with longest:
            self._take("max_pause", st.number_input("Longest pause, seconds", value=30.0, step=5.0))

    def _take(self, name: str, value: Any) -> None:
        """Keep the value of the field drawn just now; None leaves it to the API."""
        if value is not None:
            self.request[name] = value
        self._below[name] = st.empty()


def _number_if_any(text: str) -> int | str | None:
    """A whole number of any size, or the text for the API to refuse in its own words."""
    text = text.strip()
    return int(text) if text.lstrip("-").isdecimal() else text or None
