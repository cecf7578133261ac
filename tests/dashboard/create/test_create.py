"""The page that creates a race as Streamlit runs it, without a browser and without an API."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any, get_args

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from dashboard import context
from dashboard.analytics.activity import Activity
from dashboard.api import ApiError, ConflictError, OfferedCourse, RaceField, RefusedError, race_fields
from dashboard.create.presets import PRESETS
from dashboard.create.race_form import NOT_STARTED
from dashboard.race.snapshots import Snapshots
from dashboard.request import inputs
from dashboard.settings import Settings
from dashboard.ui.escape import escape
from dashboard.ui.viewer import KM
from simulator.http import openapi
from simulator.race.request import PlainRequest, RaceRequest
from simulator.race.start_list.columns import FIELDS
from tests.dashboard.at_once import still_sampler
from tests.dashboard.fakes import FakeApi, FakeStore
from tests.dashboard.plain_stream import PlainStream

REFUSAL = RefusedError("It can't be.", {"seed": "must be a whole number"})
HILLS = OfferedCourse("hills", "Over the hills", 5000.0, 1, ("The climb",))
PLAIN = OfferedCourse("plain", "The plain", 10_000.0)
NOT_OF_A_PRESET = ["Short name of your course", "Seed", "Course", "Start with a preset"]
HOW_TO = "Enter minutes:seconds per kilometre, such as 4:30."
NOON = datetime(2027, 4, 30, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """The API that the page asks; it refuses everything, or the page would lead elsewhere."""
    known = FakeApi([HILLS, PLAIN], REFUSAL)
    context.install(
        Settings(),
        Snapshots(FakeStore()),
        known,
        Activity(PlainStream(), 10),
        still_sampler(),
    )
    yield known
    context.uninstall()
    streamlit.cache_data.clear()


def page(now: datetime = NOON, locale: str | None = None) -> AppTest:
    """The page after it has run."""

    def script(now) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001 - no names there for types
        import streamlit as st  # noqa: PLC0415 - the page is this function's text, run elsewhere

        from dashboard.create import page as create  # noqa: PLC0415

        create.show(st.Page(lambda: None, title="Live", url_path="live"), lambda: now)

    form = AppTest.from_function(script, default_timeout=30, kwargs={"now": now})
    form.context["locale"] = locale
    form.run()
    assert not form.exception
    return form


def field(form: AppTest, label: str) -> Any:
    """The field with this label."""
    fields: list[Any] = [
        *form.text_input,
        *form.number_input,
        *form.slider,
        *form.selectbox,
        *form.checkbox,
        *form.date_input,
        *form.time_input,
    ]
    (found,) = [one for one in fields if one.label == label]
    return found


def every_field(form: AppTest) -> list[Any]:
    """The field descriptions that the browser receives."""
    fields: list[Any] = [
        *(one.proto for one in [*form.text_input, *form.number_input, *form.slider, *form.selectbox]),
        *(one.proto for one in [*form.checkbox, *form.date_input, *form.time_input]),
        *(one.proto for one in form.get("button_group")),
    ]
    return fields


def press(form: AppTest, label: str) -> AppTest:
    """Press a button."""
    (button,) = [one for one in form.button if one.label == label]
    button.click().run()
    assert not form.exception
    return form


def group(form: AppTest, label: str) -> Any:
    """The buttons with this label, of which one is marked."""
    (found,) = [one for one in form.get("button_group") if one.proto.label == label]
    return found


def preset(form: AppTest, title: str | None) -> AppTest:
    """Press a preset's button."""
    group(form, "Start with a preset").set_value(title).run()
    assert not form.exception
    return form


def choose_file(form: AppTest, label: str, name: str, data: bytes) -> AppTest:
    """Choose a file."""
    (uploader,) = [one for one in form.file_uploader if one.label == label]
    uploader.set_value((name, data, "text/plain")).run()
    assert not form.exception
    return form


def sent(api: FakeApi, **fields: Any) -> Any:
    """The request of a form into which this was typed, by the first word of the label."""
    form = page()
    for one in [*form.text_input, *form.number_input, *form.slider]:
        if (word := one.label.split()[0].lower()) in fields:
            one.set_value(fields[word])
    press(form, "Start the race")
    (request,) = api.requests
    return request


def said(form: AppTest) -> str:
    """All that the page says by `words`."""
    return "\n".join(str(html.proto.body) for html in form.get("html"))


