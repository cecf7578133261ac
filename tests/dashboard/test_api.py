from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from dashboard.api import ApiError, OfferedCourse, RaceApi, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Answers(BaseHTTPRequestHandler):
    """Answers every request with what the server was told to."""

    server: Server

    def do_GET(self) -> None:
        """Answer."""
        self.server.asked.append((self.path, None))
        self._answer()

    def do_POST(self) -> None:
        """Answer, and keep the body."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, json.loads(body)))
        self._answer()

    def _answer(self) -> None:
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(HTTPServer):
    """An API that says what it is told to."""

    status = 200
    body = "{}"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked: list[tuple[str, Any]] = []

    def will_say(self, status: int, body: object) -> RaceApi:
        """The client of an API that answers this."""
        self.status, self.body = status, body if isinstance(body, str) else json.dumps(body)
        return RaceApi(f"http://127.0.0.1:{self.server_port}/")


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that runs."""
    with Server() as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_courses(server: Server) -> None:
    """Courses come with their names, lengths and warnings."""
    course = {"short_name": "x", "long_name": "X", "distance": 5000.5, "warnings": ["turned round"]}
    api = server.will_say(200, {"courses": [course]})
    assert api.courses() == [OfferedCourse("x", "X", 5000.5, ("turned round",))]


def test_race_is_created(server: Server) -> None:
    """The request goes out as it is, and the run id comes back."""
    api = server.will_say(201, {"run_id": "abc", "status": "running"})
    assert api.create_race({"course": "x", "seed": 2**62}) == "abc"
    assert server.asked == [("/races", {"course": "x", "seed": 2**62})]


def test_refusal_by_field(server: Server) -> None:
    """A refusal has the API's words, by field."""
    problem = {"title": "No", "detail": "It can't be.", "errors": [{"field": "speed", "detail": "too slow"}]}
    with pytest.raises(RefusedError, match=r"It can't be\.") as refused:
        server.will_say(422, problem).create_race({})
    assert refused.value.mistakes == {"speed": "too slow"}


def test_other_error_in_words(server: Server) -> None:
    """An error without fields is said in the API's words."""
    with pytest.raises(ApiError, match="Too many races"):
        server.will_say(503, {"title": "Too many races"}).create_race({})


@pytest.mark.parametrize("status", [200, 404, 500])
@pytest.mark.parametrize(
    "body", ["<html>", {}, [], 7, "null", {"courses": None}, {"courses": [1]}, {"errors": 1}, {"errors": [1]}]
)
def test_something_else_answers(server: Server, status: int, body: object) -> None:
    """Where something else answers, whatever it says, that is a sentence."""
    api = server.will_say(status, body)
    for ask in (api.courses, lambda: api.create_race({})):
        with pytest.raises(ApiError, match=r"is not the simulator's API\. Set|The API answered (404|500)\."):
            ask()


def test_api_away() -> None:
    """An API that doesn't answer is a sentence that says how to start it."""
    with pytest.raises(ApiError, match=r"http://127\.0\.0\.1:9 does not answer\. Start it"):
        RaceApi("http://127.0.0.1:9").courses()
