"""The race chooser. The URL's query parameter selects the race and follows the chooser."""

import time
from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import context
from dashboard.race import current, link
from dashboard.race.snapshots import Snapshots, UnknownRaceError
from dashboard.store.protocol import Race, StoreError, is_run_id
from dashboard.ui import formatting, viewer, viewing, words
from dashboard.ui.select import apart, select

LOOK_AGAIN_S = 1.0
"""How often a waiting page checks whether it can go on."""

RECENT = 10
"""Number of races listed on the page of an unknown one."""

WATCHED = "watched"
"""Session state key of the race shown last: another page shows the same one."""

Default = Callable[[Sequence[Race], float], Race | None]
"""Picks the race of a link without one, at a time in epoch milliseconds."""


def show(
    create_page: st.Page,
    draw: Callable[[str, Mapping[str, str], DeltaGenerator], None],
    default: Default = current.current,
) -> None:
    """Draw the chooser, and the selected race's page by `draw`; without a race, link to `create_page`.

    `draw` gets the run id, the chooser's labels and the container beside it. It may raise `UnknownRaceError`
    and `StoreError`: the page then shows the reason and reruns as soon as the race can be read.
    """
    top = st.container(key="top", horizontal=True, vertical_alignment="center", gap="small")
    labels: dict[str, str] = {}

    def chosen() -> str | None:
        labels.update(race_labels())
        return _race(labels, create_page, top, default)

    _draw_as_soon_as_known(chosen, lambda run_id: draw(run_id, labels, top))


def show_alone(create_page: st.Page, draw: Callable[[str], None]) -> None:
    """Draw the race in the link by `draw`, or the `newest`, without a chooser; otherwise as `show`."""

    def linked() -> str | None:
        run_id = st.query_params.get("run") or newest()
        return _checked(run_id, create_page)

    _draw_as_soon_as_known(linked, draw)


def newest() -> str | None:
    """The run id of the race that a link without one shows at this moment. Raises `StoreError`."""
    race = current.current(context.get(Snapshots).races(), 1000 * time.time())
    return race.run_id if race else None


def _draw_as_soon_as_known(find: Callable[[], str | None], draw: Callable[[str], None]) -> None:
    """Draw the race that `find` returns; if it cannot be read, show the reason until it can."""
    run_id = None
    try:
        run_id = find()
        if run_id is not None:
            draw(run_id)
    except UnknownRaceError:
        unknown(
            "Unknown race",
            f"No race has the id “{run_id}” yet. This page shows it as soon as it exists.",
        )
        wait_until(lambda: _can_be_read(run_id))
    except StoreError as error:
        words.notice(str(error))
        wait_until(lambda: _can_be_read(run_id))


def _race(
    labels: Mapping[str, str], create_page: st.Page, place: DeltaGenerator, default: Default
) -> str | None:
    """Draw the chooser and return the run id in the URL; without one, that of the `default` race.

    `labels` are those of `race_labels`. Returns None if there is no race to show: the page then says so and
    offers a way on.
    """
    run_id = _checked(st.query_params.get("run") or _without_link(labels, default), create_page)
    if run_id is None:
        return None
    if "run" not in st.query_params and run_id == st.session_state.get(WATCHED):
        link.recall()
    st.query_params["run"] = run_id
    link.remember()
    st.session_state["chosen"] = run_id
    select(
        "Race",
        labels if run_id in labels else apart({**labels, run_id: _own_label(run_id)}),
        key="chosen",
        place=place,
        on_choice=show_race,
        label_visibility="collapsed",
    )
    if run_id in labels:
        st.session_state[WATCHED] = run_id
    return run_id


def _checked(run_id: str | None, create_page: st.Page) -> str | None:
    """The run id if it can be one; otherwise the page says why there is nothing to show."""
    if run_id is None:
        _no_race_yet(create_page)
        return None
    if not is_run_id(run_id):
        unknown("Unknown race", "The link contains an invalid race id.")
        return None
    return run_id


def show_race(run_id: str) -> None:
    """Change the link to another race. Choices that belong to the previous one are removed."""
    link.forget_race()
    st.query_params["run"] = run_id


def _without_link(labels: Mapping[str, str], default: Default) -> str | None:
    """The race that this session has shown last, on any page; at first the default one."""
    watched = st.session_state.get(WATCHED)
    if watched in labels:
        return str(watched)
    race = default(context.get(Snapshots).races(), 1000 * time.time())
    return race.run_id if race else None


def unknown(title: str, why: str, page: str = "") -> None:
    """Say that a link leads nowhere, and link to the recent races on `page`, the current one first."""
    words.title(title)
    words.notice(why, "info")
    races = context.get(Snapshots).races()
    best = current.current(races, 1000 * time.time())
    if best is None:
        return
    words.section("Recent races")
    words.links(
        (
            viewing.address(page, run=race.run_id),
            race.name,
            " · ".join([*_course(race), race.status, _start(race)]),
        )
        for race in [best, *(race for race in races if race is not best)][:RECENT]
    )


def _no_race_yet(create_page: st.Page) -> None:
    words.title("No race yet")
    words.notice("The page shows the first race as soon as it is created.", "info")
    viewing.offer(create_page)
    wait_until(lambda: bool(context.get(Snapshots).races()))


def race_labels() -> dict[str, str]:
    """The chooser's labels by run id, the newest race first; no two are equal. Raises `StoreError`."""
    return apart({race.run_id: _label(race) for race in context.get(Snapshots).races()})


def _label(race: Race) -> str:
    return " · ".join([race.name, *_course(race), race.status, _start(race)])


def _own_label(run_id: str) -> str:
    """The label of a race that is older than the listed ones, or newer than their list; else its id."""
    try:
        return _label(context.get(Snapshots).get(run_id).race)
    except (UnknownRaceError, StoreError):
        return run_id


def _course(race: Race) -> list[str]:
    """The course's name; a race without a name of its own has that one already."""
    return [] if race.course_name == race.name else [race.course_name]


def _start(race: Race) -> str:
    return formatting.day_and_clock(race.start_time, viewer.current())


def _can_be_read(run_id: str | None) -> bool:
    """True if the races, and this one, can be read now; raises what reading raises."""
    snapshots = context.get(Snapshots)
    snapshots.races()
    if run_id is not None:
        snapshots.get(run_id)
    return True


def wait_until(ready: Callable[[], bool], every_s: float = LOOK_AGAIN_S) -> None:
    """Rerun the page as soon as `ready` succeeds; an unavailable store or a missing race does not."""

    @st.fragment(run_every=every_s)
    def look() -> None:
        try:
            is_ready = ready()
        except (StoreError, UnknownRaceError):
            return  # the next check may find it
        if is_ready:
            st.rerun()

    look()
