"""The components' cards and the tables, as HTML; updates never move the layout."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard.pipeline.freshness import SHARES, Span
from dashboard.ui.escape import templates
from pinot.health.report import Figure, Report, Row
from pinot.health.verdict import Light
from pinot.health.words import seconds

WORDS = {Light.GREEN: "Fine", Light.AMBER: "Attention", Light.RED: "Trouble", Light.GREY: "Idle"}
"""The word beside each light, for colour-blind viewers."""

_TEMPLATES = templates("dashboard.pipeline")


def parts(report: Report) -> None:
    """A card per component."""
    _show("parts.html", parts=report.parts, words=WORDS)


def topics(report: Report) -> None:
    """One row per topic."""
    _show_table("topics", "Topic", report.topics)


def tables(report: Report) -> None:
    """One row per Pinot table."""
    _show_table("tables", "Table", report.tables)


def simulators(report: Report) -> None:
    """One row per simulator of the group."""
    _show_table("simulators", "Simulator", report.simulators)


def spans(found: Sequence[Span]) -> None:
    """One row per span of time."""
    _show_table("freshness", "Over", [_of_span(one) for one in found])


def _of_span(found: Span) -> Row:
    percentiles = zip(SHARES, found.percentiles, strict=True)
    shares = (Figure(f"p{share}", f"p{share}", value, seconds) for share, value in percentiles)
    measured = Figure("measured", "Measured", found.measured_s, seconds)
    return Row(f"{found.minutes} min", (*shares, measured))


def _show_table(name: str, kind: str, rows: Sequence[Row]) -> None:
    columns = [kind, *(figure.label for figure in rows[0].figures)]
    _show("table.html", name=name, columns=columns, rows=rows)


def _show(template: str, **values: Any) -> None:
    st.html(_TEMPLATES.get_template(template).render(values))
