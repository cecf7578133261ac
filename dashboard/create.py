"""The page that makes a race: a course, the fields of POST /races, and the API's own words on mistakes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit_folium import st_folium

from dashboard import context, formatting, paces, upload, words
from dashboard.api import ApiError, RefusedError
from dashboard.presets import PRESETS
from dashboard.race_map import course_map

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streamlit.delta_generator import DeltaGenerator

    from dashboard.api import OfferedCourse, RaceApi
    from dashboard.presets import Preset

MAP_HEIGHT_PX = 400
FIRST_SPEED = 10.0
IN_A_WHILE = timedelta(minutes=5)
"""When a scheduled race is offered to start."""

NOW, LATER = "Now", "Later"

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,20}")
"""Longer than any seed, and short enough for every reader of JSON."""

_PACES = frozenset({"fastest", "slowest"})

DEFAULTS: dict[str, Any] = {
    "name": "",
    "competitors": 100,
    "fastest": paces.write(144),
    "slowest": paces.write(500),
    "stopped": 0,
    "min_pause": 5.0,
    "max_pause": 30.0,
    "speed": FIRST_SPEED,
    "seed": "",
    "start": NOW,
}
"""What the fields hold at first."""


def show(live_page: st.Page) -> None:
    """Draw the page; after the API has made the race, `live_page` shows it."""
    words.title("New race")
    api = context.current().api
    for name, value in DEFAULTS.items():
        # Written back each time: Streamlit forgets the field of a page that is left.
        st.session_state[_key(name)] = st.session_state.get(_key(name), value)
    try:
        offered = api.courses()
        _offer_presets(offered)
        course_side, fields = st.columns(2, gap="large")
        with course_side:
            course = upload.choose(api, offered)
            if course is not None:
                _preview(api, course)
        if course is None:
            return
        with fields:
            form = _RaceForm(course)
            run_id = _create(api, form) if form.sent else None
    except ApiError as error:
        words.notice(str(error))
        return
    if run_id is not None:
        st.switch_page(live_page, query_params={"run": run_id})


def _key(name: str) -> str:
    return f"race-{name}"


def _offer_presets(offered: Sequence[OfferedCourse]) -> None:
    words.plain("Begin with a preset, or with the fields below.")
    with st.container(horizontal=True, key="presets"):
        for preset in PRESETS:
            st.button(preset.title, on_click=_fill_in, args=(preset, offered))


def _fill_in(preset: Preset, offered: Sequence[OfferedCourse]) -> None:
    filled = {
        "name": preset.name,
        "competitors": preset.competitors,
        "fastest": paces.write(preset.fastest),
        "slowest": paces.write(preset.slowest),
        "stopped": preset.stopped,
        "min_pause": preset.min_pause,
        "max_pause": preset.max_pause,
        "speed": preset.speed,
    }
    for name, value in filled.items():
        st.session_state[_key(name)] = value
    if any(course.short_name == preset.course for course in offered):
        st.session_state[upload.CHOSEN] = preset.course


def _preview(api: RaceApi, course: OfferedCourse) -> None:
    laps = f"{course.laps} laps" if course.laps > 1 else "one lap"
    fences = len(course.fences)
    words.facts(
        f"{formatting.kilometres(course.distance)} km",
        laps,
        f"{fences} geofence{'s' if fences != 1 else ''}" if fences else "no geofence",
    )
    drawn = course_map(api.course(course.short_name), context.current().settings)
    st_folium(
        drawn,
        key=f"preview-{course.short_name}",
        height=MAP_HEIGHT_PX,
        use_container_width=True,
        returned_objects=[],
    )
    if course.warnings:
        with st.expander("Notes on this course"):
            words.notes(course.warnings)


def _create(api: RaceApi, form: _RaceForm) -> str | None:
    """The new race's run id; None if there are mistakes and the form says which."""
    if form.mistakes:
        form.show_mistakes("The race is not started: see what is said at the fields.", form.mistakes)
        return None
    try:
        return api.create_race(form.request)
    except RefusedError as refused:
        form.show_mistakes(str(refused), refused.mistakes)
        return None


