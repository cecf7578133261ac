"""The pages as Streamlit runs them, without a browser."""

import json
import time
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import folium
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import context
from dashboard.analytics.activity import Activity
from dashboard.api import RaceApi
from dashboard.race import link
from dashboard.race.race_map import race_map
from dashboard.race.snapshots import Snapshots
from dashboard.settings import Settings
from dashboard.store import rows
from dashboard.store.protocol import Course, Race, StoreError
from dashboard.store.sql_store import SqlStore
from dashboard.store.sqlite_file import SqliteFile
from dashboard.ui.escape import escape
from dashboard.ui.viewer import UNKNOWN_LOCALE
from tests.dashboard import events
from tests.dashboard.at_once import still_sampler
from tests.dashboard.events import ROOT, SqliteWriter
from tests.dashboard.fakes import COURSE, VIEWER, FakeStore, race
from tests.dashboard.plain_stream import PlainStream

NOTICE = '<div class="notice'
UNREACHABLE = "http://127.0.0.1:9"
PAGES = str(ROOT / "dashboard" / "pages.py")


@pytest.fixture
def store() -> Iterator[FakeStore]:
    """The store that the pages read."""
    known = FakeStore()
    seconds = iter(range(1_000_000))
    snapshots = Snapshots(known, lambda: float(next(seconds)))
    context.install(Settings(), snapshots, RaceApi(UNREACHABLE), Activity(PlainStream(), 10), still_sampler())
    yield known
    context.uninstall()


def run(run_id: str | None = None) -> AppTest:
    """The live page after it has run, by a link to a race."""
    page = AppTest.from_file(PAGES, default_timeout=30)
    if run_id is not None:
        page.query_params["run"] = run_id
    return page.run()


def text(page: AppTest) -> str:
    """All that the page says by `words`."""
    assert not page.exception
    return "\n".join(str(html.proto.body) for html in page.get("html"))


def parts(page: AppTest) -> dict[str, dict[str, Any]]:
    """The data of figures, leaderboard and lists, by part."""
    assert not page.exception
    data_by_part = [json.loads(part.proto.json) for part in page.get("bidi_component")]
    return {data["part"]: data for data in data_by_part if "part" in data}


def test_race(store: FakeStore) -> None:
    """A race's page has its name, its facts, its figures, its leaderboard and its lists."""
    store.known = [race(speed=20.0, interval=40.0, seed=7)]
    page = run("run_1")
    said = text(page)
    for fact in (
        "Saturday",
        "Over the hills",
        "5.00 km",
        "2 competitors",
        "20\N{MULTIPLICATION SIGN} speed",
        "seed 7",
    ):
        assert escape(fact) in said
    data_by_part = parts(page)
    assert data_by_part["figures"] == {
        "part": "figures",
        "run": "run_1",
        "viewer": VIEWER.for_scripts | {"locale": UNKNOWN_LOCALE},
        "status": "running",
        "startsIn": None,
        "speed": 20.0,
        "tick": 2.0,
        "sexes": [],
        "look": "",
    }
    assert data_by_part["tallies"]["competitors"] == 2
    assert (data_by_part["leaderboard"]["distance"], data_by_part["leaderboard"]["favourites"]) == (
        5000.0,
        [],
    )
    assert data_by_part["panels"]["run"] == "run_1"


def test_forecasts(store: FakeStore) -> None:
    """Figures, leaderboard, map and a panel have forecasts while a race is under way on a known course."""
    for status, has_course, has_forecasts in (
        ("running", True, True),
        ("paused", True, True),
        ("running", False, False),
        ("finished", True, False),
        ("cancelled", True, False),
    ):
        store.known = [race(f"{status}_{has_course}", status=status, speed=20.0, interval=40.0)]
        store.courses = [COURSE] if has_course else []
        data_by_part = parts(run(store.known[0].run_id))
        assert data_by_part["leaderboard"]["hasForecasts"] == has_forecasts, (status, has_course)
        assert ("expected" in data_by_part) == has_forecasts
        assert "panels" in data_by_part


def test_forecasts_switched_off(store: FakeStore) -> None:
    """The link keeps the viewer's choice to see no forecasts; the map requests none then."""
    store.known = [race()]
    page = AppTest.from_file(PAGES, default_timeout=30)
    page.query_params["run"] = "run_1"
    page.query_params["forecasts"] = "false"
    data_by_part = parts(page.run())
    assert not data_by_part["leaderboard"]["hasForecasts"]
    assert "expected" not in data_by_part


