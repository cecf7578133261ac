"""The page that creates a race: presets, a course, the form, and a redirect to the race's live page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import context
from dashboard.api import ApiError, RaceApi
from dashboard.create import course_choice, paces, race_form, race_options
from dashboard.create.presets import PRESETS
from dashboard.create.race_form import RaceForm
from dashboard.race import choose
from dashboard.ui import words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dashboard.api import OfferedCourse
    from dashboard.create.presets import Preset


def show(live_page: st.Page, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
    """Draw the page; once the API has created the race, `live_page` shows it."""
    words.title("New race")
    race_form.keep()
    course_choice.keep()
    api = context.get(RaceApi)
    try:
        offered = api.courses()
    except ApiError as error:
        words.notice(str(error))
        choose.wait_until(lambda: _answers(api))
        return
    _offer_presets(offered)
    course_side, fields = st.columns(2, gap="large")
    with course_side:
        course = course_choice.choose(api, offered)
    if course is None:
        return
    with fields:
        form = RaceForm(course, now())
        run_id = form.create(api) if form.sent else None
    if run_id is not None:
        st.switch_page(live_page, query_params={"run": run_id})


def _answers(api: RaceApi) -> bool:
    try:
        api.courses()
    except ApiError:
        return False
    return True


def _offer_presets(offered: Sequence[OfferedCourse]) -> None:
    words.plain("Start with a preset, or fill in the fields below.")
    for preset, place in zip(PRESETS, st.columns(len(PRESETS)), strict=True):
        with place:
            st.button(
                preset.title, icon=preset.icon, width="stretch", on_click=_fill_in, args=(preset, offered)
            )
            words.hint(
                f"{preset.competitors:,} competitors, {_paces(preset)}, "
                f"{preset.speed:g}\N{MULTIPLICATION SIGN} speed"
            )


def _paces(preset: Preset) -> str:
    if whose := race_options.PACES_OF_THEIR_OWN.get(preset.options.get("pace_model", "")):
        return f"paces of {whose}"
    return f"{paces.write(preset.fastest)} to {paces.write(preset.slowest)} min/km"


def _fill_in(preset: Preset, offered: Sequence[OfferedCourse]) -> None:
    race_form.fill_in(preset)
    if any(course.short_name == preset.course for course in offered):
        course_choice.choose_next(preset.course)
