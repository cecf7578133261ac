from collections.abc import Iterator
from typing import NamedTuple

import pytest

from dashboard.analytics.activity import Activity
from dashboard.analytics.charts import MOST_BARS
from dashboard.api import RaceApi
from dashboard.race.snapshots import Snapshots
from dashboard.settings import Settings
from dashboard.store.protocol import Competitor, StoreError
from dashboard.ui.formatting import clock
from dashboard.ui.viewer import Viewer
from tests.dashboard.analytics.pages import installed, page, said, tiles
from tests.dashboard.analytics.streams import BEGIN
from tests.dashboard.at_once import still_sampler
from tests.dashboard.events import Event, position
from tests.dashboard.fakes import FakeStore, at, race
from tests.dashboard.plain_stream import PlainStream
from tests.dashboard.test_pages import UNREACHABLE

NOW = BEGIN + 200
UTC = Viewer.of(None, "UTC")


class Shown(NamedTuple):
    """What the page reads."""

    store: FakeStore
    stream: PlainStream


@pytest.fixture
def shown() -> Iterator[Shown]:
    """Two races in the store, without events yet."""
    known = [
        race("one", name="Saturday", course="hills"),
        race("two", name="Sunday", course="flat", course_name="Over the flat"),
    ]
    store, stream = FakeStore(known=known), PlainStream()
    snapshots = Snapshots(store)
    activity = Activity(stream, 10, lambda: float(NOW))
    with installed(Settings(), snapshots, RaceApi(UNREACHABLE), activity, still_sampler()):
        yield Shown(store, stream)


def emitted(run: str, bib: int, ago: int, **other: object) -> Event:
    """An event emitted this many seconds ago, four metres a second since the first second."""
    second = NOW - BEGIN - ago
    fields = {
        "rawTime": second,
        "timestamp": 1000 * (NOW - ago),
        "distance": 4.0 * second,
        "elapsed": float(second),
        "emittedAt": 1000 * (NOW - ago),
        "course": {"one": "hills", "two": "flat"}[run],
    }
    return position(run, bib, **{**fields, **other})


def minute(run: str, bib: int, since: int = 120, until: int = 1) -> list[Event]:
    """An event each second from `since` to `until` seconds ago."""
    return [emitted(run, bib, ago) for ago in range(since, until - 1, -1)]


def test_no_events(shown: Shown) -> None:
    """Without events for an hour, the page says so in each place, and no chart is empty."""
    drawn = page()
    words = said(drawn)
    assert "No events found: no positions were emitted in the last hour." in words
    assert words.count("No events found") == 10
    assert "No finisher" not in words
    assert not drawn.get("vega_lite_chart")
    assert shown.stream.asked


def test_figures(shown: Shown) -> None:
    """Figures of the last minute have their change against the minute before."""
    shown.stream.events = [*minute("one", 1), *minute("one", 2, 60), *minute("two", 7, 30)]
    drawn = page()
    assert tiles(drawn) == {
        "Events": ("150", "+150%, was 60"),
        "Competitors": ("3", "+200%, was 1"),
        "Finished": ("0", "none before"),
        "Kilometres": ("0.6", "+151%, was 0.2"),
        "Courses": ("2", "+100%, was 1"),
        "Races": ("2", "+100%, was 1"),
    }
    assert "210 events in the last hour" in said(drawn)


def test_course_filters(shown: Shown) -> None:
    """With a course chosen, the figures are those of its races."""
    shown.stream.events = [*minute("one", 1), *minute("two", 7, 30)]
    drawn = page()
    assert drawn.selectbox(key="analytics-Course").options == ["All", "Over the flat", "Over the hills"]
    drawn.selectbox(key="analytics-Course").select("flat").run()
    assert tiles(drawn)["Events"] == ("30", "none before")
    assert "1 race" in said(drawn)


def test_longer_span(shown: Shown) -> None:
    """With five minutes chosen, the figures are those of five minutes."""
    shown.stream.events = minute("one", 1, 150)
    drawn = page()
    assert tiles(drawn)["Events"] == ("60", "no change")
    next(one for one in drawn.button_group if one.label == "Compare the last").set_value(5).run()
    assert tiles(drawn)["Events"] == ("150", "none before")


