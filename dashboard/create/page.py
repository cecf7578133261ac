"""The page that creates a race: presets, a course, the form, and a redirect to the race's live page."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from dashboard import context
from dashboard.api import ApiError, OfferedCourse, RaceApi, RaceField
from dashboard.create import course_choice, inputs, paces, race_form
from dashboard.create.race_form import PACES_OF_THEIR_OWN, RaceForm
from dashboard.race import choose
from dashboard.ui import words

FIELDS_TTL_S = 60.0
"""How long the API's description of a race request is kept; a newer simulator may have another one."""


class Preset(NamedTuple):
    """A button's title and icon, and the fields of `POST /races` that it fills in."""

    title: str
    icon: str
    request: Mapping[str, Any]


PRESETS = tuple(
    Preset(**preset)
    for preset in tomllib.loads(Path(__file__).with_name("presets.toml").read_text("utf-8"))["presets"]
)
"""Buttons that fill in the form; everything can be changed afterwards."""


def show(live_page: st.Page, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
    """Draw the page; once the API has created the race, `live_page` shows it."""
    words.title("New race")
    race_form.keep()
    course_choice.keep()
    api = context.get(RaceApi)
    try:
        offered, fields = _ask(api)
    except ApiError as error:
        words.notice(str(error))
        choose.wait_until(lambda: _answers(api))
        return
    _offer_presets(offered, fields)
    course_side, form_side = st.columns(2, gap="large")
    with course_side:
        course = course_choice.choose(api, offered)
    if course is None:
        return
    with form_side:
        form = RaceForm(course, fields, now())
        run_id = form.create(api) if form.sent else None
    if run_id is not None:
        st.switch_page(live_page, query_params={"run": run_id})


def _ask(api: RaceApi) -> tuple[Sequence[OfferedCourse], Mapping[str, RaceField]]:
    """The courses, and the fields of a race. Raises `ApiError`."""
    return api.courses(), _fields(api)


@st.cache_data(ttl=FIELDS_TTL_S, show_spinner=False)
def _fields(_api: RaceApi) -> Mapping[str, RaceField]:
    fields = _api.race_fields()
    inputs.check(fields)
    return fields


def _answers(api: RaceApi) -> bool:
    try:
        _ask(api)
    except ApiError:
        return False
    return True


def _offer_presets(offered: Sequence[OfferedCourse], fields: Mapping[str, RaceField]) -> None:
    words.plain("Start with a preset, or fill in the fields below.")
    for preset, place in zip(PRESETS, st.columns(len(PRESETS)), strict=True):
        with place:
            st.button(
                preset.title,
                icon=preset.icon,
                width="stretch",
                on_click=_fill_in,
                args=(preset, offered, fields),
            )
            words.hint(
                f"{preset.request['competitors']:,} competitors, {_paces(preset.request)}, "
                f"{preset.request['speed']:g}\N{MULTIPLICATION SIGN} speed"
            )


def _paces(request: Mapping[str, Any]) -> str:
    if whose := PACES_OF_THEIR_OWN.get(request.get("pace_model", "")):
        return f"paces of {whose}"
    return f"{paces.write(request['fastest'])} to {paces.write(request['slowest'])} min/km"


def _fill_in(preset: Preset, offered: Sequence[OfferedCourse], fields: Mapping[str, RaceField]) -> None:
    race_form.fill_in(preset.request, fields)
    if any(course.short_name == preset.request["course"] for course in offered):
        course_choice.choose_next(preset.request["course"])
