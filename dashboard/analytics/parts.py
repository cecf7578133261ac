"""Shared by the parts of the analytics page: refresh, and a message while the store is unavailable."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import context
from dashboard.race.snapshots import Snapshots
from dashboard.store.protocol import StoreError
from dashboard.ui import words
from dashboard.ui.select import apart, chosen, select

EVERYTHING = "All"

T = TypeVar("T")


def section(name: str, title: str | None = None) -> DeltaGenerator:
    """A part of the page. Until it is drawn, page.css fills its place."""
    place = st.container(key=f"analytics-{name}")
    with place:
        words.placeholder() if title is None else words.section(title)
    return place


def follow(show: Callable[[], None], every_s: int) -> None:
    """Draw a part of the page periodically; while the store is unavailable, show why in its place."""

    @st.fragment(run_every=every_s)
    def part() -> None:
        try:
            show()
        except StoreError as error:
            words.notice(str(error))

    part()


def if_known(ask: Callable[[], T]) -> T | None:
    """An answer; None while the store is unavailable, which the parts of the page report."""
    try:
        return ask()
    except StoreError:
        return None


def switch(
    word: str, options: Sequence[T], default: T, label: Callable[[T], str] = str, *, key: str | None = None
) -> T:
    """One of a few options in a row of buttons."""
    return st.segmented_control(word, options, default=default, format_func=label, required=True, key=key)


def pick(
    word: str, options: list[str], labels: Mapping[str, str], elsewhere: Collection[str] = ()
) -> str | None:
    """One of the options, or None for all. An option that has disappeared stays selected and finds nothing.

    `elsewhere` are options of other courses than the chosen one: a selection among them resets to all.
    """
    key = f"analytics-{word}"
    if chosen(key) in elsewhere:
        st.session_state[key] = EVERYTHING
    kept = chosen(key) or EVERYTHING
    known = [EVERYTHING, *in_order(key, options), *({kept} - {EVERYTHING, *options})]
    picked = select(word, {option: labels.get(option, option) for option in known}, key=key)
    return None if picked == EVERYTHING else picked


def in_order(key: str, options: list[str]) -> list[str]:
    """The options in the order in which this session first had them under `key`; new ones come last.

    An open list closes as soon as its selected option moves.
    """
    seen: dict[str, None] = st.session_state.setdefault(f"{key}-order", {})
    seen.update(dict.fromkeys(options))
    here = set(options)
    return [option for option in seen if option in here]


def course_labels() -> dict[str, str]:
    """Unique labels of the courses by short name. Raises `StoreError`."""
    return apart({race.course: race.course_name for race in context.get(Snapshots).races()})


def race_labels() -> dict[str, str]:
    """Unique labels of the races by run id. Raises `StoreError`."""
    return apart({race.run_id: race.name for race in context.get(Snapshots).races()})


def races_on(course: str | None) -> list[str]:
    """The run ids of the races on a course, or of all. Raises `StoreError`."""
    races = context.get(Snapshots).races()
    return [race.run_id for race in races if course in {None, race.course}]
