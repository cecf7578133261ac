"""The race day page: cut-offs and aid stations of one race, as an organiser needs them during it."""

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import context
from dashboard.race import choose
from dashboard.raceday import charts, tables
from dashboard.raceday.arrivals import STEP_S, Span
from dashboard.raceday.day import MOST_CLOSE, MOST_PLACES, Day, usual_places
from dashboard.raceday.days import RaceDays
from dashboard.raceday.limits import State
from dashboard.raceday.tables import MOST_LISTED
from dashboard.store.protocol import Race
from dashboard.ui import formatting, viewer, words
from dashboard.ui.select import chosen, select
from dashboard.ui.viewer import Viewer
from stream.courses import TimingPoint
from stream.race_states import ENDED

REFRESH_S = 5.0
"""Seconds between two looks at the race."""
HOW_TO = (
    "This race has no cut-offs. They are set when a race is created: in the form “New race” among the "
    "realism options, such as 5 km = 0:40:00; finish = 1:30:00, or in the API as cut_offs."
)


def show(create_page: st.Page) -> None:
    """Draw the page; without a race, it links to `create_page`."""

    def draw(run_id: str, _labels: Mapping[str, str], _top: DeltaGenerator) -> None:
        words.title(context.get(RaceDays).get(run_id).snapshot.race.name)
        st.fragment(_follow, run_every=REFRESH_S)(run_id)

    choose.show(create_page, draw)


def _follow(run_id: str) -> None:
    day, reader = context.get(RaceDays).get(run_id), viewer.current()
    _prepare(day)
    words.facts(*_facts(day, reader))
    words.section("Cut-offs")
    if day.cut_offs is None:
        words.notice(HOW_TO, "info")
    else:
        _cut_offs(day, reader)
    words.section("Aid stations")
    _aid_stations(day, reader)


def _prepare(day: Day) -> None:
    """Compute what takes time before anything is drawn, so that the parts of the page change together."""
    run_id = day.snapshot.race.run_id
    name = chosen(_cut_off_key(run_id))
    for nth, state in enumerate(day.states):
        if state.cut_off.name == name:
            day.close(nth)
    places = st.session_state.get(_places_key(run_id), ())
    for point in day.points:
        if _text(point) in places:
            day.arrivals(point)


def _cut_off_key(run_id: str) -> str:
    return f"cut-off-{run_id}"


def _places_key(run_id: str) -> str:
    return f"places-{run_id}"


def _facts(day: Day, reader: Viewer) -> list[str]:
    race = day.snapshot.race
    facts = [race.course_name, race.status, f"gun {formatting.day_and_clock(race.start_time, reader)}"]
    if race.status != "scheduled":
        facts += [
            f"race time {formatting.race_time(day.now)}",
            f"{day.snapshot.standing.figures.on_course:,} on the course",
            f"{day.snapshot.standing.figures.finished:,} finished",
        ]
    return facts


def clock_of(race: Race, reader: Viewer, elapsed: float) -> str:
    """The time of day of a moment of the race, by its own clock: the gun time plus race seconds."""
    return formatting.clock(race.start_time + 1000 * elapsed, reader)


def _cut_offs(day: Day, reader: Viewer) -> None:
    race, states = day.snapshot.race, day.states
    is_by_wave = day.cut_offs is not None and day.cut_offs.since == "wave"

    def clock(elapsed: float) -> str:
        return clock_of(race, reader, elapsed)

    tables.overview(states, clock, reader, is_by_wave=is_by_wave)
    names = {state.cut_off.name: nth for nth, state in enumerate(states)}
    nth = names[_choose(race, states, reader)]
    with st.container(horizontal=True, key="day-lists"):
        with st.container():
            _close(day, nth, clock)
        with st.container():
            _out(day, nth, clock, reader)


def _choose(race: Race, states: Sequence[State], reader: Viewer) -> str:
    """Choose one of the cut-offs by its name.

    At first it is the next one to which someone may still come; after the race one that has stopped someone.
    """
    labels = {state.cut_off.name: tables.name_of(state, reader) for state in states}
    key = _cut_off_key(race.run_id)
    if chosen(key) not in labels:
        first = [one for one in states if one.ahead] or [one for one in states if one.out] or states
        st.session_state[key] = first[0].cut_off.name
    return select("Competitors at", labels, key=key, width=240)


def _close(day: Day, nth: int, clock: tables.Clock) -> None:
    found = day.close(nth)
    words.group(tables.CLOSE)
    what = "with the limit within or before their 80 % interval"
    if day.snapshot.sample is not None:
        size = day.snapshot.sample_size_in_words
        what += f", of {size} competitors; “Expected late” above is scaled up from these"
    words.hint(_many(len(found), what, at_most=MOST_CLOSE))
    tables.close(found, lambda bib: _name(day, bib), clock, _no_one_close(day, day.states[nth]))


