"""The buttons that change a race: pause, resume, cancel."""

from typing import NamedTuple

import streamlit as st

from dashboard import context
from dashboard.api import ApiError, RaceApi
from dashboard.store.protocol import Race
from dashboard.ui import viewing, words
from stream.race_states import Action, actions

ICONS = {"pause": ":material/pause:", "resume": ":material/play_arrow:", "cancel": ":material/stop:"}

_REFUSAL = "refusal"
"""Session state key of the API's reason against the last change."""


class Confirmation(NamedTuple):
    """A change that is confirmed: what it does, and the button that does it."""

    effect: str
    button: str


CONFIRMATIONS = {
    "pause": Confirmation("All competitors stop where they are until the race is resumed.", "Pause the race"),
    "cancel": Confirmation(
        "All competitors stop where they are. A cancelled race cannot be resumed.", "Cancel the race"
    ),
}


def show(race: Race) -> None:
    """Buttons for the race's possible actions, for viewers who may change it."""
    # Always there, so that what follows stays the same element: a menu beside it would open or close.
    with st.container(key="controls", horizontal=True, width="content", gap="small"):
        if not viewing.may_change():
            return
        for change in actions(race.status):
            if change in CONFIRMATIONS:
                _confirmed(race, change)
            else:
                st.button(
                    change.capitalize(),
                    icon=ICONS[change],
                    key=f"{change}-{race.run_id}",
                    on_click=_change,
                    args=(race, change),
                )
        if refusal := st.session_state.pop(_REFUSAL, None):
            words.notice(refusal)


def _confirmed(race: Race, change: Action) -> None:
    """A button whose menu has the one that makes the change; the menu closes with it."""
    menu = f"{change}-{race.run_id}"
    with st.popover(change.capitalize(), icon=ICONS[change], key=menu, on_change="rerun"):
        words.plain(CONFIRMATIONS[change].effect)
        st.button(
            CONFIRMATIONS[change].button,
            type="primary",
            key=f"{menu}-confirmed",
            on_click=_change,
            args=(race, change, menu),
        )


def _change(race: Race, change: Action, menu: str | None = None) -> None:
    if menu is not None:
        st.session_state[menu] = False
    try:
        context.get(RaceApi).change(race.run_id, change)
    except ApiError as error:
        st.session_state[_REFUSAL] = str(error)
