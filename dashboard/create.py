"""The page that makes a race: a form for the API's POST /races, and the API's own words on mistakes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import context, formatting, words
from dashboard.api import ApiError, OfferedCourse, RefusedError

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from dashboard.api import RaceApi

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,20}")
"""Longer than any seed, and short enough for every reader of JSON."""


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
    if course.warnings:
        with st.expander("Notes on this course"):
            words.notes(course.warnings)
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
            self._who_runs()
            self._who_stops()
            self._how_it_is_run()
            self.sent = st.form_submit_button("Start the race", type="primary")

    def show_mistakes(self, refused: RefusedError) -> None:
        """The API's words, each below its field; below the form those about no field of ours."""
        elsewhere = [name for name in refused.mistakes if name not in self._below]
        words.notice(
            "The race is not started: see what is said at the fields." if not elsewhere else str(refused)
        )
        for name in refused.mistakes.keys() - elsewhere:
            with self._below[name]:
                words.notice(refused.mistakes[name])

    def _who_runs(self) -> None:
        count, fastest, slowest = st.columns(3)
        with count:
            self._take("competitors", st.number_input("Competitors", value=100, step=50))
        with fastest:
            self._number("fastest", "Fastest pace, seconds per km", 144.0, step=5.0)
        with slowest:
            self._number("slowest", "Slowest pace, seconds per km", 500.0, step=5.0)

    def _who_stops(self) -> None:
        share, shortest, longest = st.columns(3)
        with share:
            self._number("how_many_get_stopped", "Share stopping in a geofence, 0 to 1", 0.0, step=0.05)
        with shortest:
            self._number("min_pause", "Shortest pause, seconds", 5.0, step=5.0)
        with longest:
            self._number("max_pause", "Longest pause, seconds", 30.0, step=5.0)

    def _how_it_is_run(self) -> None:
        speed, seed, _ = st.columns(3)
        with speed:
            self._number("speed", "Speed, race seconds per second", 10.0, step=1.0)
        with seed:
            self._take(
                "seed", _number_if_any(st.text_input("Seed", placeholder="Empty: a new race each time"))
            )

    def _number(self, name: str, label: str, value: float, *, step: float) -> None:
        self._take(name, st.number_input(label, value=value, step=step, format="%g"))

    def _take(self, name: str, value: Any) -> None:
        """Keep the value of the field drawn just now; None leaves it to the API."""
        if value is not None:
            self.request[name] = value
        self._below[name] = st.empty()


def _number_if_any(text: str) -> int | str | None:
    """A whole number, or the text for the API to refuse in its own words."""
    text = text.strip()
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else text or None
