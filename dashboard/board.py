"""Figures and leaderboard, drawn from a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import formatting, words
from dashboard.snapshots import MAX_ROWS

if TYPE_CHECKING:
    from dashboard.snapshots import Snapshot
    from dashboard.store import Race


def figures(snapshot: Snapshot, trouble: str | None) -> None:
    """The header: a race in a few numbers, when they were read, and `trouble` if they are old."""
    race, course, numbers = snapshot.race, snapshot.course, snapshot.figures
    length = f"{formatting.kilometres(course.distance)} km" if course else "length unknown"
    updated = formatting.clock(snapshot.taken_at * 1000, st.context.timezone)
    words.facts(
        race.course_name,
        length,
        race.status,
        f"{race.competitors:,} competitor{'s' if race.competitors != 1 else ''}",
        f"{race.speed:g}\N{MULTIPLICATION SIGN} speed",
        f"seed {race.seed}",
        f"Last updated {updated}",
    )
    if (standing := _standing(race)) is not None:
        words.notice(standing, "info")
    if trouble is not None:
        words.notice(f"These are the positions of {updated}. {trouble}", "warning")
    with st.container(horizontal=True):
        st.metric("On the course", f"{numbers.on_course:,}", border=True)
        st.metric("Finished", f"{numbers.finished:,}", border=True)
        st.metric("Leader", _leader(numbers.leader_distance), border=True)


def _standing(race: Race) -> str | None:
    """Why nobody moves, while the race isn't over."""
    match race.status:
        case "scheduled":
            return f"Starts {formatting.day_and_clock(race.start_time, st.context.timezone)}."
        case "paused":
            return "This race is paused."
        case "cancelled":
            return "This race was cancelled. The map shows where everybody was."
    return None


def _leader(distance: float | None) -> str:
    return formatting.UNKNOWN if distance is None else f"{formatting.kilometres(distance)} km"


def leaderboard(snapshot: Snapshot, height: int) -> None:
    """The table; the name's column only if somebody has one, what is to go only if the course is known."""
    table = snapshot.table
    hidden = set()
    if not table["name"].any():
        hidden.add("name")
    if snapshot.course is None:
        hidden.add("to_go")
    st.dataframe(
        table,
        height=height - (28 if len(snapshot.positions) > MAX_ROWS else 0),
        hide_index=True,
        column_order=[column for column in _COLUMNS if column not in hidden],
        column_config=_COLUMNS,
        row_height=30,
    )
    if len(snapshot.positions) > MAX_ROWS:
        st.caption(f"The first {MAX_ROWS:,} of {len(snapshot.positions):,}.")


_COLUMNS = {
    "place": st.column_config.NumberColumn("Place", width=54, pinned=True),
    "bib": st.column_config.NumberColumn("Bib", width=56, pinned=True, format="%d"),
    "name": st.column_config.TextColumn("Name", width=100),
    "covered": st.column_config.NumberColumn("km", width=54, format="%.2f", help="Distance covered"),
    "to_go": st.column_config.NumberColumn("To go", width=58, format="%.2f", help="Kilometres to go"),
    "pace": st.column_config.TextColumn("Pace", width=54, alignment="right", help="Minutes per kilometre"),
    "time": st.column_config.TextColumn("Time", width=68, alignment="right", help="Race time"),
    "status": st.column_config.TextColumn("Status", width=72),
}
