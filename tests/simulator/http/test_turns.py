"""The reactor's turns while requests at their limits are served: none may be long."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
from twisted.internet.defer import ensureDeferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.threads import deferToThread

from simulator.course.course import Course
from simulator.engine.engine import Engine
from simulator.http.auth import Access
from simulator.http.cors import Cors
from simulator.http.rate import Rate
from simulator.http.routes import Api
from simulator.http.site import LimitedSite
from simulator.log.local import LocalLog
from simulator.publishers.sqlite import SqlitePublisher
from simulator.race.options import MAX_COMPETITORS
from simulator.race.request import MAX_POINTS
from simulator.race.start_list import MAX_ROWS
from simulator.service.catalogue import Catalogue
from simulator.service.courses import CourseService
from simulator.service.following import Following
from simulator.service.races import RaceService
from simulator.service.uploads import UploadFolder
from tests.simulator.reactor_thread import ReactorThread

LONGEST_S = 0.05
"""Seconds of the reactor's thread; not of the clock, which other load on the machine would lengthen."""


class Turns:
    """Notes the longest turn of a reactor."""

    def __init__(self, thread: ReactorThread) -> None:
        self._reactor = thread.reactor
        self._last = 0.0
        self._is_over = False
        self.longest = 0.0
        thread.call(self._begin)

    def end(self) -> None:
        """Note no more."""
        self._is_over = True

    def _begin(self) -> None:
        self._last = time.thread_time()
        self._reactor.callLater(0, self._turn)

    def _turn(self) -> None:
        now = time.thread_time()
        self.longest = max(self.longest, now - self._last)
        self._last = now
        if not self._is_over:
            self._reactor.callLater(0.001, self._turn)


@pytest.fixture
def api(thread: ReactorThread, straight: Course, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of a simulator on a SQLite file, in this process."""

    def start() -> tuple[SqlitePublisher, RaceService, LimitedSite]:
        publisher = SqlitePublisher(thread.reactor, tmp_path / "race.db")
        engine = Engine(thread.reactor, publisher, LocalLog(publisher, publisher.stored), deferToThread)
        uploads = UploadFolder(tmp_path / "uploads")
        courses = Catalogue({"straight": straight}, *uploads.load())
        races = RaceService(thread.reactor, engine, courses, uploads, lambda most: most - 1)
        course_service = CourseService(races, uploads, publisher, deferToThread)
        served = Api(races, course_service, publisher, Access(None))
        rate = Rate(thread.reactor.seconds, 0)
        site = LimitedSite(
            served.app.resource(), thread.reactor.seconds, rate, Cors(()), served.request_metrics
        )
        return publisher, races, site

    publisher, races, site = thread.call(start)
    thread.call(lambda: ensureDeferred(Following(thread.reactor, races).begin()))
    port = thread.call(TCP4ServerEndpoint(thread.reactor, 0, interface="127.0.0.1").listen, site)
    address = f"http://127.0.0.1:{port.getHost().port}"
    with httpx.Client(base_url=address, trust_env=False, timeout=120) as client:
        yield client
    thread.call(port.stopListening)
    thread.call(races.engine.stop, 60)
    thread.call(publisher.close)


def test_no_request_holds_up_the_reactor(api: httpx.Client, thread: ReactorThread) -> None:
    """Races, start lists and courses of the largest size are made and shown while ticks go on."""
    names = "\n".join(f"{bib},Runner {bib},{'MF'[bib % 2]}" for bib in range(1, MAX_ROWS + 1))
    listed = {"course": "straight", "run_id": "list", "start_list": f"bib,name,sex\n{names}"}
    angle = np.linspace(0, 2 * np.pi, MAX_POINTS)
    points = np.round(np.column_stack([0.1 * np.cos(angle), 50 + 0.1 * np.sin(angle)]), 7).tolist()
    turns = Turns(thread)
    assert api.post("/races", json={"course": "straight", "run_id": "small"}).status_code == 201
    assert api.post("/races", json=listed).status_code == 201
    assert api.post("/races", json=listed).status_code == 200
    assert api.post("/start-lists", json={"start_list": listed["start_list"]}).status_code == 200
    assert api.post("/races", json={"course": "ring", "run_id": "ring", "points": points}).status_code == 201
    for path in ("/courses/ring", "/races/list/positions", "/races/list/results", "/races", "/"):
        assert api.get(path).status_code == 200
    assert api.post("/races/list/cancel").status_code == 200
    for path in ("/races/list/positions", "/races/list/results.csv"):
        assert api.get(path).status_code == 200
    turns.end()
    assert turns.longest < LONGEST_S


def test_race_of_a_million_does_not_hold_up_the_reactor(api: httpx.Client, thread: ReactorThread) -> None:
    """The largest race is drawn, and all its positions are sent, while the reactor turns."""
    turns = Turns(thread)
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    largest = {"course": "straight", "run_id": "all", "competitors": MAX_COMPETITORS, "interval": 10}
    assert api.post("/races", json=largest | {"start_at": soon}).status_code == 201
    size = 0
    with api.stream("GET", "/races/all/positions") as answer:
        assert answer.status_code == 200
        for piece in answer.iter_raw():
            size += len(piece)
    assert size > 100 * MAX_COMPETITORS
    with api.stream("GET", "/races/all/results.csv") as answer:
        assert next(answer.iter_lines()).startswith("\ufeffplace,")
    assert api.post("/races/all/cancel").status_code == 200
    turns.end()
    assert turns.longest < LONGEST_S
