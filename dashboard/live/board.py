"""Figures, leaderboard and lists: parts of the page that use the map's payloads, bypassing Streamlit."""

import time
from typing import Any, Literal

import streamlit as st

from dashboard.race import component, link
from dashboard.race.component import Keepers
from dashboard.race.routes import race_address_in_page
from dashboard.race.snapshot import Snapshot
from dashboard.store.protocol import Race
from dashboard.ui import formatting, viewer, viewing

KEEPERS: Keepers = {
    "favourites": link.keep_favourites,
    "filters": link.keep_filters,
    "follow": link.keep_followed,
    "moment": link.keep_moment,
}
"""Where the viewer's choices in the leaderboard and on the map are kept, by name."""

Look = Literal["", "wall", "embed"]
"""The style of a part in a view that fills the window (static/board/looks.css)."""


def figures(snapshot: Snapshot, look: Look = "") -> None:
    """The age of the data, race clock and leaders."""
    race = snapshot.race
    component.mount(
        "figures",
        race.run_id,
        **_clock(race),
        sexes=sorted({who.sex for who in snapshot.competitors.values()} - {""}),
        look=look,
    )


def _clock(race: Race) -> dict[str, Any]:
    """What the race clock goes by."""
    return {
        "status": race.status,
        "startsIn": race.start_time / 1000 - time.time() if race.status == "scheduled" else None,
        "speed": race.speed,
        "tick": race.interval / race.speed,
    }


def tallies(snapshot: Snapshot, look: Look = "") -> None:
    """Counts with their change over the last minute, and the progress of the race."""
    component.mount("tallies", snapshot.race.run_id, competitors=snapshot.race.competitors, look=look)


def expected(snapshot: Snapshot) -> None:
    """Who is expected at each timing point in the next minutes."""
    race = snapshot.race
    component.mount("expected", race.run_id, speed=race.speed, tick=race.interval / race.speed)


def leaderboard(snapshot: Snapshot, height: int, *, has_forecasts: bool) -> None:
    """The leaderboard, with the viewer's choices, which the link keeps."""
    component.mount(
        "leaderboard",
        snapshot.race.run_id,
        KEEPERS,
        height=height,
        distance=snapshot.course.distance if snapshot.course else None,
        favourites=link.favourites(),
        filters=link.filters(),
        hasForecasts=has_forecasts,
        **_all_of(snapshot),
    )


def _all_of(snapshot: Snapshot) -> dict[str, Any]:
    """Where a list finds the competitors that a sample leaves out, and how many there are; else nothing."""
    if snapshot.sample is None:
        return {}
    race = snapshot.race
    return {"all": race.competitors, "found": f"{race_address_in_page(race.run_id)}/found"}


def start_list(snapshot: Snapshot) -> None:
    """The start list, which is all that the page prints."""
    race = snapshot.race
    facts = [race.course_name, f"start {formatting.day_and_clock(race.start_time, viewer.current())}"]
    with st.container(key="printed"):
        component.mount(
            "start-list",
            race.run_id,
            {"list": link.keep_list_choices},
            heading={"title": race.name, "facts": facts},
            choices=link.list_choices(),
            **_all_of(snapshot),
        )


def panels(snapshot: Snapshot) -> None:
    """Lists: at the front, at the back, just finished, and current geofence visits with their durations."""
    component.mount(
        "panels",
        snapshot.race.run_id,
        lists={"front": 5, "back": 5, "done": 5},
        numbers="competitor",
        hasFences=True,
    )


def leaders(snapshot: Snapshot, look: Look) -> None:
    """Leaders with their places: on a wall as many as fit, and the newest finishers; else they scroll."""
    lists = {"leaders": 10, "done": 5} if look == "wall" else {"leaders": 100}
    run_id = snapshot.race.run_id
    component.mount("panels", run_id, lists=lists, numbers="place", hasFences=False, look=look)


def announcer(snapshot: Snapshot, note: str) -> None:
    """The announcer board, with a note on what it shows of the race."""
    race = snapshot.race
    component.mount(
        "announcer",
        race.run_id,
        {"point": link.keep_point, "rank": link.keep_rank, "leave": lambda _: viewing.leave()},
        **_clock(race),
        title=race.name,
        note=note,
        races=race_address_in_page(race.run_id),
        point=link.point(),
        # Of a large race, chip times are only known of those who are read one by one.
        rank=link.rank() if snapshot.sample is None else "gun",
        hasRanks=snapshot.sample is None,
    )


def share(snapshot: Snapshot) -> None:
    """The button that shares the link."""
    component.mount("share", snapshot.race.run_id, width="content", title=snapshot.race.name)
