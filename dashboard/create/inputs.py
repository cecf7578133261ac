"""The form's inputs for the fields of `POST /races`.

Types, defaults, bounds, choices and descriptions come from the API's OpenAPI document. The tables here add
what only the form needs: labels, units and order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import streamlit as st

from dashboard.api import RaceField
from dashboard.create import paces
from dashboard.ui.escape import escape

PER_CENT = "per cent"
"""Unit of a share, which is 0 to 1 in the API."""
PER_KM = "min:sec per km"
"""Unit of a pace, which is seconds per kilometre in the API."""

KEYS = "race-field-"
"""Prefix of the session state keys of the form's fields."""

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


PLAIN: Mapping[str, Shown] = {
    "name": Shown("Name"),
    "competitors": Shown("Competitors", step=50),
    "fastest": Shown("Fastest pace", PER_KM),
    "slowest": Shown("Slowest pace", PER_KM),
    "how_many_get_stopped": Shown("Stop in a geofence", PER_CENT),
    "min_pause": Shown("Shortest stop", "seconds", 5),
    "max_pause": Shown("Longest stop", "seconds", 5),
    "speed": Shown("Speed", "race seconds per second"),
    "seed": Shown("Seed", empty="Empty: a random seed"),
}
"""The fields that are always sent, or are text."""

OPTIONS: Mapping[str, Mapping[str, Shown]] = {
    "Paces": {
        "pace_model": Shown(
            "Pace distribution",
            choices={
                "uniform": "Evenly from fastest to slowest",
                "normal": "Most in the middle",
                "lognormal": "Most in the faster half",
                "parkrun": "Like a parkrun",
                "marathon": "Like a marathon",
            },
        ),
        "fatigue": Shown(
            "Fatigue",
            choices={"none": "None", "split": "Slower second half", "wall": "Slower, and hitting the wall"},
        ),
        "gradient": Shown("Hills cost time"),
    },
    "Start": {
        "wave_size": Shown("Wave size", "runners", 50, empty="One wave"),
        "wave_delay": Shown("Wave interval", "seconds", 30),
        "start_flow": Shown("Crossing the start line", "per second", empty="All at once"),
        "corrals": Shown("Faster runners in front"),
    },
    "Entrants": {
        "entrants": Shown(
            "Identities",
            choices={"numbered": "Runner 1, Runner 2 …", "drawn": "Names, age groups, clubs"},
        ),
        "women": Shown("Women", PER_CENT, 5),
    },
    "Outcomes": {
        "dns": Shown("Don't start (DNS)", PER_CENT),
        "dnf": Shown("Don't finish (DNF)", PER_CENT),
        "disqualified": Shown("Disqualified (DSQ)", PER_CENT, 0.5),
        "walking": Shown("Start walking", PER_CENT),
        "wrong_turn": Shown("Take a wrong turn", PER_CENT),
    },
    "Trackers": {
        "gps_error": Shown("GPS error", "metres", 0.5),
        "gps_correlation": Shown("GPS drift time", "seconds", 10),
        "gps_noise": Shown("GPS noise", "metres", 0.5),
        "clock_skew": Shown("Clock error up to", "seconds"),
        "lost": Shown("Lost positions", PER_CENT),
        "lost_for": Shown("Lost for", "seconds", 5),
        "frozen": Shown("Frozen positions", PER_CENT),
        "frozen_for": Shown("Frozen for", "seconds", 5),
        "late": Shown("Late positions", PER_CENT),
        "late_for": Shown("Late for", "seconds", 5),
        "duplicates": Shown("Duplicates", PER_CENT),
        "dead_battery": Shown("Dead batteries", PER_CENT),
        "ground_truth": Shown("Include true positions"),
    },
}
"""The realism options by group, in the order of the form. Only values that differ from the API's defaults are
sent."""

OPTION_NAMES = frozenset(name for group in OPTIONS.values() for name in group)


@dataclass(frozen=True)
class Input:
    """The input of the field `name`."""

    name: str
    shown: Shown
    schema: RaceField

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
        label = f"{self.shown.label}, {self.shown.unit}" if self.shown.unit else self.shown.label
        # Streamlit takes a help text for Markdown; it shows the API's as it is.
        return {"label": label, "key": key(self.name), "help": escape(self.schema.description), **other}

    def draw(self, **other: Any) -> Any:
        """Draw a checkbox, a choice or a number and return what it holds; `other` goes to the widget."""
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
        else:
            # With limits the widget would keep its last valid value without saying so; the API reports them.
            other["help"] = escape(f"{self.schema.description} From {low:,g} to {high:,g}.")
        is_whole = self.schema.type == "integer"
        return st.number_input(
            value="min" if self.shown.empty is None else None,
            step=int(self.shown.step) if is_whole else float(self.shown.step),
            format=None if is_whole else "%g",
            placeholder=self.shown.empty,
            **self.settings(**other),
        )

    def draw_text(self, **other: Any) -> str:
        """Draw it as a text and return that."""
        typed: str = st.text_input(**{"placeholder": self.shown.empty, **self.settings(**other)})
        return typed

    def held(self, value: Any) -> Any:
        """An API value as the input holds it."""
        if self.shown.unit == PER_CENT:
            return round(value * 100.0, DECIMALS)
        if self.shown.unit == PER_KM:
            return paces.write(value)
        return float(value) if self.schema.type == "number" and value is not None else value

    def changed(self) -> Any:
        """The API value that the input holds; None at the default."""
        held = st.session_state[key(self.name)]
        value = round(held / 100, DECIMALS) if self.shown.unit == PER_CENT else held
        return None if value == self.schema.default else value


def key(name: str) -> str:
    """The session state key of a form field."""
    return f"{KEYS}{name}"


def inputs(fields: Mapping[str, RaceField]) -> dict[str, Input]:
    """The form's inputs by name, as far as the API has their fields."""
    tables = (PLAIN, *OPTIONS.values())
    return {
        name: Input(name, shown, fields[name])
        for table in tables
        for name, shown in table.items()
        if name in fields
    }