def _no_one_close(day: Day, state: State) -> str:
    if day.snapshot.race.status in ENDED:
        return "The race is over."
    if not state.ahead:
        return "All have passed or are out."
    if not day.has_forecasts:
        return "Forecasts begin when the first competitors are on the course."
    return "No one: all who are on the course are expected in time."


def _out(day: Day, nth: int, clock: tables.Clock, reader: Viewer) -> None:
    found, is_finish = day.out(nth), day.states[nth].cut_off.is_finish
    words.group(tables.OUT)
    words.hint(_many(len(found), "stopped when the course closed" if is_finish else "stopped at this point"))
    tables.out(found, lambda bib: _name(day, bib), clock, reader, is_finish=is_finish)


def _many(count: int, what: str, at_most: int | None = None) -> str:
    listed = f", the first {MOST_LISTED} listed" if count > MOST_LISTED else ""
    more = "or more " if count == at_most else ""
    return f"{count:,} {more}{what}{listed}"


def _name(day: Day, bib: int) -> str:
    known = day.snapshot.competitors.get(bib) or (day.exact and day.exact.names.get(bib))
    return known.name if known else f"Bib {bib}"


def _aid_stations(day: Day, reader: Viewer) -> None:
    snapshot = day.snapshot
    if snapshot.race.status == "scheduled":
        words.notice("Arrivals appear as soon as the first competitors are on the course.", "info")
        return
    if snapshot.course is None:
        words.notice(
            "The course of this race is not known, so there are no places to count arrivals at.", "info"
        )
        return
    labels = {point: label_of(point, reader) for point in day.points}
    key = _places_key(snapshot.race.run_id)
    known = {_text(point): point for point in day.points}
    if key not in st.session_state:
        st.session_state[key] = [_text(point) for point in usual_places(day.points)]
    chosen = st.multiselect(
        "Places",
        list(known),
        format_func=lambda text: labels[known[text]],
        key=key,
        max_selections=MOST_PLACES,
        placeholder="Geofences, timing points, the finish",
    )
    words.legend(charts.LEGEND)
    words.hint(_basis(day))
    with st.container(horizontal=True, key="day-places"):
        for text in sorted(chosen, key=lambda text: known[text].distance):
            with st.container():
                _place(day, known[text], labels[known[text]], reader)


def _text(point: TimingPoint) -> str:
    """What identifies a point in the page's choices."""
    return f"{point.kind}\n{point.name}\n{point.lap}"


def label_of(point: TimingPoint, reader: Viewer) -> str:
    """A place as the page names it: its name, and how far from the start it is."""
    name = formatting.point(point.name, point.distance, reader.unit)
    lap = f" ({point.lap})" if point.lap > 1 else ""
    where = formatting.short_distance(point.distance, reader.unit)
    return name if name == where else f"{name}{lap}, {where}"


def _basis(day: Day) -> str:
    """What expected arrivals are made of."""
    race, step = day.snapshot.race, day.thinned
    if race.status in ENDED:
        return "All arrivals, in five minutes each."
    if not day.has_forecasts:
        return "There are no expected arrivals at this moment."
    basis = "expected ones are from the forecasts of all who are on the course"
    if day.snapshot.sample is not None:
        basis = f"those so far are all; expected ones are scaled up from {day.snapshot.sample_in_words}"
    elif step > 1:
        basis = f"expected ones are scaled up from the forecasts of one in {step} competitors"
    parts = [f"Arrivals in five minutes each; {basis}."]
    if day.waiting:
        parts.append(f"{day.waiting:,} who have not started are assumed to take as long as the others.")
    return " ".join(parts)


def _place(day: Day, point: TimingPoint, label: str, reader: Viewer) -> None:
    found = day.arrivals(point)
    words.group(label)
    busiest = found.busiest
    expected = round(float(found.expected.sum()))
    facts = [f"{int(found.so_far.sum()):,} so far"]
    if day.has_forecasts:
        facts.append(f"{expected:,} expected")
    facts.append(_busiest(busiest, reader) if busiest else "no arrivals yet")
    words.facts(*facts)
    with st.container(height=charts.HEIGHT_PX + charts.ROOM_PX, border=False):
        if len(found.start):
            st.altair_chart(charts.arrivals(found, reader))


def _busiest(span: Span, reader: Viewer) -> str:
    begin, end = (
        formatting.short_clock(1000 * moment, reader) for moment in (span.start, span.start + STEP_S)
    )
    word = " expected" if span.is_expected else ""
    return f"busiest {begin}\N{EN DASH}{end}: {round(span.many):,}{word}"
