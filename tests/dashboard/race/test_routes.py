import asyncio
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from dashboard.metrics import Metrics
from dashboard.race.feed import Feed
from dashboard.race.finder import Finder
from dashboard.race.forecasts import Forecaster
from dashboard.race.history import History
from dashboard.race.routes import file_address, routes
from dashboard.race.sample import MOST_WHOLE
from dashboard.race.snapshots import Snapshots
from dashboard.store import rows
from dashboard.store.protocol import STATUSES, Competitor, StoreError
from tests.dashboard.fakes import FakeStore, at, positions, race

FEED = "/racecast/races/run_1/positions"
COMPONENT = "http://testserver/component/streamlit_folium.st_folium/"


class Client:
    """Sends requests to the routes without a socket, each a second after the last."""

    def __init__(self, store: FakeStore) -> None:
        seconds = iter(range(1000))
        snapshots = Snapshots(store, lambda: float(next(seconds)))
        history, finder = History(store, snapshots), Finder(store, snapshots)
        forecaster = Forecaster(snapshots, lambda: float(next(seconds)))
        self._app = Starlette(
            routes=routes(snapshots, history, finder, Feed(snapshots), forecaster, Metrics())
        )

    def get(self, address: str, **params: str) -> httpx.Response:
        """Send a request and return the response."""
        return asyncio.run(self._get(address, params))

    async def _get(self, address: str, params: dict[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.get(address, params=params or None)


@pytest.fixture
def store() -> FakeStore:
    """A store with one race."""
    return FakeStore(known=[race()])


@pytest.fixture
def client(store: FakeStore) -> Client:
    """A client of the routes on the store."""
    return Client(store)


def test_positions_by_columns(client: Client) -> None:
    """The feed has all competitors' places, distances and statuses, compressed."""
    answer = client.get(FEED)
    assert answer.headers["content-encoding"] == "gzip"
    body = answer.json()
    columns = body["columns"]
    assert columns["competitor"] == [1, 2]
    assert columns["lon"] == [0.001, 0.002]
    assert columns["lat"] == [51.0, 51.0]
    assert columns["distance"] == [100.0, 100.0]
    assert columns["place"] == [1, 1]
    assert [body["statuses"][number] for number in columns["status"]] == ["running", "running"]


@pytest.mark.parametrize("query", ["", "?run=run_1&fav=1"])
def test_live_page_by_its_name(client: Client, query: str) -> None:
    """/live redirects to the live page, keeping the rest of the link."""
    answer = client.get(f"/live{query}")
    assert answer.is_redirect
    assert str(answer.url.join(answer.headers["location"])) == f"http://testserver/{query}"


def test_times_are_those_of_the_results(store: FakeStore, client: Client) -> None:
    """Times and gaps are in milliseconds, since the own gun and the own start as in the results."""
    store.now = at((1, 5000.0, "finished", 791.973), (2, 5000.0, "finished", 794.936))
    store.passed = [(1, "start", "Start", 1, 0.0, 2.996), (1, "split", "1 km", 1, 1000.0, 180.995)]
    store.names = {1: Competitor("Åsa", "W35", 1), 2: Competitor("Bo", "M", 2)}
    columns = client.get(FEED).json()["columns"]
    assert columns["competitor"] == [2, 1]
    assert columns["elapsed"] == [794.936, 791.973]
    assert columns["gun"] == [734.936, 791.973]
    assert columns["chip"] == [734.936, 788.977]
    assert columns["gap"] == [0.0, 57.037]
    assert columns["split_time"] == [None, 177.999]


def test_results(store: FakeStore, client: Client) -> None:
    """The results are ranked by gun or chip time, and sent again only when they have changed."""
    store.now = at((1, 5000.0, "finished", 1010.0), (2, 5000.0, "finished", 1000.0))
    store.passed = [(1, "start", "Start", 1, 0.0, 20.0)]
    address = "/racecast/races/run_1/results"
    by_gun, by_chip = (client.get(address, rank=rank).json() for rank in ("gun", "chip"))
    assert by_gun["columns"]["competitor"] == [2, 1]
    assert by_chip["columns"]["competitor"] == [1, 2]
    assert client.get(address, rank="chip", seen=by_chip["version"]).status_code == 204
    assert client.get(address, seen=by_chip["version"]).status_code == 200
    refused = client.get(address, rank="net")
    assert refused.status_code == 400
    assert refused.json()["detail"] == "The parameter `rank` must be gun or chip."


def test_teams(store: FakeStore, client: Client) -> None:
    """The teams are scored by the rules of the request, and sent again only when they have changed."""
    store.now = at(
        (1, 5000.0, "finished", 1010.0),
        (2, 5000.0, "finished", 1000.2),
        (3, 4000.0, "running", 1010.0),
        (4, 5000.0, "finished", 1005.0),
    )
    people = {1: ("Åsa", "F", "Owls"), 2: ("Bo", "M", "Owls"), 3: ("Cy", "M", "owls"), 4: ("Di", "F", "")}
    store.known = [race(competitors=4)]
    store.names = {bib: Competitor(name, "M", 1, club, sex) for bib, (name, sex, club) in people.items()}
    address = "/racecast/races/run_1/teams"
    found = client.get(address, scorers="2", by="time", who="mixed").json()
    assert (found["scorers"], found["by"], found["who"], found["rank"], found["over"]) == (
        *(2, "time", "mixed", "gun", False),
    )
    (team,) = found["teams"]
    assert (team["place"], team["club"], team["score"], team["finished"], team["to_come"]) == (
        *(1, "Owls", 2011, 2, 1),
    )
    assert team["scorers"][1] == {"place": 3, "bib": 1, "name": "Åsa", "sex": "F", "time": 1010}
    assert client.get(address).json()["teams"][0]["place"] is None
    seen = client.get(address)
    assert client.get(address, seen=seen.json()["version"]).status_code == 204
    store.now = at((1, 5000.0, "finished", 1009.0))
    assert client.get(address, seen=seen.json()["version"]).status_code == 200


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"scorers": "1"}, "`scorers` must be a whole number from 2 to 20."),
        ({"scorers": "21"}, "`scorers` must be a whole number from 2 to 20."),
        ({"scorers": "04"}, "`scorers` must be a whole number from 2 to 20."),
        ({"by": "points"}, "`by` must be place or time."),
        ({"who": "F"}, "`who` must be all or women or men or mixed."),
        ({"rank": "net"}, "`rank` must be gun or chip."),
    ],
)
def test_unknown_rules_of_teams(client: Client, query: dict[str, str], words: str) -> None:
    """A rule that isn't one is refused with those that there are."""
    refused = client.get("/racecast/races/run_1/teams", **query)
    assert (refused.status_code, refused.json()["detail"]) == (400, f"The parameter {words}")


