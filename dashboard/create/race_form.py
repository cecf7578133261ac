"""The form for POST /races, with errors next to the fields.

The API checks the limits, so that they are defined only once. Input that cannot be sent at all, such as an
unparsable pace, is reported before any request.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard.api import ApiError, ConflictError, RefusedError
from dashboard.create import paces, race_options
from dashboard.create.race_options import key
from dashboard.ui import formatting, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamlit.delta_generator import DeltaGenerator

    from dashboard.api import OfferedCourse, RaceApi
    from dashboard.create.presets import Preset

NOW, LATER = "Now", "Later"

IN_A_WHILE = timedelta(minutes=5)
"""Default start time of a scheduled race."""

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
"""The fields' initial values."""

LEANS_ON = {
    "slowest": ("fastest",),
    "max_pause": ("min_pause",),
    "start_flow": ("competitors", "wave_size", "wave_delay", "start_list"),
    "disqualified": ("dns", "dnf"),
}
"""Fields whose errors can be fixed in another field of the same group."""

START_LIST_HELP = (
    "A CSV file with a header row: any of bib, name, category, club, wave and pace. "
    "Each row is one competitor."
)
NO_TEXT = "This file is not UTF-8 text. Save it as CSV UTF-8."

NOT_STARTED = "The race was not started: see the errors next to the fields."

_MOMENT = ("day", "clock")
"""The fields of a scheduled start; drawn while that is selected."""

_PACES = frozenset({"fastest", "slowest"})

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,20}")
"""Longer than any seed, and short enough for every JSON parser."""

_TICKET = "race-ticket"
"""Session state key of the idempotency id of the next request."""

_REFUSED = "race-refused"

_FOOT = "race-foot"
"""Session state key of the message at the bottom of the form in the next run."""

_MORE = "race-more"
"""Session state key: an option had an error, so the expander is open."""

_KEPT = "race-kept"
"""Session state key of the fields' values: Streamlit drops those of widgets that a run doesn't draw."""

_SETTLED = "race-settled"
"""Session state key: a run has drawn all fields with their values, so the browser has them."""

_LISTS = "race-start-lists"
"""Counts selected presets: a new number recreates the start list's field empty."""


class _Refused(NamedTuple):
    """A refused request, and the reasons by field."""

    request: Mapping[str, Any]
    mistakes: Mapping[str, str]


def keep() -> None:
    """Set the fields' initial values, and keep typed values across runs that don't draw the form.

    The values are set until a run has drawn all fields, and not after: each value set by a run overwrites
    what has been typed since it began.
    """
    first = {key(name): value for name, value in {**DEFAULTS, **race_options.fields({})}.items()}
    if not all(field in st.session_state for field in first):
        st.session_state[_SETTLED] = False
    kept = st.session_state.setdefault(_KEPT, {})
    for field in (*first, *map(key, _MOMENT)):
        if field in st.session_state:
            kept[field] = st.session_state[field]
    if not st.session_state[_SETTLED]:
        for field, value in {**first, **kept}.items():
            st.session_state[field] = value


def fill_in(preset: Preset) -> None:
    """Fill in a preset's values; must run before the fields are drawn."""
    filled = {
        "name": preset.name,
        "competitors": preset.competitors,
        "fastest": paces.write(preset.fastest),
        "slowest": paces.write(preset.slowest),
        "stopped": preset.stopped,
        "min_pause": preset.min_pause,
        "max_pause": preset.max_pause,
        "speed": preset.speed,
        **race_options.fields(preset.options),
    }
    for name, value in filled.items():
        st.session_state[key(name)] = value
    st.session_state[_SETTLED] = False
    st.session_state[_LISTS] = st.session_state.get(_LISTS, 0) + 1


def _list_key() -> str:
    return key(f"start_list-{st.session_state.get(_LISTS, 0)}")


