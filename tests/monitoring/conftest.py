"""A simulator and a dashboard that have done a bit of everything, and their metrics."""

from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest

from stream.waiting import wait_for
from tests.processes import Running, dashboard, simulator, total

RACE = {"course": "crystal-palace", "competitors": 20, "run_id": "watched", "speed": 10}


class Site(NamedTuple):
    """Both processes, on one embedded store."""

    simulator: Running
    dashboard: Running

    def metrics(self) -> tuple[str, str]:
        """Return the metrics of each as text."""
        return self.simulator.get("/metrics").text, self.dashboard.get("/racecast/metrics").text


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running race that is watched, and API requests with and without success."""
    folder = tmp_path_factory.mktemp("watched")
    flags = ("--sqlite", str(folder / "race.db"))
    with simulator(folder, *flags) as api, dashboard(folder, api.address, *flags) as page:
        created = httpx.post(f"{api.address}/races", json=RACE, trust_env=False, timeout=60)
        assert created.status_code == 201
        wait_for("the first ticks", lambda: _trouble(api), seconds=60, say=print)
        odd = [f"/{nth}" for nth in range(50)]
        for path in ("/races/watched", "/races/unknown", "/races/watched/results.csv", *odd):
            api.get(path)
        for path in ("positions", "positions?at=1", "competitors"):
            assert page.get(f"/racecast/races/watched/{path}").status_code == 200
        assert page.get("/racecast/races/unknown/positions").status_code == 404
        yield Site(api, page)


def _trouble(api: Running) -> str | None:
    ticks = total(api.metrics(), "racecast_ticks_total")
    return None if ticks >= 3 else f"{ticks:g} ticks so far"