def test_teams_of_a_large_race(store: FakeStore, client: Client) -> None:
    """A race of which not all clubs are read has no table of teams, and the answer says where they are."""
    address = "/racecast/races/run_1/teams"
    store.known = [race(competitors=MOST_WHOLE)]
    assert client.get(address).status_code == 200
    store.known = [race(competitors=MOST_WHOLE + 1, seed=2)]
    refused = client.get(address)
    assert (refused.status_code, "the CSV file has them" in refused.json()["detail"]) == (404, True)


def test_nothing_new(client: Client, store: FakeStore) -> None:
    """A client that has the newest positions gets 204 without a body, until there are newer ones."""
    seen = client.get(FEED).json()["version"]
    answer = client.get(FEED, seen=seen)
    assert (answer.status_code, answer.content) == (204, b"")
    store.now = positions(distance=101.0)
    assert client.get(FEED, seen=seen).status_code == 200


def test_rest_of_a_tick(client: Client, store: FakeStore) -> None:
    """Positions of one tick that the store shows in two halves come in two payloads."""
    ran = [(bib, 0.001 * bib, 51.0, 4950.0, "running", 990.0, 0) for bib in (1, 2, 3)]
    done = [(bib, 0.001 * bib, 51.0, 5000.0, "finished", 1000.0, 0) for bib in (1, 2, 3)]
    store.now = rows.positions([done[0], *ran[1:]])
    half = client.get(FEED).json()
    store.now = rows.positions(done)
    whole = client.get(FEED, seen=half["version"]).json()
    shown = [[body["statuses"][n] for n in body["columns"]["status"]] for body in (half, whole)]
    assert shown == [["finished", "running", "running"], ["finished"] * 3]


