"""The tables of the race day page, as HTML; updates never move the layout."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import streamlit as st

from dashboard.raceday.limits import Close, Out, State
from dashboard.ui import formatting
from dashboard.ui.escape import templates
from dashboard.ui.formatting import UNKNOWN
from dashboard.ui.viewer import Viewer

MOST_LISTED = 100
"""Maximum number of competitors in a list; all are counted."""

CLOSE, OUT = "Close, or expected too late", "Out"
"""The headings of the lists."""

_TEMPLATES = templates("dashboard.raceday")
Clock = Callable[[float], str]
"""Formats race seconds as a time of day."""


def overview(states: Sequence[State], clock: Clock, reader: Viewer, *, is_by_wave: bool) -> None:
    """A row for each cut-off: limit, and how many are through, still to come, and out."""
    limit = "Limit from own gun" if is_by_wave else "Limit from the gun"
    columns = ("Point", "Limit", limit, "Through", "To come", "Expected late", "Out")
    rows = (
        (
            name_of(state, reader),
            "\N{EN DASH}".join(dict.fromkeys(clock(at) for at in state.deadlines)),
            formatting.race_time(state.cut_off.limit),
            f"{state.through:,}",
            f"{state.ahead:,}",
            UNKNOWN if state.too_late is None else f"{round(state.too_late):,}",
            f"{state.out:,}",
        )
        for state in states
    )
    _show("cut-offs", columns, rows, texts=(0,))


def name_of(state: State, reader: Viewer) -> str:
    """The name of a cut-off's point."""
    one = state.cut_off
    return "Finish" if one.is_finish else formatting.point(one.name, one.distance, reader.unit)


def close(found: Sequence[Close], names: Callable[[int], str], clock: Clock, nothing: str) -> None:
    """Those who may be too late, the next arrival first."""
    columns = ("Bib", "Name", "Expected", "To go", "Margin", "Too late")
    rows = (
        (
            str(one.bib),
            names(one.bib),
            clock(one.expected),
            formatting.duration(one.to_go),
            _margin(one.margin),
            _chance(one.chance),
        )
        for one in found[:MOST_LISTED]
    )
    _show("close", columns, rows, texts=(1,), is_list=True, label=CLOSE, nothing=nothing)


def out(
    found: Sequence[Out], names: Callable[[int], str], clock: Clock, reader: Viewer, *, is_finish: bool
) -> None:
    """Those who were stopped: the last one first, or when the course closed, the furthest."""
    columns = ("Bib", "Name", "Stopped", "Covered" if is_finish else "Too late by")
    rows = (
        (
            str(one.bib),
            names(one.bib),
            clock(one.elapsed),
            formatting.distance(one.distance, reader.unit) if is_finish else formatting.duration(one.late),
        )
        for one in found[:MOST_LISTED]
    )
    _show("out", columns, rows, texts=(1,), is_list=True, label=OUT, nothing="No one.")


def _margin(seconds: float) -> str:
    word = "spare" if seconds >= 0 else "late"
    return f"{formatting.duration(abs(seconds))} {word}"


def _chance(chance: float) -> str:
    return "100 %" if chance >= 1.0 else f"{min(99, round(100 * chance))} %"


def _show(
    name: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]] | Iterator[Sequence[str]],
    **values: Any,
) -> None:
    template = _TEMPLATES.get_template("table.html")
    st.html(template.render(name=name, columns=columns, rows=list(rows), **values))