def mistakes(form: AppTest) -> list[str]:
    """All errors, from the top of the form to its bottom."""
    return [found[1] for found in re.finditer('role="alert">([^<]*)<', said(form))]


@pytest.mark.parametrize(
    ("typed", "seed"),
    [
        ("12", 12),
        (" -12 ", -12),
        ("9223372036854775808", 2**63),
        ("--5", "--5"),
        ("1.5", "1.5"),
        ("9" * 5000, "9" * 5000),
        ("\N{SUPERSCRIPT TWO}", "\N{SUPERSCRIPT TWO}"),
    ],
)
def test_seed(api: FakeApi, typed: str, seed: object) -> None:
    """A seed is sent as a number; anything else is sent as typed, for the API to reject."""
    assert sent(api, seed=typed)["seed"] == seed


def test_empty_fields_are_left_to_the_api(api: FakeApi) -> None:
    """What is left empty isn't sent; a race that starts now has no start."""
    assert sent(api).keys().isdisjoint({"seed", "name", "start_at"})


def test_paces_are_sent_in_seconds(api: FakeApi) -> None:
    """Paces are typed in minutes and seconds, and sent in seconds."""
    request = sent(api, fastest="3:05", slowest=" 12:00 ")
    assert (request["fastest"], request["slowest"]) == (185.0, 720.0)


def test_share_that_stops(api: FakeApi) -> None:
    """The share of stops is entered in per cent and sent as a fraction."""
    assert sent(api, stop=25)["how_many_get_stopped"] == 0.25


def test_finish_times_follow_paces_and_course(api: FakeApi) -> None:
    """Below a pace is the finish time that it means on the chosen course."""
    assert api.offered
    form = page()
    field(form, "Fastest pace, min:sec per km").set_value("4:00").run()
    assert escape("Finish in 0:20:00") in said(form)
    form.selectbox[0].set_value("plain").run()
    assert escape("Finish in 0:40:00") in said(form)


@pytest.mark.parametrize("typed", ["", "abc", "4:75", "240", "4:5", "-4:30", "4:30:00", "1000:00"])
def test_what_is_no_pace(api: FakeApi, typed: str) -> None:
    """An invalid pace is an error at its field as soon as it is typed, and isn't sent."""
    form = page()
    field(form, "Slowest pace, min:sec per km").set_value(typed).run()
    assert mistakes(form) == [escape(HOW_TO)]
    press(form, "Start the race")
    assert mistakes(form) == [escape(HOW_TO), escape(NOT_STARTED)]
    assert api.requests == []


def test_paces_per_mile(api: FakeApi) -> None:
    """Where road distances are in miles, paces are typed per mile and sent per kilometre."""
    form = page(locale="en-US")
    assert "3.11 mi" in form.selectbox[0].options[0]
    assert field(form, "Fastest pace, min:sec per mile").value == "4:50"
    field(form, "Fastest pace, min:sec per mile").set_value("8:00").run()
    field(form, "Slowest pace, min:sec per mile").set_value("x").run()
    assert mistakes(form) == [escape("Enter minutes:seconds per mile, such as 7:15.")]
    field(form, "Slowest pace, min:sec per mile").set_value("16:00").run()
    form.context["locale"] = "de-DE"  # as if chosen in the menu
    form.run()
    assert field(form, "Fastest pace, min:sec per km").value == "4:58"
    assert field(form, "Slowest pace, min:sec per km").value == "9:57"
    press(form, "Start the race")
    assert (api.requests[0]["fastest"], api.requests[0]["slowest"]) == (298.0, 597.0)


def test_refused_pace_is_said_in_minutes(api: FakeApi) -> None:
    """The API's errors give seconds; minutes and seconds are added."""
    words = "must be at least the fastest pace, 400 seconds per kilometre"
    api.refusal = RefusedError("No.", {"slowest": words, "fastest": "must be at most 3,600"})
    form = press(page(), "Start the race")
    assert escape(f"{words} (6:40 per km)") in said(form)
    assert escape("must be at most 3,600 (60:00 per km)") in said(form)


def test_mistake_about_no_field(api: FakeApi) -> None:
    """An error that no field of the form is about is shown below it."""
    api.refusal = RefusedError("interval is odd", {"interval": "is odd"})
    assert escape("interval is odd") in said(press(page(), "Start the race"))


