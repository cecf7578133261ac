"""The results page: finish list, pace and time charts, geofence visits and replay.

Results of a running race are provisional and follow it: the list learns of news from the race's stream, and
has the rest of the page drawn again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import context
from dashboard.race import choose, component, current, finish_list, link, streets, team_table
from dashboard.race.component import Keepers
from dashboard.race.finish_list import Results
from dashboard.race.race_map import MapOptions, replay_map
from dashboard.race.routes import race_address_in_page
from dashboard.race.sample import MOST_WHOLE
from dashboard.race.snapshot import Outcome, Snapshot
from dashboard.race.snapshots import Snapshots, UnknownRaceError
from dashboard.race.standing import end_of
from dashboard.results import charts
from dashboard.settings import Settings
from dashboard.store.protocol import OUT, Competitor, StoreError
from dashboard.ui import formatting, viewer, words
from dashboard.ui.maps import show_map
from dashboard.ui.theme import Chart
from stream.race_states import ENDED
from stream.results import Rank
from stream.teams import SCORERS

REFRESH_MS = 5000
"""Shortest time between two states of the list."""
MAX_COMPARED = 4
MAP_HEIGHT_PX = 520

KEEPERS: Keepers = {
    "list": link.keep_list_choices,
    "favourites": link.keep_favourites,
    "version": lambda _: None,  # only runs the fragment
}
"""Where the viewer's choices in the lists are kept."""
TEAM_KEEPERS: Keepers = {"rules": link.keep_rules}
RANK_WORDS: dict[Rank, str] = {"gun": "Places by gun time", "chip": "Places by chip time"}


def show(create_page: st.Page) -> None:
    """Draw the page; without a race, it links to `create_page`."""

    def draw(run_id: str, _labels: Mapping[str, str], top: DeltaGenerator) -> None:
        with top:
            rank = _rank()
        _show_race(_newest(run_id, rank))

    choose.show(create_page, draw, current.with_results)


def _rank() -> Rank:
    """Draw the choice of the time that places go by; the query parameter `rank` has it, as in the API."""
    given = st.query_params.get("rank")
    rank: Rank = "chip" if given == "chip" else "gun"
    st.session_state["rank"] = rank
    st.selectbox(
        "Places by",
        RANK_WORDS,
        format_func=RANK_WORDS.__getitem__,
        key="rank",
        on_change=lambda: st.query_params.update(rank=st.session_state["rank"]),
        label_visibility="collapsed",
        width=200,
    )
    return rank


def _newest(run_id: str, rank: Rank) -> Outcome:
    """The newest results; while the store is unavailable the last ones, of which the list says so."""
    snapshots = context.get(Snapshots)
    try:
        return snapshots.results(run_id, rank)
    except StoreError:
        if snapshots.last(run_id) is None:
            raise
        return snapshots.last_results(run_id, rank)


def _show_race(outcome: Outcome) -> None:
    snapshot = outcome.snapshot
    words.title(snapshot.race.name)
    _follow(snapshot, outcome.results.rank)
    if len(snapshot.positions):
        _replay(snapshot)


def _replay(snapshot: Snapshot) -> None:
    """The race on the map, from the gun to the newest tick; the controls are static/replay.js."""
    words.section("Replay")
    race = snapshot.race
    end = end_of(race, snapshot.standing)
    drawn = replay_map(race, snapshot.course, context.get(Settings), viewer.current(), end)
    show_map(drawn, f"replay-{race.run_id}", MAP_HEIGHT_PX, MapOptions(streets=streets.wanted()))


@st.fragment
def _follow(drawn: Snapshot, rank: Rank) -> None:
    """Draw all but the replay, at the list's news and the viewer's choices; with a new state, the page."""
    try:
        outcome = _newest(drawn.race.run_id, rank)
    except UnknownRaceError:
        st.rerun()
    state = outcome.snapshot.race.status, len(outcome.snapshot.positions) > 0
    if state != (drawn.race.status, len(drawn.positions) > 0):
        st.rerun()
    _draw(outcome)


def _draw(outcome: Outcome) -> None:
    race = outcome.snapshot.race
    facts = _facts(outcome)
    started = race.status != "scheduled" and len(outcome.field) > 0
    # One element, however many notices and tiles it has: a list that moves to another place is mounted
    # again, and loses its scroll.
    with st.container():
        words.facts(*facts)
        _notices(outcome)
        if started:
            _times_in_short(outcome)
        if started or race.status == "scheduled":
            words.section("Finish list" if started else "Start list")
    if not started:
        _list("start-list", outcome, facts)
        return
    _list("results", outcome, facts, favourites=link.favourites())
    _download(outcome)
    if outcome.has_clubs:
        _teams(outcome)
    _charts(outcome)
    _stays(outcome.field, race.run_id)


