"""The page that creates a race: presets, course, start list, form, and a redirect to the race's live page."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import streamlit as st

from dashboard import context
from dashboard.api import ApiError, OfferedCourse, RaceApi, RaceField
from dashboard.create import presets, race_form, start_list
from dashboard.create.race_form import RaceForm
from dashboard.race import choose
from dashboard.request import course_choice, drop_zones, inputs, pending
from dashboard.ui import viewer, words


def show(live_page: st.Page, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
    """Draw the page; once the API has created the race, `live_page` shows it."""
    words.title("New race")
    drop_zones.repair()
    api = context.get(RaceApi)
    try:
        offered, fields = _ask(api)
    except ApiError as error:
        words.notice(str(error))
        choose.wait_until(lambda: _answers(api))
        return
    pending.give_again()
    race_form.begin(fields, viewer.current().unit)
    presets.offer(offered, fields)
    with st.container(horizontal=True, key="race-sources"):
        with st.container():
            words.section("Course")
            chosen = course_choice.choose(api, offered)
        with st.container():
            words.section("Start list")
            listed = start_list.choose(api)
    if chosen.course is None:
        return
    form = RaceForm(chosen, chosen.course, listed, fields, now())
    pending.settle()
    run_id = form.create(api) if form.sent else None
    if run_id is not None:
        st.switch_page(live_page, query_params={"run": run_id})


def _ask(api: RaceApi) -> tuple[Sequence[OfferedCourse], Mapping[str, RaceField]]:
    """The courses, and the fields of a race. Raises `ApiError`."""
    return api.courses(), inputs.fields_of(api)


def _answers(api: RaceApi) -> bool:
    try:
        _ask(api)
    except ApiError:
        return False
    return True
