"""Figures of a plan, as text and as the rows of its charts. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from dashboard.plan.plan import Plan, Quantity, Warned
from dashboard.ui import formatting
from dashboard.ui.viewer import Unit
from stream.arrays import Floats

MAX_COLUMNS, MAX_ROWS = 80, 60
"""Maximum numbers of places and of minutes of the chart of densities, which shows the densest of several."""
FAINT = 0.02
"""Runners per square metre below which the chart of densities is empty."""
AT_START = 50.0
"""Metres from the start up to which a place is called the start."""
MAX_WORST = 8
"""Maximum number of crowded places in the table."""
UNITS: dict[Quantity, str] = {"density": "/m\N{SUPERSCRIPT TWO}", "flow": "/min/m"}


class Peak(NamedTuple):
    """The highest value of a quantity: its place, metres from the start, and its minute."""

    value: float
    at: float
    minute: int


class Class(NamedTuple):
    """A class of densities: those from `low` to `high`, runners per square metre, and its colour."""

    low: float
    high: float
    colour: str

    @property
    def words(self) -> str:
        """Its label in the legend."""
        if np.isinf(self.high):
            return f"over {self.low:.2f}{UNITS['density']}"
        return f"{self.low:.2f} to {self.high:.2f}"


SHARES = (0.0, 0.25, 0.5, 0.75, 1.0, 4 / 3, 2.0, np.inf)
"""Limits of the classes of densities, as shares of the level at which an organiser should act."""
COLOURS = (
    *(f"rgba(47,143,208,{opacity})" for opacity in (0.25, 0.45, 0.7, 1)),
    "#e69f00",
    "#d55e00",
    "#c2185b",
)
"""One for each class: up to the level blue, the more opaque the denser, so that the steps are alike on light
and dark; above it orange to crimson."""


def classes(level: float) -> list[Class]:
    """The classes of densities; four of them are below the level."""
    limits = [level * share for share in SHARES]
    return [Class(*limits_and_colour) for limits_and_colour in zip(limits, limits[1:], COLOURS, strict=False)]


def amount(value: float, quantity: Quantity) -> str:
    """A density or a flow with its unit."""
    return f"{value:.2f}{UNITS[quantity]}" if quantity == "density" else f"{value:.0f}{UNITS[quantity]}"


def peak(plan: Plan, quantity: Quantity = "density") -> Peak:
    """The highest density, or flow, of a plan."""
    values = plan.density if quantity == "density" else plan.flow
    section, minute = divmod(int(values.argmax()), values.shape[1])
    return Peak(float(values[section, minute]), float(plan.first[section] + plan.last[section]) / 2.0, minute)


def place(metres: float, unit: Unit) -> str:
    """Where on the course a place is, in words."""
    if metres < AT_START:
        return "at the start"
    return f"at {formatting.short_distance(round(metres, -1), unit)}"


def at(plan: Plan, metres: float) -> int:
    """The index of the section at a place."""
    return min(int(np.searchsorted(plan.last, metres, side="right")), len(plan.last) - 1)


def has_widths(plan: Plan) -> bool:
    """Whether the width is limited anywhere."""
    return bool(np.isfinite(plan.width).any())


def started(plan: Plan) -> Floats:
    """The starts of those who start, seconds from the first gun."""
    return plan.start[np.isfinite(plan.start)]


def tiles(plan: Plan, unit: Unit) -> list[tuple[str, str, str]]:
    """The figures of a plan in short: a label, a value and a note each."""
    densest, running = peak(plan), np.isfinite(plan.start)
    lost, at_start = plan.lost[running], plan.lost_at_start[running]
    queue = int(plan.waiting.argmax())
    return [
        (
            "Peak density",
            amount(densest.value, "density"),
            f"{place(densest.at, unit)}, {densest.minute} min" if densest.value > 0 else "no width is known",
        ),
        ("Median loss", _duration(np.median(lost)), f"{_duration(np.median(at_start))} at the start line"),
        ("Largest loss", _duration(lost.max(initial=0.0)), f"of {len(lost):,} runners"),
        (
            "Longest queue",
            f"{plan.waiting.max(initial=0.0):,.0f}",
            f"at the line, {queue} min" if plan.waiting[queue] >= 1 else "at the start line",
        ),
        ("Last start", formatting.duration(float(started(plan).max(initial=0.0))), "after the first gun"),
        ("Median chip time", _median_time(plan.chip_time), f"gun time {_median_time(plan.gun_time)}"),
    ]


def _duration(seconds: float) -> str:
    return formatting.duration(float(round(seconds))) if np.isfinite(seconds) else formatting.UNKNOWN


def _median_time(times: Floats) -> str:
    known = times[np.isfinite(times)]
    return formatting.race_time(float(np.median(known))) if len(known) else formatting.UNKNOWN


def heat(plan: Plan, unit: Unit) -> pd.DataFrame:
    """The rows of the chart of densities: a place, some minutes, their highest density, colour and words."""
    every, minutes = (
        -(-count // most) for count, most in zip(plan.density.shape, (MAX_COLUMNS, MAX_ROWS), strict=True)
    )
    places, moments = np.arange(0, len(plan.first), every), np.arange(0, plan.minutes, minutes)
    highest = np.maximum.reduceat(np.maximum.reduceat(plan.density, places, axis=0), moments, axis=1)
    place, moment = np.nonzero(highest >= FAINT)
    first = plan.first[places]
    last = np.append(first[1:], plan.last[-1])
    density = highest[place, moment]
    found = classes(plan.level("density").above)
    colour = np.searchsorted([one.high for one in found], density, side="left")
    since, until = moments[moment], np.minimum(moments[moment] + minutes, plan.minutes)
    return pd.DataFrame(
        {
            "from": first[place] / unit.metres,
            "to": last[place] / unit.metres,
            "since": since,
            "until": until,
            "colour": np.array([one.colour for one in found])[colour],
            "word": [
                f"{value:.2f}{UNITS['density']} at {formatting.short_distance(metres, unit)}, {minute} min"
                for value, metres, minute in zip(
                    density.tolist(), first[place].tolist(), since.tolist(), strict=True
                )
            ],
        }
    )


def widths(plan: Plan, unit: Unit) -> pd.DataFrame:
    """The rows of the chart of widths: from where to where the course is how wide, if it is limited."""
    changes = np.flatnonzero(np.append(True, plan.width[1:] != plan.width[:-1]))
    first = plan.first[changes]
    last = np.append(first[1:], plan.last[-1])
    known = np.isfinite(plan.width[changes])
    columns = [first[known] / unit.metres, last[known] / unit.metres, plan.width[changes][known]]
    words = [
        f"{width:g} m wide from {low:.2f} to {high:.2f} {unit.symbol}"
        for low, high, width in zip(*(column.tolist() for column in columns), strict=True)
    ]
    return pd.DataFrame(dict(zip(("from", "to", "width", "word"), [*columns, words], strict=True)))


def starts(plan: Plan) -> pd.DataFrame:
    """The rows of the chart of the start: how many of a wave cross the line in a minute."""
    wave, minute = np.nonzero(plan.waves)
    count = plan.waves[wave, minute]
    return pd.DataFrame(
        {
            "wave": wave + 1,
            "minute": minute,
            "end": minute + 1,
            "runners": count,
            "word": [
                f"Wave {one + 1}: {formatting.counted(many, 'runner', 'runners')} in minute {when}"
                for one, when, many in zip(wave.tolist(), minute.tolist(), count.tolist(), strict=True)
            ],
        }
    )


class Worst(NamedTuple):
    """A crowded part of the course, in words.

    Attributes:
        place, when: where and in which minutes.
        density, flow: the peaks there and then.
        level: what is exceeded.
    """

    place: str
    when: str
    density: str
    flow: str
    level: str


def worst(plan: Plan, unit: Unit) -> list[Worst]:
    """The parts of the course that exceed a level most, the worst first."""
    ranked = sorted(plan.warnings, key=lambda one: -_peaks(plan, one)[one.quantity] / one.level)
    return [_in_words(plan, one, unit) for one in ranked[:MAX_WORST]]


def _peaks(plan: Plan, warned: Warned) -> dict[Quantity, float]:
    """The highest density and flow in a part of the course and of the time."""
    part = (plan.first >= warned.first) & (plan.last <= warned.last)
    inside = slice(warned.since, warned.until)
    return {
        "density": float(plan.density[part, inside].max()),
        "flow": float(plan.flow[part, inside].max()),
    }


def _in_words(plan: Plan, warned: Warned, unit: Unit) -> Worst:
    peaks = _peaks(plan, warned)
    low, high = (f"{metres / unit.metres:.2f}" for metres in (warned.first, warned.last))
    return Worst(
        f"{low} to {high} {unit.symbol}",
        f"{warned.since} to {warned.until} min",
        amount(peaks["density"], "density"),
        amount(peaks["flow"], "flow"),
        f"{warned.quantity} {amount(warned.level, warned.quantity)}",
    )


def sources(plan: Plan) -> Iterator[str]:
    """What the levels mean."""
    for level in plan.levels:
        yield f"{amount(level.above, level.quantity)}: {level.source}."


def longest(plans: Sequence[Plan]) -> int:
    """The minutes of the longest of some plans."""
    return max(plan.minutes for plan in plans)
