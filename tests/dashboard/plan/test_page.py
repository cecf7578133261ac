"""The planning page as Streamlit runs it, without a browser and without an API."""

from collections.abc import Iterator
from html import unescape
from itertools import count
from typing import Any

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from dashboard import context
from dashboard.api import ApiError, OfferedCourse, RefusedError
from dashboard.request import inputs
from dashboard.request.course_choice import CHOSEN
from dashboard.settings import Settings
from tests.dashboard.fakes import FakeApi
from tests.dashboard.plan import planned

WIDE = OfferedCourse("wide", "With widths", 10_000.0, narrowest=5.0)
PLAIN = OfferedCourse(planned.PLAIN, "Without widths", 42_195.0)
SMALL = {"Competitors": 300}
"""A field that is computed fast."""


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """The API that the page asks."""
    known = FakeApi([WIDE, PLAIN])
    context.install(Settings(), known)
    yield known
    context.uninstall()
    streamlit.cache_data.clear()


def page(step: float = 0.0, locale: str = "en-IE") -> AppTest:
    """The page after it has run; its clock advances by `step` seconds at each look."""

    def script(clock) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001 - no names there for types
        import streamlit as st  # noqa: PLC0415 - the page is this function's text, run elsewhere

        from dashboard.plan import page as plan  # noqa: PLC0415

        plan.show(st.Page(lambda: None, title="New race", url_path="new"), clock)

    seconds = count(0.0, step)
    form = AppTest.from_function(script, default_timeout=30, kwargs={"clock": lambda: next(seconds)})
    form.context["locale"] = locale
    form.run()
    assert not form.exception
    return form


def field(form: AppTest, label: str, nth: int = 0) -> Any:
    """The field whose label is so, or begins so."""
    fields: list[Any] = [*form.text_input, *form.number_input, *form.selectbox, *form.checkbox, *form.toggle]
    found = [one for one in fields if one.label == label]
    return (found or [one for one in fields if one.label.startswith(label)])[nth]


def fill(form: AppTest, **values: Any) -> AppTest:
    """Fill in fields by the first word of their label, those of plan B with a B behind it."""
    for name, value in values.items():
        word, is_b = name.rstrip("B").replace("_", " "), name.endswith("B")
        field(form, word, int(is_b)).set_value(value).run()
        assert not form.exception
    return form


def press(form: AppTest, label: str, nth: int = 0) -> AppTest:
    """Press a button."""
    [one for one in form.button if one.label == label][nth].click().run()
    assert not form.exception
    return form


def said(form: AppTest) -> str:
    """All that the page says by `words`."""
    return unescape("\n".join(str(part.proto.body) for part in form.get("html")))


def charts(form: AppTest) -> int:
    """The number of charts."""
    return len(form.get("vega_lite_chart"))


def test_a_plan_is_computed_at_the_press_of_the_button(api: FakeApi) -> None:
    """The page asks for a plan with crowding, and shows its figures, charts and worst sections."""
    form = fill(page(), Competitors=300, Wave_size=100, Start_line=2.5)
    assert api.requests == []
    assert charts(form) == 0
    press(form, "Compute the plan")

    assert api.requests == [
        {
            "course": "wide",
            "crowding": "flow",
            "competitors": 300,
            "pace_model": "parkrun",
            "seed": 1,
            "wave_size": 100,
            "wave_delay": 60.0,
            "corrals": True,
            "start_width": 2.5,
        }
    ]
    for words in ("Peak density", "Median loss", "Longest queue", "The worst sections", "Wave 3"):
        assert words in said(form)
    assert "start line of 2.5 m" in said(form)
    assert charts(form) == 4


def test_the_same_plan_is_not_computed_twice(api: FakeApi) -> None:
    """Pressed again without a change, the button asks for nothing; a change is named until it is computed."""
    form = press(fill(page(), Competitors=300), "Compute the plan")
    press(form, "Compute the plan")
    assert len(api.requests) == 1
    assert "The fields have changed" not in said(form)
    fill(form, Competitors=200)
    assert "The fields have changed" in said(form)
    press(form, "Compute the plan")
    assert len(api.requests) == 2
    assert "The fields have changed" not in said(form)


def test_plan_b_begins_as_plan_a(api: FakeApi) -> None:
    """A comparison begins with the values of plan A, asks only for what is new, and says what B changes."""
    form = press(fill(page(), Competitors=300, Wave_size=150, Start_line=1.0), "Compute the plan")
    field(form, "Compare two plans").set_value(True).run()
    assert field(form, "Wave size", 1).value == 150
    press(form, "Compare the plans")
    assert "Both plans are the same" in said(form)
    fill(form, Wave_intervalB=600.0)
    press(form, "Compare the plans")

    assert len(api.requests) == 2
    assert {**api.requests[0], "wave_delay": 600.0} == api.requests[1]
    assert "Plan B has waves of 150 every 10 min instead of waves of 150 every 1 min" in said(form)
    for words in ("Benefits", "The median loss falls from", "Costs", "The last start is"):
        assert words in said(form)
    assert charts(form) == 8


def test_both_plans_have_the_seed_that_the_first_got(api: FakeApi) -> None:
    """Without a seed the simulator draws one for plan A, and plan B has the same runners."""
    form = fill(page(), Competitors=100, Seed="")
    field(form, "Compare two plans").set_value(True).run()
    fill(form, Start_lineB=1.0)
    press(form, "Compare the plans")

    assert [request.get("seed") for request in api.requests] == [None, 99]


