"""What viewers may do: read-only dashboards, links for watching, and frames of other sites' pages."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from streamlit.testing.v1 import AppTest

from dashboard import context
from dashboard.analytics.activity import Activity
from dashboard.api import ApiError, RaceApi
from dashboard.headers import SecurityHeaders
from dashboard.race.snapshots import Snapshots
from dashboard.read_only import ReadOnly
from dashboard.settings import Settings
from tests.dashboard.at_once import still_sampler
from tests.dashboard.fakes import FakeStore, race
from tests.dashboard.plain_stream import PlainStream
from tests.dashboard.test_pages import PAGES, parts, text

UNREACHABLE = "http://127.0.0.1:9"
NAMED = "https://club.example"
SELF = "frame-ancestors 'self'"


@pytest.fixture
def store() -> Iterator[FakeStore]:
    """A store with one running race."""
    known = FakeStore()
    known.known = [race()]
    api = RaceApi(UNREACHABLE)
    context.install(Settings(), Snapshots(known), api, Activity(PlainStream(), 10), still_sampler())
    yield known
    context.uninstall()


def run(**parameters: str) -> AppTest:
    """The live page after it has run, by a link with these parameters."""
    page = AppTest.from_file(PAGES, default_timeout=30)
    for name, value in parameters.items():
        page.query_params[name] = value
    return page.run()


def labels(page: AppTest) -> set[str]:
    """The labels of all buttons but the View menu's."""
    assert not page.exception
    return {button.label for button in page.button} - {"Refresh now", "Announcer board"}


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("view", ["watch", "wall", "announcer", "embed"])
def test_views_without_controls(view: str) -> None:
    """No view but the whole page has controls that change a race; an unknown one is the whole page."""
    assert labels(run(run="run_1", view=view)) == set()
    assert labels(run(run="run_1", view="other")) == {"Pause the race", "Cancel the race"}


@pytest.mark.usefixtures("store")
def test_read_only() -> None:
    """A read-only dashboard has no such controls in any view."""
    context.install(Settings(read_only=True))
    assert labels(run(run="run_1")) == set()


@pytest.mark.usefixtures("store")
def test_read_only_navigation() -> None:
    """A read-only dashboard leads to all pages but the one that creates races; planning creates none."""
    context.install(Settings(read_only=True))
    (links,) = [data["links"] for data in _components(run(run="run_1")) if "links" in data]

    titles = [link["title"] for link in links]

    assert "Plan" in titles
    assert "New race" not in titles


def _components(page: AppTest) -> Iterator[dict[str, Any]]:
    for part in page.get("bidi_component"):
        yield json.loads(part.proto.json)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("view", ["watch", "embed"])
def test_views_that_stay(view: str) -> None:
    """Whatever removes the view from the link, the session does not leave it."""
    page = run(run="run_1", view=view)
    del page.query_params["view"]
    page.run()
    assert page.query_params["view"] == view
    assert labels(page) == set()


@pytest.mark.usefixtures("store")
def test_wall_without_a_link(store: FakeStore) -> None:
    """A wall without a race in its link follows the newest one, and does not write it into the link."""
    page = run(view="wall")
    assert "Saturday" in text(page)
    assert "run" not in page.query_params
    store.known = [race("newer", name="Newer", start_time=race().start_time + 1), race()]
    context.install(Snapshots(store))
    assert "Newer" in text(page.run())


def test_announcer_board(store: FakeStore) -> None:
    """The board has the race, the choices in the link and nothing else; it follows the newest race."""
    page = run(view="announcer", point="3 km", rank="chip")
    shown = parts(page)
    assert shown.keys() == {"announcer", "watch"}
    board = shown["announcer"]
    assert (board["title"], board["races"], board["status"]) == (
        "Saturday",
        "racecast/races/run_1",
        "running",
    )
    assert (board["point"], board["rank"], board["hasRanks"], board["note"]) == ("3 km", "chip", True, "")
    assert "run" not in page.query_params
    store.known = [race("newer", name="Newer", start_time=race().start_time + 1), race()]
    context.install(Snapshots(store))
    assert parts(page.run())["announcer"]["title"] == "Newer"


def test_announcer_board_of_a_large_race(store: FakeStore) -> None:
    """Of a race shown by a sample, places go by gun time, and the board says what it shows."""
    store.known = [race(competitors=60_000)]
    board = parts(run(view="announcer", rank="chip"))["announcer"]
    assert (board["rank"], board["hasRanks"]) == ("gun", False)
    assert "the first 1,000 finishers" in board["note"]


@pytest.mark.usefixtures("store")
def test_way_to_the_announcer_board() -> None:
    """The View menu of the live page leads to the board of the same race."""
    page = run(run="run_1")
    (button,) = [one for one in page.button if one.label == "Announcer board"]
    button.click().run()
    assert page.query_params["view"] == "announcer"
    assert parts(page).keys() == {"announcer", "watch"}
    assert parts(page)["announcer"]["run"] == "run_1"


@pytest.mark.parametrize(
    "change",
    [
        lambda api: api.change("run_1", "pause"),
        lambda api: api.create_race({}),
        lambda api: api.upload_course(b"", None),
    ],
)
def test_read_only_client(change: object) -> None:
    """The client of a read-only dashboard refuses every change without a request."""
    assert callable(change)
    with pytest.raises(ApiError, match="read-only"):
        change(RaceApi(UNREACHABLE, read_only=True))


def _answer(_: Request) -> PlainTextResponse:
    return PlainTextResponse("here")


def _ask(method: str, path: str, *middleware: Middleware) -> httpx.Response:
    """What an application with this middleware answers."""
    route = Route("/{path:path}", _answer, methods=["GET", "PUT", "POST", "DELETE"])
    transport = httpx.ASGITransport(Starlette(routes=[route], middleware=middleware))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://dashboard") as client:
            return await client.request(method, path)

    return asyncio.run(ask())


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("PUT", 403), ("POST", 403), ("DELETE", 403)])
def test_read_only_requests(method: str, status: int) -> None:
    """A read-only dashboard rejects requests that could change anything: Streamlit's uploads, too."""
    answer = _ask(method, "/_stcore/upload_file/session/file", Middleware(ReadOnly))
    assert answer.status_code == status
    assert answer.status_code != httpx.codes.FORBIDDEN or answer.text == "This dashboard is read-only."


@pytest.mark.parametrize(
    ("path", "is_framed"),
    [
        ("/?run=run_1&view=embed", True),
        ("/component/streamlit_folium.st_folium/index.html", True),
        ("/", False),
        ("/new?view=watch", False),
        ("/?view=embed&view=wall", False),
        ("/?view=wall&x=view=embed", False),
        ("/racecast/component/", False),
    ],
)
def test_framing(path: str, is_framed: bool) -> None:  # noqa: FBT001 - of the table above
    """Named origins may frame the embedded view and the frames in it; without one, no origin may."""
    for origins, policy in (([NAMED], f"{SELF} {NAMED}" if is_framed else SELF), ([], SELF)):
        answer = _ask("GET", path, Middleware(SecurityHeaders, origins))
        assert answer.headers["Content-Security-Policy"] == policy