def test_before_the_start(store: FakeStore) -> None:
    """Before the start there are the time until then and the start list, whose search the link keeps."""
    store.known = [race(status="scheduled", start_time=4_000_000_000_000)]
    store.now = rows.positions([])
    page = AppTest.from_file(PAGES, default_timeout=30)
    page.query_params["run"] = "run_1"
    page.query_params["find"] = "ann"
    page.query_params["sex"] = "F"
    shown = parts(page.run())
    assert shown.keys() == {"share", "figures", "start-list", "watch"}
    assert shown["figures"]["startsIn"] > 1e9
    assert shown["start-list"]["heading"]["title"] == "Saturday"
    assert shown["start-list"]["choices"] == {"find": "ann", "sex": "F"}


def test_favourites_in_the_link(store: FakeStore) -> None:
    """Favourites come from the link; what is no bib there is left out, and there are not too many."""
    store.known = [race()]
    page = AppTest.from_file(PAGES, default_timeout=30)
    page.query_params["run"] = "run_1"
    page.query_params["fav"] = "17,x,3,-4,<b>,\u0663,3," + ",".join(map(str, range(100, 140)))
    found = parts(page.run())["leaderboard"]["favourites"]
    assert found[:3] == [3, 17, 100]
    assert len(found) == link.MAX_FAVOURITES


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("scheduled", {"Pause the race", "Cancel the race"}),
        ("running", {"Pause the race", "Cancel the race"}),
        ("paused", {"Resume", "Cancel the race"}),
        ("finished", set()),
        ("cancelled", set()),
    ],
)
def test_what_can_be_done(store: FakeStore, status: str, offered: set[str]) -> None:
    """A race offers what can be done to it in its state, and nothing else."""
    store.known = [race(status=status)]
    there = {button.label for button in run("run_1").button} - {"Refresh now", "Announcer board"}
    assert there == offered


def test_api_away_when_asked(store: FakeStore) -> None:
    """Pausing a race while the API is unavailable shows an error, and the page stays."""
    store.known = [race()]
    page = run("run_1")
    page.button[0].click().run()
    assert "does not respond" in text(page)
    assert "Saturday" in text(page)


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


def test_labels_of_races(store: FakeStore) -> None:
    """Races are offered by name; only those that look the same have their run ids too."""
    store.known = [race("newer", name="Newer"), race("same-1", name="Same"), race("same-2", name="Same")]
    newer, *same = run().selectbox[0].options
    assert newer.startswith("Newer \N{MIDDLE DOT} ")
    assert "newer" not in newer
    assert [label.rpartition(" \N{MIDDLE DOT} ")[2] for label in same] == ["same-1", "same-2"]


def test_label_of_a_race_that_is_not_listed(store: FakeStore) -> None:
    """The chooser names a race that is newer than the list of races, or older than the listed ones."""
    store.known = [race("newer", name="Newer"), race("run_1", name="Saturday")]
    listed = store.known[:1]
    store.races = lambda: listed  # type: ignore[method-assign]
    (chooser,) = run("run_1").selectbox
    assert [label.partition(" \N{MIDDLE DOT} ")[0] for label in chooser.options] == ["Newer", "Saturday"]
    assert chooser.value == "run_1"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("paused", "This race is paused."),
        ("cancelled", "This race was cancelled."),
    ],
)
def test_race_that_stands_still(store: FakeStore, status: str, said: str) -> None:
    """A prominent notice says why no competitors move."""
    store.known = [race(status=status)]
    notices = [line for line in text(run("run_1")).splitlines() if NOTICE in line]
    assert len(notices) == 1
    assert escape(said) in notices[0]


@pytest.mark.parametrize("status", ["running", "finished"])
def test_nothing_to_say(store: FakeStore, status: str) -> None:
    """A running or finished race needs no notice."""
    store.known = [race(status=status)]
    assert NOTICE not in text(run("run_1"))


def test_before_the_first_tick(store: FakeStore) -> None:
    """Before the first tick the page is there; and one competitor is not several."""
    store.known = [race(competitors=1)]
    store.now = rows.positions([])
    page = run("run_1")
    drawn = {"share", "figures", "tallies", "leaderboard", "expected", "panels", "watch"}
    assert parts(page).keys() == drawn
    assert "<span>1 competitor</span>" in text(page)


@pytest.mark.parametrize(
    ("run_id", "said"),
    [("<b>x", "The link contains an invalid race id."), ("gone", "No race has the id “gone” yet.")],
)
def test_link_to_what_is_no_race(store: FakeStore, run_id: str, said: str) -> None:
    """A link to no race says so, and links to the recent races, the current one first."""
    store.known = [race("past", name="Past", status="cancelled"), race("now", name="Now", status="finished")]
    shown = text(run(run_id))
    assert "Unknown race" in shown
    assert escape(said) in shown
    assert 0 < shown.index(f'href="{escape("?run=now")}">Now<') < shown.index(f'{escape("?run=past")}">Past<')


