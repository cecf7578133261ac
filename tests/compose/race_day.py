"""Races on a composed system, each compared with the core, and faults meanwhile."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx

from simulator.course.library import load_folder
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from stream.waiting import wait_for
from tests.compose.project import Project
from tests.processes import ROOT
from tests.torture.event_stores import NotReadyError, PinotEventStore, count_events, query_pinot
from tests.torture.outcome import FaultResult

COURSE, COMPETITORS = "crystal-palace", 500
QUERIES = ("races", "leaderboard", "in-geofence", "time-in-geofence")
"""The queries in pinot/queries/."""
FRESH_S = 3.0
"""Maximum age of the newest position in a system that has recovered."""
RECOVERED_WITHIN_S = 180.0


class RaceDay:
    """The races of a composed system, one after another.

    Attributes:
        request: what each race is requested with: one position of each competitor per second of wall time.
        races: all of them, as the core computes them.
    """

    def __init__(self, project: Project, speed: int) -> None:
        """Take the number of race seconds per second: at 60 a race takes about 45 s."""
        self._project = project
        self.request = {
            "course": COURSE,
            "competitors": COMPETITORS,
            "speed": speed,
            "interval": speed,
            "seed": 7,
        }
        self.races: list[Race] = []

    @property
    def store(self) -> PinotEventStore:
        """Pinot's tables."""
        return PinotEventStore(self._project.queries)

    def start_race(self) -> Race:
        """Start another race."""
        answer = self._project.request("POST", "/races", json=self.request)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        resolved = {**self.request, "run_id": made["run_id"], "start_at": made["start_at"]}
        course = load_folder(ROOT / "courses").courses[COURSE]
        race = Race(course, RaceRequest.model_validate_json(json.dumps(resolved)))
        self.races.append(race)
        return race

    def wait_until_finished(self, race: Race) -> None:
        """Wait until the API reports a race as finished and Pinot has all its events."""
        wait_for("the finish", lambda: self._unfinished(race), seconds=RECOVERED_WITHIN_S, say=print)
        wait_for("Pinot", lambda: self._unread(race), seconds=60, say=print)

    def judge(self, name: str, race: Race, recovery_times: list[float]) -> FaultResult:
        """Compare the events of a race in Pinot with those of the core, every field of each."""
        counts = count_events(race, self.store)
        return FaultResult(name, len(recovery_times), *counts, self.store.out_of_order(race), recovery_times)

    def finish_times(self, race: Race) -> tuple[dict[int, float], dict[int, float]]:
        """Return each competitor's gun time (s) by bib: that of the API, and that in Pinot."""
        results = self._project.request("GET", f"/races/{race.run_id}/results.json").json()["results"]
        sql = "SELECT competitorId, elapsed FROM parkrun WHERE runId = %(run)s LIMIT 100000"
        return {row["bib"]: row["gun_time"] for row in results}, dict(
            self._project.query(sql, run=race.run_id)
        )

    def ask(self, query: str, race: Race) -> list[Any]:
        """Return the rows of one of the project's queries about a race."""
        sql = (ROOT / "pinot" / "queries" / f"{query}.sql").read_text()
        return self._project.query(sql, runId=race.run_id, courseDistance=race.course.distance)

    def recovery(self, fault: Callable[[], object]) -> float:
        """Cause a fault while a race runs; return the seconds from its beginning to the recovery.

        The system has recovered when API and dashboard report that they are healthy and Pinot returns a
        position that was emitted after the fault and is at most `FRESH_S` old.
        """
        if not self.races or self._unfinished(self.races[-1]) is None:
            self.start_race()
        wait_for("a race", lambda: self._not_fresh(0.0), seconds=RECOVERED_WITHIN_S, say=print)
        began = time.monotonic()
        fault()
        caused_at = time.time()
        wait_for("recovery", lambda: self._not_fresh(caused_at), seconds=RECOVERED_WITHIN_S, say=print)
        return time.monotonic() - began

    def _not_fresh(self, since: float) -> str | None:
        """Say what is missing for a position that was emitted after a moment (epoch seconds) and is new."""
        try:
            for address in (f"{self._project.api}/readyz", f"{self._project.dashboard}/_stcore/health"):
                answer = httpx.get(address, trust_env=False, timeout=5)
                if not answer.is_success:
                    return f"{address} answers {answer.status_code}"
            if self._unfinished(self.races[-1]) is None:
                self.start_race()
            newest = self._newest_position()
        except (httpx.HTTPError, NotReadyError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        if newest is None or newest <= since:
            return "no position since then"
        age = time.time() - newest
        return f"the newest position is {age:.1f} s old" if age > FRESH_S else None

    def _newest_position(self) -> float | None:
        """Return when the newest position of the last race was emitted (epoch seconds)."""
        race = self.races[-1]
        sql = f"SELECT count(*), max(emittedAt) FROM parkrun WHERE runId = '{race.run_id}'"
        ((found, newest),) = query_pinot(self._project.queries, sql)
        return newest / 1000 if found else None  # without rows the maximum is a text

    def _unfinished(self, race: Race) -> str | None:
        status = self._project.request("GET", f"/races/{race.run_id}").json().get("status")
        return None if status == "finished" else f"the race is {status}"

    def _unread(self, race: Race) -> str | None:
        expected, found, _ = count_events(race, self.store)
        return None if found == expected else f"Pinot has {found:,} of {expected:,} events"
