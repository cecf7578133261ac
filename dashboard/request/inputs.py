"""The forms' inputs for the fields of `POST /races`.

Types, defaults, bounds, choices and descriptions come from the API's OpenAPI document; `form.toml` adds what
only the form needs: labels, units and order.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from dashboard.api import ApiError, RaceApi, RaceField
from dashboard.request import paces
from dashboard.ui.escape import escape
from dashboard.ui.viewer import Unit

PER_CENT = "per cent"
"""Unit of a share, which is 0 to 1 in the API."""
PACE = "pace"
"""Unit of a pace: minutes and seconds per unit of the viewer, and seconds per kilometre in the API."""

KEYS = "race-field-"
"""Prefix of the session state keys of the fields of the form for a new race."""
LIST_MEMORY = "race-list"
"""Session state key of that form's start list."""
PACE_UNIT = "race-pace-unit"
"""Session state key of the unit of the paces in its fields."""
FIELDS_TTL_S = 60.0
"""How long the API's description of a race request is kept; a newer simulator may have another one."""

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,20}")
"""Longer than any seed, and short enough for every JSON parser."""

DECIMALS = 9
"""Rounding of shares: a hundredth of 0.7 is 0.006999999999999999."""


class Shown(NamedTuple):
    """How the form shows a field.

    Attributes:
        step: step of a number's buttons, in the form's unit.
        choices: labels of the values to choose from.
        empty: what leaving the field empty means; numbers without it cannot be left empty.
    """

    label: str
    unit: str = ""
    step: float = 1
    choices: Mapping[str, str] = {}
    empty: str | None = None


_FORM = tomllib.loads(Path(__file__).with_name("form.toml").read_text("utf-8"))
PLAIN = {name: Shown(**shown) for name, shown in _FORM["plain"].items()}
"""The fields that are always sent, or are text."""
OPTIONS = {
    group: {name: Shown(**shown) for name, shown in fields.items()}
    for group, fields in _FORM["options"].items()
}
"""The realism options by group, in the order of the form. Only values that differ from the API's defaults are
sent."""
START_LIST = "start_list"
LIST_FIELDS: Mapping[str, str] = _FORM["list"]
"""The labels of a start list's fields."""
OPTION_NAMES = frozenset(name for group in OPTIONS.values() for name in group)


@dataclass(frozen=True)
class Input:
    """The input of the field `name`; paces are per `pace_unit`, `keys` begins its session state key."""

    name: str
    shown: Shown
    schema: RaceField
    pace_unit: Unit
    keys: str = KEYS

    @property
    def key(self) -> str:
        """Its session state key."""
        return f"{self.keys}{self.name}"

    @property
    def bounds(self) -> tuple[Any, Any]:
        """The least and the greatest value, as the input holds them."""
        return self.held(self.schema.minimum), self.held(self.schema.maximum)

    @property
    def is_switch(self) -> bool:
        """Whether it is a checkbox."""
        return self.schema.type == "boolean"

    def settings(self, **other: Any) -> dict[str, Any]:
        """The arguments that all widgets take, and `other` ones."""
        unit = self.pace_unit.min_sec if self.shown.unit == PACE else self.shown.unit
        label = f"{self.shown.label}, {unit}" if unit else self.shown.label
        # Streamlit takes a help text for Markdown; it shows the API's as it is.
        common = {"label": label, "key": self.key, "help": escape(self.schema.description)}
        return {**common, "persist_state": "session", **other}

    @property
    def is_text(self) -> bool:
        """Whether it is a line of text."""
        return self.schema.type == "string" and not self.schema.enum

    def draw(self, **other: Any) -> Any:
        """Draw a checkbox, choice, text or number and return what it holds; `other` goes to the widget."""
        if self.is_text:
            return self.draw_text(**other)
        if self.is_switch:
            return st.checkbox(**self.settings(**other))
        if self.schema.enum:
            words = self.shown.choices
            return st.selectbox(
                options=self.schema.enum,
                format_func=lambda value: words.get(value, value),
                **self.settings(**other),
            )
        low, high = self.bounds
        if self.shown.unit == PER_CENT:
            other |= {"min_value": low, "max_value": high}
        elif low is not None and high is not None:
            # With limits the widget would keep its last valid value without saying so; the API reports them.
            other["help"] = escape(f"{self.schema.description} From {low:,g} to {high:,g}.")
        is_whole = self.schema.type == "integer"
        return st.number_input(
            value="min" if self.shown.empty is None else None,
            step=int(self.shown.step) if is_whole else float(self.shown.step),
            format=None if is_whole else "%g",
            **{"placeholder": self.shown.empty, **self.settings(**other)},
        )

    def draw_text(self, **other: Any) -> str:
        """Draw it as a text and return that."""
        typed: str = st.text_input(**{"placeholder": self.shown.empty, **self.settings(**other)})
        return typed

    def held(self, value: Any) -> Any:
        """An API value as the input holds it."""
        if value is None:
            return "" if self.is_text else None
        if self.shown.unit == PER_CENT:
            return round(value * 100.0, DECIMALS)
        if self.shown.unit == PACE:
            return paces.write(value, self.pace_unit)
        return float(value) if self.schema.type == "number" else value

    def changed(self) -> Any:
        """The API value that the input holds; None at the default."""
        held = st.session_state[self.key]
        if self.is_text:
            return held.strip() or None
        is_share = self.shown.unit == PER_CENT and held is not None
        value = round(held / 100, DECIMALS) if is_share else held
        return None if value == self.schema.default else value


def key(name: str) -> str:
    """The session state key of a form field."""
    return f"{KEYS}{name}"


def inputs(fields: Mapping[str, RaceField], pace_unit: Unit, keys: str = KEYS) -> dict[str, Input]:
    """A form's inputs by name, as far as the API has their fields."""
    tables = (PLAIN, *OPTIONS.values())
    return {
        name: Input(name, shown, fields[name], pace_unit, keys)
        for table in tables
        for name, shown in table.items()
        if name in fields
    }


def values(request: Mapping[str, Any], fields: Mapping[str, RaceField], unit: Unit) -> dict[str, Any]:
    """What a request sets the fields to, by session state key; other options get their defaults."""
    return {
        entry.key: entry.held(request.get(name, entry.schema.default))
        for name, entry in inputs(fields, unit).items()
        if name in request or name in OPTION_NAMES
    }


def whole_number(text: str) -> int | str | None:
    """A whole number, or the text for the API to reject in its own words; None if it is empty."""
    text = text.strip()
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else text or None


@st.cache_data(ttl=FIELDS_TTL_S, show_spinner=False)
def fields_of(_api: RaceApi) -> Mapping[str, RaceField]:
    """The fields of a race request. Raises `ApiError`."""
    fields = _api.race_fields()
    _check(fields)
    return fields


def _check(fields: Mapping[str, RaceField]) -> None:
    """Raise `ApiError` if the API lacks a field that the form can't do without."""
    if missing := [name for name in (*PLAIN, START_LIST) if name not in fields]:
        raise ApiError(
            f"The simulator's API has no {', '.join(missing)}. "
            "Run a simulator and a dashboard of the same version."
        )