class RaceForm:
    """The form for a race on `course`; `now` has a zone.

    Attributes:
        sent: whether it was just submitted.
    """

    def __init__(self, course: OfferedCourse, now: datetime) -> None:
        self._course = course
        self._now = now
        self._request: dict[str, Any] = {"course": course.short_name}
        self._cannot_be_sent = False
        self._options = race_options.wanted()
        self._has_list = st.session_state.get(_list_key()) is not None
        self._below: dict[str, DeltaGenerator] = {}
        self._refused: _Refused | None = st.session_state.get(_REFUSED)
        self._who_runs()
        self._who_stops()
        self._how_it_is_run()
        self._start()
        self._more()
        self.sent = st.button(
            "Start the race", type="primary", icon=":material/flag:", on_click=_forget_refusal
        )
        st.session_state[_SETTLED] = True
        self._foot = st.empty()
        if sentence := st.session_state.pop(_FOOT, None):
            self._say_at_foot(sentence)

    def create(self, api: RaceApi) -> str | None:
        """The new race's run id; None if there is none, and the form shows why."""
        if self._cannot_be_sent:
            self._say_at_foot(NOT_STARTED)
            return None
        # Pressing the button twice sends the same id twice, and the API returns the same race.
        ticket = st.session_state.setdefault(_TICKET, secrets.token_hex(4))
        try:
            run_id = api.create_race({"run_id": f"{self._course.short_name[:48]}-{ticket}", **self._request})
        except RefusedError as refused:
            self._show(refused)
        except ConflictError as error:
            del st.session_state[_TICKET]  # the id is another race's
            self._say_at_foot(str(error))
        except ApiError as error:
            # The race may have been created: the same id returns the same race.
            self._say_at_foot(str(error))
        else:
            del st.session_state[_TICKET]
            st.session_state.pop(_MORE, None)
            return run_id
        return None

    def _show(self, refused: RefusedError) -> None:
        """Show errors below their fields while these are unchanged; all others at the bottom."""
        st.session_state[_REFUSED] = self._refused = _Refused(self._request, refused.mistakes)
        sentence = NOT_STARTED if refused.mistakes.keys() <= self._below.keys() else str(refused)
        if not refused.mistakes.keys().isdisjoint(self._among_options):
            st.session_state[_MORE], st.session_state[_FOOT] = True, sentence
            st.rerun()  # an expander that is already drawn can't be opened
        for name in self._below:
            self._show_mistake(name)
        self._say_at_foot(sentence)

    def _say_at_foot(self, sentence: str) -> None:
        with self._foot:
            words.notice(sentence)

    def _show_mistake(self, name: str) -> None:
        if self._refused is None or name not in self._refused.mistakes:
            return
        then, now = self._refused.request, self._request
        if all(then.get(field) == now.get(field) for field in (name, *LEANS_ON.get(name, ()))):
            said = self._refused.mistakes[name]
            with self._below[name]:
                words.notice(paces.in_minutes(said) if name in _PACES else said)

    def _who_runs(self) -> None:
        name = st.text_input(
            "Name",
            placeholder=self._course.long_name,
            key=key("name"),
            help="The race's name. Empty: the course's name.",
        )
        self._take("name", name or None)
        competitors = st.number_input("Competitors", step=50, key=key("competitors"), disabled=self._has_list)
        self._take("competitors", None if self._has_list else competitors)
        if self._has_list:
            words.hint("As many as the start list has")
        fastest, slowest = st.columns(2)
        with fastest:
            self._pace("fastest", "Fastest pace, min:sec per km")
        with slowest:
            self._pace("slowest", "Slowest pace, min:sec per km")

    def _pace(self, name: str, label: str) -> None:
        text = st.text_input(label, key=key(name))
        try:
            seconds = paces.read(text)
        except paces.PaceError as error:
            self._cannot_be_sent = True
            words.notice(str(error))
            return
        if whose := race_options.PACES_OF_THEIR_OWN.get(self._options.get("pace_model", "")):
            words.hint(f"Ignored: the paces are those of {whose}")
        else:
            words.hint(f"Finish in {paces.finish(seconds, self._course.distance)}")
        self._take(name, seconds)

    def _who_stops(self) -> None:
        percent = st.slider(
            "Stop in a geofence",
            0,
            100,
            format="%d%%",
            key=key("stopped"),
            help="Share of competitors who pause once in one of the course's geofences.",
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
        """Number of competitors who stop, computed as in the simulator."""
        if share and not self._course.fences:
            return "This course has no geofence, so there are no stops."
        if self._has_list:
            return f"{share:.0%} of the start list" if share else "No competitors"
        count, total = round(share * self._request["competitors"]), self._request["competitors"]
        return f"{count:,} of {total:,} competitors" if count else "No competitors"

    def _how_it_is_run(self) -> None:
        speed, seed = st.columns(2)
        with speed:
            self._number("speed", "Speed, race seconds per second", step=1.0)
            if (longest := self._longest()) is not None:
                words.hint(f"Over after {formatting.race_time(longest)} of wall time")
        with seed:
            text = st.text_input(
                "Seed",
                placeholder="Empty: a random seed",
                key=key("seed"),
                help="The same seed and the same fields reproduce the same race exactly.",
            )
            self._take("seed", _number_if_any(text))

    def _longest(self) -> float | None:
        """Wall-clock seconds until the slowest possible finish; None if undetermined."""
        wanted = self._request
        if "slowest" not in wanted or wanted["speed"] <= 0 or self._has_list:
            return None
        if not self._options.keys().isdisjoint(race_options.CHANGES_FINISH_TIMES):
            return None
        stop = wanted["max_pause"] if wanted["how_many_get_stopped"] and self._course.fences else 0.0
        longest: float = (wanted["slowest"] * self._course.distance / 1000 + stop) / wanted["speed"]
        return longest

    def _start(self) -> None:
        chosen = st.segmented_control("Start", (NOW, LATER), key=key("start"), required=True)
        if chosen == NOW:
            for name in _MOMENT:
                st.session_state.pop(key(name), None)
                st.session_state[_KEPT].pop(key(name), None)
            return
        zone = ZoneInfo(formatting.known_zone(st.context.timezone))
        soon = (self._now + IN_A_WHILE).astimezone(zone)
        if key("day") not in st.session_state:
            st.session_state[key("day")] = soon.date()
            st.session_state[key("clock")] = soon.time().replace(second=0, microsecond=0)
            st.session_state[_SETTLED] = False
        day, clock = st.columns(2)
        with day:
            on = st.date_input("Day", key=key("day"))
        with clock:
            at = st.time_input("Time of day", step=60, key=key("clock"))
        start = datetime.combine(on, at, zone)
        words.hint(f"In the time zone {zone.key}")
        if start < self._now:
            words.hint("This is in the past: the race starts at once and catches up.")
        self._take("start_at", start.isoformat())

    def _more(self) -> None:
        """The realism options, collapsed unless they have errors."""
        is_open = st.session_state.get(_MORE, False)
        with st.expander("Realism options", icon=":material/science:", expanded=is_open):
            for name, options in race_options.GROUPS.items():
                words.group(name)
                for first in range(0, len(options), 2):
                    some = options[first : first + 2]
                    has_switch = any(option.kind == "switch" for option in some)
                    pair = st.columns(2, vertical_alignment="bottom" if has_switch else "top")
                    for option, column in zip(some, pair, strict=False):
                        with column:
                            self._take(option.name, option.draw())
                if options is race_options.ENTRANTS:
                    self._start_list()
        if self._options:
            words.hint(f"{len(self._options)} of these set")

    def _start_list(self) -> None:
        file = st.file_uploader(
            "Start list", type=["csv", "tsv", "txt"], key=_list_key(), help=START_LIST_HELP
        )
        text = None
        if file is not None:
            try:
                text = file.getvalue().decode("utf-8-sig")
            except UnicodeDecodeError:
                self._cannot_be_sent = True
                words.notice(NO_TEXT)
        self._take("start_list", text)

    @property
    def _among_options(self) -> set[str]:
        return {"start_list", *(option.name for option in race_options.every())}

    def _number(self, name: str, label: str, *, step: float) -> None:
        self._take(name, st.number_input(label, step=step, format="%g", key=key(name)))

    def _take(self, name: str, value: Any) -> None:
        """Keep the value of the last drawn field; None leaves it to the API."""
        if value is not None:
            self._request[name] = value
        self._below[name] = st.empty()
        self._show_mistake(name)


def _forget_refusal() -> None:
    st.session_state.pop(_REFUSED, None)


def _number_if_any(text: str) -> int | str | None:
    """A whole number, or the text for the API to reject in its own words."""
    text = text.strip()
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else text or None
