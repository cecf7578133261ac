"""The form for POST /races, with errors next to the fields.

The API checks the limits, so that they are defined only once. Input that cannot be sent at all, such as an
unparsable pace, is reported before any request.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.api import ApiError, ConflictError, OfferedCourse, RaceApi, RaceField, RefusedError
from dashboard.create import paces
from dashboard.create.inputs import KEYS, OPTION_NAMES, OPTIONS, START_LIST, Input, inputs, key
from dashboard.ui import formatting, words
from dashboard.ui.escape import escape

NOW, LATER = "Now", "Later"

IN_A_WHILE = timedelta(minutes=5)
"""Default start time of a scheduled race."""

DEFAULTS: Mapping[str, Any] = {"name": "", "competitors": 100, "speed": 10.0, "seed": "", "start": NOW}
"""Initial values that are not the API's defaults."""

PACES_OF_THEIR_OWN: Mapping[str, str] = {"parkrun": "a parkrun", "marathon": "a marathon"}
"""Pace models that ignore the fastest and the slowest pace, with the name of the source of their paces."""

CHANGES_FINISH_TIMES = frozenset(
    ("pace_model", "fatigue", "gradient", "wave_size", "start_flow", "start_list", "walking", "wrong_turn")
)
"""With any of these the slowest pace no longer determines the last finish."""

LEANS_ON = {
    "slowest": ("fastest",),
    "max_pause": ("min_pause",),
    "start_flow": ("competitors", "wave_size", "wave_delay", "start_list"),
    "disqualified": ("dns", "dnf"),
}
"""Fields whose errors can be fixed in another field of the same group."""

NO_TEXT = "This file is not UTF-8 text. Save it as CSV UTF-8."

NOT_STARTED = "The race was not started: see the errors next to the fields."

PACES = ("fastest", "slowest")
STOPS = ("min_pause", "max_pause")

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,20}")
"""Longer than any seed, and short enough for every JSON parser."""


@dataclass
class _Memory:
    """What the form keeps from one run to the next.

    Attributes:
        values: the fields' values: Streamlit drops those of widgets that a run doesn't draw.
        is_settled: whether a run has drawn all fields with their values, so the browser has them.
        list_key: session state key of the start list; another one recreates its field empty.
        ticket: idempotency id of the next request.
        refused: the last request that was refused.
        mistakes: the reasons by field, until the next attempt.
        foot: the message at the bottom of the form in the next run.
        is_open: whether an option had an error, so the expander is open.
    """

    values: dict[str, Any] = field(default_factory=dict)
    is_settled: bool = False
    list_key: str = "race-start-list"
    ticket: str | None = None
    refused: Mapping[str, Any] = field(default_factory=dict)
    mistakes: dict[str, str] = field(default_factory=dict)
    foot: str | None = None
    is_open: bool = False


def _memory() -> _Memory:
    memory: _Memory = st.session_state.setdefault("race-form", _Memory())
    return memory


def keep() -> None:
    """Keep typed values across runs that don't draw the form."""
    typed = {str(name): value for name, value in st.session_state.items() if str(name).startswith(KEYS)}
    _memory().values.update(typed)


def _settle(fields: Mapping[str, Input], memory: _Memory) -> None:
    """Set the fields' values until a run has drawn all of them, and not after.

    Each value set by a run overwrites what has been typed since it began.
    """
    first = {**{name: entry.held(entry.schema.default) for name, entry in fields.items()}, **DEFAULTS}
    if not all(key(name) in st.session_state for name in first):
        memory.is_settled = False
    if not memory.is_settled:
        st.session_state.update({key(name): value for name, value in first.items()} | memory.values)


def fill_in(request: Mapping[str, Any], fields: Mapping[str, RaceField]) -> None:
    """Fill in a preset's request; must run before the fields are drawn."""
    for name, entry in inputs(fields).items():
        if name in request or name in OPTION_NAMES:
            st.session_state[key(name)] = entry.held(request.get(name, entry.schema.default))
    memory = _memory()
    memory.is_settled = False
    memory.list_key = f"race-start-list-{secrets.token_hex(4)}"