class _RaceForm:
    """The fields, what they hold, and below each the place for what is wrong with it.

    Limits are the API's to check: here would be a second place to keep them. What can't be sent at all, a
    pace that is no pace, is a mistake at once.
    """

    def __init__(self, course: OfferedCourse) -> None:
        self.request: dict[str, Any] = {"course": course.short_name}
        self.mistakes: dict[str, str] = {}
        self._course = course
        self._below: dict[str, DeltaGenerator] = {}
        self._take("name", st.text_input("Name", placeholder=course.long_name, key=_key("name")) or None)
        self._take("competitors", st.number_input("Competitors", step=50, key=_key("competitors")))
        self._paces()
        self._pauses()
        self._how_it_is_run()
        self.sent = st.button("Start the race", type="primary", icon=":material/flag:")
        self._foot = st.empty()

    def show_mistakes(self, sentence: str, mistakes: Mapping[str, str]) -> None:
        """Each below its field; below the button those about no field of ours."""
        elsewhere = [name for name in mistakes if name not in self._below]
        with self._foot:
            words.notice(
                sentence if elsewhere else "The race is not started: see what is said at the fields."
            )
        for name in mistakes.keys() - elsewhere:
            said = mistakes[name]
            with self._below[name]:
                words.notice(paces.in_minutes(said) if name in _PACES and name not in self.mistakes else said)

    def _paces(self) -> None:
        fastest, slowest = st.columns(2)
        with fastest:
            self._pace("fastest", "Fastest pace, min:sec per km")
        with slowest:
            self._pace("slowest", "Slowest pace, min:sec per km")

    def _pace(self, name: str, label: str) -> None:
        text = st.text_input(label, key=_key(name))
        try:
            seconds = paces.read(text)
        except paces.PaceError as error:
            self.mistakes[name] = str(error)
            words.hint("Finish time: unknown")
            self._take(name, None)
        else:
            words.hint(f"Finish in {paces.finish(seconds, self._course.distance)}")
            self._take(name, seconds)

    def _pauses(self) -> None:
        percent = st.slider(
            "Stop in a geofence",
            0,
            100,
            step=5,
            format="%d%%",
            key=_key("stopped"),
            help="The share of the competitors who pause in one of the course's geofences, once each.",
        )
        self._take("how_many_get_stopped", percent / 100)
        if percent and not self._course.fences:
            words.hint("This course has no geofence: nobody will stop.")
        shortest, longest = st.columns(2)
        with shortest:
            self._number("min_pause", "Shortest stop, seconds", step=5.0)
        with longest:
            self._number("max_pause", "Longest stop, seconds", step=5.0)

    def _how_it_is_run(self) -> None:
        speed, seed = st.columns(2)
        with speed:
            self._number("speed", "Speed, race seconds per second", step=1.0)
        with seed:
            text = st.text_input(
                "Seed",
                placeholder="Empty: a new race each time",
                key=_key("seed"),
                help="The same seed and the same fields make the same race, to the last position.",
            )
            self._take("seed", _number_if_any(text))
        self._start()

    def _start(self) -> None:
        start = st.segmented_control("Start", (NOW, LATER), key=_key("start"), required=True)
        if start == NOW:
            self._take("start_at", None)
            return
        zone = ZoneInfo(formatting.known_zone(st.context.timezone))
        soon = datetime.now(zone) + IN_A_WHILE
        day, clock = st.columns(2)
        with day:
            on = st.date_input("Day", soon.date(), key=_key("day"))
        with clock:
            at = st.time_input("Time of day", soon.time().replace(second=0), step=60, key=_key("clock"))
        words.hint(f"In the time zone {zone.key}")
        self._take("start_at", datetime.combine(on, at, zone).isoformat())

    def _number(self, name: str, label: str, *, step: float) -> None:
        self._take(name, st.number_input(label, step=step, format="%g", key=_key(name)))

    def _take(self, name: str, value: Any) -> None:
        """Keep the value of the field drawn just now; None leaves it to the API."""
        if value is not None:
            self.request[name] = value
        self._below[name] = st.empty()


def _number_if_any(text: str) -> int | str | None:
    """A whole number, or the text for the API to refuse in its own words."""
    text = text.strip()
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else text or None