def test_next_race_is_offered(store: FakeStore) -> None:
    """When the race shown has ended and a newer one runs, the page offers that one."""
    now = round(1000 * time.time())
    newer = race("newer", name="Newer", start_time=2000, updated_at=now)
    store.known = [newer, race(status="finished")]
    page = run("run_1")
    assert escape("The next race is on: Newer") in text(page)
    (watch,) = [button for button in page.button if button.label == "Watch it"]
    watch.click().run()
    assert page.query_params["run"] == "newer"
    assert "The next race" not in text(page)


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
    """When the course arrives while a viewer watches, the whole page is redrawn, the map with it."""
    store.known = [race()]
    minutes = iter(range(0, 1_000_000, 60))
    hasty = Snapshots(store, lambda: float(next(minutes)))
    context.install(hasty)
    found = chain([None], repeat(COURSE))
    store.course = lambda _short_name: next(found)  # type: ignore[method-assign, assignment]
    drawn: list[Course | None] = []

    def noted(race: Race, course: Course | None, *others: Any, **options: Any) -> folium.Map:
        drawn.append(course)
        return race_map(race, course, *others, **options)

    monkeypatch.setattr("dashboard.live.shown.race_map", noted)
    run("run_1")
    assert drawn == [None, COURSE]


@pytest.mark.parametrize("courses", [[COURSE], []])
def test_length_of_the_course(store: FakeStore, courses: list[Course]) -> None:
    """How much of the way is done is shown only if the course is known."""
    store.known, store.courses = [race()], courses
    page = run("run_1")
    assert parts(page)["leaderboard"]["distance"] == (5000.0 if courses else None)
    assert ("length unknown" in text(page)) is not bool(courses)


def test_no_race_yet(store: FakeStore) -> None:
    """An empty store is no error."""
    assert store.known == []
    assert "No race yet" in text(run())


def test_store_away_and_back(store: FakeStore) -> None:
    """While the store cannot be read the page says why, and recovers afterwards."""
    store.known = [race()]
    store.failure = StoreError("The broker sleeps.")
    page = run("run_1")
    assert "The broker sleeps" in text(page)
    assert not parts(page)
    store.failure = None
    assert parts(page.run())


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("instead", ["nothing", "what is no database", "a folder"])
def test_file_gone_and_back(tmp_path: Path, instead: str) -> None:
    """While the race file is missing or broken the page stays and the map shows why; both recover."""
    file, aside = tmp_path / "races.db", tmp_path / "aside.db"
    writer = SqliteWriter(file)
    writer.write("races", [events.race("run_1")])
    writer.write("parkrun", [events.position("run_1", 1)])
    seconds = iter(range(1_000_000))
    snapshots = Snapshots(SqlStore(SqliteFile(file)), lambda: float(next(seconds)))
    context.install(snapshots)
    page = run("run_1")
    drawn = parts(page)

    file.rename(aside)
    if instead == "a folder":
        file.mkdir()
    elif instead != "nothing":
        file.write_text(instead * 100)
    assert parts(page.run()) == drawn
    assert NOTICE not in text(page)
    why = "still loading" if instead == "nothing" else r"Cannot read the race file .*races\.db"
    with pytest.raises(StoreError, match=why):
        snapshots.get("run_1")

    if instead == "a folder":
        file.rmdir()
    aside.replace(file)
    assert parts(page.run()) == drawn
    assert len(snapshots.get("run_1").positions) == 1


def test_store_unavailable_while_a_race_is_watched(store: FakeStore) -> None:
    """Whatever a viewer does while the store is unavailable, the page stays, with the last snapshot."""
    store.known = [race("newer", name="Newer"), race("run_1")]
    page = run("run_1")
    drawn = parts(page)
    store.failure = StoreError("The broker sleeps.")
    page.toggle[0].set_value(False).run()
    assert parts(page) == drawn
    assert NOTICE not in text(page)  # the map and the figures say it
    page.selectbox[0].set_value("newer").run()
    assert "The broker sleeps" in text(page)
    page.selectbox[0].set_value("run_1").run()
    assert parts(page) == drawn


def test_store_away_is_asked_once(store: FakeStore) -> None:
    """While the store cannot be read, it isn't queried by each viewer."""
    still = Snapshots(store, lambda: 1.0)
    context.install(still)
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
