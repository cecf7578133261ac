"""The form for POST /races, with errors next to the fields.

The API checks the limits, so that they are defined only once. Input that cannot be sent at all, such as an
unparsable pace, is reported before any request.
"""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.api import ApiError, ConflictError, OfferedCourse, RaceApi, RaceField, RefusedError
from dashboard.create.start_list import StartList
from dashboard.request import paces, pending
from dashboard.request.course_choice import Choice
from dashboard.request.inputs import OPTION_NAMES, OPTIONS, PACE_UNIT, START_LIST, inputs, key, whole_number
from dashboard.ui import formatting, viewer, words
from dashboard.ui.viewer import Unit

NOW, LATER = "Now", "Later"

IN_A_WHILE = timedelta(minutes=5)
"""Default start time of a scheduled race."""

DEFAULTS: Mapping[str, Any] = {"name": "", "competitors": 100, "speed": 10.0, "seed": "", "start": NOW}
"""Initial values that are not the API's defaults."""

FASTEST = 180
"""Initial fastest pace in seconds per kilometre: that of a club's best runner, not a world record's."""

CHANGES_FINISH_TIMES = frozenset(
    (
        "pace_model",
        "fatigue",
        "gradient",
        "wave_size",
        "start_flow",
        "crowding",
        "start_list",
        "walking",
        "wrong_turn",
        "cut_offs",
    )
)
"""With any of these the slowest pace no longer determines the last finish."""

LEANS_ON = {
    "slowest": ("fastest",),
    "max_pause": ("min_pause",),
    "start_flow": ("competitors", "wave_size", "wave_delay", "start_list"),
    "jam_density": ("specific_flow", "crowding", "start_width", "width"),
    "disqualified": ("dns", "dnf"),
    "cut_offs": ("course", "wave_size", "wave_delay", "start_flow", "start_list"),
}
"""Fields whose errors can be fixed in another field nearby."""

NOT_STARTED = "The race was not started: see the errors next to the fields."

PACES = ("fastest", "slowest")
STOPS = ("min_pause", "max_pause")


@dataclass
class _Memory:
    """What the form keeps from one run to the next.

    Attributes:
        ticket: idempotency id of the next request.
        refused: the last request that was refused.
        mistakes: the reasons by field, until the next attempt.
        foot: the message beside the button in the next run.
        is_open: whether an option had an error, so the expander is open.
    """

    ticket: str | None = None
    refused: Mapping[str, Any] = field(default_factory=dict)
    mistakes: dict[str, str] = field(default_factory=dict)
    foot: str | None = None
    is_open: bool = False


def _memory() -> _Memory:
    memory: _Memory = st.session_state.setdefault("race-form", _Memory())
    return memory


def begin(fields: Mapping[str, RaceField], unit: Unit) -> None:
    """Give the fields their first values, and paces per `unit`; must run before they are drawn."""
    before = st.session_state.get(PACE_UNIT, unit)
    if before != unit:
        pending.give(_converted_paces(before, unit))
    st.session_state[PACE_UNIT] = unit
    entries = inputs(fields, unit)
    first = {name: entry.held(entry.schema.default) for name, entry in entries.items()}
    first["fastest"] = entries["fastest"].held(FASTEST)
    for name, value in {**first, **DEFAULTS}.items():
        st.session_state.setdefault(key(name), value)


def _converted_paces(before: Unit, now: Unit) -> dict[str, str]:
    """The paces that are typed so far, by session state key."""
    converted = {}
    for name in map(key, PACES):
        with suppress(KeyError, paces.PaceError):
            converted[name] = paces.write(paces.read(st.session_state[name], before), now)
    return converted


def _row(name: str, *, is_level: bool = False) -> DeltaGenerator:
    """A row for fields, which wraps where the screen is narrow."""
    return st.container(
        horizontal=True, vertical_alignment="bottom" if is_level else "top", key=f"fields-{name}"
    )