def test_payload_out_of_the_past(client: Client, store: FakeStore) -> None:
    """With `at` the feed has the race as it was then."""
    store.past = {20: positions(distance=33.0)}
    body = client.get(FEED, at="20.5").json()
    assert (body["time"], body["columns"]["distance"]) == (20, [33.0, 33.0])


@pytest.mark.parametrize("at", ["", "now", "-1", "1e9", "nan", "1.1234567", "9" * 10])
def test_no_time(client: Client, at: str) -> None:
    """An invalid time is refused with a message."""
    answer = client.get(FEED, at=at)
    assert answer.status_code == 400
    assert "race time in seconds" in answer.json()["detail"]


def test_sexes(client: Client, store: FakeStore) -> None:
    """If any competitor's sex is known, the start list has all sexes."""
    store.names = {1: Competitor("Ann", "W", 1, sex="F"), 2: Competitor("Bo", "Open", 1)}
    assert client.get("/racecast/races/run_1/competitors").json()["sex"] == ["F", ""]


def test_clubs(client: Client, store: FakeStore) -> None:
    """If any competitor has a club, the start list has all clubs, as typed."""
    store.names = {1: Competitor("Ann", "W", 1, "<b>Harriers"), 999_999: Competitor("Bo", "M", 1)}
    said = client.get("/racecast/races/run_1/competitors").json()
    assert (said["competitor"], said["club"]) == ([1, 999_999], ["<b>Harriers", ""])


def test_every_status(client: Client, store: FakeStore) -> None:
    """The payload has each status, and the places of competitors that have one."""
    store.now = at(*[(bib, 10.0, status, 60.0) for bib, status in enumerate(STATUSES, start=1)])
    body = client.get(FEED).json()
    columns = body["columns"]
    said = {
        bib: (body["statuses"][number], place > 0)
        for bib, number, place in zip(columns["competitor"], columns["status"], columns["place"], strict=True)
    }
    placed = {"running", "paused", "finished"}
    assert said == {bib: (status, status in placed) for bib, status in enumerate(STATUSES, start=1)}
    assert {name: body["figures"][name] for name in ("on_course", "finished", "out")} == {
        "on_course": 2,
        "finished": 1,
        "out": 3,
    }


def test_start_list(client: Client, store: FakeStore) -> None:
    """The start list has names and categories, the most frequent category first."""
    store.names = {
        1: Competitor("Ann <b>", "W", 1),
        2: Competitor("Bo", "M", 1),
        3: Competitor("Cy", "M", 1),
    }
    assert client.get("/racecast/races/run_1/competitors").json() == {
        "names": 3,
        "categories": ["M", "W"],
        "competitor": [1, 2, 3],
        "name": ["Ann <b>", "Bo", "Cy"],
        "category": [1, 0, 0],
        "club": [],
        "sex": [],
        "wave": [],
    }


def test_empty_start_list(client: Client) -> None:
    """Before names are known the list is empty."""
    assert client.get("/racecast/races/run_1/competitors").json()["name"] == []


@pytest.mark.parametrize("run", ["other", "x'--", "a b", "x" * 65])
def test_no_such_race(client: Client, run: str) -> None:
    """An unknown or impossible race is 404 with a message."""
    answer = client.get(f"/racecast/races/{run}/positions")
    assert answer.status_code == 404
    assert answer.json()["detail"].endswith(".")


def test_unavailable_store(client: Client, store: FakeStore) -> None:
    """An unreadable store is 503 with the store's message."""
    store.failure = StoreError("The store is unavailable. Start it.")
    answer = client.get(FEED)
    assert answer.status_code == 503
    assert answer.json()["detail"] == "The store is unavailable. Start it."


