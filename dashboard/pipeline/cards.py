"""The components' cards and the two tables, as HTML; updates never move the layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.ui.escape import escape
from pinot.health.verdict import Light

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinot.health.report import Part, Report, Row

WORDS = {Light.GREEN: "Fine", Light.AMBER: "Attention", Light.RED: "Trouble", Light.GREY: "Idle"}
"""The word beside each light, for colour-blind viewers."""


def parts(report: Report) -> None:
    """A card per component."""
    st.html(f'<div class="parts">{"".join(map(_card, report.parts))}</div>')


def _card(part: Part) -> str:
    light = part.verdict.light
    figures = "".join(
        f"<div><dt>{escape(figure.label)}</dt>"
        f'<dd data-figure="{escape(figure.key)}">{escape(figure.text)}</dd></div>'
        for figure in part.figures
    )
    return (
        f'<section class="part {light.value}" data-part="{escape(part.name)}" data-light="{light.value}">'
        f'<h2><span class="light"></span>{escape(part.name)}<em>{WORDS[light]}</em></h2>'
        f"<p>{escape(part.verdict.sentence)}</p><dl>{figures}</dl></section>"
    )


def topics(report: Report) -> None:
    """One row per topic."""
    _table("topics", "Topic", report.topics)


def tables(report: Report) -> None:
    """One row per Pinot table."""
    _table("tables", "Table", report.tables)


def _table(name: str, kind: str, rows: Sequence[Row]) -> None:
    columns = [kind, *(figure.label for figure in rows[0].figures)]
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(
        f'<tr data-row="{escape(row.name)}"><th scope="row">{escape(row.name)}</th>'
        + "".join(f"<td>{escape(figure.text)}</td>" for figure in row.figures)
        + "</tr>"
        for row in rows
    )
    st.html(
        f'<div class="plain-table" data-table="{name}"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