def test_figures_that_fall(shown: Shown) -> None:
    """Less than before is written with a minus sign."""
    shown.stream.events = [*minute("one", 1), *minute("one", 2, 120, 61)]
    assert tiles(page())["Events"] == ("60", "\N{MINUS SIGN}50%, was 120")


def test_time_of_the_figures(shown: Shown) -> None:
    """Figures of a longer span, which are computed less often, have a time of their own."""
    shown.stream.events = minute("one", 1)
    drawn = page()
    updated, until = NOW, NOW - NOW % 15
    assert updated != until
    assert f"updated {clock(1000 * updated, UTC)}" in said(drawn)
    assert f"figures up to {clock(1000 * updated, UTC)}" in said(drawn)
    next(one for one in drawn.button_group if one.label == "Compare the last").set_value(15).run()
    assert f"updated {clock(1000 * updated, UTC)}" in said(drawn)
    assert f"figures up to {clock(1000 * until, UTC)}" in said(drawn)


def test_late_events(shown: Shown) -> None:
    """Each race has its watermark and its late events, counted and in a chart of its windows."""
    late = emitted("one", 3, 5, timestamp=1000 * (NOW - 60), rawTime=1)
    shown.stream.events = [*minute("one", 1), late]
    drawn = page()
    words = said(drawn)
    assert "1 of 121 events late (0.83%)" in words
    assert "10 s allowed" in words
    assert len(drawn.get("vega_lite_chart")) >= 3


def test_newest_events(shown: Shown) -> None:
    """The newest events come first, with their details, and unusual ones are highlighted."""
    shown.stream.events = [
        *minute("one", 1, 30, 3),
        emitted("one", 4, 2, status="paused"),
        emitted("two", 7, 1, status="finished"),
        emitted("one", 3, 0, timestamp=1000 * (NOW - 60), rawTime=1),
    ]
    table = page().dataframe[0].value
    assert table["Bib"].tolist()[:4] == [3, 7, 4, 1]
    assert table["Arrived"].tolist()[:4] == ["late", "on time", "on time", "on time"]
    assert table["Status"].tolist()[1:4] == ["finished", "paused", "running"]
    assert table["Race"].tolist()[:2] == ["Saturday", "Sunday"]


def test_newest_of_a_bib(shown: Shown) -> None:
    """The newest events of one race and one bib are those alone."""
    shown.stream.events = [*minute("one", 1, 9), *minute("one", 2, 9), *minute("two", 2, 9)]
    drawn = page()
    drawn.number_input(key="analytics-bib").set_value(2)
    drawn.selectbox(key="analytics-Race").select("one").run()
    table = drawn.dataframe[0].value
    assert set(zip(table["Race"], table["Bib"], strict=True)) == {("Saturday", 2)}
    assert len(table) == 9


def test_newest_of_a_course(shown: Shown) -> None:
    """With a course chosen, the newest events are of its races alone, and so are the races to choose from."""
    shown.stream.events = [*minute("one", 1, 9), *minute("two", 7, 9)]
    drawn = page()
    drawn.selectbox(key="analytics-Race").select("one").run()
    drawn.selectbox(key="analytics-Course").select("flat").run()
    assert drawn.selectbox(key="analytics-Race").options == ["All", "Sunday"]
    assert drawn.selectbox(key="analytics-Race").value == "All"
    assert set(drawn.dataframe[0].value["Race"]) == {"Sunday"}
    drawn.selectbox(key="analytics-Course").select("All").run()
    assert drawn.selectbox(key="analytics-Race").options == ["All", "Saturday", "Sunday"]
    assert set(drawn.dataframe[0].value["Race"]) == {"Saturday", "Sunday"}