def test_metrics_count_payloads(client: Client, store: FakeStore) -> None:
    """Responses to browsers are counted by feed and status, in Prometheus format."""
    seen = client.get(FEED).json()["version"]
    client.get(FEED, seen=seen)
    store.failure = StoreError("The store is unavailable. Start it.")
    client.get(FEED)
    client.get("/racecast/races/unknown/competitors")
    answer = client.get("/racecast/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    for feed, status in (("live", 200), ("live", 204), ("live", 503), ("start_list", 503)):
        line = f'racecast_dashboard_payloads_total{{feed="{feed}",status="{status}"}} 1.0\n'
        assert line in answer.text


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("leaflet", "leaflet.js"),
        ("leaflet", "leaflet.css"),
        ("static", "race_layer.js"),
        ("static", "map.css"),
    ],
)
def test_files_of_the_map(client: Client, folder: str, name: str) -> None:
    """Leaflet and our own scripts are served at the addresses that the map's frame uses."""
    answer = client.get(COMPONENT + file_address(folder, name))
    assert answer.status_code == 200
    assert len(answer.content) > 500


def test_search_in_a_race_that_is_shown_whole(client: Client) -> None:
    """A race whose payload has all competitors has nothing to look up."""
    answer = client.get("/racecast/races/run_1/found", text="Ann")
    assert answer.status_code == 404
    assert "has all competitors" in answer.json()["detail"]


def test_search_in_a_large_race(store: FakeStore, client: Client) -> None:
    """Competitors are found by name and by bib, with their place and name, in a race with a sample."""
    store.known = [race(competitors=60_000)]
    store.now = at((1, 900.0, "running", 60.0), (2, 800.0, "running", 60.0), (7, 700.0, "running", 60.0))
    store.names = {bib: Competitor(name, "W", 1) for bib, name in ((1, "Ann"), (2, "Bea"), (7, "Cid"))}
    found = client.get("/racecast/races/run_1/found", text=" BEA ", bibs="1,99").json()
    assert found["columns"]["competitor"] == [1, 2]
    assert found["columns"]["place"] == [1, 2]
    assert found["people"]["name"] == ["Ann", "Bea"]
    assert client.get("/racecast/races/run_1/found", text="7").json()["columns"]["competitor"] == [7]


@pytest.mark.parametrize("query", [{"bibs": "1,,2"}, {"bibs": "x"}, {"bibs": "1" * 10}, {"text": "x" * 121}])
def test_search_that_is_malformed(client: Client, query: dict[str, str]) -> None:
    """Bibs that are no numbers and texts longer than any name are refused."""
    assert client.get("/racecast/races/run_1/found", **query).status_code == 400


def test_forecasts(store: FakeStore, client: Client) -> None:
    """The version that a client has gets 204 while it is the newest; errors are those of the other routes."""
    address = "/racecast/races/run_1/forecasts"
    store.now = at((1, 1300.0, "running", 390.0), (2, 900.0, "running", 390.0))
    answer = client.get(address)
    assert answer.headers["content-encoding"] == "gzip"
    found = answer.json()
    assert found["time"] == 390.0
    assert found["points"][-1] == {"name": "Finish", "lap": 1, "kind": "finish", "distance": 5000.0}
    assert found["columns"]["competitor"] == [1, 2]
    assert client.get(address, seen=found["version"]).status_code == 204
    store.now = at((1, 1310.0, "running", 393.0), (2, 906.0, "running", 393.0))
    # Each request is some seconds later.
    answers = [client.get(address, seen=found["version"]) for _ in range(10)]
    assert next(answer for answer in answers if answer.status_code == 200).json()["time"] == 393.0
    assert client.get("/racecast/races/run_2/forecasts").status_code == 404
    assert client.get("/racecast/races/no%20id/forecasts").status_code == 404
    store.failure = StoreError("away")
    assert 503 in [client.get(address).status_code for _ in range(10)]