class RaceForm:
    """The form for a race; `fields` are the API's, `now` has a zone.

    Attributes:
        sent: whether it was just submitted.
    """

    def __init__(
        self,
        chosen: Choice,
        course: OfferedCourse,
        listed: StartList,
        fields: Mapping[str, RaceField],
        now: datetime,
    ) -> None:
        self._course = course
        self._listed = listed
        self._unit = viewer.current().unit
        self._inputs = inputs(fields, self._unit)
        self._now = now
        self._memory = _memory()
        self._request: dict[str, Any] = {"course": course.short_name}
        self._cannot_be_sent = chosen.is_refused or listed.is_refused
        changed = {name: self._inputs[name].changed() for name in OPTION_NAMES & self._inputs.keys()}
        self._options = {name: value for name, value in changed.items() if value is not None}
        self._below: dict[str, DeltaGenerator] = {}
        self._when = ""
        with listed.below:
            self._take(START_LIST, listed.text)
        words.section("Field and paces")
        self._who_runs()
        self._who_stops()
        self._more()
        words.section("Start")
        self._how_it_is_run()
        self._start()
        with st.bottom:
            self._foot = st.container()
            with st.container(horizontal=True, vertical_alignment="center", key="start-bar"):
                words.plain(self._summary())
                forget = self._memory.mistakes.clear
                self.sent = st.button(
                    "Start the race", type="primary", icon=":material/flag:", on_click=forget
                )
        if self._memory.foot is not None:
            self._say_at_foot(self._memory.foot)
            self._memory.foot = None

    def create(self, api: RaceApi) -> str | None:
        """The new race's id; None if there is no new race, and the form shows why."""
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
        """Show errors below their fields while these are unchanged; all others beside the button."""
        self._memory.refused = self._request
        self._memory.mistakes |= refused.mistakes
        sentence = NOT_STARTED if refused.mistakes.keys() <= self._below.keys() else str(refused)
        if not refused.mistakes.keys().isdisjoint(OPTION_NAMES):
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
                words.notice(paces.in_minutes(said, self._unit) if name in PACES else said)

    def _who_runs(self) -> None:
        with _row("paces"):
            with st.container():
                self._competitors()
            for pace in PACES:
                with st.container():
                    self._pace(pace)

    def _competitors(self) -> None:
        has_list = self._listed.competitors is not None
        competitors = self._inputs["competitors"].draw(disabled=has_list)
        self._take("competitors", None if has_list else competitors)
        if has_list:
            words.hint(f"As many as the start list has: {self._listed.competitors:,}")

    @property
    def _count(self) -> int:
        """Number of competitors."""
        listed = self._listed.competitors
        count: int = self._request["competitors"] if listed is None else listed
        return count

    def _pace(self, name: str) -> None:
        try:
            # Without help: the API's description is about seconds.
            seconds = paces.read(self._inputs[name].draw_text(help=None), self._unit)
        except paces.PaceError as error:
            self._cannot_be_sent = True
            words.notice(str(error))
            return
        if whose := paces.OF_THEIR_OWN.get(self._options.get("pace_model", "")):
            words.hint(f"Ignored: the paces are those of {whose}")
        else:
            words.hint(f"Finish in {paces.finish(seconds, self._course.distance)}")
        self._take(name, seconds)

    def _who_stops(self) -> None:
        with _row("stops"):
            with st.container():
                self._share_that_stops()
            for stop in STOPS:
                with st.container():
                    self._number(stop)

    def _share_that_stops(self) -> None:
        stopped = self._inputs["how_many_get_stopped"]
        low, high = stopped.bounds
        settings = stopped.settings(label=stopped.shown.label)
        share = st.slider(min_value=low, max_value=high, step=1.0, format="%d%%", **settings) / 100
        words.hint(self._stopped(share))
        self._take("how_many_get_stopped", share)

    def _stopped(self, share: float) -> str:
        """Number of competitors who stop, computed as in the simulator."""
        if share and not self._course.fences:
            return "This course has no geofence, so there are no stops."
        count = round(share * self._count)
        return f"{count:,} of {self._count:,} competitors" if count else "No competitors"

    def _how_it_is_run(self) -> None:
        with _row("start"):
            with st.container():
                self._take("name", self._inputs["name"].draw_text(placeholder=self._course.long_name) or None)
            with st.container():
                self._number("speed")
                if (longest := self._longest()) is not None:
                    words.hint(f"Over after {formatting.race_time(longest)} of wall time")
            with st.container():
                self._take("seed", whole_number(self._inputs["seed"].draw_text()))

    def _longest(self) -> float | None:
        """Wall-clock seconds until the slowest possible finish; None if undetermined."""
        wanted = self._request
        if "slowest" not in wanted or wanted["speed"] <= 0 or self._listed.competitors is not None:
            return None
        if not self._options.keys().isdisjoint(CHANGES_FINISH_TIMES):
            return None
        stop = wanted["max_pause"] if wanted["how_many_get_stopped"] and self._course.fences else 0.0
        longest: float = (wanted["slowest"] * self._course.distance / 1000 + stop) / wanted["speed"]
        return longest

    def _start(self) -> None:
        chosen = st.segmented_control(
            "Gun time", (NOW, LATER), key=key("start"), required=True, persist_state="session"
        )
        if chosen == NOW:
            self._when = "now"
            for name in ("day", "clock"):
                st.session_state.pop(key(name), None)
            return
        reader = viewer.current()
        zone = ZoneInfo(reader.zone)
        soon = (self._now + IN_A_WHILE).astimezone(zone)
        if key("day") not in st.session_state:
            st.session_state[key("day")] = soon.date()
            st.session_state[key("clock")] = soon.time().replace(second=0, microsecond=0)
        with _row("gun"):
            with st.container():
                on = st.date_input(
                    "Day", key=key("day"), format=formatting.date_order(reader), persist_state="session"
                )
            with st.container():
                at = st.time_input(
                    "Time of day",
                    step=60,
                    key=key("clock"),
                    format="12h" if reader.clock == "12-hour" else "24h",
                    persist_state="session",
                )
        start = datetime.combine(on, at, zone)
        words.hint(f"In the time zone {zone.key}")
        if start < self._now:
            words.hint("This is in the past: the race starts at once and catches up.")
        self._when = formatting.day_and_clock(start.timestamp() * 1000, reader)
        self._take("start_at", start.isoformat())

    def _summary(self) -> str:
        """The race in one line."""
        runners = formatting.counted(self._count, "runner", "runners")
        speed = f"{self._request['speed']:g}\N{MULTIPLICATION SIGN} speed"
        return f"{self._course.long_name}, {runners}, starts {self._when} at {speed}"

    def _more(self) -> None:
        """The realism options, collapsed unless they have errors."""
        with st.expander("Realism options", icon=":material/science:", expanded=self._memory.is_open):
            for group, names in OPTIONS.items():
                words.group(group)
                options = [self._inputs[name] for name in names if name in self._inputs]
                # A checkbox is level with the field beside it, not with its label.
                with _row(f"options-{group.lower()}", is_level=any(option.is_switch for option in options)):
                    for option in options:
                        with st.container():
                            option.draw()
                            self._take(option.name, self._options.get(option.name))
        if self._options:
            words.hint(f"{len(self._options)} of these set")

    def _number(self, name: str) -> None:
        self._take(name, self._inputs[name].draw())

    def _take(self, name: str, value: Any) -> None:
        """Keep the value of the last drawn field; None leaves it to the API."""
        if value is not None:
            self._request[name] = value
        self._below[name] = st.empty()
        self._show_mistake(name)