def test_new_races_come_last(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options keep their place, though the store has the newest race first."""
    monkeypatch.setattr("dashboard.race.snapshots.RACES_FRESH_FOR_S", 0)
    shown.stream.events = [*minute("one", 1, 9), *minute("two", 7, 9)]
    drawn = page()
    shown.store.known = [race("three", name="Another", course="hills"), *shown.store.known]
    drawn.run()
    for course, races in (
        ("All", ["Saturday", "Sunday", "Another"]),
        ("hills", ["Saturday", "Another"]),
        ("flat", ["Sunday"]),
        ("All", ["Saturday", "Sunday", "Another"]),
    ):
        drawn.selectbox(key="analytics-Course").select(course).run()
        assert drawn.selectbox(key="analytics-Race").options == ["All", *races]


def test_categories_of_a_course(shown: Shown) -> None:
    """With a course chosen, the categories are those of its entrants."""
    of = {"one": "W35", "two": "M40"}
    shown.store.competitors = lambda run_id, _some=None: {1: Competitor("A", of[run_id], 1)}  # type: ignore[method-assign, assignment]
    shown.store.now = at((1, 4000.0, "running", 1300.0))
    shown.stream.events = [*minute("one", 1, 9), *minute("two", 1, 9)]
    drawn = page()
    drawn.selectbox(key="analytics-Category").select("W35").run()
    drawn.selectbox(key="analytics-Course").select("flat").run()
    category = drawn.selectbox(key="analytics-Category")
    assert (category.options, category.value) == (["All", "M40"], "All")


def test_race_stays_chosen_while_the_store_is_unavailable(shown: Shown) -> None:
    """A race that was chosen on its course is still chosen when the store is back."""
    shown.stream.events = [*minute("one", 1, 9), *minute("two", 7, 9)]
    drawn = page()
    drawn.selectbox(key="analytics-Course").select("flat").run()
    drawn.selectbox(key="analytics-Race").select("two").run()
    shown.store.failure = shown.stream.failure = StoreError("Pinot's broker does not respond.")
    drawn.run()
    shown.store.failure = shown.stream.failure = None
    assert drawn.run().selectbox(key="analytics-Race").value == "two"


def test_two_races_of_one_name(shown: Shown) -> None:
    """Races with the same name are distinguished by their run ids."""
    shown.store.known = [race("one", name="Saturday"), race("two", name="Saturday")]
    shown.stream.events = [*minute("one", 1, 9), *minute("two", 2, 9)]
    assert set(page().dataframe[0].value["Race"]) == {"Saturday · one", "Saturday · two"}


def test_bars(shown: Shown) -> None:
    """Bars count competitors and finishers; with a category chosen, those of it."""
    shown.store.names = {1: Competitor("A", "W35", 1, "Harriers"), 2: Competitor("B", "M40", 1)}
    shown.store.now = at((1, 5000.0, "finished", 1200.0), (2, 4000.0, "running", 1300.0))
    shown.store.passed = [(1, "start", "Start", 1, 0.0, 0.0), (1, "finish", "Finish", 1, 5000.0, 1200.0)]
    shown.stream.events = minute("one", 1, 9)
    drawn = page()
    assert drawn.selectbox(key="analytics-Category").options == ["All", "M40", "W35"]
    drawn.selectbox(key="analytics-Category").select("M40").run()
    words = said(drawn)
    assert words.count("No finisher found.") == 2  # per pace band and per category
    assert "No finisher with a club found." in words
    assert "No geofence visits found." in words
    assert "No events found." not in words


@pytest.mark.parametrize(("clubs", "more"), [(MOST_BARS, None), (MOST_BARS + 5, "and 5 more")])
def test_more_bars_than_there_is_room_for(shown: Shown, clubs: int, more: str | None) -> None:
    """If bars are left out, their number is shown below."""
    bibs = range(1, clubs + 1)
    shown.store.names = {bib: Competitor("A", "W35", 1, f"Club {bib}") for bib in bibs}
    shown.store.now = at(*((bib, 5000.0, "finished", 1200.0) for bib in bibs))
    shown.store.passed = [(bib, "finish", "Finish", 1, 5000.0, 1200.0) for bib in bibs]
    shown.stream.events = minute("one", 1, 9)
    words = said(page())
    if more is None:
        assert " more" not in words
    else:
        assert words.count(more) == 1


def test_unavailable_store(shown: Shown) -> None:
    """While the store is unavailable each part says so in its place, and the page stays."""
    shown.stream.failure = StoreError("Pinot's broker does not respond.")
    drawn = page()
    words = said(drawn)
    assert words.count("Pinot's broker does not respond.") >= 4
    assert not drawn.exception
