"""Realism options of a race, besides its course, paces and stops.

Each starts at the API's default, and only differences are sent. Shares are in per cent here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DECIMALS = 9
"""Rounding of shares: a hundredth of 0.7 is 0.006999999999999999."""

PACES_OF_THEIR_OWN: Mapping[str, str] = {"parkrun": "a parkrun", "marathon": "a marathon"}
"""Pace models that ignore the fastest and the slowest pace, with the name of the source of their paces."""

CHANGES_FINISH_TIMES = frozenset(
    ("pace_model", "fatigue", "gradient", "wave_size", "start_flow", "start_list", "walking", "wrong_turn")
)
"""With any of these the slowest pace no longer determines the last finish."""


@dataclass(frozen=True)
class Option:
    """A field of `POST /races`.

    Attributes:
        name: the API's field name.
        kind: the type of input.
        label: with its unit, except for shares, which get it added.
        default: the API's; None if the field can be left empty.
        help: what it does.
        step: step of a number field's buttons, in its own unit.
        words: a choice's labels by value.
        empty: what leaving it empty means.
    """

    name: str
    kind: Literal["share", "number", "whole", "choice", "switch"]
    label: str
    default: Any
    help: str
    step: float = 1.0
    words: Mapping[str, str] | None = None
    empty: str | None = None

    def draw(self) -> Any:
        """Draw the field and return its value for the API; None at the default."""
        at = key(self.name)
        match self.kind:
            case "share":
                st.number_input(
                    f"{self.label}, per cent", 0.0, 100.0, step=self.step, format="%g", key=at, help=self.help
                )
            case "number" | "whole":
                whole = self.kind == "whole"
                st.number_input(
                    self.label,
                    value=None if self.default is None else "min",
                    step=int(self.step) if whole else self.step,
                    format=None if whole else "%g",
                    key=at,
                    help=self.help,
                    placeholder=self.empty,
                )
            case "choice":
                words = self.words or {}
                st.selectbox(self.label, list(words), format_func=words.__getitem__, key=at, help=self.help)
            case "switch":
                st.checkbox(self.label, key=at, help=self.help)
        return self.wanted()

    def wanted(self) -> Any:
        """The field's current value for the API; None at the default."""
        held = st.session_state.get(key(self.name), self.held(self.default))
        value = round(held / 100, DECIMALS) if self.kind == "share" else held
        return None if value == self.default else value

    def held(self, value: Any) -> Any:
        """The API's value, converted for the field."""
        return round(value * 100, DECIMALS) if self.kind == "share" else value


