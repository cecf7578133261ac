"""The components' cards and the two tables, as HTML; updates never move the layout."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard.ui.escape import templates
from pinot.health.report import Report, Row
from pinot.health.verdict import Light

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


def _show_table(name: str, kind: str, rows: Sequence[Row]) -> None:
    columns = [kind, *(figure.label for figure in rows[0].figures)]
    _show("table.html", name=name, columns=columns, rows=rows)


def _show(template: str, **values: Any) -> None:
    st.html(_TEMPLATES.get_template(template).render(values))
