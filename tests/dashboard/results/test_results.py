"""The results page as Streamlit runs it, without a browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import context
from dashboard.analytics.activity import Activity
from dashboard.api import RaceApi
from dashboard.race.snapshots import Snapshots
from dashboard.settings import Settings
from dashboard.store.protocol import STATUSES, Competitor, StoreError
from dashboard.ui.escape import escape
from tests.dashboard.at_once import still_sampler
from tests.dashboard.fakes import FakeStore, at, race
from tests.dashboard.plain_stream import PlainStream
from tests.dashboard.race.test_finish_list import LENGTH, NOW, PASSED
from tests.dashboard.test_pages import UNREACHABLE, parts, text


@pytest.fixture
def store() -> Iterator[FakeStore]:
    """A store with a race that is over."""
    known = FakeStore(known=[race(status="finished", competitors=5)], now=at(*NOW), passed=PASSED)
    seconds = iter(range(0, 10_000_000, 20))  # so much later each time that a race that is over is final
    snapshots = Snapshots(known, lambda: float(next(seconds)))
    context.install(Settings(), snapshots, RaceApi(UNREACHABLE), Activity(PlainStream(), 10), still_sampler())
    yield known
    context.uninstall()


def page(run_id: str = "run_1", **link: str) -> AppTest:
    """The results page after it has run, with these parameters in its link."""

    def script() -> None:
        import streamlit as st  # noqa: PLC0415 - the page is this function's text, run elsewhere

        from dashboard.results import page as results  # noqa: PLC0415

        page = st.Page(lambda: None, title="Live", url_path="live")
        st.navigation([page, st.Page(lambda: results.show(page), title="R", default=True)]).run()

    drawn = AppTest.from_function(script, default_timeout=30)
    for name, value in {"run": run_id, **link}.items():
        drawn.query_params[name] = value
    return drawn.run()


def test_finish_list(store: FakeStore) -> None:
    """The page says how many have finished; the list gets its rows from the race's route."""
    store.names = {2: Competitor("Åsa", "W35", 1)}
    drawn = page()
    assert "2 of 5 finished" in text(drawn)
    assert "Provisional" not in text(drawn)
    finish_list = parts(drawn)["results"]
    assert finish_list["races"] == "racecast/races/run_1"
    assert finish_list["heading"]["title"] == "Saturday"
    assert {"Over the hills", "2 of 5 finished"} <= set(finish_list["heading"]["facts"])
    assert (finish_list["rank"], finish_list["choices"], finish_list["favourites"]) == ("gun", {}, [])


def test_choices_in_the_link(store: FakeStore) -> None:
    """The list begins with the link's filters, search, order and favourites."""
    assert store.known
    drawn = page(category="W35", sex="F", find="smith", sort="-chip", fav="3,1")
    finish_list = parts(drawn)["results"]
    assert finish_list["choices"] == {"category": "W35", "sex": "F", "find": "smith", "sort": "-chip"}
    assert finish_list["favourites"] == [1, 3]


def test_places_by_chip_time(store: FakeStore) -> None:
    """The link and the chooser choose the time that places go by."""
    assert store.known
    drawn = page()
    assert escape("0:16:41") in text(drawn)
    drawn.selectbox(key="rank").select("chip").run()

    assert drawn.query_params["rank"] == "chip"
    assert parts(drawn)["results"]["rank"] == "chip"
    assert escape("0:16:30") in text(drawn)


def test_teams(store: FakeStore) -> None:
    """With clubs in the start list there are teams, by the rules in the link; without any there are none."""
    assert "teams" not in parts(page())
    store.names = {2: Competitor("Åsa", "W35", 1, "Owls")}
    teams = parts(page(scorers="6", who="women", by="median"))["teams"]
    assert teams["rules"] == {"scorers": 6, "by": "place", "who": "women"}
    assert (teams["rank"], teams["whole"], teams["most"]) == ("gun", True, [2, 20])


def test_start_list(store: FakeStore) -> None:
    """Before the start the page has the start list, which also gets its rows from the race's route."""
    store.known, store.now, store.passed = [race(status="scheduled")], at(), []
    drawn = page()
    assert parts(drawn)["start-list"]["races"] == "racecast/races/run_1"
    assert "results" not in parts(drawn)


