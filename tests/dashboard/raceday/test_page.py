"""The race day page as Streamlit runs it, without a browser."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import context
from dashboard.api import RaceApi
from dashboard.race.forecasts import Forecaster
from dashboard.race.snapshots import Snapshots
from dashboard.raceday.days import RaceDays
from dashboard.raceday.tables import MOST_LISTED
from dashboard.settings import Settings
from dashboard.store.protocol import Competitor
from dashboard.ui.escape import escape
from simulator.race.race import Race
from stream.cut_offs import CutOff, CutOffs
from tests.dashboard.fakes import FakeStore, at, race
from tests.dashboard.race.big import simulated, store_at
from tests.dashboard.raceday.test_day import LIMITS, MIDDLE, Clock
from tests.dashboard.test_pages import UNREACHABLE, text

DASH = "\N{EN DASH}"


@pytest.fixture(scope="module")
def limited() -> Race:
    """A race with cut-offs by wave."""
    return simulated(**LIMITS)


@pytest.fixture
def uninstalled() -> Iterator[None]:
    """Remove what a test has installed."""
    yield
    context.uninstall()


def page(store: FakeStore, run_id: str = "run_1") -> AppTest:
    """The race day page of a store after it has run."""

    def script() -> None:
        import streamlit as st  # noqa: PLC0415 - the page is this function's text, run elsewhere

        from dashboard.raceday import page as raceday  # noqa: PLC0415

        page = st.Page(lambda: None, title="New", url_path="new")
        st.navigation([page, st.Page(lambda: raceday.show(page), title="R", default=True)]).run()

    clock = Clock()
    snapshots = Snapshots(store, clock)
    days = RaceDays(store, snapshots, Forecaster(snapshots, clock), clock)
    context.install(Settings(), snapshots, RaceApi(UNREACHABLE), days)
    drawn = AppTest.from_function(script, default_timeout=60)
    drawn.query_params["run"] = run_id
    return drawn.run()


def table(drawn: AppTest, name: str) -> list[list[str]]:
    """The cells of a table, row by row, the head first."""
    (body,) = [
        str(html.proto.body)
        for html in drawn.get("html")
        if f'data-table="{escape(name)}"' in str(html.proto.body)
    ]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [[unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


pytestmark = pytest.mark.usefixtures("uninstalled")


def test_cut_offs_at_a_glance(limited: Race) -> None:
    """Each cut-off has its limit by clock and race time, and who is through, to come and out."""
    drawn = page(store_at(limited, MIDDLE, is_big=False))
    head, *rows = table(drawn, "cut-offs")

    assert head == ["Point", "Limit", "Limit from own gun", "Through", "To come", "Expected late", "Out"]
    # The gun is at 00:00:00; the last wave's four minutes later.
    assert [row[:3] for row in rows] == [
        ["2 km", f"00:13:00{DASH}00:17:00", "0:13:00"],
        ["3 km", f"00:21:00{DASH}00:25:00", "0:21:00"],
        ["Finish", f"00:32:00{DASH}00:36:00", "0:32:00"],
    ]
    assert all(cell.replace(",", "").isdecimal() for row in rows for cell in row[3:])
    assert int(rows[0][6]) > 0


def test_lists_of_a_cut_off(limited: Race) -> None:
    """The lists are those of the next cut-off at first, and of another one when it is chosen."""
    drawn = page(store_at(limited, MIDDLE, is_big=False))
    (chooser,) = [box for box in drawn.selectbox if box.label == "Competitors at"]
    assert chooser.options == ["2 km", "3 km", "Finish"]
    assert chooser.value == "2 km"
    head, *out = table(drawn, "out")
    assert head == ["Bib", "Name", "Stopped", "Too late by"]
    assert len(out) == int(table(drawn, "cut-offs")[1][6])

    chooser.set_value("3 km").run()
    head, *close = table(drawn, "close")
    assert head == ["Bib", "Name", "Expected", "To go", "Margin", "Too late"]
    assert 0 < len(close) <= MOST_LISTED
    assert {row[5].removesuffix(" %").isdecimal() for row in close} == {True}
    assert {row[4].split()[1] for row in close} <= {"spare", "late"}

    chooser.set_value("finish").run()
    assert table(drawn, "out")[0] == ["Bib", "Name", "Stopped", "Covered"]
    assert "No one." in unescape(text(drawn))


def test_aid_stations(limited: Race) -> None:
    """Geofences and the finish have a chart each, with arrivals so far and the busiest time."""
    drawn = page(store_at(limited, MIDDLE, is_big=False))
    said = unescape(text(drawn))

    assert len(drawn.get("vega_lite_chart")) == len(drawn.multiselect[0].value) > 1
    assert re.search(
        rf"[\d,]+ so far.*[\d,]+ expected.*busiest 00:\d\d{DASH}00:\d\d: [\d,]+", said, re.DOTALL
    )
    assert "forecasts of all who are on the course" in said
    drawn.multiselect[0].set_value([]).run()
    assert not drawn.get("vega_lite_chart")


def test_a_race_that_a_sample_shows(limited: Race) -> None:
    """Counts are of all, expected arrivals are scaled up, and the page says of how many."""
    said = unescape(text(page(store_at(limited, MIDDLE, is_big=True))))
    assert "those so far are all; expected ones are scaled up from 100 of 60,000" in said
    assert "of 100 of 60,000 competitors; “Expected late” above is scaled up from these" in said


def test_a_race_without_cut_offs(limited: Race) -> None:
    """The page says how cut-offs are set, and shows arrivals all the same."""
    store = store_at(limited, MIDDLE, is_big=False)
    store.known = [replace(store.known[0], cut_offs=None)]
    drawn = page(store)
    assert escape("This race has no cut-offs. They are set when a race is created") in text(drawn)
    assert drawn.get("vega_lite_chart")


def test_before_the_gun() -> None:
    """Before the gun there are limits; the page says when arrivals appear."""
    limits = CutOffs((CutOff("finish", "Finish", 1, 5000.0, 3600.0),))
    drawn = page(FakeStore(known=[race(status="scheduled", cut_offs=limits)], now=at()))
    (_, row) = table(drawn, "cut-offs")
    assert row[3:] == ["0", "0", DASH, "0"]
    assert "Arrivals appear as soon as the first competitors are on the course." in unescape(text(drawn))


def test_names_are_shown_as_they_are(limited: Race) -> None:
    """Names are text: markup in them is shown, not interpreted."""
    store = store_at(limited, MIDDLE, is_big=False)
    store.names = {bib: replace(who, name="<b>${x}</b> `y`") for bib, who in store.names.items()}
    drawn = page(store)
    assert {row[1] for row in table(drawn, "out")[1:]} == {"<b>${x}</b> `y`"}
    assert "<b>" not in text(drawn)


def test_unknown_course(limited: Race) -> None:
    """Without the course there are cut-offs, and no places to count arrivals at."""
    store = store_at(limited, MIDDLE, is_big=False)
    store.courses = []
    drawn = page(store)
    assert len(table(drawn, "cut-offs")) == 4
    assert "The course of this race is not known" in unescape(text(drawn))


def test_unknown_race() -> None:
    """A link to no race says so, as on all pages."""
    drawn = page(FakeStore(known=[race()], names={1: Competitor("A", "M", 1)}), "no_such")
    assert "Unknown race" in unescape(text(drawn))
