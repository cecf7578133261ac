"""The page that makes a race as Streamlit runs it, without a browser and without an API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import context
from dashboard.api import OfferedCourse, RaceApi, RefusedError
from dashboard.settings import Settings
from dashboard.snapshots import Snapshots
from tests.dashboard.fakes import FakeApi, FakeStore

if TYPE_CHECKING:
    from collections.abc import Iterator

REFUSAL = RefusedError("It can't be.", {"seed": "must be a whole number"})


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """The API that the page asks; it refuses everything, or the page would lead elsewhere."""
    known = FakeApi([OfferedCourse("hills", "Over the hills", 5000.0, ())], REFUSAL)
    context.install(context.Context(Settings(), Snapshots(FakeStore()), cast("RaceApi", known)))
    yield known
    context.uninstall()


def page() -> AppTest:
    """The page after it has run."""

    def script() -> None:
        import streamlit as st  # noqa: PLC0415 - the page is this function's text, run elsewhere

        from dashboard import create  # noqa: PLC0415

        create.show(st.Page(lambda: None, title="Live", url_path="live"))

    return AppTest.from_function(script, default_timeout=30).run()


def sent(api: FakeApi, **fields: Any) -> Any:
    """The request of a form into which this was typed, by label."""
    form = page()
    for field in [*form.text_input, *form.number_input]:
        if field.label.lower() in fields:
            field.set_value(fields[field.label.lower()])
    form.button[0].click().run()
    assert not form.exception
    (request,) = api.requests
    return request


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
    """A seed goes to the API as a number, and what is none as it was typed: the API says what is wrong."""
    assert sent(api, seed=typed)["seed"] == seed


def test_empty_fields_are_left_to_the_api(api: FakeApi) -> None:
    """What is left empty isn't sent."""
    assert sent(api).keys().isdisjoint({"seed", "name"})


def test_share_as_the_api_has_it(api: FakeApi) -> None:
    """The share that stops is typed in the API's own unit, so that its words on limits are right."""
    share = "share stopping in a geofence, 0 to 1"
    assert sent(api, **{share: 0.25})["how_many_get_stopped"] == 0.25


def test_notes_on_a_course_are_folded(api: FakeApi) -> None:
    """What was noticed about a course's file is there for whoever opens it, and no alarm."""
    api.offered = [OfferedCourse("hills", "Over the hills", 5000.0, ("The line was <b>turned</b> round.",))]
    drawn = page()
    (notes,) = drawn.expander
    assert (notes.label, notes.proto.expanded) == ("Notes on this course", False)
    assert "turned" in str(notes.get("html")[0].proto.body)
    assert '<div class="notice' not in "".join(str(html.proto.body) for html in drawn.get("html"))