def test_a_course_without_widths_gets_some(api: FakeApi) -> None:
    """The page says that nothing could be crowded, and assumes widths until one is entered."""
    form = page()
    assert "has no widths" not in said(form)
    field(form, "Course").set_value("plain").run()
    assert "has no widths" in said(form)
    press(fill(form, Competitors=100), "Compute the plan")
    fill(form, Course_width=3.0)
    press(form, "Compute the plan")

    assert [(one.get("start_width"), one.get("width")) for one in api.requests] == [(4.0, 6.0), (None, 3.0)]


def test_paces_follow_the_length_of_the_course(api: FakeApi) -> None:
    """On a first visit the paces of a long course are those of a marathon."""
    api.offered = [PLAIN]

    assert field(page(), "Pace distribution").value == "marathon"


def test_fastest_and_slowest_are_asked_for_where_they_count(api: FakeApi) -> None:
    """With even paces the form has the fastest and the slowest, in the viewer's unit; a bad one stops it."""
    form = page(locale="en-US")
    fill(form, Competitors=100, Pace_distribution="uniform", Fastest="6:00")
    press(form, "Compute the plan")
    assert api.requests[0]["fastest"] == pytest.approx(360 / 1.609344)
    fill(form, Fastest="fast")

    assert "Enter minutes:seconds per mile" in said(form)
    assert [one.disabled for one in form.button if one.label == "Compute the plan"] == [True]


def test_errors_are_next_to_the_fields(api: FakeApi) -> None:
    """What the API rejects is shown at its field, and what has no field beside the button."""
    api.refusal = RefusedError("It can't be.", {"start_width": "must be at least 0.5"})
    form = press(page(), "Compute the plan")
    assert "must be at least 0.5" in said(form)
    assert "see the errors next to the fields" in said(form)
    api.refusal = RefusedError("It can't be planned.", {"points": "are wrong"})
    press(form, "Compute the plan")
    assert "It can't be planned" in said(form)
    api.refusal = ApiError("8 plans are waiting already.")
    press(form, "Compute the plan")

    assert "8 plans are waiting already" in said(form)
    assert charts(form) == 0


@pytest.mark.usefixtures("api")
def test_a_long_computation_shows_its_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a second a bar shows how much of the work is done; before, there is none."""
    shown: list[float] = []

    class Bar:
        def progress(self, done: float, words: str) -> None:
            assert words == "Computing plan A: 50%"
            shown.append(done)

        def empty(self) -> None:
            """Nothing is there any more."""

    monkeypatch.setattr("dashboard.plan.page.st.empty", Bar)
    press(fill(page(step=0.9), Competitors=100), "Compute the plan")
    assert shown == []
    press(fill(page(step=1.1), Competitors=100), "Compute the plan")

    assert shown == [0.5]


@pytest.mark.usefixtures("api")
def test_a_plan_becomes_a_new_race(monkeypatch: pytest.MonkeyPatch) -> None:
    """The button fills in the form for a new race as the plan is, with its seed, and opens it."""
    opened: list[str] = []
    monkeypatch.setattr("dashboard.plan.page.st.switch_page", lambda to: opened.append(to.title))
    form = fill(page(), Competitors=300, Wave_size=100, Start_line=2.5, Seed="")
    press(form, "Compute the plan")
    form.session_state[inputs.key("dnf")] = 50.0
    form.session_state[inputs.LIST_MEMORY] = "a start list"
    press(form, "Create this race")
    state = {name: form.session_state[inputs.key(name)] for name in ("competitors", "seed", "dnf")}

    assert opened == ["New race"]
    assert state == {"competitors": 300, "seed": "99", "dnf": 0.0}
    assert form.session_state[inputs.key("crowding")] == "flow"
    assert form.session_state[inputs.key("start_width")] == 2.5
    assert form.session_state[inputs.key("wave_size")] == 100
    assert form.session_state[CHOSEN] == "wide"
    assert inputs.LIST_MEMORY not in form.session_state


@pytest.mark.usefixtures("api")
def test_a_read_only_dashboard_plans_and_creates_nothing() -> None:
    """Viewers who may not change anything can plan; they have no upload and no way to a new race."""
    context.install(Settings(read_only=True))
    form = press(fill(page(), Competitors=100), "Compute the plan")

    assert charts(form) == 4
    assert not form.file_uploader
    assert [one.label for one in form.button] == ["Compute the plan"]


@pytest.mark.parametrize("nothing", ["line", "width"])
def test_without_a_line_or_a_width_there_is_no_map(api: FakeApi, nothing: str) -> None:
    """A course that can't be drawn has no map; without any width it has no densities either."""
    api.undrawable = ApiError("It can't be drawn.") if nothing == "line" else None
    api.offered = [WIDE if nothing == "line" else PLAIN]
    form = fill(page(), Competitors=100)
    if nothing == "width":
        # With the width of the start line only, that of the course stays unlimited.
        fill(form, Start_line=3.0)
    press(form, "Compute the plan")

    assert "Where it is crowded" not in said(form)
    assert "The worst sections" in said(form)


def test_without_the_api_the_page_says_so(api: FakeApi) -> None:
    """While the API is unavailable the page shows why."""
    api.away = ApiError("The simulator's API does not respond.")
    form = page()

    assert "does not respond" in said(form)
    assert not form.button


def test_without_courses_there_is_nothing_to_plan(api: FakeApi) -> None:
    """Without a course the page says so, and has no fields."""
    api.offered = []
    form = page()

    assert "no courses yet" in said(form)
    assert not form.number_input
