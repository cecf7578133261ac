"""The results page as Streamlit runs it, without a browser."""

from collections.abc import Iterator

import pytest
from pandas.api.types import is_integer_dtype
from streamlit.testing.v1 import AppTest

from dashboard import context
from dashboard.analytics.activity import Activity
from dashboard.api import RaceApi
from dashboard.race.snapshots import Snapshots
from dashboard.results import page as results
from dashboard.settings import Settings
from dashboard.store.protocol import STATUSES, Competitor, StoreError
from dashboard.ui.escape import escape
from tests.dashboard.at_once import still_sampler
from tests.dashboard.fakes import FakeStore, at, race
from tests.dashboard.plain_stream import PlainStream
from tests.dashboard.race.test_finish_list import LENGTH, NOW, PASSED
from tests.dashboard.test_pages import UNREACHABLE, text


@pytest.fixture
def store() -> Iterator[FakeStore]:
    """A store with a race that is over."""
    known = FakeStore(known=[race(status="finished", competitors=5)], now=at(*NOW), passed=PASSED)
    seconds = iter(range(0, 10_000_000, 20))  # so much later each time that a race that is over is final
    snapshots = Snapshots(known, lambda: float(next(seconds)))
    context.install(Settings(), snapshots, RaceApi(UNREACHABLE), Activity(PlainStream(), 10), still_sampler())
    yield known
    context.uninstall()


def page(run_id: str = "run_1") -> AppTest:
    """The results page after it has run."""

    def script() -> None:
        import streamlit as st  # noqa: PLC0415 - the page is this function's text, run elsewhere

        from dashboard.results import page as results  # noqa: PLC0415

        page = st.Page(lambda: None, title="Live", url_path="live")
        st.navigation([page, st.Page(lambda: results.show(page, page), title="R", default=True)]).run()

    drawn = AppTest.from_function(script, default_timeout=30)
    drawn.query_params["run"] = run_id
    return drawn.run()


def test_finish_list(store: FakeStore) -> None:
    """The finish list has places, times, gaps, paces and splits as runners read them."""
    store.names = {2: Competitor("Åsa", "W35", 1)}
    drawn = page()
    assert "2 of 5 finished" in text(drawn)
    assert "Provisional" not in text(drawn)
    table = drawn.dataframe[0].value
    assert table.iloc[0].to_dict() == {
        "Place": 1,
        "Bib": 2,
        "Name": "Åsa",
        "Category": "W35",
        "Chip time": "0:16:40",
        "Gap": "",
        "Pace": "6:40",
        "1 km": "6:40",
        "2 km": "13:22",
        "Status": "Finished",
    }
    assert table["Gap"].tolist()[1:3] == ["+0:09", "\N{EN DASH}"]
    assert table["Status"].tolist() == ["Finished", "Finished", "Paused", "Running", "DNF"]


def test_places_of_who_is_running(store: FakeStore) -> None:
    """Competitors without a place have a dash there; places stay numbers, and are sorted as such."""
    assert store.known
    table = page().dataframe[0]
    assert table.value["Place"].dropna().tolist() == [1, 2]
    assert is_integer_dtype(table.value["Place"].dtype)
    assert table.value["Place"].isna().sum() == 3
    assert table.proto.placeholder == "\N{EN DASH}"


def test_clubs(store: FakeStore) -> None:
    """Clubs have a column if any competitor has one."""
    store.names = {1: Competitor("Åsa", "W35", 1, "Harriers"), 2: Competitor("Bo", "M", 1)}
    table = page().dataframe[0].value
    assert dict(zip(table["Bib"], table["Club"], strict=True)) == {1: "Harriers", 2: "", 3: "", 4: "", 5: ""}


def test_who_is_out(store: FakeStore) -> None:
    """DSQ, DNF and DNS are counted under these names; none of them wins."""
    store.now = at((6, 0.0, "dns", 0.0), (7, LENGTH, "dsq", 900.0), (999_999, 0.0, "waiting", 1.0), *NOW)
    drawn = page()
    for words in ("2 of 5 finished", "1 DSQ", "1 DNF", "1 DNS", "of 2 finishers"):
        assert words in text(drawn)
    table = drawn.dataframe[0].value
    assert table["Bib"].tolist() == [2, 1, 5, 3, 999_999, 7, 4, 6]
    assert table["Status"].tolist()[4:] == ["Waiting to start", "DSQ", "DNF", "DNS"]
    assert table["Chip time"].tolist()[5] == "\N{EN DASH}"