def test_mistake_stays_until_its_field_changes(api: FakeApi) -> None:
    """An API error is shown at the field until the field changes."""
    api.refusal = RefusedError(
        "No.", {"seed": "must be at least 0", "competitors": "must be at most 1,000,000"}
    )
    form = press(page(), "Start the race")
    assert len(mistakes(form)) == 3
    field(form, "Seed").set_value("7").run()
    assert mistakes(form) == [escape("must be at most 1,000,000")]
    field(form, "Competitors").set_value(8).run()
    assert mistakes(form) == []


@pytest.mark.parametrize(
    ("refused", "label", "value"),
    [
        ("slowest", "Fastest pace, min:sec per km", "2:50"),
        ("max_pause", "Shortest stop, seconds", 1.0),
    ],
)
def test_mistake_corrected_in_another_field(api: FakeApi, refused: str, label: str, value: object) -> None:
    """An error about two fields disappears when either changes."""
    api.refusal = RefusedError("No.", {refused: "must be at least the other"})
    form = press(page(), "Start the race")
    assert len(mistakes(form)) == 2
    field(form, label).set_value(value).run()
    assert mistakes(form) == []


def test_next_attempt_forgets_the_last(api: FakeApi) -> None:
    """Another attempt shows its own errors alone."""
    form = press(page(), "Start the race")
    assert mistakes(form) == [escape(text) for text in ("must be a whole number", NOT_STARTED)]
    api.refusal = ApiError("There are too many races.")
    assert mistakes(press(form, "Start the race")) == [escape("There are too many races.")]
    assert field(form, "Competitors").value == 100


def test_api_away(api: FakeApi) -> None:
    """While the API is unavailable the page says so; the typed and chosen values survive."""
    form = page()
    form.selectbox[0].set_value("plain").run()
    field(form, "Competitors").set_value(7).run()
    group(form, "Gun time").set_value("Later").run()
    field(form, "Day").set_value(date(2027, 5, 1)).run()
    api.away = ApiError("It does not respond.")
    form.run()
    assert mistakes(form) == [escape("It does not respond.")]
    assert not form.number_input
    api.away = None
    form.run()
    assert (form.selectbox[0].value, field(form, "Competitors").value) == ("plain", 7)
    assert field(form, "Day").value == date(2027, 5, 1)


