import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from dashboard.api import (
    ApiError,
    ConflictError,
    OfferedCourse,
    RaceApi,
    RaceField,
    RefusedError,
)
from stream.race_states import Action


class Answers(BaseHTTPRequestHandler):
    """Answers every request with the server's preset response."""

    server: "Server"

    def do_GET(self) -> None:
        """Answer."""
        self.server.asked.append((self.path, None))
        self._answer()

    def do_POST(self) -> None:
        """Answer, and keep the body."""
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.asked.append((self.path, json.loads(body) if body.startswith(b"{") else body))
        self._answer()

    def _answer(self) -> None:
        self.send_response(self.server.status)
        if self.server.length is not None:
            self.send_header("Content-Length", str(self.server.length))
        self.end_headers()
        self.wfile.write(self.server.body.encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class Server(HTTPServer):
    """An API with preset responses."""

    status = 200
    body = "{}"
    length: int | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked: list[tuple[str, Any]] = []

    def will_say(self, status: int, body: object) -> RaceApi:
        """The client of an API with this response."""
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


COURSE = {
    "short_name": "x",
    "long_name": "X",
    "distance": 5000.5,
    "laps": 2,
    "climb": 31.5,
    "fences": ["North"],
    "timing_points": ["Mat"],
    "warnings": ["turned round"],
}
OFFERED = OfferedCourse("x", "X", 5000.5, 2, ("North",), ("turned round",), 31.5, ("Mat",))


def test_courses(server: Server) -> None:
    """Courses come with their names, lengths, laps, climb, geofences, timing points and warnings."""
    assert server.will_say(200, {"courses": [COURSE]}).courses() == [OFFERED]


@pytest.mark.parametrize(("name", "path"), [("my-x", "/courses?name=my-x"), (None, "/courses")])
def test_upload(server: Server, name: str | None, path: str) -> None:
    """A course file goes out as it is, with the name it is to get, and the course comes back."""
    assert server.will_say(201, COURSE).upload_course(b"<kml/>", name) == OFFERED
    assert server.asked == [(path, b"<kml/>")]


def feature(kind: str, geometry: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    """A feature of GeoJSON."""
    place = {"type": geometry, "coordinates": coordinates}
    return {"type": "Feature", "geometry": place, "properties": {"kind": kind, **properties}}


def test_course_to_draw(server: Server) -> None:
    """A course comes as GeoJSON, with altitudes or across the antimeridian, and is drawn like a store's."""
    ring = [[179.5, 0.0], [-179.5, 0.0], [-179.5, 1.0], [179.5, 0.0]]
    features = [
        feature(
            "course", "LineString", [[179.9, 0.5, 10.0], [-179.9, 0.5, 12.0]], name="Line", distance=22.5
        ),
        feature("start", "Point", [179.9, 0.5]),
        feature("finish", "Point", [-179.9, 0.5]),
        feature("geofence", "Polygon", [ring], name="<b>", visits=[[5.0, 7.5]]),
        feature("timing", "Point", [180.0, 0.5], name="Mat", distances=[11.0, 20.0]),
    ]
    api = server.will_say(200, {"type": "FeatureCollection", "features": features})
    course = api.course("a b")
    assert server.asked == [("/courses/a%20b", None)]
    assert (course.short_name, course.long_name, course.distance) == ("a b", "Line", 22.5)
    assert course.line.tolist() == [[179.9, 0.5], [180.1, 0.5]]
    assert course.finish == pytest.approx((180.1, 0.5))
    assert [fence.name for fence in course.fences] == ["<b>"]
    assert course.fences[0].rings[0][:, 0].tolist() == [179.5, 180.5, 180.5, 179.5]
    assert course.fences[0].visits == ((5.0, 7.5),)
    assert course.altitudes is not None
    assert course.altitudes.tolist() == [10.0, 12.0]
    assert [(point.name, point.distance) for point in course.points] == [("Mat", 11.0), ("Mat", 20.0)]


@pytest.mark.parametrize("change", ["pause", "resume", "cancel"])
def test_change(server: Server, change: Action) -> None:
    """An action goes out by its name, and the new status comes back."""
    assert server.will_say(200, {"status": "paused"}).change("run_1", change) == "paused"
    assert server.asked == [(f"/races/run_1/{change}", b"")]


def test_race_fields(server: Server) -> None:
    """The fields of a race come from the OpenAPI document, optional ones by what they are if given.

    One that is described in an unknown way is left out.
    """
    properties = {
        "speed": {"type": "number", "description": "S", "default": 1.0, "minimum": 0.1, "maximum": 1000},
        "seed": {
            "anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}],
            "description": "Any.",
            "default": None,
        },
        "entrants": {"type": "string", "enum": ["numbered", "drawn"]},
        "of_a_newer_api": {"const": 1},
    }
    document = {"components": {"schemas": {"RaceRequest": {"properties": properties}}}}
    assert server.will_say(200, document).race_fields() == {
        "speed": RaceField("number", "S", 1.0, minimum=0.1, maximum=1000),
        "seed": RaceField("integer", "Any.", minimum=0),
        "entrants": RaceField("string", enum=("numbered", "drawn")),
    }
    assert server.asked == [("/openapi.json", None)]


def test_race_is_created(server: Server) -> None:
    """The request goes out as it is, and the run id comes back."""
    api = server.will_say(201, {"run_id": "abc", "status": "running"})
    assert api.create_race({"course": "x", "seed": 2**62}) == "abc"
    assert server.asked == [("/races", {"course": "x", "seed": 2**62})]


def test_plan_with_its_progress(server: Server) -> None:
    """The lines with the progress are reported, and the last line is read."""
    api, shares = (
        server.will_say(200, '{"progress":0.0}\n{"progress":0.5}\n{"plan":{"seed":7}}\n'),
        list[float](),
    )

    assert api.plan({"course": "hills"}, shares.append, lambda found: found["seed"]) == 7
    assert shares == [0.0, 0.5]
    assert server.asked == [("/plans", {"course": "hills"})]


def test_plan_that_is_refused(server: Server) -> None:
    """A plan that is refused has the errors by field, or the sentence of the API."""
    problem = {"detail": "It is too large.", "errors": [{"field": "competitors", "detail": "is too large"}]}
    with pytest.raises(RefusedError, match="too large") as refused:
        server.will_say(422, problem).plan({}, _ignore, dict)
    assert refused.value.mistakes == {"competitors": "is too large"}
    late = json.dumps({"problem": {"status": 422, **problem}})
    with pytest.raises(RefusedError, match="too large"):
        server.will_say(200, '{"progress":0.5}\n' + late).plan({}, _ignore, dict)
    with pytest.raises(ApiError, match="8 plans are waiting"):
        server.will_say(503, {"detail": "8 plans are waiting already"}).plan({}, _ignore, dict)


@pytest.mark.parametrize(
    "body", ["", '{"progress":0.5}\n', "<html>", '{"plan":{}}', "[]", '{"progress":"x"}']
)
def test_plan_of_something_else(server: Server, body: str) -> None:
    """A server that answers without a plan is not the simulator's API."""
    with pytest.raises(ApiError, match="is not the simulator's API"):
        server.will_say(200, body).plan({}, _ignore, lambda found: found["seed"])


def test_plan_that_is_cut_off(server: Server) -> None:
    """If the connection ends before the plan, the simulator stopped computing it."""
    server.length = 1000
    with pytest.raises(ApiError, match="stopped computing"):
        server.will_say(200, '{"progress":0.5}\n').plan({}, _ignore, dict)


def test_plan_for_read_only_viewers(server: Server) -> None:
    """A read-only dashboard can plan, unless the simulator wants a token for it."""
    server.will_say(200, '{"plan":{}}')
    api = RaceApi(f"http://127.0.0.1:{server.server_port}", read_only=True)
    assert api.plan({}, _ignore, dict) == {}
    server.will_say(401, {"detail": "requires the simulator's token"})
    with pytest.raises(ApiError, match="a read-only dashboard has none"):
        api.plan({}, _ignore, dict)


def test_plan_without_the_api() -> None:
    """Without an API the error says how to start one."""
    with pytest.raises(ApiError, match="does not respond"):
        RaceApi("http://127.0.0.1:9").plan({}, _ignore, dict)


def _ignore(_: float) -> None:
    """Ignore the progress."""


def test_refusal_by_field(server: Server) -> None:
    """A refusal has the API's messages, by field."""
    problem = {"title": "No", "detail": "It can't be.", "errors": [{"field": "speed", "detail": "too slow"}]}
    with pytest.raises(RefusedError, match=r"It can't be\.") as refused:
        server.will_say(422, problem).create_race({})
    assert refused.value.mistakes == {"speed": "too slow"}


def test_other_error_in_words(server: Server) -> None:
    """An error without fields has the API's message."""
    with pytest.raises(ApiError, match="Too many races"):
        server.will_say(503, {"title": "Too many races"}).create_race({})


def test_name_of_something_else(server: Server) -> None:
    """A conflict is an error of its own, with the API's message."""
    with pytest.raises(ConflictError, match="another course"):
        server.will_say(409, {"detail": "This is another course's name"}).upload_course(b"", "x")


@pytest.mark.parametrize("status", [200, 404, 500])
@pytest.mark.parametrize(
    "body", ["<html>", {}, [], 7, "null", {"courses": None}, {"courses": [1]}, {"errors": 1}, {"errors": [1]}]
)
def test_something_else_answers(server: Server, status: int, body: object) -> None:
    """A response that isn't the API's, whatever it is, is reported as such."""
    api = server.will_say(status, body)
    for ask in (
        api.courses,
        api.race_fields,
        lambda: api.create_race({}),
        lambda: api.course("x"),
        lambda: api.upload_course(b"", None),
        lambda: api.preview_list("", {}),
        lambda: api.change("x", "pause"),
    ):
        with pytest.raises(
            ApiError, match=r"is not the simulator's API\. Set|The API responded with status (404|500)\."
        ):
            ask()


def test_api_away() -> None:
    """An unavailable API is an error that says how to start it, without the password."""
    with pytest.raises(ApiError, match=r"http://127\.0\.0\.1:9 does not respond\. Start it"):
        RaceApi("http://user:secret@127.0.0.1:9").courses()