def test_who_is_out(store: FakeStore) -> None:
    """DSQ, DNF and DNS are counted under these names; none of them wins."""
    store.now = at((6, 0.0, "dns", 0.0), (7, LENGTH, "dsq", 900.0), (999_999, 0.0, "waiting", 1.0), *NOW)
    drawn = page()
    for words in ("2 of 5 finished", "1 DSQ", "1 DNF", "1 DNS", "of 2 finishers"):
        assert words in text(drawn)


def test_waves_without_a_start_list(store: FakeStore) -> None:
    """While entries are missing, the page says whose times may count from a wrong gun."""
    store.names = {2: Competitor("Åsa", "W35", 1)}
    assert escape("The start list is still arriving: 4 are timed from the first gun.") in text(page())


def test_every_status_has_its_word() -> None:
    """The browser shows no status as the tables call it."""
    script = (Path(context.__file__).parent / "static" / "formatting.js").read_text()
    words = re.search(r"const STATUS = \{(.*?)\}", script, re.DOTALL)
    assert words is not None
    assert set(re.findall(r"(\w+):", words[1])) == {*STATUSES, "stopped"}


def test_short_figures(store: FakeStore) -> None:
    """Winner, median and last are said at a glance."""
    assert store.known
    said = text(page())
    for word in ("Winner", "0&#58;16&#58;41", "Median", "Last"):
        assert word in said


def test_geofence_tables(store: FakeStore) -> None:
    """Stays are summed up by geofence, and the longest are listed, competitors still inside first."""
    assert store.known
    tables = parts(page())["stays"]
    assert [(row["fence"], row["median"]) for row in tables["summed"]] == [("North", 70.0), ("Stadium", 20.5)]
    assert [row["stay"] for row in tables["longest"]] == [None, 100.0, 40.0, 20.5]


def test_race_that_goes_on(store: FakeStore) -> None:
    """Results of a running race are marked as provisional."""
    store.known = [race(status="running", competitors=5)]
    assert "Provisional" in text(page())


def test_race_that_is_just_over(store: FakeStore) -> None:
    """Right after its end a race isn't provisional, but times may still arrive."""
    snapshots = Snapshots(store, lambda: 0.0)
    context.install(Settings(), snapshots, RaceApi(UNREACHABLE), Activity(PlainStream(), 10), still_sampler())
    said = text(page())
    assert "Provisional" not in said
    assert escape("Its last times may still be arriving.") in said


@pytest.mark.parametrize(
    ("status", "said"),
    [("scheduled", "No competitors have started yet."), ("running", "No positions received yet.")],
)
def test_no_positions_yet(store: FakeStore, status: str, said: str) -> None:
    """Before the first position the page says so instead of showing an empty list."""
    store.known, store.now, store.passed = [race(status=status)], at(), []
    drawn = page()
    assert escape(said) in text(drawn)
    assert "results" not in parts(drawn)


def test_no_finishers_yet(store: FakeStore) -> None:
    """Without finishers there is a message and no empty chart."""
    store.known, store.passed = [race(status="running")], []
    store.now = at((1, 300.0, "running", 100.0))
    said = text(page())
    assert escape("No competitors have finished yet.") in said
    assert escape("No competitors have reached a split yet.") in said


def test_comparing(store: FakeStore) -> None:
    """The first favourites are compared with the winner and the field, by bib and name."""
    store.names = {1: Competitor("$x$ **Bo**", "M", 1), 2: Competitor("Åsa", "W", 1)}
    drawn = page(fav="1,2,3,4,5,99")
    paces, _ = drawn.get("vega_lite_chart")
    assert "1 \N{MIDDLE DOT} $x$ **Bo**".encode() in paces.proto.SerializeToString()
    assert "Stars in the finish list" not in text(drawn)
    assert escape("Stars in the finish list add competitors to this chart.") in text(page())


def test_no_race_yet(store: FakeStore) -> None:
    """Without a race the page leads to the form."""
    store.known = []
    assert "No race yet" in text(page(""))


def test_store_away_and_back(store: FakeStore) -> None:
    """While the store cannot be read the page says why, and recovers afterwards."""
    store.failure = StoreError("The broker sleeps.")
    drawn = page()
    assert "The broker sleeps" in text(drawn)
    store.failure = None
    assert parts(drawn.run())["results"]