def test_api_back(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as the API responds again, the page is there without any user action."""
    silences = iter([ApiError("It does not respond.")])

    def courses() -> list[OfferedCourse]:
        for silence in silences:
            raise silence
        return api.offered

    monkeypatch.setattr(api, "courses", courses)
    form = page()
    assert mistakes(form) == []
    assert field(form, "Competitors").value == 100


def test_no_description_of_a_race(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the API's document there is no form, and the page says why."""

    def race_fields() -> dict[str, RaceField]:
        raise ApiError("It does not respond.")

    monkeypatch.setattr(api, "race_fields", race_fields)
    form = page()
    assert mistakes(form) == [escape("It does not respond.")]
    assert not form.number_input


def test_description_of_a_race_is_kept(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The document isn't requested again while a form is filled in."""
    answers = iter([race_fields(openapi.document())])
    monkeypatch.setattr(api, "race_fields", lambda: next(answers))
    form = page()
    field(form, "Competitors").set_value(7).run()
    assert not form.exception


def test_course_that_cannot_be_drawn(api: FakeApi) -> None:
    """Without the course's line there is an error in place of the map, and the form is there."""
    api.undrawable = ApiError("There is no course of that name.")
    form = page()
    assert mistakes(form) == [escape("There is no course of that name.")]
    assert field(form, "Competitors").value == 100


def test_map_is_asked_for_once(api: FakeApi) -> None:
    """The course's line is requested when another one is chosen, not on every input."""
    form = page()
    field(form, "Competitors").set_value(7).run()
    form.selectbox[0].set_value("plain").run()
    field(form, "Competitors").set_value(8).run()
    assert api.drawn == ["hills", "plain"]


def test_what_was_typed_stays(api: FakeApi) -> None:
    """After a refusal everything is as it was typed."""
    form = page()
    field(form, "Race name").set_value("Mine")
    field(form, "Competitors").set_value(7)
    press(form, "Start the race")
    assert (field(form, "Race name").value, field(form, "Competitors").value) == ("Mine", 7)
    assert len(api.requests) == 1


def test_fields_are_given_no_value_that_they_have(api: FakeApi) -> None:
    """A run leaves the fields as they are: a value given would undo what has been typed since it began."""
    assert api.offered
    form = page()
    group(form, "Gun time").set_value("Later").run()
    field(form, "Competitors").set_value(7).run()
    fields = every_field(form)
    assert len(fields) > 40
    assert [one.label for one in fields if one.set_value] == []


def test_fields_are_given_their_values_until_all_are_drawn(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupted run leaves fields to the next one, which sets all of their values."""
    assert api.offered
    form = page()
    with monkeypatch.context() as broken:
        broken.setattr("dashboard.create.page.race_form.RaceForm._how_it_is_run", lambda _: streamlit.stop())
        preset(form, "Stress test of 10,000")
    form.run()
    # A field that the preset doesn't fill in has its value in the browser.
    assert [one.label for one in every_field(form) if not one.set_value] == NOT_OF_A_PRESET
    assert field(form, "Competitors").value == 10_000
    form.run()
    assert [one.label for one in every_field(form) if one.set_value] == []


def test_fields_keep_what_is_typed_while_a_preset_is_filled_in(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the viewer types during an interrupted run stays; the other fields get the preset's values."""
    assert api.offered
    form = page()
    with monkeypatch.context() as broken:
        broken.setattr("dashboard.create.page.race_form.RaceForm._start", lambda _: streamlit.stop())
        preset(form, "Stress test of 10,000")
    field(form, "Race name").set_value("Mine").run()
    assert (field(form, "Race name").value, field(form, "Competitors").value) == ("Mine", 10_000)


@pytest.mark.parametrize("title", PRESETS)
def test_preset(api: FakeApi, title: str) -> None:
    """A preset fills in everything it says, and what it fills in can be changed before it is sent."""
    request_of_it = PRESETS[title].request
    course = request_of_it["course"]
    api.offered.append(OfferedCourse(course, "Its course", 4000.0, 1, ("N",)))
    form = preset(page(), title)
    field(form, "Competitors").set_value(9)
    press(form, "Start the race")
    request = dict(api.requests[0])
    assert request.pop("run_id").startswith(f"{course}-")
    assert request == {**request_of_it, "competitors": 9}
    RaceRequest.model_validate(request)


def test_next_preset_forgets_the_last(api: FakeApi) -> None:
    """A preset puts options that it doesn't name at their defaults, and takes a start list away."""
    form = page()
    choose_file(form, "Start list", "list.csv", b"name\nA\n")
    preset(form, "Real parkrun")
    preset(form, "Saturday 5 km")
    press(form, "Start the race")
    request = api.requests[0]
    assert request["competitors"] == 300
    assert request.keys().isdisjoint({"start_list", *inputs.OPTION_NAMES})


def test_preset_without_its_course(api: FakeApi) -> None:
    """A preset whose course isn't offered leaves the chosen one."""
    form = page()
    form.selectbox[0].set_value("plain").run()
    preset(form, "Saturday 5 km")
    press(form, "Start the race")
    assert api.requests[0]["course"] == "plain"
    assert group(form, "Start with a preset").value == "Saturday 5 km"


def test_preset_is_marked(api: FakeApi) -> None:
    """The chosen preset is marked until one of its fields, the course or the start list is another one."""
    api.offered.append(OfferedCourse("crystal-palace", "Crystal Palace", 5000.0))
    form = page()
    changes: list[tuple[Any, Any]] = [
        (lambda: field(form, "Slowest pace, min:sec per km"), "9:00"),
        (lambda: field(form, "Start walking, per cent"), 3.0),
        (lambda: form.selectbox[0], "plain"),
    ]
    for changed, value in changes:
        preset(form, "Real parkrun")
        assert group(form, "Start with a preset").value == "Real parkrun"
        assert "250 runners" in said(form)
        changed().set_value(value).run()
        assert group(form, "Start with a preset").value is None
    preset(form, "Real parkrun")
    preset(form, None)
    assert group(form, "Start with a preset").value == "Real parkrun"
    choose_file(form, "Start list", "list.csv", b"name\nA\n")
    assert group(form, "Start with a preset").value is None


def test_summary_of_the_race(api: FakeApi) -> None:
    """Beside the button is what it will start."""
    assert api.offered
    form = page()
    assert escape("Over the hills, 100 runners, starts now at 10\N{MULTIPLICATION SIGN} speed") in said(form)
    field(form, "Competitors").set_value(1)
    field(form, "Speed, race seconds per second").set_value(1.0)
    form.selectbox[0].set_value("plain")
    group(form, "Gun time").set_value("Later").run()
    when = "30 Apr 2027, 12:05"
    assert escape(f"The plain, 1 runner, starts {when} at 1\N{MULTIPLICATION SIGN} speed") in said(form)


def test_scheduled_start(api: FakeApi) -> None:
    """A start later on is sent with its zone."""
    form = page()
    group(form, "Gun time").set_value("Later").run()
    field(form, "Day").set_value(date(2027, 5, 1))
    field(form, "Time of day").set_value(time(9, 30))
    press(form, "Start the race")
    sent_start = datetime.fromisoformat(api.requests[0]["start_at"])
    assert sent_start == datetime(2027, 5, 1, 9, 30, tzinfo=UTC)


def test_start_offered(api: FakeApi) -> None:
    """A later start is offered a few minutes ahead; one that is past is said to be."""
    assert api.offered
    form = page()
    group(form, "Gun time").set_value("Later").run()
    assert (field(form, "Day").value, field(form, "Time of day").value) == (NOON.date(), time(12, 5))
    assert "in the past" not in said(form)
    field(form, "Time of day").set_value(time(11, 0)).run()
    assert "in the past" in said(form)


def test_how_long_it_takes(api: FakeApi) -> None:
    """Below the speed is the wall time until the slowest finish, stops included."""
    assert api.offered
    form = page()
    field(form, "Slowest pace, min:sec per km").set_value("8:00").run()
    assert escape("Over after 0:04:00 of wall time") in said(form)
    field(form, "Longest stop, seconds").set_value(600.0)
    field(form, "Stop in a geofence").set_value(30).run()
    assert escape("Over after 0:05:00 of wall time") in said(form)
    assert escape("30 of 100 competitors") in said(form)
    field(form, "Speed, race seconds per second").set_value(0.0).run()
    assert "Over after" not in said(form)
    assert not form.exception


def test_stop_where_there_is_no_geofence(api: FakeApi) -> None:
    """A notice says that there are no stops on a course without a geofence."""
    api.offered = [PLAIN]
    form = page()
    field(form, "Stop in a geofence").set_value(20).run()
    assert "no stops" in said(form)


def test_notes_on_a_course_are_folded(api: FakeApi) -> None:
    """Corrections of a course's file are in a collapsed note, not in an alert."""
    api.offered = [OfferedCourse("hills", "Hills", 5000.0, warnings=("The line was <b>turned</b> round.",))]
    drawn = page()
    notes, _ = drawn.expander
    assert (notes.label, notes.proto.expanded) == ("Notes on this course", False)
    assert "turned" in str(notes.get("html")[0].proto.body)
    assert '<div class="notice' not in said(drawn)


def test_course_file_is_read_at_once(api: FakeApi) -> None:
    """A chosen file becomes the chosen course without another button, and the fields are empty again."""
    api.refusal = None
    form = page()
    field(form, "Short name of your course").set_value(" mine ").run()
    choose_file(form, "Course file of your own", "mine.gpx", b"<gpx/>")
    assert api.uploads == [(b"<gpx/>", "mine")]
    assert form.selectbox[0].value == "mine"
    assert field(form, "Short name of your course").value == ""
    assert escape("Your file is the course Handed in, short name mine.") in said(form)
    assert [notes.proto.expanded for notes in form.expander] == [True, False]
    api.refusal = REFUSAL
    press(form, "Start the race")
    assert api.requests[0]["course"] == "mine"


def test_facts_of_a_course(api: FakeApi) -> None:
    """Above the map are distance, climb, timing points and geofences, as many as there is room for."""
    assert "geofence&#58; The climb" in said(page())
    assert "no altitudes" in said(page())
    api.offered = [OfferedCourse("hills", "Hills", 5000.0, climb=152.4, timing_points=("2 km", "4 km"))]
    assert "152 m of climb" in said(page())
    assert escape("timing points: 2 km, 4 km") in said(page())
    assert "500 ft of climb" in said(page(locale="en-US"))
    api.offered = [OfferedCourse("hills", "Hills", 5000.0, fences=tuple("ABCDEFG"))]
    assert "A&#44; B&#44; C&#44; D&#44; E and 2 more" in said(page())


def test_name_of_a_course_that_is_taken(api: FakeApi) -> None:
    """A taken name is an error at its field, and another name is tried at once."""
    api.refusal = ConflictError("hills is the name of another course.")
    form = page()
    field(form, "Short name of your course").set_value("hills").run()
    choose_file(form, "Course file of your own", "mine.kml", b"<kml/>")
    assert mistakes(form) == [escape("hills is the name of another course.")]
    assert field(form, "Competitors").value == 100
    api.refusal = None
    field(form, "Short name of your course").set_value("hills-2").run()
    assert mistakes(form) == []
    assert form.selectbox[0].value == "hills-2"


def test_course_file_that_was_not_read(api: FakeApi) -> None:
    """After a failure that may pass, the same file can be tried again."""
    api.refusal = ApiError("It does not respond.")
    form = choose_file(page(), "Course file of your own", "mine.kml", b"<kml/>")
    assert mistakes(form) == [escape("It does not respond.")]
    api.refusal = None
    press(form, "Try again")
    assert (mistakes(form), form.selectbox[0].value) == ([], "made")


def test_refused_course_file_blocks_the_start(api: FakeApi) -> None:
    """Errors of a file or its name are shown at the field, and no other course is run until it is removed."""
    api.refusal = RefusedError("No.", {"file": "there is no <line>", "name": "must be short"})
    form = choose_file(page(), "Course file of your own", "mine.kml", b"<kml/>")
    said_of_it = "This file can't be used: there is no <line>. Remove it, or choose another one."
    assert mistakes(form) == [escape("must be short"), escape(said_of_it)]
    press(form, "Start the race")
    assert mistakes(form)[-1] == escape(NOT_STARTED)
    assert api.requests == []
    form.file_uploader[0].set_value(None).run()
    assert mistakes(form) == []
    api.refusal = REFUSAL
    press(form, "Start the race")
    assert api.requests[0]["course"] == "hills"


def test_no_course_at_all(api: FakeApi) -> None:
    """Without a course the page says so, and offers an upload."""
    api.offered = []
    form = page()
    assert "has no courses yet" in said(form)
    assert [uploader.label for uploader in form.file_uploader] == ["Course file of your own", "Start list"]
    assert not [button for button in form.button if button.label == "Start the race"]


def test_options_as_the_api_has_them() -> None:
    """The form has every option of the API's, at the API's default, with all there is to choose from."""
    assert RaceRequest.model_fields.keys() - PlainRequest.model_fields.keys() == inputs.OPTION_NAMES
    for name, option in inputs.inputs(race_fields(openapi.document()), KM).items():
        known = RaceRequest.model_fields[name]
        assert option.schema.default == (None if name == "competitors" else known.default), name
        assert set(option.schema.enum) == option.shown.choices.keys()
        if option.schema.enum:
            assert set(option.schema.enum) == set(get_args(known.annotation))


def test_help_of_an_option(api: FakeApi) -> None:
    """Descriptions and limits are the API's, shown verbatim and not as Markdown."""
    assert api.offered
    form = page()
    assert field(form, "Frozen for, seconds").help == escape(
        "Length of such an episode, seconds. From 1 to 3,600."
    )
    assert escape("`wave_size`") in field(form, "Faster runners in front").help


def test_option_that_the_api_does_not_have(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """An option that an older API lacks isn't in the form."""
    older = race_fields(openapi.document())
    del older["gps_error"]
    monkeypatch.setattr(api, "race_fields", lambda: older)
    form = preset(page(), "Real parkrun")
    assert not [one for one in form.number_input if one.label == "GPS error, metres"]
    press(form, "Start the race")
    assert api.requests[0].keys().isdisjoint({"gps_error"})


def test_api_without_a_necessary_field(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a field that the form always sends, the page says what to do."""
    other = race_fields(openapi.document())
    del other["speed"]
    monkeypatch.setattr(api, "race_fields", lambda: other)

    assert escape("Run a simulator and a dashboard of the same version.") in said(page())


def test_field_without_bounds(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that the API describes without bounds is in the form without them."""
    other = race_fields(openapi.document())
    bare = {name: replace(other[name], minimum=None, maximum=None, default=None) for name in ("dnf", "speed")}
    monkeypatch.setattr(api, "race_fields", lambda: other | bare)
    form = press(page(), "Start the race")

    assert not form.exception
    assert api.requests


def test_options_are_folded_and_left_out(api: FakeApi) -> None:
    """The options are available when expanded, and defaults aren't sent."""
    form = page()
    assert not form.expander[-1].proto.expanded
    press(form, "Start the race")
    assert api.requests[0].keys().isdisjoint(inputs.OPTION_NAMES)


def test_options_are_sent_as_the_api_has_them(api: FakeApi) -> None:
    """Shares are typed in per cent and sent as shares, and only what was changed is sent."""
    form = page()
    field(form, "Pace distribution").set_value("parkrun")
    field(form, "Wave size, runners").set_value(50)
    field(form, "Crossing the start line, per second").set_value(2.5)
    field(form, "Don't finish (DNF), per cent").set_value(0.7)
    field(form, "Women, per cent").set_value(40.0)
    field(form, "GPS error, metres").set_value(2.5)
    field(form, "Include true positions").set_value(True)
    press(form, "Start the race")
    assert {name: value for name, value in api.requests[0].items() if name in inputs.OPTION_NAMES} == {
        "pace_model": "parkrun",
        "wave_size": 50,
        "start_flow": 2.5,
        "dnf": 0.007,
        "gps_error": 2.5,
        "ground_truth": True,
    }
    RaceRequest.model_validate(api.requests[0])


def test_time_limits_are_sent_as_text(api: FakeApi) -> None:
    """Cut-offs are sent as they are typed, and left out while the field is empty."""
    form = page()
    press(form, "Start the race")
    assert {"cut_offs", "cut_offs_from"}.isdisjoint(api.requests[0])
    field(form, "Time limits").set_value(" 4 km = 0:30:00; finish = 0:45:00 ")
    field(form, "Limits count from").set_value("wave")
    press(form, "Start the race")
    assert api.requests[1]["cut_offs"] == "4 km = 0:30:00; finish = 0:45:00"
    assert RaceRequest.model_validate(api.requests[1]).cut_offs == {"4 km": 1800.0, "finish": 2700.0}
    assert api.requests[1]["cut_offs_from"] == "wave"
    field(form, "Time limits").set_value("  ")
    press(form, "Start the race")
    assert "cut_offs" not in api.requests[2]


def test_mistake_in_the_time_limits(api: FakeApi) -> None:
    """An error in the limits is shown at their field until one of the fields that decide is changed."""
    api.refusal = RefusedError("No.", {"cut_offs": "must rise with the distance"})
    form = page()
    field(form, "Time limits").set_value("4 km = 0:50:00; finish = 0:45:00")
    press(form, "Start the race")
    assert escape("must rise with the distance") in mistakes(form)
    field(form, "Wave size, runners").set_value(50).run()
    assert escape("must rise with the distance") not in mistakes(form)


def test_mistake_among_the_options(api: FakeApi) -> None:
    """An error in an option is shown at its field: the expander is opened, and stays so."""
    api.refusal = RefusedError("No.", {"disqualified": "is too much", "seed": "must be whole"})
    form = page()
    field(form, "Don't start (DNS), per cent").set_value(60.0)
    press(form, "Start the race")
    assert form.expander[-1].proto.expanded
    assert mistakes(form) == [escape(text) for text in ("is too much", "must be whole", NOT_STARTED)]
    assert len(api.requests) == 1
    field(form, "Don't start (DNS), per cent").set_value(1.0).run()
    assert mistakes(form) == [escape("must be whole")]
    assert form.expander[-1].proto.expanded


def test_paces_without_effect(api: FakeApi) -> None:
    """With parkrun paces, the form's own paces are marked as ignored, and no finish time is predicted."""
    assert api.offered
    form = page()
    assert "Over after" in said(form)
    field(form, "Pace distribution").set_value("parkrun").run()
    assert said(form).count(escape("Ignored: the paces are those of a parkrun")) == 2
    assert "Finish in" not in said(form)
    assert "Over after" not in said(form)


def test_start_list(api: FakeApi) -> None:
    """A start list is shown and sent as text, and it alone determines the number of competitors."""
    form = page()
    words = "name,club\n<b>Åsa,Häger\nBo,\n"
    choose_file(form, "Start list", "list.csv", b"\xef\xbb\xbf" + words.encode())
    assert field(form, "Competitors").disabled
    assert escape("2 competitors") in said(form)
    assert escape("Over the hills, 2 runners, starts now") in said(form)
    assert f"<td>{escape('<b>Åsa')}</td>" in said(form)
    field(form, "Stop in a geofence").set_value(50).run()
    assert escape("1 of 2 competitors") in said(form)
    api.refusal = RefusedError("No.", {"start_list": "is wrong in line 2: <b>"})
    press(form, "Start the race")
    assert "competitors" not in api.requests[0]
    assert api.requests[0]["start_list"] == words
    assert mistakes(form) == [escape("is wrong in line 2: <b>"), escape(NOT_STARTED)]
    assert api.previews == [{}]
    press(form, "Remove the start list")
    assert mistakes(form) == []
    press(form, "Start the race")
    assert "start_list" not in api.requests[1]


def test_columns_of_a_start_list(api: FakeApi) -> None:
    """Another column can be chosen for a field; a column that had it has none, and the list is sent so."""
    form = choose_file(page(), "Start list", "list.csv", b"No,Verein,Who\n1,Ann,Harriers\n")
    assert [field(form, label).value for label in ("Bib", "Name", "Club")] == [1, 0, 2]
    field(form, "Name").set_value(2).run()
    assert [field(form, label).value for label in ("Bib", "Name", "Club")] == [1, 2, 0]
    field(form, "Club").set_value(3).run()
    assert api.previews == [{}, {"name": 2, "club": 0}, {"name": 2, "club": 3}]
    press(form, "Start the race")
    assert api.requests[0]["start_list"] == "No,name,club\n1,Ann,Harriers\n"


def test_start_list_with_errors(api: FakeApi) -> None:
    """Errors of a list are shown as soon as it is chosen, and it isn't sent; the columns are offered."""
    form = choose_file(page(), "Start list", "list.csv", b"A,B\n7,Ann\n")
    assert mistakes(form)[0].startswith(escape("The start list has no known column names"))
    assert [one.proto.expanded for one in form.expander if one.label == "Which column is which"] == [True]
    press(form, "Start the race")
    assert mistakes(form)[-1] == escape(NOT_STARTED)
    assert api.requests == []
    field(form, "Bib").set_value(1).run()
    assert mistakes(form) == []
    press(form, "Start the race")
    assert api.requests[0]["start_list"] == "bib,B\n7,Ann\n"


def test_notes_on_a_start_list(api: FakeApi) -> None:
    """What was assumed when the list was read is shown before it is sent."""
    assert api.offered
    form = choose_file(page(), "Start list", "list.csv", b"name,<email>\nAnn,")
    assert escape('Unused columns: "<email>"') in said(form)


def test_start_list_without_the_api(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the API doesn't respond, the list is read as soon as it does."""

    def away(_start_list: str, _columns: object) -> Any:
        raise ApiError("It does not respond.")

    with monkeypatch.context() as broken:
        broken.setattr(api, "preview_list", away)
        form = choose_file(page(), "Start list", "list.csv", b"name\nAnn")
        assert mistakes(form) == [escape("It does not respond.")]
    form.run()
    assert escape("1 competitor") in said(form)


def test_fields_of_a_start_list() -> None:
    """The form has a chooser for each field of a start list."""
    assert inputs.LIST_FIELDS.keys() == FIELDS.keys()


def test_start_list_that_is_no_text(api: FakeApi) -> None:
    """A spreadsheet file is an error at its field that says what to do, and nothing is sent."""
    form = choose_file(page(), "Start list", "list.csv", b"PK\x03\x04 xl/workbook.xml")
    said_of_it = "list.csv is an Excel file (.xlsx): open it, and save it as CSV UTF-8."
    assert mistakes(form) == [escape(said_of_it)]
    press(form, "Start the race")
    assert mistakes(form) == [escape(said_of_it), escape(NOT_STARTED)]
    assert api.requests == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig", "cp1252"])
def test_start_list_in_an_encoding_of_excel(api: FakeApi, encoding: str) -> None:
    """The text is sent whatever its encoding; if that isn't certain, a warning beside the field names it."""
    form = page()
    choose_file(form, "Start list", "list.csv", "bib,name\n1,Åsa Häger".encode(encoding))
    assert (escape("Windows-1252") in said(form)) == (encoding == "cp1252")
    press(form, "Start the race")
    assert api.requests[0]["start_list"] == "bib,name\n1,Åsa Häger"


def test_pressed_again(api: FakeApi) -> None:
    """While it is unknown whether a race was created, the same id is sent again, to create it once."""
    api.refusal = ApiError("The API does not respond.")
    form = press(press(page(), "Start the race"), "Start the race")
    assert len({request["run_id"] for request in api.requests}) == 1
    api.refusal = ConflictError("There is such a race.")
    press(press(form, "Start the race"), "Start the race")
    assert len({request["run_id"] for request in api.requests}) == 2