PACES = (
    Option(
        "pace_model",
        "choice",
        "Pace distribution",
        "uniform",
        "How the paces are distributed. The parkrun and marathon models follow published finish times "
        "and ignore the fastest and the slowest pace.",
        words={
            "uniform": "Evenly from fastest to slowest",
            "normal": "Most in the middle",
            "lognormal": "Most in the faster half",
            "parkrun": "Like a parkrun",
            "marathon": "Like a marathon",
        },
    ),
    Option(
        "fatigue",
        "choice",
        "Fatigue",
        "none",
        "Competitors slow down in the second half, slower ones more so. On courses of 30 km and more, "
        "some hit the wall.",
        words={"none": "None", "split": "Slower second half", "wall": "Slower, and hitting the wall"},
    ),
    Option(
        "gradient",
        "switch",
        "Hills cost time",
        default=False,
        help="Paces then apply to flat ground. Requires a course with elevation data.",
    ),
)
START = (
    Option(
        "wave_size",
        "whole",
        "Wave size, runners",
        None,
        "Number of runners per wave. Empty: one wave, or the waves of the start list.",
        step=50,
        empty="One wave",
    ),
    Option(
        "wave_delay", "number", "Wave interval, seconds", 60.0, "Time between the starts of two waves.", 30.0
    ),
    Option(
        "start_flow",
        "number",
        "Crossing the start line, per second",
        None,
        "How many runners of a wave cross the line per second; the others queue. Empty: all at once.",
        empty="All at once",
    ),
    Option("corrals", "switch", "Faster runners in front", default=False, help="Sort the start by pace."),
)
ENTRANTS = (
    Option(
        "entrants",
        "choice",
        "Identities",
        "numbered",
        "Bib numbers only, or random names, age groups and clubs.",
        words={"numbered": "Runner 1, Runner 2 …", "drawn": "Names, age groups, clubs"},
    ),
    Option(
        "women",
        "share",
        "Women",
        0.4,
        "There are more women among the slower runners. With a start list, its categories decide: W, F or M.",
        5.0,
    ),
)
FATES = (
    Option("dns", "share", "Don't start (DNS)", 0.0, "They are on the start list and emit no positions."),
    Option(
        "dnf", "share", "Don't finish (DNF)", 0.0, "They give up on the course, half of them after a pause."
    ),
    Option(
        "disqualified",
        "share",
        "Disqualified (DSQ)",
        0.0,
        "They finish, and are disqualified 1 to 10 minutes later.",
        0.5,
    ),
    Option(
        "walking", "share", "Start walking", 0.0, "At 1.4 m/s, from a point around the middle of the course."
    ),
    Option(
        "wrong_turn",
        "share",
        "Take a wrong turn",
        0.0,
        "They leave the course by 50 to 400 m and come back.",
    ),
)
TRACKERS = (
    Option(
        "gps_error",
        "number",
        "GPS error, metres",
        0.0,
        "Standard deviation of positions. The error drifts like a GPS watch's.",
        0.5,
    ),
    Option(
        "gps_correlation",
        "number",
        "GPS drift time, seconds",
        60.0,
        "The longer, the more slowly the error changes.",
        10.0,
    ),
    Option("gps_noise", "number", "GPS noise, metres", 0.0, "Independent error of each position.", 0.5),
    Option("clock_skew", "number", "Clock error up to, seconds", 0.0, "A constant offset per tracker."),
    Option("lost", "share", "Lost positions", 0.0, "Share of time in which positions are not delivered."),
    Option("lost_for", "number", "Lost for, seconds", 20.0, "Duration of each outage.", 5.0),
    Option(
        "frozen",
        "share",
        "Frozen positions",
        0.0,
        "Share of time in which a tracker repeats its last position.",
    ),
    Option("frozen_for", "number", "Frozen for, seconds", 20.0, "Duration of each freeze.", 5.0),
    Option(
        "late",
        "share",
        "Late positions",
        0.0,
        "Share of time in which positions arrive late, after newer ones.",
    ),
    Option("late_for", "number", "Late for, seconds", 30.0, "Delay in seconds.", 5.0),
    Option("duplicates", "share", "Duplicates", 0.0, "Share of positions that are delivered twice."),
    Option("dead_battery", "share", "Dead batteries", 0.0, "Trackers that stop before the finish."),
    Option(
        "ground_truth",
        "switch",
        "Include true positions",
        default=False,
        help="Adds trueLat and trueLon to the positions in Kafka.",
    ),
)
GROUPS: Mapping[str, tuple[Option, ...]] = {
    "Paces": PACES,
    "Start": START,
    "Entrants": ENTRANTS,
    "Outcomes": FATES,
    "Trackers": TRACKERS,
}


def key(name: str) -> str:
    """The session state key of a form field."""
    return f"race-{name}"


def every() -> Iterator[Option]:
    """All options, in the order of the form."""
    for options in GROUPS.values():
        yield from options


def wanted() -> dict[str, Any]:
    """All values that differ from the API's defaults."""
    return {option.name: value for option in every() if (value := option.wanted()) is not None}


def fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields' values for these API values; the others are at their defaults."""
    return {option.name: option.held(values.get(option.name, option.default)) for option in every()}