def test_honours(store: FakeStore, client: Client) -> None:
    """The announcer's payload has the newest finishers and the decided podiums, with names as typed."""
    store.now = at((1, 5000.0, "finished", 1000.5), (2, 5000.0, "finished", 900.0))
    store.names = {
        1: Competitor("Ann <b>", "W40", 1, "Harriers", "F"),
        2: Competitor("Bea", "W40", 1, "", "F"),
    }
    address = "/racecast/races/run_1/honours"
    answer = client.get(address)
    assert answer.headers["content-encoding"] == "gzip"
    said = answer.json()
    assert (said["time"], said["status"], said["undecided"]) == (1000.5, "running", 0)
    ann = {"bib": 1, "name": "Ann <b>", "category": "W40", "club": "Harriers"}
    assert said["finished"][0] == ann | {"place": 2, "category_place": 2, "time": 1000.5, "at": 1000.5}
    assert [(one["kind"], one["name"], one["of"], one["at"]) for one in said["podiums"]] == [
        ("sex", "F", 2, 1000.5),
        ("category", "W40", 2, 1000.5),
    ]
    assert said["podiums"][0]["steps"][1] == ann | {"place": 2, "time": 1000.5}
    again = client.get(address, seen=said["version"])
    assert again.status_code == 204
    # Without a stream, this is how the board learns of the next race.
    store.known = [race("newer", start_time=race().start_time + 1), race()]
    assert client.get(address).headers["Racecast-Outline"] != again.headers["Racecast-Outline"]


def test_honours_by_chip_time(store: FakeStore, client: Client) -> None:
    """Places and times of the announcer's payload are those of the time that `rank` names."""
    store.now = at((1, 5000.0, "finished", 1010.0), (2, 5000.0, "finished", 1000.0))
    store.names = {1: Competitor("Ann", "W", 1), 2: Competitor("Bea", "W", 1)}
    store.passed = [(1, "start", "Start", 1, 0.0, 20.0)]
    places = {
        rank: [(one["bib"], one["place"], one["time"]) for one in _finished(client, rank)]
        for rank in ("gun", "chip")
    }
    assert places == {
        "gun": [(1, 2, 1010.0), (2, 1, 1000.0)],
        "chip": [(1, 1, 990.0), (2, 2, 1000.0)],
    }


def _finished(client: Client, rank: str) -> list[dict[str, Any]]:
    finished: list[dict[str, Any]] = client.get("/racecast/races/run_1/honours", rank=rank).json()["finished"]
    return finished


def test_coming(store: FakeStore, client: Client) -> None:
    """Who comes next to a point has name and expected place; without forecasts there is no one."""
    store.known = [race(status="running", start_time=0)]
    store.names = {1: Competitor("Ann <b>", "W40", 1, "Harriers"), 2: Competitor("Bea", "W40", 1)}
    store.now = at((1, 2500.0, "running", 900.0), (2, 2400.0, "running", 900.0))
    store.passed = [
        (bib, kind, name, 1, metres, time * slower)
        for bib, slower in ((1, 1.0), (2, 1.02))
        for kind, name, metres, time in (
            ("start", "Start", 0.0, 0.0),
            ("split", "1 km", 1000.0, 360.0),
            ("split", "2 km", 2000.0, 720.0),
        )
    ]
    address = "/racecast/races/run_1/coming"
    said = client.get(address, point="3 km").json()
    assert (said["point"], said["points"][-1]["kind"]) == ("3 km", "finish")
    assert [(one["bib"], one["name"], one["place"]) for one in said["next"]] == [
        (1, "Ann <b>", 1),
        (2, "Bea", 2),
    ]
    assert all(900.0 < one["low"] <= one["there"] <= one["high"] for one in said["next"])
    assert client.get(address, point="no such").json()["point"] == "Finish"
    assert client.get(address, point="3 km", seen=said["version"]).status_code == 204
    store.known = [race(status="cancelled")]
    nothing = Client(store).get(address).json()
    assert (nothing["points"], nothing["next"], nothing["point"]) == ([], [], "")


@pytest.mark.parametrize("query", [{"rank": "net"}, {"rank": ""}, {"point": "x" * 121}])
def test_announcer_requests_that_are_malformed(client: Client, query: dict[str, str]) -> None:
    """A rank that is none, and a label longer than any name, are refused with a message."""
    answer = client.get("/racecast/races/run_1/coming", **query)
    assert answer.status_code == 400
    assert next(iter(query)) in answer.json()["detail"]


def test_label_of_the_longest_name(client: Client) -> None:
    """A label as long as a name can be is accepted."""
    assert client.get("/racecast/races/run_1/coming", point="x" * 120).status_code == 200
