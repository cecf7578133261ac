"""The pages as Streamlit runs them, without a browser."""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import context, formatting, rows
from dashboard.api import RaceApi
from dashboard.escape import escape
from dashboard.race_map import race_map
from dashboard.settings import Settings
from dashboard.snapshots import Snapshots
from dashboard.store import StoreError
from tests.dashboard.events import ROOT
from tests.dashboard.fakes import COURSE, FakeStore, race

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import folium

    from dashboard.store import Course, Race

NOTICE = '<div class="notice'
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def store() -> Iterator[FakeStore]:
    """The store that the pages read."""
    known = FakeStore()
    seconds = iter(range(1_000_000))
    snapshots = Snapshots(known, lambda: float(next(seconds)))
    context.install(context.Context(Settings(), snapshots, RaceApi(NOBODY)))
    yield known
    context.uninstall()


def run(run_id: str | None = None) -> AppTest:
    """The live page after it has run, by a link to a race."""
    page = AppTest.from_file(str(ROOT / "dashboard" / "pages.py"), default_timeout=30)
    if run_id is not None:
        page.query_params["run"] = run_id
    return page.run()


def text(page: AppTest) -> str:
    """All that the page says by `words`."""
    assert not page.exception
    return "\n".join(str(html.proto.body) for html in page.get("html"))


def test_race(store: FakeStore) -> None:
    """A race's page has its figures and its leaderboard."""
    store.known = [race()]
    page = run("run_1")
    assert "Saturday" in text(page)
    assert [(metric.label, metric.value) for metric in page.metric] == [
        ("On the course", "2"),
        ("Finished", "0"),
        ("Leader", "0.10 km"),
    ]
    assert page.dataframe[0].value["bib"].tolist() == [1, 2]


def test_newest_race_without_link(store: FakeStore) -> None:
    """Without a link the newest race is shown, and the address becomes a link to it."""
    store.known = [race("newer", name="Newer"), race("older", name="Older")]
    page = run()
    assert "Newer" in text(page)
    assert page.query_params["run"] == "newer"


def test_another_race_chosen(store: FakeStore) -> None:
    """Choosing another race leads to its page and its link."""
    store.known = [race("newer", name="Newer"), race("older", name="Older")]
    page = run()
    page.selectbox[0].set_value("older").run()
    assert "Older" in text(page)
    assert page.query_params["run"] == "older"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("scheduled", "Starts 2027-01-01 00:00."),
        ("paused", "This race is paused."),
        ("cancelled", "This race was cancelled."),
    ],
)
def test_race_that_stands_still(store: FakeStore, status: str, said: str) -> None:
    """Why nobody moves is said where it can't be missed."""
    store.known = [race(status=status, start_time=1_798_761_600_000)]
    notices = [line for line in text(run("run_1")).splitlines() if NOTICE in line]
    assert len(notices) == 1
    assert escape(said) in notices[0]


@pytest.mark.parametrize("status", ["running", "finished"])
def test_nothing_to_say(store: FakeStore, status: str) -> None:
    """A race that runs or is over needs no words."""
    store.known = [race(status=status)]
    assert NOTICE not in text(run("run_1"))


def test_before_the_first_tick(store: FakeStore) -> None:
    """Before the first tick nobody leads; and one competitor is not several."""
    store.known = [race(competitors=1)]
    store.now = rows.positions([])
    page = run("run_1")
    assert page.metric[2].value == formatting.UNKNOWN
    assert "<span>1 competitor</span>" in text(page)


def test_link_to_what_is_no_race(store: FakeStore) -> None:
    """A link with what can't be a race's name is said to be so, and the newest race is offered."""
    store.known = [race()]
    page = run("<b>x")
    assert "No race can have the name" in text(page)
    (button,) = [button for button in page.button if button.label == "Show the newest race"]
    button.click().run()
    assert "Saturday" in text(page)
    assert page.query_params["run"] == "run_1"


def test_chooser_follows_the_races(store: FakeStore) -> None:
    """The chooser says what state a race is in, also when that changes while the page is open."""
    store.known = [race()]
    ask = store.races

    def ends_after_the_first_look() -> Sequence[Race]:
        races = ask()
        store.known = [race(status="finished")]
        return races

    store.races = ends_after_the_first_look  # type: ignore[method-assign]
    page = run("run_1")
    assert "\N{MIDDLE DOT} finished \N{MIDDLE DOT}" in page.selectbox[0].options[0]


def test_course_that_comes_late(store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the course arrives while a viewer watches, the whole page is drawn anew, the map with it."""
    store.known = [race()]
    minutes = iter(range(0, 1_000_000, 60))
    known = context.current()
    hasty = Snapshots(store, lambda: float(next(minutes)))
    context.install(context.Context(known.settings, hasty, known.api))
    found = chain([None], repeat(COURSE))
    store.course = lambda _short_name: next(found)  # type: ignore[method-assign, assignment]
    drawn: list[Course | None] = []

    def noted(race: Race, course: Course | None, settings: Settings) -> folium.Map:
        drawn.append(course)
        return race_map(race, course, settings)

    monkeypatch.setattr("dashboard.live.race_map", noted)
    run("run_1")
    assert drawn == [None, COURSE]


@pytest.mark.parametrize("courses", [[COURSE], []])
def test_what_is_to_go(store: FakeStore, courses: list[Course]) -> None:
    """How far it is to go is said only if the course is known."""
    store.known, store.courses = [race()], courses
    assert ("to_go" in run("run_1").dataframe[0].proto.column_order) is bool(courses)


def test_no_race_yet(store: FakeStore) -> None:
    """An empty store is no error."""
    assert store.known == []
    assert "No race yet" in text(run())


def test_store_away_and_back(store: FakeStore) -> None:
    """While the store can't be read the page says why, and it is itself again afterwards."""
    store.known = [race()]
    store.failure = StoreError("The broker sleeps.")
    page = run("run_1")
    assert "The broker sleeps" in text(page)
    assert not page.metric
    store.failure = None
    assert len(page.run().metric) == 3


def test_store_away_is_asked_once(store: FakeStore) -> None:
    """While the store can't be read, it isn't asked by each viewer."""
    known = context.current()
    still = Snapshots(store, lambda: 1.0)
    context.install(context.Context(known.settings, still, known.api))
    store.failure = StoreError("The broker sleeps.")
    for _ in range(5):
        assert "The broker sleeps" in text(run("run_1"))
    assert store.asked == ["races"]


def test_store_that_fails_halfway(store: FakeStore) -> None:
    """A race whose list can be read but not its course is said to be so, once, not again and again."""
    store.known = [race()]

    def broken(_short_name: str) -> None:
        raise StoreError("The course is torn.")

    store.course = broken  # type: ignore[method-assign, assignment]
    assert "The course is torn" in text(run("run_1"))


def test_names_shown_as_typed(store: FakeStore) -> None:
    """A hostile name is in the page only as letters and references."""
    store.known = [race(name="<script>${alert(1)}</script>")]
    assert "<script>" not in text(run("run_1"))
