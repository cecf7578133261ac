"""The results page: finish list, pace and time charts, geofence visits and replay.

Results of a running race are provisional and follow it; those of a finished one are not queried again.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.column_types import ColumnConfig

from dashboard import context
from dashboard.race import choose, finish_list
from dashboard.race.finish_list import Results
from dashboard.race.race_map import replay_map
from dashboard.race.snapshots import Snapshot, Snapshots, UnknownRaceError
from dashboard.race.standing import end_of
from dashboard.results import charts
from dashboard.settings import Settings
from dashboard.store.protocol import OUT, Competitor, Race, StoreError
from dashboard.ui import formatting, words
from dashboard.ui.maps import show_map
from dashboard.ui.theme import Chart
from stream.race_states import ENDED

REFRESH_S = 5.0
MAX_ROWS = 1000
"""Maximum rows of the finish list and of the comparison; the CSV has all competitors."""
MAX_SPLITS = 10
"""Maximum split columns in the finish list; a longer course shows every second or third split."""
MAX_COMPARED = 4
LONGEST_STAYS = 100
LIST_HEIGHT_PX = 460
MAP_HEIGHT_PX = 520
SHORT_BIB = 9999
"""The largest bib that fits the usual column width."""

STATUS_WORDS = {
    "running": "Running",
    "paused": "Paused",
    "finished": "Finished",
    "waiting": "Waiting to start",
    "dnf": "DNF",
    "dns": "DNS",
    "dsq": "DSQ",
}


def show(create_page: st.Page, live_page: st.Page) -> None:
    """Draw the page; without a race, it links to `create_page`."""

    def draw(run_id: str, _labels: Mapping[str, str], top: DeltaGenerator) -> None:
        snapshot, found = context.get(Snapshots).results(run_id)
        with top:
            st.page_link(
                live_page, label="Live", icon=":material/directions_run:", query_params={"run": run_id}
            )
        _show_race(snapshot, found)

    choose.show(create_page, draw)


def _show_race(snapshot: Snapshot, found: Results) -> None:
    words.title(snapshot.race.name)
    if snapshot.is_final:
        _draw(snapshot, found)
    else:
        st.fragment(_follow, run_every=REFRESH_S)(snapshot.race)
    if len(snapshot.positions):
        _replay(snapshot)


def _replay(snapshot: Snapshot) -> None:
    """The race on the map, from the gun to the newest tick; the controls are static/replay.js."""
    words.section("Replay")
    race = snapshot.race
    drawn = replay_map(race, snapshot.course, context.get(Settings), end_of(race, snapshot.standing))
    show_map(drawn, f"replay-{race.run_id}", MAP_HEIGHT_PX)


def _follow(drawn: Race) -> None:
    """The fragment that follows a running race; when the race ends, the page runs once more."""
    try:
        snapshot, found = context.get(Snapshots).results(drawn.run_id)
    except StoreError as error:
        words.notice(str(error), "warning")
        return
    except UnknownRaceError:
        st.rerun()
    if snapshot.is_final or snapshot.race.status != drawn.status:
        st.rerun()
    _draw(snapshot, found)


def _draw(snapshot: Snapshot, found: Results) -> None:
    race = snapshot.race
    finished = int(found.finished.sum())
    length = snapshot.course.distance if snapshot.course else None
    words.facts(
        race.course_name,
        f"{formatting.kilometres(length)} km" if length is not None else "length unknown",
        race.status,
        f"start {formatting.day_and_clock(race.start_time, st.context.timezone)}",
        f"{finished:,} of {race.competitors:,} finished",
        *_out(found),
    )
    if race.status == "scheduled":
        words.notice("No competitors have started yet.", "info")
        return
    if race.status not in ENDED:
        words.notice("Provisional results: the race is still on, and this page follows it.", "info")
    elif not snapshot.is_final:
        words.notice("The race is over. Its last times may still be arriving.", "info")
    if not len(found):
        words.notice("No positions received yet.", "info")
        return
    _times_in_short(found, snapshot.competitors)
    _finish_list(race, found, snapshot.competitors)
    _charts(race, found, length, snapshot.competitors)
    _stays(found, snapshot.competitors)


def _out(found: Results) -> Iterator[str]:
    """Number of non-finishers by status."""
    for status in OUT:
        if count := int((found.status == status).sum()):
            yield f"{count:,} {STATUS_WORDS[status]}"


def _times_in_short(found: Results, competitors: Mapping[int, Competitor]) -> None:
    chip = found.chip[found.finished]
    if not len(chip):
        return
    winner = int(found.bib[0])
    words.tiles(
        ("Winner", formatting.race_time(float(chip[0])), _who(winner, competitors)),
        ("Median", formatting.race_time(float(np.median(chip))), f"of {len(chip):,} finishers"),
        ("Last", formatting.race_time(float(chip.max())), "chip time"),
    )


def _who(bib: int, competitors: Mapping[int, Competitor]) -> str:
    known = competitors.get(bib)
    return known.name if known and known.name else f"Bib {bib}"


def _finish_list(race: Race, found: Results, competitors: Mapping[int, Competitor]) -> None:
    words.section("Finish list")
    st.dataframe(
        finish_table(found, competitors),
        height=LIST_HEIGHT_PX,
        hide_index=True,
        row_height=32,
        placeholder=formatting.UNKNOWN,  # missing places stay null, so that the column sorts numerically
        column_config={
            "Place": st.column_config.NumberColumn(width=60, pinned=True),
            "Bib": st.column_config.NumberColumn(
                width=60 if found.bib.max() <= SHORT_BIB else 80, pinned=True, format="%d"
            ),
            "Name": st.column_config.TextColumn(width=150),
            **_on_the_right("Chip time", "Gap", "Pace", *_split_names(found)),
        },
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download CSV",
            lambda: finish_list.as_csv(found, competitors),
            file_name=f"{race.run_id}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        if len(found) > MAX_ROWS:
            words.plain(f"The first {MAX_ROWS:,} of {len(found):,}; the CSV has all competitors.")


def _on_the_right(*columns: str) -> dict[str, ColumnConfig]:
    return {name: st.column_config.TextColumn(alignment="right") for name in columns}


def finish_table(found: Results, competitors: Mapping[int, Competitor]) -> pd.DataFrame:
    """The first `MAX_ROWS` rows as shown; paces are minutes per kilometre over the whole distance.

    The time follows the name: a phone has no room for more columns.
    """
    shown = slice(MAX_ROWS)
    bibs = found.bib[shown].tolist()
    known = [competitors.get(bib) for bib in bibs]
    chip, gap, distance = (column[shown].tolist() for column in (found.chip, found.gap, found.distance))
    times = found.splits[shown, :: _every(found)]
    splits = {
        name: [formatting.duration(seconds) for seconds in column]
        for name, column in zip(_split_names(found), times.T.tolist(), strict=True)
    }
    clubs = {"Club": [who.club if who else "" for who in known]} if finish_list.has_clubs(competitors) else {}
    return pd.DataFrame(
        {
            "Place": pd.array([place or None for place in found.place[shown].tolist()], dtype="Int64"),
            "Bib": bibs,
            "Name": [who.name if who else "" for who in known],
            "Chip time": [formatting.race_time(seconds) for seconds in chip],
            "Gap": [formatting.gap(seconds) for seconds in gap],
            "Pace": [formatting.pace(s, metres) for s, metres in zip(chip, distance, strict=True)],
            "Category": [who.category if who else "" for who in known],
            **clubs,
            **splits,
            "Status": [STATUS_WORDS.get(status, status) for status in found.status[shown].tolist()],
        }
    )


def _every(found: Results) -> int:
    return -(-len(found.split_metres) // MAX_SPLITS) or 1


def _split_names(found: Results) -> tuple[str, ...]:
    return found.split_names[:: _every(found)]


def _charts(race: Race, found: Results, length: float | None, competitors: Mapping[int, Competitor]) -> None:
    paces, times = st.columns(2)
    with paces:
        words.section("Pace by kilometre")
        _chart(
            charts.pace(found, length, _compared(race, found, competitors)),
            "No competitors have reached a split yet.",
        )
    with times:
        words.section("Finish times")
        _chart(charts.finish_times(found), "No competitors have finished yet.")


def _compared(race: Race, found: Results, competitors: Mapping[int, Competitor]) -> dict[str, int]:
    """The competitors to compare: rows of the results, by label."""
    row_of = {bib: row for row, bib in enumerate(found.bib[:MAX_ROWS].tolist())}

    def word(bib: int) -> str:
        return f"{bib} · {_who(bib, competitors)}"

    compared = st.multiselect(
        "Compare",
        sorted(row_of),
        format_func=word,
        # Options are bibs, and the widget has a key: the selection survives place changes during the race.
        key=f"compared-{race.run_id}",
        max_selections=MAX_COMPARED,
        select_all=False,  # typing a bib and Enter selects that bib, not all that contain it
        placeholder="Compare with a bib or a name",
        label_visibility="collapsed",
    )
    return {word(bib): row_of[bib] for bib in compared if row_of.get(bib)}  # row 0 is drawn anyway


def _chart(drawn: Chart | None, nothing: str) -> None:
    if drawn is None:
        words.notice(nothing, "info")
    else:
        st.altair_chart(drawn)


def _stays(found: Results, competitors: Mapping[int, Competitor]) -> None:
    if not len(found.visits.bib):
        return
    words.section("Geofence visits")
    summed, longest = st.columns(2)
    with summed:
        st.dataframe(
            stays_table(found), hide_index=True, column_config=_on_the_right("Median stay", "Longest")
        )
    with longest:
        st.dataframe(
            longest_table(found, competitors),
            hide_index=True,
            height=260,
            column_config=_on_the_right("Entered at", "Stay"),
        )


def stays_table(found: Results) -> pd.DataFrame:
    """Each geofence's visits summed up."""
    return pd.DataFrame(
        [
            {
                "Geofence": stay.fence,
                "Visits": stay.visits,
                "Competitors": stay.competitors,
                "Inside now": stay.inside,
                "Median stay": formatting.duration(stay.median),
                "Longest": formatting.duration(stay.longest),
            }
            for stay in finish_list.stays(found.visits)
        ]
    )


def longest_table(found: Results, competitors: Mapping[int, Competitor]) -> pd.DataFrame:
    """The longest visits; competitors still inside come first."""
    visits = found.visits
    lasted = visits.left - visits.entered
    order = np.argsort(-np.nan_to_num(lasted, nan=np.inf), kind="stable")[:LONGEST_STAYS]
    bibs = visits.bib[order].tolist()
    return pd.DataFrame(
        {
            "Geofence": visits.fence[order].tolist(),
            "Bib": bibs,
            "Name": [_who(bib, competitors) for bib in bibs],
            "Entered at": [formatting.race_time(seconds) for seconds in visits.entered[order].tolist()],
            "Stay": [
                "still inside" if np.isnan(seconds) else formatting.duration(seconds)
                for seconds in lasted[order].tolist()
            ],
        }
    )
