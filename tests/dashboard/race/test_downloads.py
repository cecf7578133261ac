"""Files of the simulator's API that the dashboard passes on."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette

from dashboard.api import ApiError
from dashboard.race.downloads import downloads
from stream.results import Rank
from stream.teams import Rules
from tests.dashboard.fakes import FakeApi

RESULTS = "/racecast/races/run_1/results.csv"
TEAMS = "/racecast/races/run_1/teams.csv"


class Api(FakeApi):
    """Has the results and teams of one race."""

    def results_csv(self, run_id: str, rank: Rank) -> Iterator[bytes]:
        """Two pieces that say what was asked for."""
        if self.away is not None:
            raise self.away
        return iter([run_id.encode(), b" by ", rank.encode()])

    def teams_csv(self, run_id: str, rank: Rank, rules: Rules) -> Iterator[bytes]:
        """Pieces that say what was asked for."""
        if self.away is not None:
            raise self.away
        return iter(
            [run_id.encode(), b" by ", rank.encode(), f" {rules.scorers} {rules.by} {rules.who}".encode()]
        )


def get(api: Api, address: str) -> httpx.Response:
    """Send a request to the routes."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=downloads(api)))
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            return await client.get(address)

    return asyncio.run(ask())


def test_results_of_the_api() -> None:
    """The file is what the API makes, by the time that is asked for, under a name that says so."""
    answer = get(Api(), f"{RESULTS}?rank=chip")
    assert answer.text == "run_1 by chip"
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="run_1-chip.csv"'
    assert get(Api(), RESULTS).text == "run_1 by gun"


def test_teams_of_the_api() -> None:
    """The file has the teams by the rules that are asked for, without any by the usual ones."""
    answer = get(Api(), f"{TEAMS}?rank=chip&scorers=20&by=time&who=mixed")
    assert answer.text == "run_1 by chip 20 time mixed"
    assert answer.headers["content-disposition"] == 'attachment; filename="run_1-teams.csv"'
    assert get(Api(), TEAMS).text == "run_1 by gun 4 place all"


def test_api_that_is_unavailable() -> None:
    """The reason why there is no file is in the answer."""
    for address in (RESULTS, TEAMS):
        answer = get(Api(away=ApiError("The API does not respond.")), address)
        assert (answer.status_code, answer.text) == (502, "The API does not respond.")


@pytest.mark.parametrize(
    "address",
    [
        f"{RESULTS}?rank=other",
        f"{TEAMS}?rank=other",
        f"{TEAMS}?scorers=1",
        "/racecast/races/a%20b/results.csv",
        "/racecast/races/a%20b/teams.csv",
    ],
)
def test_no_such_results(address: str) -> None:
    """A time that places can't go by, a rule that isn't one, and an id that can't be one, have no results."""
    assert get(Api(), address).status_code == 404
