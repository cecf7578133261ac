"""The form of the planning page: the runners that both plans have, and the start and the widths of each.

The API checks the limits, as for a new race; its errors appear next to the fields.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.api import OfferedCourse, RaceField, RefusedError
from dashboard.request import paces, pending
from dashboard.request.inputs import Input, inputs, whole_number
from dashboard.ui import formatting, viewer, words
from dashboard.ui.viewer import Unit

KEYS = "plan-"
"""Prefix of the session state keys of the fields that both plans share."""
A, B = "A", "B"
COMPARE = f"{KEYS}compare"
"""Session state key of the choice to compare two plans."""
_UNIT = f"{KEYS}unit"
"""Session state key of the unit of the paces in the fields."""

PACES = ("fastest", "slowest")
CORRALS = "corrals"
SETTINGS = ("wave_size", "wave_delay", "start_flow", "start_width", "width", CORRALS)
"""The fields of each plan."""
WIDTHS = ("start_width", "width")
ASSUMED: Mapping[str, float] = {"start_width": 4.0, "width": 6.0}
"""Widths in metres where neither the course file nor the viewer gives one: a road of two lanes, and a start
line 30 % narrower, as Altenburg advises ("Managing participant flows", Race Directors HQ, 2021)."""
FIRST: Mapping[str, Any] = {"competitors": 5000, "seed": "1", "fastest": 180.0, "corrals": True}
"""Initial values that are not the API's defaults."""
MARATHON_FROM = 30_000.0
"""Metres of a course from which the initial paces are those of a marathon instead of a parkrun."""


class Wanted(NamedTuple):
    """A plan to compute: its name, and the request for the API."""

    name: str
    request: Mapping[str, Any]


def keys(name: str) -> str:
    """The prefix of the session state keys of a plan's fields."""
    return f"{KEYS}{name}-"


class PlanForm:
    """The form for one plan or two on a course; `fields` are the API's.

    Attributes:
        course: that of the plans.
        wanted: the plans.
        can_be_sent: whether all fields can be read.
    """

    def __init__(self, course: OfferedCourse, fields: Mapping[str, RaceField]) -> None:
        self.course = course
        self._fields = fields
        self._unit = viewer.current().unit
        self._below: dict[tuple[str, str], DeltaGenerator] = {}
        self._request: dict[str, Any] = {"course": course.short_name, "crowding": "flow"}
        self.can_be_sent = True
        self.wanted: list[Wanted] = []

    def runners(self) -> None:
        """Draw the fields of the runners."""
        first = {**FIRST, "pace_model": "marathon" if self.course.distance >= MARATHON_FROM else "parkrun"}
        entries = self._begin(KEYS, first)
        _convert_paces(self._unit)
        words.section("Runners")
        with _row(""):
            for name in ("competitors", "pace_model"):
                self._request[name] = self._draw(entries[name])
            if self._request["pace_model"] not in paces.OF_THEIR_OWN:
                for name in PACES:
                    self._request[name] = self._pace(entries[name])
            with st.container():
                seed = whole_number(entries["seed"].draw_text())
                self._below["", "seed"] = st.empty()
        self._request |= {} if seed is None else {"seed": seed}

    def settings(self) -> None:
        """Draw the fields of each plan, side by side."""
        words.section("Start and widths")
        if self._has_no_width:
            words.notice(
                "The file of this course has no widths, so nothing could be crowded. While both fields are "
                f"empty, the plan assumes a start line of {ASSUMED['start_width']:g} m and a course of "
                f"{ASSUMED['width']:g} m. Enter the real widths.",
                "info",
            )
        st.toggle("Compare two plans", key=COMPARE, on_change=_copy, persist_state="session")
        names = [A, B] if st.session_state[COMPARE] else [A]
        for name, place in zip(names, st.columns(len(names), gap="large"), strict=True):
            with place:
                if len(names) > 1:
                    words.group(f"Plan {name}")
                self.wanted.append(Wanted(name, self._request | self._settings(name)))

    @property
    def _has_no_width(self) -> bool:
        return self.course.narrowest is None

    def _settings(self, name: str) -> dict[str, Any]:
        entries = self._begin(keys(name), FIRST)
        given: dict[str, Any] = {}
        with _row(name.lower()):
            for field in (one for one in SETTINGS if one != CORRALS):
                more = {}
                if field in WIDTHS and self._has_no_width:
                    more["placeholder"] = f"{ASSUMED[field]:g}, assumed"
                given[field] = self._draw(entries[field], name, **more)
        # A checkbox has no label above it: it is not level with the others.
        given[CORRALS] = self._draw(entries[CORRALS], name)
        if self._has_no_width and not any(given[field] for field in WIDTHS):
            given |= ASSUMED
        return {field: value for field, value in given.items() if value is not None}

    def _begin(self, prefix: str, first: Mapping[str, Any]) -> dict[str, Input]:
        """The inputs with their first values."""
        entries = inputs(self._fields, self._unit, prefix)
        for name, entry in entries.items():
            st.session_state.setdefault(entry.key, entry.held(first.get(name, entry.schema.default)))
        return entries

    def _draw(self, entry: Input, plan: str = "", **more: Any) -> Any:
        with st.container():
            value = entry.draw(**more)
            self._below[plan, entry.name] = st.empty()
        return value

    def _pace(self, entry: Input) -> float | None:
        with st.container():
            typed = entry.draw_text(help=None)
            self._below["", entry.name] = below = st.empty()
            try:
                return paces.read(typed, self._unit)
            except paces.PaceError as error:
                self.can_be_sent = False
                with below:
                    words.notice(str(error))
        return None

    def show(self, plan: str, refused: RefusedError) -> str | None:
        """Show errors next to the fields of a plan; return the sentence for those without a field."""
        elsewhere = False
        for name, said in refused.mistakes.items():
            below = self._below.get((plan, name)) or self._below.get(("", name))
            elsewhere = elsewhere or below is None
            if below is not None:
                with below:
                    words.notice(paces.in_minutes(said, self._unit) if name in PACES else said)
        return str(refused) if elsewhere else None

    def summary(self) -> str:
        """The plans in one line."""
        runners = formatting.counted(self._request["competitors"], "runner", "runners")
        return f"{self.course.long_name}, {runners}"


def _row(name: str) -> DeltaGenerator:
    """A row for fields, which wraps where the screen is narrow."""
    return st.container(horizontal=True, vertical_alignment="top", key=f"fields-plan-{name}")


def _copy() -> None:
    """Begin plan B with the values of plan A."""
    for name in SETTINGS:
        st.session_state.setdefault(f"{keys(B)}{name}", st.session_state.get(f"{keys(A)}{name}"))


def _convert_paces(now: Unit) -> None:
    """Write the paces that are typed so far in the viewer's unit."""
    before = st.session_state.get(_UNIT, now)
    if before != now:
        pending.give(dict(_converted(before, now)))
    st.session_state[_UNIT] = now


def _converted(before: Unit, now: Unit) -> Iterator[tuple[str, str]]:
    for name in PACES:
        key = f"{KEYS}{name}"
        try:
            yield key, paces.write(paces.read(st.session_state[key], before), now)
        except paces.PaceError:
            continue