class RaceForm:
    """The form for a race on `course`; `fields` are the API's, `now` has a zone.

    Attributes:
        sent: whether it was just submitted.
    """

    def __init__(self, course: OfferedCourse, fields: Mapping[str, RaceField], now: datetime) -> None:
        self._course = course
        self._fields = fields
        self._inputs = inputs(fields)
        self._now = now
        self._memory = _memory()
        _settle(self._inputs, self._memory)
        self._request: dict[str, Any] = {"course": course.short_name}
        self._cannot_be_sent = False
        changed = {name: self._inputs[name].changed() for name in OPTION_NAMES & self._inputs.keys()}
        self._options = {name: value for name, value in changed.items() if value is not None}
        self._has_list = st.session_state.get(self._memory.list_key) is not None
        self._below: dict[str, DeltaGenerator] = {}
        self._who_runs()
        self._who_stops()
        self._how_it_is_run()
        self._start()
        self._more()
        forget = self._memory.mistakes.clear
        self.sent = st.button("Start the race", type="primary", icon=":material/flag:", on_click=forget)
        self._memory.is_settled = True
        self._foot = st.empty()
        if self._memory.foot is not None:
            self._say_at_foot(self._memory.foot)
            self._memory.foot = None

    def create(self, api: RaceApi) -> str | None:
        """The new race's run id; None if there is none, and the form shows why."""
        if self._cannot_be_sent:
            self._say_at_foot(NOT_STARTED)
            return None
        # Pressing the button twice sends the same id twice, and the API returns the same race.
        self._memory.ticket = self._memory.ticket or secrets.token_hex(4)
        proposed = f"{self._course.short_name[:48]}-{self._memory.ticket}"
        try:
            run_id = api.create_race({"run_id": proposed, **self._request})
        except RefusedError as refused:
            self._show(refused)
        except ConflictError as error:
            self._memory.ticket = None  # the id is another race's
            self._say_at_foot(str(error))
        except ApiError as error:
            # The race may have been created: the same id returns the same race.
            self._say_at_foot(str(error))
        else:
            self._memory.ticket, self._memory.is_open = None, False
            return run_id
        return None

    def _show(self, refused: RefusedError) -> None:
        """Show errors below their fields while these are unchanged; all others at the bottom."""
        self._memory.refused = self._request
        self._memory.mistakes |= refused.mistakes
        sentence = NOT_STARTED if refused.mistakes.keys() <= self._below.keys() else str(refused)
        if not refused.mistakes.keys().isdisjoint({"start_list", *OPTION_NAMES}):
            self._memory.is_open, self._memory.foot = True, sentence
            st.rerun()  # an expander that is already drawn can't be opened
        for name in self._below:
            self._show_mistake(name)
        self._say_at_foot(sentence)

    def _say_at_foot(self, sentence: str) -> None:
        with self._foot:
            words.notice(sentence)

    def _show_mistake(self, name: str) -> None:
        then, now = self._memory.refused, self._request
        is_unchanged = all(then.get(one) == now.get(one) for one in (name, *LEANS_ON.get(name, ())))
        if is_unchanged and (said := self._memory.mistakes.get(name)):
            with self._below[name]:
                words.notice(paces.in_minutes(said) if name in PACES else said)

    def _who_runs(self) -> None:
        self._take("name", self._inputs["name"].draw_text(placeholder=self._course.long_name) or None)
        competitors = self._inputs["competitors"].draw(disabled=self._has_list)
        self._take("competitors", None if self._has_list else competitors)
        if self._has_list:
            words.hint("As many as the start list has")
        for pace, column in zip(PACES, st.columns(2), strict=True):
            with column:
                self._pace(pace)

    def _pace(self, name: str) -> None:
        try:
            # Without help: the API's description is about seconds.
            seconds = paces.read(self._inputs[name].draw_text(help=None))
        except paces.PaceError as error:
            self._cannot_be_sent = True
            words.notice(str(error))
            return
        if whose := PACES_OF_THEIR_OWN.get(self._options.get("pace_model", "")):
            words.hint(f"Ignored: the paces are those of {whose}")
        else:
            words.hint(f"Finish in {paces.finish(seconds, self._course.distance)}")
        self._take(name, seconds)

    def _who_stops(self) -> None:
        stopped = self._inputs["how_many_get_stopped"]
        low, high = stopped.bounds
        settings = stopped.settings(label=stopped.shown.label)
        share = st.slider(min_value=low, max_value=high, step=1.0, format="%d%%", **settings) / 100
        words.hint(self._stopped(share))
        self._take("how_many_get_stopped", share)
        for stop, column in zip(STOPS, st.columns(2), strict=True):
            with column:
                self._number(stop)

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
            self._number("speed")
            if (longest := self._longest()) is not None:
                words.hint(f"Over after {formatting.race_time(longest)} of wall time")
        with seed:
            self._take("seed", _number_if_any(self._inputs["seed"].draw_text()))

    def _longest(self) -> float | None:
        """Wall-clock seconds until the slowest possible finish; None if undetermined."""
        wanted = self._request
        if "slowest" not in wanted or wanted["speed"] <= 0 or self._has_list:
            return None
        if not self._options.keys().isdisjoint(CHANGES_FINISH_TIMES):
            return None
        stop = wanted["max_pause"] if wanted["how_many_get_stopped"] and self._course.fences else 0.0
        longest: float = (wanted["slowest"] * self._course.distance / 1000 + stop) / wanted["speed"]
        return longest

    def _start(self) -> None:
        chosen = st.segmented_control("Start", (NOW, LATER), key=key("start"), required=True)
        if chosen == NOW:
            for name in ("day", "clock"):
                st.session_state.pop(key(name), None)
                self._memory.values.pop(key(name), None)
            return
        zone = ZoneInfo(formatting.known_zone(st.context.timezone))
        soon = (self._now + IN_A_WHILE).astimezone(zone)
        if key("day") not in st.session_state:
            st.session_state[key("day")] = soon.date()
            st.session_state[key("clock")] = soon.time().replace(second=0, microsecond=0)
            self._memory.is_settled = False
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
        with st.expander("Realism options", icon=":material/science:", expanded=self._memory.is_open):
            for group, names in OPTIONS.items():
                words.group(group)
                self._pairs([self._inputs[name] for name in names if name in self._inputs])
                if "entrants" in names:
                    self._start_list()
        if self._options:
            words.hint(f"{len(self._options)} of these set")

    def _pairs(self, options: list[Input]) -> None:
        """Draw options side by side; a checkbox is level with the field beside it, not with its label."""
        for first in range(0, len(options), 2):
            pair = options[first : first + 2]
            has_switch = any(option.is_switch for option in pair)
            columns = st.columns(2, vertical_alignment="bottom" if has_switch else "top")
            for option, column in zip(pair, columns, strict=False):
                with column:
                    option.draw()
                    self._take(option.name, self._options.get(option.name))

    def _start_list(self) -> None:
        about = escape(self._fields[START_LIST].description)
        file = st.file_uploader(
            "Start list", type=["csv", "tsv", "txt"], key=self._memory.list_key, help=about
        )
        text = None
        if file is not None:
            try:
                text = file.getvalue().decode("utf-8-sig")
            except UnicodeDecodeError:
                self._cannot_be_sent = True
                words.notice(NO_TEXT)
        self._take("start_list", text)

    def _number(self, name: str) -> None:
        self._take(name, self._inputs[name].draw())

    def _take(self, name: str, value: Any) -> None:
        """Keep the value of the last drawn field; None leaves it to the API."""
        if value is not None:
            self._request[name] = value
        self._below[name] = st.empty()
        self._show_mistake(name)


def _number_if_any(text: str) -> int | str | None:
    """A whole number, or the text for the API to reject in its own words."""
    text = text.strip()
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else text or None
