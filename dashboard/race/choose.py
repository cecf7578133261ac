"""The race chooser. The URL's query parameter selects the race and follows the chooser."""

from collections.abc import Callable, Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import context
from dashboard.race.snapshots import Snapshots, UnknownRaceError
from dashboard.store.protocol import Race, StoreError, is_run_id
from dashboard.ui import formatting, words

LOOK_AGAIN_S = 1.0
"""How often a waiting page checks whether it can go on."""


def show(create_page: st.Page, draw: Callable[[str, Mapping[str, str], DeltaGenerator], None]) -> None:
    """Draw the chooser, and the selected race's page by `draw`; without a race, link to `create_page`.

    `draw` gets the run id, the chooser's labels and the container beside it. It may raise `UnknownRaceError`
    and `StoreError`: the page then shows the reason and reruns as soon as the race can be read.
    """
    run_id = None
    top = st.container(key="top", horizontal=True, vertical_alignment="center", gap="small")
    try:
        labels = race_labels()
        run_id = _race(labels, create_page, top)
        if run_id is not None:
            draw(run_id, labels, top)
    except UnknownRaceError:
        words.notice("This race does not exist yet. The page shows it as soon as it does.", "info")
        wait_until(lambda: _can_be_read(run_id))
    except StoreError as error:
        words.notice(str(error))
        wait_until(lambda: _can_be_read(run_id))


def _race(labels: Mapping[str, str], create_page: st.Page, place: DeltaGenerator) -> str | None:
    """Draw the chooser and return the run id in the URL; by default the newest race's.

    `labels` are those of `race_labels`. Returns None if there is no race to show: the page then says so,
    links to `create_page` and waits.
    """
    run_id = st.query_params.get("run") or next(iter(labels), None)
    if run_id is None:
        _no_race_yet(create_page)
        return None
    if not is_run_id(run_id):
        words.title("No such race")
        words.notice("The link contains an invalid race id.", "info")
        st.button("Show the newest race", on_click=st.query_params.clear)
        return None
    st.query_params["run"] = run_id
    st.session_state["chosen"] = run_id
    place.selectbox(
        "Race",
        [*labels, *({run_id} - labels.keys())],
        format_func=lambda option: labels.get(option, option),
        key="chosen",
        # Other query parameters (favourites, for example) belong to the previous race.
        on_change=lambda: st.query_params.from_dict({"run": st.session_state["chosen"]}),
        label_visibility="collapsed",
    )
    return run_id


def _no_race_yet(create_page: st.Page) -> None:
    words.title("No race yet")
    words.notice("The page shows the first race as soon as it is created.", "info")
    st.page_link(create_page, label="Create a race", icon=":material/add_circle:")
    wait_until(lambda: bool(context.get(Snapshots).races()))


def race_labels() -> dict[str, str]:
    """The chooser's labels by run id, the newest race first. Raises `StoreError`."""
    return {race.run_id: _label(race) for race in context.get(Snapshots).races()}


def _label(race: Race) -> str:
    start = formatting.day_and_clock(race.start_time, st.context.timezone)
    # The run id comes last: Streamlit treats options with equal labels as one.
    return f"{race.name} · {race.course_name} · {race.status} · {start} · {race.run_id}"


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
