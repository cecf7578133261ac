"""Compares two plans with the same seed, competitor by competitor, in sentences. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from dashboard.plan import figures
from dashboard.plan.plan import Plan
from dashboard.ui import formatting
from dashboard.ui.viewer import Unit
from stream.arrays import Floats

SAME_S = 5.0
"""Seconds up to which two times are alike."""
SAME_DENSITY = 0.05
"""Runners per square metre up to which two densities are alike."""
SAME_PLACE = 100.0
"""Metres within which two places are one."""

Verdict = Literal["benefit", "cost"]


class Effect(NamedTuple):
    """What plan B changes, as a sentence."""

    verdict: Verdict
    sentence: str


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """How the second of two requests differs from the first, as a sentence; empty if it does not."""
    pairs = [(words(after), words(before)) for words in _SETTINGS]
    found = [f"{now} instead of {then}" for now, then in pairs if now != then]
    return f"Plan B has {', '.join(found)}." if found else ""


def effects(before: Plan, after: Plan, unit: Unit) -> list[Effect]:
    """What changes from one plan to the other, benefits first."""
    found = [
        *_density(before, after, unit),
        *_crowded(before, after, unit),
        *_losses(before, after),
        *_queue(before, after),
        *_times(before, after),
    ]
    return sorted(found, key=lambda one: one.verdict != "benefit")


def _waves(request: Mapping[str, Any]) -> str:
    if not (size := request.get("wave_size")):
        return "one wave"
    return f"waves of {size:,} every {_span(request['wave_delay'])}"


def _flow(request: Mapping[str, Any]) -> str:
    return f"{flow:g} starts a second" if (flow := request.get("start_flow")) else "a free start line"


def _order(request: Mapping[str, Any]) -> str:
    return "faster runners in front" if request.get("corrals") else "runners in random order"


def _start_width(request: Mapping[str, Any]) -> str:
    return (
        f"a start line of {width:g} m"
        if (width := request.get("start_width"))
        else "one as wide as the course"
    )


def _width(request: Mapping[str, Any]) -> str:
    return (
        f"a course of {width:g} m at most"
        if (width := request.get("width"))
        else "the widths of the course file"
    )


_SETTINGS = (_waves, _flow, _order, _start_width, _width)
"""What the settings of a plan are, in words."""


def _density(before: Plan, after: Plan, unit: Unit) -> Iterator[Effect]:
    worst, now = figures.peak(before), figures.peak(after)
    there = float(after.density[figures.at(after, worst.at)].max())
    place = figures.place(worst.at, unit)
    if abs(there - worst.value) > SAME_DENSITY:
        falls = there < worst.value
        yield Effect(
            "benefit" if falls else "cost",
            f"The peak density {place} {'falls' if falls else 'rises'} from {worst.value:.2f} to "
            f"{figures.amount(there, 'density')}.",
        )
    if abs(now.at - worst.at) > SAME_PLACE and now.value > there + SAME_DENSITY:
        density = figures.amount(now.value, "density")
        yield Effect(
            "benefit" if now.value < worst.value else "cost",
            f"The densest place is {figures.place(now.at, unit)}, with {density}.",
        )


def _crowded(before: Plan, after: Plan, unit: Unit) -> Iterator[Effect]:
    level = before.level("density").above
    then, now = (_above(plan, level) for plan in (before, after))
    if then == now:
        return
    words = [
        f"on {_length(metres, unit)} in {minutes} min" if minutes else "nowhere"
        for metres, minutes in (then, now)
    ]
    yield Effect(
        "benefit" if now < then else "cost",
        f"More than {figures.amount(level, 'density')} is reached {words[1]}, before {words[0]}.",
    )


def _length(metres: float, unit: Unit) -> str:
    """The length of a part of the course; short ones in metres, as widths."""
    return f"{metres:.0f} m" if metres < unit.metres else formatting.distance(metres, unit)


def _above(plan: Plan, level: float) -> tuple[float, int]:
    """The metres of the course that exceed a density at some time, and the minutes in which any does."""
    above = plan.density > level
    metres = (plan.last - plan.first)[above.any(axis=1)].sum()
    return float(metres), int(above.any(axis=0).sum())


def _losses(before: Plan, after: Plan) -> Iterator[Effect]:
    run = np.isfinite(before.start) & np.isfinite(after.start)
    then, now = before.lost[run], after.lost[run]
    middle = float(np.median(then)), float(np.median(now))
    if abs(middle[1] - middle[0]) >= SAME_S:
        falls = middle[1] < middle[0]
        yield Effect(
            "benefit" if falls else "cost",
            f"The median loss {'falls' if falls else 'rises'} from {_span(middle[0])} to {_span(middle[1])}.",
        )
    difference = now - then
    yield from _who("benefit", -difference[difference < -SAME_S], len(difference), "less")
    yield from _who("cost", difference[difference > SAME_S], len(difference), "more")


def _who(verdict: Verdict, seconds: Floats, count: int, word: str) -> Iterator[Effect]:
    """How many lose less, or more, time, and how much."""
    if len(seconds):
        median = _span(float(np.median(seconds)))
        share = round(100 * len(seconds) / count)
        runners = f"{share} % of the runners" if share else "Fewer than 1 % of the runners"
        yield Effect(verdict, f"{runners} lose {word} time: {median} at the median.")


def _queue(before: Plan, after: Plan) -> Iterator[Effect]:
    then, now = (round(float(plan.waiting.max(initial=0.0))) for plan in (before, after))
    if then != now:
        yield Effect(
            "benefit" if now < then else "cost",
            f"The longest queue behind the start line has {now:,} runners, before {then:,}.",
        )


def _times(before: Plan, after: Plan) -> Iterator[Effect]:
    for what, then, now in (
        ("start", before.start, after.start),
        ("finish", before.finish, after.finish),
    ):
        if not (np.isfinite(then).any() and np.isfinite(now).any()):
            continue
        last = float(np.nanmax(now)), float(np.nanmax(then))
        later = last[0] - last[1]
        if abs(later) >= SAME_S:
            yield Effect(
                "benefit" if later < 0 else "cost",
                f"The last {what} is {_span(abs(later))} {'earlier' if later < 0 else 'later'}, "
                f"{formatting.duration(last[0])} after the first gun.",
            )


def _span(seconds: float) -> str:
    """A span of time as people say it: 48 s, 5 min, 2 min 30 s."""
    minutes, rest = divmod(round(seconds), 60)
    parts = [f"{minutes:,} min"] * bool(minutes) + [f"{rest} s"] * bool(rest or not minutes)
    return " ".join(parts)
