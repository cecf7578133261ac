"""The fields of POST /races as people fill them in, and below each what is wrong with it.

Limits are the API's to check: here would be a second place to keep them. What can't be sent at all, a pace
that is no pace, is a mistake before anything is asked.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard import formatting, paces, words
from dashboard.api import ApiError, ConflictError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamlit.delta_generator import DeltaGenerator

    from dashboard.api import OfferedCourse, RaceApi
    from dashboard.presets import Preset

NOW, LATER = "Now", "Later"

IN_A_WHILE = timedelta(minutes=5)
"""When a scheduled race is offered to start."""

DEFAULTS: Mapping[str, Any] = {
    "name": "",
    "competitors": 100,
    "fastest": paces.write(144),
    "slowest": paces.write(500),
    "stopped": 0,
    "min_pause": 5.0,
    "max_pause": 30.0,
    "speed": 10.0,
    "seed": "",
    "start": NOW,
}
"""What the fields hold at first."""

LEANS_ON = {"slowest": "fastest", "max_pause": "min_pause"}
"""What is wrong with the one may be put right in the other."""

NOT_STARTED = "The race is not started: see what is said at the fields."

_MOMENT = ("day", "clock")
"""The fields of a start later on; they are there while it is chosen."""

_PACES = frozenset({"fastest", "slowest"})

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,20}")
"""Longer than any seed, and short enough for every reader of JSON."""

_TICKET = "race-ticket"
"""Where the session keeps what makes the id of the race that is asked for next its own."""

_REFUSED = "race-refused"


class _Refused(NamedTuple):
    """A request that was refused, and why, by field."""

    request: Mapping[str, Any]
    mistakes: Mapping[str, str]


def keep() -> None:
    """Give the fields their first values, and have what is typed outlive a run that draws no form."""
    for name, value in DEFAULTS.items():
        st.session_state[_key(name)] = st.session_state.get(_key(name), value)
    for name in _MOMENT:
        if _key(name) in st.session_state:
            st.session_state[_key(name)] = st.session_state[_key(name)]


def fill_in(preset: Preset) -> None:
    """Put a preset's values into the fields; to be done before they are drawn."""
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


def _key(name: str) -> str:
    return f"race-{name}"