def _download(outcome: Outcome) -> None:
    """The results of all competitors as a file; where the list has not all of them, the API makes it."""
    run_id, found = outcome.snapshot.race.run_id, outcome.results
    if outcome.snapshot.sample is not None:
        address = f"{race_address_in_page(run_id)}/results.csv?rank={found.rank}"
        st.link_button("Download CSV of all competitors", address, icon=":material/download:")
        return
    st.download_button(
        "Download CSV",
        lambda: finish_list.as_csv(found, outcome.competitors),
        file_name=f"{run_id}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def _teams(outcome: Outcome) -> None:
    """The teams, in a list that gets its rows from a route; of a large race the choices and the file."""
    race, rank, rules = outcome.snapshot.race, outcome.results.rank, link.rules()
    is_whole = outcome.snapshot.sample is None
    with st.container(key="printed-teams"):
        words.section("Teams")
        component.mount(
            "teams",
            race.run_id,
            TEAM_KEEPERS,
            races=race_address_in_page(race.run_id),
            rank=rank,
            version=outcome.packed.version,
            rules=rules._asdict(),
            most=list(SCORERS),
            whole=is_whole,
        )
    if is_whole:
        st.download_button(
            "Download teams as CSV",
            lambda: team_table.as_csv(outcome.results, outcome.competitors, rules),
            file_name=f"{race.run_id}-teams.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        return
    choices = urlencode({"rank": rank, **rules._asdict()})
    address = f"{race_address_in_page(race.run_id)}/teams.csv?{choices}"
    st.link_button("Download teams as CSV", address, icon=":material/download:")


def _notices(outcome: Outcome) -> None:
    """Say what the results are missing."""
    snapshot, found = outcome.snapshot, outcome.field
    race = snapshot.race
    if race.status == "scheduled":
        words.notice("No competitors have started yet.", "info")
        if snapshot.sample is not None:
            words.notice(f"The start list shows {snapshot.sample_in_words}.", "info")
        return
    if race.status not in ENDED:
        words.notice("Provisional results: the race is still on, and this page follows it.", "info")
    elif not snapshot.is_final:
        words.notice("The race is over. Its last times may still be arriving.", "info")
    if not len(found):
        words.notice("No positions received yet.", "info")
    elif snapshot.sample is not None:
        words.notice(
            f"The finish list has the first {MOST_WHOLE:,} finishers, the CSV all competitors. The chart of "
            f"paces, the geofence visits and the replay show {snapshot.sample_in_words}.",
            "info",
        )
    if race.wave_delay and (unknown := np.setdiff1d(found.bib, list(snapshot.competitors)).size):
        many = "some" if snapshot.sample else f"{unknown:,}"
        words.notice(f"The start list is still arriving: {many} are timed from the first gun.", "info")


def _facts(outcome: Outcome) -> list[str]:
    race, course = outcome.snapshot.race, outcome.snapshot.course
    return [
        race.course_name,
        formatting.distance(course.distance, viewer.current().unit) if course else "length unknown",
        race.status,
        f"start {formatting.day_and_clock(race.start_time, viewer.current())}",
        f"{outcome.count('finished'):,} of {race.competitors:,} finished",
        *_out(outcome),
    ]


def _list(part: str, outcome: Outcome, facts: list[str], **data: Any) -> None:
    """A list of static/board/, which gets its rows from the routes; in print, it is all that remains."""
    race = outcome.snapshot.race
    of_all: dict[str, Any] = {"all": race.competitors} if outcome.snapshot.sample else {}
    with st.container(key="printed"):
        component.mount(
            part,
            race.run_id,
            KEEPERS,
            races=race_address_in_page(race.run_id),
            rank=outcome.results.rank,
            refresh=REFRESH_MS,
            version=outcome.packed.version,
            heading={"title": race.name, "facts": facts},
            choices=link.list_choices(),
            **of_all,
            **data,
        )


def _out(outcome: Outcome) -> Iterator[str]:
    """Number of non-finishers by status."""
    for status in OUT:
        if count := outcome.count(status):
            yield f"{count:,} {status.upper()}"


def _times_in_short(outcome: Outcome) -> None:
    found, times = outcome.results, outcome.times
    if not len(times):
        return
    winner = int(found.bib[0])
    words.tiles(
        ("Winner", formatting.official_time(float(times[0])), _who(winner, outcome.competitors)),
        ("Median", formatting.official_time(float(np.median(times))), f"of {len(times):,} finishers"),
        ("Last", formatting.official_time(float(times.max())), f"{found.rank} times, rounded up"),
    )


def _who(bib: int, competitors: Mapping[int, Competitor]) -> str:
    known = competitors.get(bib)
    return known.name if known and known.name else f"Bib {bib}"


def _charts(outcome: Outcome) -> None:
    found, course = outcome.results, outcome.snapshot.course
    compared = _compared(found, outcome.competitors)
    paces, times = st.columns(2)
    with paces:
        words.section("Pace by split")
        if not compared:
            with st.container(key="star-hint"):
                words.hint("Stars in the finish list add competitors to this chart.")
        _chart(
            charts.pace(
                outcome.field, found, course.distance if course else None, compared, viewer.current().unit
            ),
            "No competitors have reached a split yet.",
        )
    with times:
        words.section("Finish times")
        _chart(charts.finish_times(outcome.times, found.rank), "No competitors have finished yet.")


def _compared(found: Results, competitors: Mapping[int, Competitor]) -> dict[str, int]:
    """The first favourites, to compare: rows of the results, by label. The winner is drawn anyway."""
    row_of = {bib: row for row, bib in enumerate(found.bib.tolist())}
    rows = {bib: row for bib in link.favourites() if (row := row_of.get(bib))}
    return {f"{bib} · {_who(bib, competitors)}": row for bib, row in list(rows.items())[:MAX_COMPARED]}


def _chart(drawn: Chart | None, nothing: str) -> None:
    if drawn is None:
        words.notice(nothing, "info")
    else:
        st.altair_chart(drawn)


def _stays(found: Results, run_id: str) -> None:
    """The tables of geofence visits, which print below the finish list."""
    if not len(found.visits.bib):
        return
    with st.container(key="printed-stays"):
        words.section("Geofence visits")
        component.mount(
            "stays",
            run_id,
            summed=[asdict(stay) for stay in finish_list.stays(found.visits)],
            longest=[asdict(visit) for visit in finish_list.longest_stays(found.visits)],
        )
