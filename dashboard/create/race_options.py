"""What makes a race like a real one: fields beside its course, its paces and its stops.

Each is at the API's default at first, and only what differs from that is sent. Shares are in per cent here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DECIMALS = 9
"""Of a share: a hundredth of 0.7 is 0.006999999999999999."""

PACES_OF_THEIR_OWN: Mapping[str, str] = {"parkrun": "a parkrun", "marathon": "a marathon"}
"""Pace models that use neither the fastest nor the slowest pace, and whose paces they have."""

CHANGES_FINISH_TIMES = frozenset(
    ("pace_model", "fatigue", "gradient", "wave_size", "start_flow", "start_list", "walking", "wrong_turn")
)
"""With any of these the slowest pace doesn't say any more when the last one comes in."""


@dataclass(frozen=True)
class Option:
    """A field of `POST /races`.

    Attributes:
        name: what the API calls it.
        kind: how it is asked for.
        label: with its unit; that of a share is added.
        default: the API's; None if it can be left empty.
        help: what it does.
        step: what the buttons at a number add, in its own unit.
        words: of a choice, what people call each value.
        empty: what it means to leave it empty.
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
        """Draw the field, and answer its value for the API; None if it is the default."""
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
        """What the field holds, for the API; None if it is the default."""
        held = st.session_state.get(key(self.name), self.held(self.default))
        value = round(held / 100, DECIMALS) if self.kind == "share" else held
        return None if value == self.default else value

    def held(self, value: Any) -> Any:
        """What the field holds for a value of the API's."""
        return round(value * 100, DECIMALS) if self.kind == "share" else value


PACES = (
    Option(
        "pace_model",
        "choice",
        "Spread of the paces",
        "uniform",
        "How many run how fast. As at a parkrun or in a marathon is as published finish times are: then the "
        "fastest and the slowest pace have no effect.",
        words={
            "uniform": "Evenly from fastest to slowest",
            "normal": "Most in the middle",
            "lognormal": "Most in the faster half",
            "parkrun": "As at a parkrun",
            "marathon": "As in a marathon",
        },
    ),
    Option(
        "fatigue",
        "choice",
        "Fatigue",
        "none",
        "Whether they slow down in the second half, the slower the more; and whether some hit the wall, on "
        "courses of 30 km and more.",
        words={"none": "None", "split": "Slower second half", "wall": "Slower, and the wall"},
    ),
    Option(
        "gradient",
        "switch",
        "Hills cost time",
        default=False,
        help="A pace is then one on flat ground. Needs a course with heights.",
    ),
)
START = (
    Option(
        "wave_size",
        "whole",
        "Wave size, runners",
        None,
        "So many start together, the next ones later. Empty: one wave, or those of the start list.",
        step=50,
        empty="One wave",
    ),
    Option(
        "wave_delay", "number", "Between waves, seconds", 60.0, "From one wave's start to the next.", 30.0
    ),
    Option(
        "start_flow",
        "number",
        "Over the start line, per second",
        None,
        "How many of a wave can cross the line in a second: the others walk up to it. Empty: all at once.",
        empty="All at once",
    ),
    Option(
        "corrals", "switch", "The faster in front", default=False, help="Whether the start is sorted by pace."
    ),
)
ENTRANTS = (
    Option(
        "entrants",
        "choice",
        "Who they are",
        "numbered",
        "Numbers, or names, age groups and clubs by chance.",
        words={"numbered": "Runner 1, Runner 2 …", "drawn": "Names, age groups, clubs"},
    ),
    Option(
        "women",
        "share",
        "Women",
        0.4,
        "There are more of them among the slower. A start list says it by its categories: W, F or M.",
        5.0,
    ),
)
FATES = (
    Option("dns", "share", "Don't start (DNS)", 0.0, "They are on the start list and nowhere else."),
    Option("dnf", "share", "Don't finish (DNF)", 0.0, "They give up on the way, half of them after a pause."),
    Option(
        "disqualified",
        "share",
        "Disqualified (DSQ)",
        0.0,
        "They finish, and lose their place 1 to 10 minutes later.",
        0.5,
    ),
    Option("walking", "share", "Walk from some place on", 0.0, "At 1.4 m/s, from the middle of the course."),
    Option(
        "wrong_turn",
        "share",
        "Take a wrong turn",
        0.0,
        "They leave the course by 50 to 400 m, and come back.",
    ),
)
TRACKERS = (
    Option(
        "gps_error",
        "number",
        "GPS error, metres",
        0.0,
        "How far places are off, standard deviation; it wanders, as that of a watch does.",
        0.5,
    ),
    Option(
        "gps_correlation",
        "number",
        "GPS error wanders over, seconds",
        60.0,
        "The longer, the more slowly it changes.",
        10.0,
    ),
    Option("gps_noise", "number", "GPS noise, metres", 0.0, "Error that is new in each position.", 0.5),
    Option(
        "clock_skew", "number", "Clocks wrong by up to, seconds", 0.0, "Each tracker's own, all the time."
    ),
    Option("lost", "share", "Lost", 0.0, "Positions that are never told, of all the time."),
    Option("lost_for", "number", "Lost for, seconds", 20.0, "How long it lasts each time.", 5.0),
    Option("frozen", "share", "Frozen", 0.0, "Positions that stay where they were, of all the time."),
    Option("frozen_for", "number", "Frozen for, seconds", 20.0, "How long it lasts each time.", 5.0),
    Option("late", "share", "Late", 0.0, "Positions that come later, behind newer ones, of all the time."),
    Option("late_for", "number", "Late for, seconds", 30.0, "How long it lasts each time.", 5.0),
    Option("duplicates", "share", "Told twice", 0.0, "Positions that come once more."),
    Option("dead_battery", "share", "Dead batteries", 0.0, "Trackers that fall silent before the finish."),
    Option(
        "ground_truth",
        "switch",
        "Tell the true place too",
        default=False,
        help="Positions that go to Kafka then have trueLat and trueLon beside what the tracker says.",
    ),
)
GROUPS: Mapping[str, tuple[Option, ...]] = {
    "Paces": PACES,
    "Start": START,
    "Entrants": ENTRANTS,
    "Fates": FATES,
    "Trackers": TRACKERS,
}


def key(name: str) -> str:
    """Where the session keeps what a field of the form holds."""
    return f"race-{name}"


def every() -> Iterator[Option]:
    """All options, in the order of the form."""
    for options in GROUPS.values():
        yield from options


def wanted() -> dict[str, Any]:
    """All that differs from the API's defaults."""
    return {option.name: value for option in every() if (value := option.wanted()) is not None}


def fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields hold for these values of the API's; the others are at their defaults."""
    return {option.name: option.held(values.get(option.name, option.default)) for option in every()}