class RaceForm:
    """The form for a race on `course`; `now` has a zone.

    Attributes:
        sent: whether it was sent just now.
    """

    def __init__(self, course: OfferedCourse, now: datetime) -> None:
        self._course = course
        self._now = now
        self._request: dict[str, Any] = {"course": course.short_name}
        self._no_paces = False
        self._below: dict[str, DeltaGenerator] = {}
        self._refused: _Refused | None = st.session_state.get(_REFUSED)
        self._who_runs()
        self._who_stops()
        self._how_it_is_run()
        self._start()
        self.sent = st.button(
            "Start the race", type="primary", icon=":material/flag:", on_click=_forget_refusal
        )
        self._foot = st.empty()

    def create(self, api: RaceApi) -> str | None:
        """The new race's run id; None if there is none, and the form says why."""
        if self._no_paces:
            self._say_at_foot(NOT_STARTED)
            return None
        # A button that is pressed twice sends the same id twice, and the API answers with the same race.
        ticket = st.session_state.setdefault(_TICKET, secrets.token_hex(4))
        try:
            run_id = api.create_race({"run_id": f"{self._course.short_name[:48]}-{ticket}", **self._request})
        except RefusedError as refused:
            self._show(refused)
        except ConflictError as error:
            del st.session_state[_TICKET]  # the id is another race's
            self._say_at_foot(str(error))
        except ApiError as error:
            # Whether the race was made nobody knows: the same id again gets the same race.
            self._say_at_foot(str(error))
        else:
            del st.session_state[_TICKET]
            return run_id
        return None

    def _show(self, refused: RefusedError) -> None:
        """Each mistake below its field, for as long as the field stays so; at the foot those about none."""
        st.session_state[_REFUSED] = self._refused = _Refused(self._request, refused.mistakes)
        for name in self._below:
            self._show_mistake(name)
        self._say_at_foot(NOT_STARTED if refused.mistakes.keys() <= self._below.keys() else str(refused))

    def _say_at_foot(self, sentence: str) -> None:
        with self._foot:
            words.notice(sentence)

    def _show_mistake(self, name: str) -> None:
        if self._refused is None or name not in self._refused.mistakes:
            return
        then, now = self._refused.request, self._request
        if all(then.get(field) == now.get(field) for field in (name, LEANS_ON.get(name, name))):
            said = self._refused.mistakes[name]
            with self._below[name]:
                words.notice(paces.in_minutes(said) if name in _PACES else said)

    def _who_runs(self) -> None:
        name = st.text_input(
            "Name",
            placeholder=self._course.long_name,
            key=_key("name"),
            help="What the race is called. Empty: as its course.",
        )
        self._take("name", name or None)
        self._take("competitors", st.number_input("Competitors", step=50, key=_key("competitors")))
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
            self._no_paces = True
            words.notice(str(error))
            return
        words.hint(f"Finish in {paces.finish(seconds, self._course.distance)}")
        self._take(name, seconds)

    def _who_stops(self) -> None:
        percent = st.slider(
            "Stop in a geofence",
            0,
            100,
            format="%d%%",
            key=_key("stopped"),
            help="The share of the competitors who pause in one of the course's geofences, once each.",
        )
        share = percent / 100
        words.hint(self._stopped(share))
        self._take("how_many_get_stopped", share)
        shortest, longest = st.columns(2)
        with shortest:
            self._number("min_pause", "Shortest stop, seconds", step=5.0)
        with longest:
            self._number("max_pause", "Longest stop, seconds", step=5.0)

    def _stopped(self, share: float) -> str:
        """How many stop, as the simulator counts them."""
        if share and not self._course.fences:
            return "This course has no geofence: nobody will stop."
        count, everybody = round(share * self._request["competitors"]), self._request["competitors"]
        return f"{count:,} of {everybody:,} competitors" if count else "Nobody"

    def _how_it_is_run(self) -> None:
        speed, seed = st.columns(2)
        with speed:
            self._number("speed", "Speed, race seconds per second", step=1.0)
            if (longest := self._longest()) is not None:
                words.hint(f"Over after {formatting.race_time(longest)} on the clock")
        with seed:
            text = st.text_input(
                "Seed",
                placeholder="Empty: a new race each time",
                key=_key("seed"),
                help="The same seed and the same fields make the same race, to the last position.",
            )
            self._take("seed", _number_if_any(text))

    def _longest(self) -> float | None:
        """Seconds on the clock until the slowest there may be has finished; None if that can't be said."""
        wanted = self._request
        if "slowest" not in wanted or wanted["speed"] <= 0:
            return None
        stop = wanted["max_pause"] if wanted["how_many_get_stopped"] and self._course.fences else 0.0
        longest: float = (wanted["slowest"] * self._course.distance / 1000 + stop) / wanted["speed"]
        return longest

    def _start(self) -> None:
        chosen = st.segmented_control("Start", (NOW, LATER), key=_key("start"), required=True)
        if chosen == NOW:
            for name in _MOMENT:
                st.session_state.pop(_key(name), None)
            return
        zone = ZoneInfo(formatting.known_zone(st.context.timezone))
        soon = (self._now + IN_A_WHILE).astimezone(zone)
        st.session_state.setdefault(_key("day"), soon.date())
        st.session_state.setdefault(_key("clock"), soon.time().replace(second=0, microsecond=0))
        day, clock = st.columns(2)
        with day:
            on = st.date_input("Day", key=_key("day"))
        with clock:
            at = st.time_input("Time of day", step=60, key=_key("clock"))
        start = datetime.combine(on, at, zone)
        words.hint(f"In the time zone {zone.key}")
        if start < self._now:
            words.hint("That is in the past: the race starts at once, and catches up.")
        self._take("start_at", start.isoformat())

    def _number(self, name: str, label: str, *, step: float) -> None:
        self._take(name, st.number_input(label, step=step, format="%g", key=_key(name)))

    def _take(self, name: str, value: Any) -> None:
        """Keep the value of the field drawn just now; None leaves it to the API."""
        if value is not None:
            self._request[name] = value
        self._below[name] = st.empty()
        self._show_mistake(name)


def _forget_refusal() -> None:
    st.session_state.pop(_REFUSED, None)


def _number_if_any(text: str) -> int | str | None:
    """A whole number, or the text for the API to refuse in its own words."""
    text = text.strip()
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else text or None