def test_every_status_has_its_word() -> None:
    """No status is shown as the tables call it."""
    assert set(results.STATUS_WORDS) == set(STATUSES)


def test_short_figures(store: FakeStore) -> None:
    """Winner, median and last are said at a glance."""
    assert store.known
    said = text(page())
    for word in ("Winner", "0&#58;16&#58;40", "Median", "Last"):
        assert word in said


def test_geofence_tables(store: FakeStore) -> None:
    """Stays are summed up by geofence, and the longest are listed, competitors still inside first."""
    assert store.known
    _, summed, longest = (frame.value for frame in page().dataframe)
    assert summed["Geofence"].tolist() == ["North", "Stadium"]
    assert summed["Median stay"].tolist() == ["1:10", "0:20"]
    assert longest["Stay"].tolist() == ["still inside", "1:40", "0:40", "0:20"]


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


def test_more_than_can_be_shown(store: FakeStore) -> None:
    """For a large race the list shows the first rows and refers to the CSV."""
    count = results.MAX_ROWS + 1
    store.known = [race(status="finished", competitors=count)]
    store.now = at(*((bib, 5000.0, "finished", 1000.0 + bib) for bib in range(1, count + 1)))
    drawn = page()
    assert drawn.dataframe[0].value["Bib"].tolist() == list(range(1, count))
    assert escape("The first 1,000 of 1,001; the CSV has all competitors.") in text(drawn)


@pytest.mark.parametrize(
    ("status", "said"),
    [("scheduled", "No competitors have started yet."), ("running", "No positions received yet.")],
)
def test_no_positions_yet(store: FakeStore, status: str, said: str) -> None:
    """Before the first position the page says so instead of showing an empty list."""
    store.known, store.now, store.passed = [race(status=status)], at(), []
    drawn = page()
    assert escape(said) in text(drawn)
    assert not drawn.dataframe


def test_no_finishers_yet(store: FakeStore) -> None:
    """Without finishers there is a message and no empty chart."""
    store.known, store.passed = [race(status="running")], []
    store.now = at((1, 300.0, "running", 100.0))
    said = text(page())
    assert escape("No competitors have finished yet.") in said
    assert escape("No competitors have reached a split yet.") in said


def test_comparing(store: FakeStore) -> None:
    """A competitor can be compared with the winner and the field, by bib and name."""
    store.names = {1: Competitor("$x$ **Bo**", "M", 1)}
    drawn = page()
    assert drawn.multiselect[0].options[0] == "1 \N{MIDDLE DOT} $x$ **Bo**"
    drawn.multiselect[0].select(1).run()
    assert not drawn.exception


def test_compared_while_places_change(store: FakeStore) -> None:
    """Compared competitors stay selected when the order changes and names arrive late."""
    store.known = [race(status="running", competitors=5)]
    drawn = page()
    drawn.multiselect[0].select(3).run()
    store.now = at(*NOW[:2], (3, 2500.0, "finished", 990.0), *NOW[3:])
    store.names = {3: Competitor("Late", "M", 1)}
    drawn.run()
    assert drawn.dataframe[0].value["Bib"][0] == 3
    assert drawn.multiselect[0].value == [3]


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
    assert drawn.run().dataframe


def test_long_course_has_few_columns(store: FakeStore) -> None:
    """On a long course every so many splits are shown, so that the list can be read."""
    store.passed = [(1, "split", f"{km} km", 1, 1000.0 * km, 200.0 * km) for km in range(1, 43)]
    columns = [name for name in page().dataframe[0].value.columns if name.endswith(" km")]
    assert columns == ["1 km", "6 km", "11 km", "16 km", "21 km", "26 km", "31 km", "36 km", "41 km"]
