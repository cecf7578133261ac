from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from treq.testing import StubTreq
from twisted.internet.defer import maybeDeferred

from simulator.engine.engine import Engine
from simulator.http import openapi
from simulator.http.routes import Api
from simulator.race.request import RaceRequest
from simulator.service.catalogue import Catalogue
from simulator.service.courses import CourseService
from simulator.service.races import RaceService
from simulator.service.uploads import UploadFolder
from tests.simulator.conftest import START
from tests.simulator.fakes import FakePublisher

if TYPE_CHECKING:
    from pathlib import Path

    from twisted.internet.defer import Deferred
    from twisted.internet.task import Clock

    from simulator.course.course import Course


class Answered:
    """An answer, read whole."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)

    def header(self, name: str) -> str:
        """Return a header."""
        values: list[str] = self.headers.getRawHeaders(name)
        return values[0]


class Client:
    """The API in memory: whole HTTP requests, no socket, and no thread unless `in_thread` makes some.

    Uploads are kept in `folder`, and are there again for the next client.
    """

    def __init__(
        self, clock: Clock, courses: dict[str, Course], folder: Path, in_thread: Any = maybeDeferred
    ) -> None:
        self.clock = clock
        self.publisher = FakePublisher()
        self.engine = Engine(clock, self.publisher)
        chances = iter(range(10_000))
        uploads = UploadFolder(folder)
        catalogue = Catalogue(courses, *uploads.load())
        race_service = RaceService(clock, self.engine, catalogue, lambda _: next(chances))
        course_service = CourseService(race_service, uploads, self.publisher, in_thread)
        stub: Any = StubTreq  # untyped
        self._treq = stub(Api(race_service, course_service, self.publisher).app.resource())

    def request(self, method: str, path: str, body: Any = None, **more: Any) -> Answered:
        """Make a request; `body` is sent as JSON unless it is bytes."""
        return self.answered(self.ask(method, path, body, **more))

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Deferred[Any]:
        """Make a request, and don't wait for its answer."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        asked: Deferred[Any] = self._treq.request(method, f"http://racecast.test{path}", data=data, **more)
        self._treq.flush()
        return asked

    def answered(self, asked: Deferred[Any]) -> Answered:
        """Return the answer, which has to be there."""
        response = self._now(asked)
        reading = self._treq.content(response)
        self._treq.flush()
        return Answered(response.code, response.headers, self._now(reading))

    def get(self, path: str, accept: str | None = None) -> Answered:
        """Get something, in a media type if it is to be one."""
        return self.request("GET", path, headers={} if accept is None else {"Accept": accept})

    def post(self, path: str, body: Any = None) -> Answered:
        """Post something."""
        return self.request("POST", path, body)

    def create(self, **fields: Any) -> Answered:
        """Ask for a race on the straight."""
        return self.post("/races", {"course": "straight", **fields})

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        for _ in range(round(seconds)):
            self.clock.advance(1)

    def _now(self, waiting: Deferred[Any]) -> Any:
        self._treq.flush()
        results: list[Any] = []
        _ = waiting.addBoth(results.append)
        assert results, "no answer yet"
        return results[0]


@pytest.fixture
def client(clock: Clock, straight: Course, tmp_path: Path) -> Client:
    """Return the API with one course."""
    return Client(clock, {"straight": straight}, tmp_path / "uploads")


def wrong(answer: Answered) -> dict[str, str]:
    """Return what is wrong with which field."""
    assert answer.status == 422
    assert answer.header("Content-Type") == "application/problem+json"
    return {entry["field"]: entry["detail"] for entry in answer.json["errors"]}


def test_a_race_is_created_with_the_defaults(client: Client) -> None:
    """A request that names a course alone is answered 201 with the race, its made id and seed, and links."""
    answer = client.create()

    assert answer.status == 201
    assert answer.json == {
        "run_id": "straight-20260502-090000-000000",
        "name": "The Straight",
        "course": "straight",
        "status": "running",
        "start_at": "2026-05-02T09:00:00Z",
        "competitors": 100,
        "fastest": 144.0,
        "slowest": 500.0,
        "how_many_get_stopped": 0.0,
        "min_pause": 5.0,
        "max_pause": 30.0,
        "seed": 1,
        "speed": 1.0,
        "interval": 1.0,
        "options": {},
        "race_time": -1.0,
        "warnings": [],
        "links": {
            "self": "/races/straight-20260502-090000-000000",
            "positions": "/races/straight-20260502-090000-000000/positions",
            "results": "/races/straight-20260502-090000-000000/results",
            "tracks": "/races/straight-20260502-090000-000000/tracks",
            "course": "/courses/straight",
            "pause": "/races/straight-20260502-090000-000000/pause",
            "resume": "/races/straight-20260502-090000-000000/resume",
            "cancel": "/races/straight-20260502-090000-000000/cancel",
        },
    }
    assert answer.header("Location") == "/races/straight-20260502-090000-000000"


def test_the_original_body_is_understood_at_the_root(client: Client) -> None:
    """`POST /` takes the body that the original client sends, its points included."""
    body = {
        "run_id": "b9f3e1c2",
        "points": [[0.0, 50.0], [0.0, 50.01], [0.0, 50.02]],
        "course": "straight",
        "competitors": 10,
        "how_many_get_stopped": 0.1,
        "fastest": 144,
        "slowest": 500,
        "min_pause": 10,
        "max_pause": 60,
    }
    answer = client.post("/", body)
    run = client.engine.runs["b9f3e1c2"]

    assert answer.status == 201
    assert run.course.distance == pytest.approx(2225, abs=1)
    assert [fence.name for fence in run.course.fences] == ["Bridge", "Park"]
    assert run.course.short_name.startswith("straight-")
    assert answer.json["warnings"] == [
        (
            "The points differ from the line of the course straight: "
            f"their course is named {run.course.short_name}."
        )
    ]
    assert client.get(answer.json["links"]["course"]).status == 200


def test_points_of_a_known_course_are_that_course(client: Client, straight: Course) -> None:
    """A client that sends the line of the course that it names, as the original does, gets that course."""
    line = [[lon, lat] for lon, lat in zip(straight.lon.tolist(), straight.lat.tolist(), strict=True)]
    client.post("/", {"course": "straight", "run_id": "r", "points": line})
    shifted = [[lon + 0.0001, lat] for lon, lat in line]
    client.post("/", {"course": "straight", "run_id": "s", "points": shifted})

    assert client.engine.runs["r"].course is straight
    assert client.engine.runs["s"].course.short_name.startswith("straight-")


def test_a_repeat_with_points_is_known(client: Client) -> None:
    """A request with points that comes again is the same race; with other points it is a conflict."""
    body = {"run_id": "r", "course": "field", "points": [[0, 50], [0.01, 50]]}
    other = {**body, "points": [[0, 50], [0.02, 50]]}

    assert [client.post("/races", asked).status for asked in (body, body, other)] == [201, 200, 409]


def test_made_ids_are_never_taken_twice(clock: Clock, straight: Course) -> None:
    """If chance gives an id that a race has, another one is drawn."""
    chances = iter([5, 1, 5, 5, 6, 2])
    engine = Engine(clock, FakePublisher())
    race_service = RaceService(clock, engine, Catalogue({"straight": straight}), lambda _: next(chances))
    for _ in range(2):
        race_service.create(RaceRequest(course="straight"))

    assert [run_id[-6:] for run_id in engine.runs] == ["000005", "000006"]


def test_a_race_that_starts_now_is_running(client: Client) -> None:
    """A race without a start is running at once, at whatever fraction of a second it is asked for."""
    for _ in range(20):
        client.clock.advance(0.0123456)
        assert client.create().json["status"] == "running"


def test_a_pause_does_not_move_the_gun(client: Client) -> None:
    """`start_at` is when the gun went, however long the race was paused since."""
    before = client.create(run_id="r").json["start_at"]
    client.wait(3)
    client.post("/races/r/pause")
    client.wait(5)
    client.post("/races/r/resume")

    assert client.get("/races/r").json["start_at"] == before


def test_points_make_a_course_of_their_own(client: Client) -> None:
    """With points, a course that nobody knows is run all the same, and says that nobody can be stopped."""
    body = {"course": "field", "points": [[0, 50], [0.01, 50]], "how_many_get_stopped": 0.5}
    answer = client.post("/races", body)

    assert answer.status == 201
    assert answer.json["warnings"][-1] == "The course passes through no geofence: no competitor will pause."
    assert client.get("/courses/field").status == 200


def test_options_are_taken_and_told(client: Client) -> None:
    """What was asked for beside a plain race is in the answer, what is at its default isn't."""
    options = {"pace_model": "parkrun", "gps_error": 2.5, "dnf": 0.1, "corrals": True, "wave_size": 20}
    answer = client.post("/races", {"course": "straight", **options, "lost": 0.0, "women": 0.4})

    assert answer.status == 201
    assert answer.json["options"] == options
    assert client.post("/races", {"course": "straight"}).json["options"] == {}


def test_a_start_list_is_who_runs(client: Client) -> None:
    """With a start list there are as many as it has, under its bibs; a wrong one is told of at its field."""
    body = {"course": "straight", "run_id": "listed", "start_list": "bib,name\n70,Ann\n5,Bob"}
    answer = client.post("/races", body)
    positions = client.get("/races/listed/positions").json["features"]
    refused = client.post("/races", {**body, "run_id": "r", "start_list": "bib,name\n70,Ann\n70,Bob"})

    assert (answer.status, answer.json["competitors"]) == (201, 2)
    assert [feature["id"] for feature in positions] == [70, 5]
    assert refused.status == 422
    assert refused.json["errors"] == [
        {"field": "start_list", "detail": "is invalid in line 3: the bib 70 is already used in line 2"}
    ]


def test_options_without_an_effect_are_told_of(client: Client) -> None:
    """Hills on a flat course and a wall in a short race are asked for in vain: a warning says so."""
    answer = client.post("/races", {"course": "straight", "gradient": True, "fatigue": "wall"})

    assert answer.json["warnings"] == [
        "The course has no altitude: hills do not affect the pace.",
        "The course is shorter than 30 km: no competitor will hit the wall.",
    ]


def test_points_that_make_no_course_are_refused(client: Client) -> None:
    """Points that are all the same are no line to run along."""
    answer = client.post("/races", {"course": "dot", "points": [[0, 50], [0, 50]]})

    assert wrong(answer)["points"].startswith("don't form a valid course:")


def test_a_repeat_is_the_same_race(client: Client) -> None:
    """The same body with the same run id is answered 200 with the same race, seed and all."""
    first = client.create(run_id="r1", competitors=5)
    again = client.create(run_id="r1", competitors=5)

    assert (first.status, again.status) == (201, 200)
    assert first.json["seed"] == again.json["seed"]
    assert len(client.engine.runs) == 1


def test_another_body_with_the_same_id_is_a_conflict(client: Client) -> None:
    """A run id that another request has taken is refused."""
    client.create(run_id="r1", competitors=5)
    answer = client.create(run_id="r1", competitors=6)

    assert answer.status == 409
    assert answer.json["title"] == "Conflict"


LIMITS: list[tuple[str, list[Any], list[Any]]] = [
    ("run_id", ["a", "A-z_9", "x" * 64], ["", "x" * 65, "a b", "a/b", "é", "a\n", 7]),
    ("name", ["x", "x" * 120, "Ünï ${x}"], ["", "x" * 121, "  ", "a\nb", "a\u0000", 5]),
    ("competitors", [1, 100_000], [0, 100_001, -1, 1.5, "10", True, None]),
    ("fastest", [60, 500, 144.5], [59.999, 500.001, "144", float("nan"), float("inf")]),
    ("slowest", [144, 3600], [143.999, 3600.001]),
    ("how_many_get_stopped", [0, 1, 0.5], [-0.001, 1.001]),
    ("min_pause", [0, 30], [-0.001, 30.001]),
    ("max_pause", [5, 3600], [4.999, 3600.001]),
    ("seed", [0, 2**63 - 1], [-1, 2**63, 2**70, 1.5]),
    ("speed", [0.1, 1000], [0.099, 1000.1]),
    ("interval", [1, 3600], [0.999, 3600.1]),
    (
        "start_at",
        ["2026-05-01T09:00:00Z", "2027-05-03T09:00:00Z", "2026-05-02T11:00:00+02:00"],
        ["2026-05-01T08:59:59Z", "2027-05-03T09:00:01Z", "2026-05-02T09:00:00", "tomorrow", 17, ""],
    ),
    ("points", [[[0, 0], [0.1, 0]]], [[], [[0, 0]], [[0, 0], [181, 0]], [[0, 0], [0, 91]], [[0], [1]], "x"]),
]


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, good, _ in LIMITS for value in good], ids=str
)
def test_values_within_the_limits_are_taken(client: Client, field: str, value: Any) -> None:
    """Every field takes its smallest and its largest value."""
    assert client.create(**{field: value}).status == 201


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, _, bad in LIMITS for value in bad], ids=str
)
def test_values_beyond_the_limits_are_refused(client: Client, field: str, value: Any) -> None:
    """Every field refuses what lies beyond its limits, and the answer names the field."""
    fields = wrong(client.create(**{field: value}))
    # Two fields that don't fit together are told at the second.
    partner = {"fastest": "slowest", "min_pause": "max_pause"}.get(field, field)

    assert any(name.startswith((field, partner)) for name in fields)
    assert not client.engine.runs


def test_every_wrong_field_is_told(client: Client) -> None:
    """All mistakes are told at once, each at its field, in words."""
    body = {"competitors": 0, "fastest": "quick", "colour": "red"}

    assert wrong(client.post("/races", body)) == {
        "course": "is required",
        "competitors": "must be at least 1",
        "fastest": "must be a number",
        "colour": "is not a field of this request",
    }


def test_too_many_positions_a_second_are_refused(client: Client) -> None:
    """A race that would ask for more positions a second than a race may is refused with the sum."""
    answer = client.create(competitors=100_000, speed=1000, interval=1)

    assert "100,000,000 positions a second" in answer.json["detail"]
    assert answer.status == 422
    assert client.create(competitors=100_000, speed=1000).status == 201


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b"\xff\xfe", b'{"a":' * 100_000])
def test_what_is_not_json_is_a_bad_request(client: Client, body: bytes) -> None:
    """A body that can't be parsed is answered 400."""
    answer = client.post("/races", body)

    assert answer.status == 400
    assert answer.json["detail"].startswith("The body is not valid JSON")


@pytest.mark.parametrize("body", [b"[]", b"7", b"null", b'"x"'])
def test_what_is_no_object_is_invalid(client: Client, body: bytes) -> None:
    """JSON that is not an object is answered 422."""
    answer = client.post("/races", body)

    assert answer.status == 422
    assert answer.json["detail"] == "must be a JSON object"


def test_an_unknown_course_names_the_known_ones(client: Client) -> None:
    """A course that isn't there is refused with the names of those that are."""
    assert wrong(client.create(course="nowhere")) == {"course": "is not a known course; available: straight"}


def test_races_are_listed_newest_first(client: Client) -> None:
    """The list begins with the race that starts last."""
    client.create(run_id="now")
    client.create(run_id="later", start_at=(START + timedelta(hours=1)).isoformat())
    races = client.get("/races").json["races"]

    assert [(race["run_id"], race["status"]) for race in races] == [
        ("later", "scheduled"),
        ("now", "running"),
    ]


def test_a_race_is_paused_resumed_and_cancelled(client: Client) -> None:
    """The three commands change the state, and what the state doesn't allow is a conflict."""
    client.create(run_id="r")
    commands = ["resume", "pause", "pause", "resume", "cancel", "cancel"]
    answers = [client.post(f"/races/r/{command}") for command in commands]

    assert [answer.status for answer in answers] == [409, 200, 409, 200, 200, 409]
    assert [answer.json["status"] for answer in answers if answer.status == 200] == [
        "paused",
        "running",
        "cancelled",
    ]
    assert answers[0].json["detail"] == "the race is running, but must be paused"


def test_positions_are_those_of_the_last_tick(client: Client) -> None:
    """The positions are GeoJSON of everybody at the last tick that was told."""
    client.create(run_id="r", competitors=3)
    client.wait(30)
    answer = client.get("/races/r/positions")
    features = answer.json["features"]
    snapshot = client.engine.runs["r"].race.snapshot(30.0)

    assert answer.header("Content-Type") == "application/geo+json"
    assert [feature["properties"]["competitorId"] for feature in features] == [1, 2, 3]
    assert [feature["properties"]["rawTime"] for feature in features] == [30, 30, 30]
    assert [feature["geometry"]["coordinates"][1] for feature in features] == pytest.approx(snapshot.lat)
    assert [feature["properties"]["distance"] for feature in features] == pytest.approx(
        snapshot.distance, abs=0.001
    )


def test_positions_of_a_race_that_has_ended_are_still_there(client: Client) -> None:
    """After its end a race can be asked for, though its field is no longer kept."""
    client.create(run_id="r", competitors=3, speed=1000)
    client.wait(60)
    features = client.get("/races/r/positions").json["features"]

    assert client.get("/races/r").json["status"] == "finished"
    assert {feature["properties"]["status"] for feature in features} == {"finished"}


def test_courses_are_listed_and_shown(client: Client) -> None:
    """A course is listed with its distance and fences, and shown as GeoJSON."""
    listed = client.get("/courses").json["courses"]
    shown = client.get("/courses/straight").json["features"]

    assert listed[0]["short_name"] == "straight"
    assert listed[0]["distance"] == pytest.approx(2500, abs=0.5)
    assert listed[0]["fences"] == ["Bridge", "Park"]
    assert [feature["properties"]["kind"] for feature in shown] == [
        "course",
        "start",
        "finish",
        "geofence",
        "geofence",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/races/none",
        "/races/none/positions",
        "/races/none/results",
        "/races/none/results.csv",
        "/races/none/tracks",
        "/races/none/tracks.gpx",
        "/courses/none",
        "/nothing",
    ],
)
def test_what_is_not_there_is_not_found(client: Client, path: str) -> None:
    """An address with nothing at it is answered 404 with problem details."""
    answer = client.get(path)

    assert answer.status == 404
    assert answer.header("Content-Type") == "application/problem+json"


@pytest.mark.parametrize("path", ["/races//r", "/races/%2Fr", "/races/%2F/results", "/races/"])
def test_no_address_stands_for_another(client: Client, path: str) -> None:
    """An address with a slash too many has nothing at it, and leads nowhere."""
    client.create(run_id="r")
    answer = client.get(path)

    assert answer.status == 404
    assert not answer.headers.hasHeader("Location")


def test_a_wrong_method_is_told_the_right_ones(client: Client) -> None:
    """A method that a route doesn't have is answered 405 with those that it has."""
    answer = client.request("DELETE", "/races")

    assert answer.status == 405
    assert "POST" in answer.header("Allow")


def test_readiness_says_why_not(client: Client) -> None:
    """While events don't get through, `/readyz` is 503 with the reason, and `/healthz` is 200."""
    assert client.get("/readyz").status == 200
    client.publisher.failing = "no broker answers"
    answer = client.get("/readyz")

    assert answer.status == 503
    assert answer.json == {"status": "not ready", "reasons": ["no broker answers"]}
    assert client.get("/healthz").status == 200


def test_late_ticks_are_a_reason_not_to_be_ready(client: Client) -> None:
    """When ticks lie back by more than a few seconds, `/readyz` says by how much."""
    client.create()
    client.wait(1)
    client.publisher.full = True
    client.wait(10)

    assert client.get("/readyz").json["reasons"] == ["ticks are 9 s late"]


def test_metrics_count_what_happened(client: Client) -> None:
    """`/metrics` has the counters with Prometheus' names."""
    client.create(competitors=3)
    client.wait(2)
    text = client.get("/metrics").body.decode()

    assert "racecast_ticks_total 3.0" in text
    assert 'racecast_races{status="running"} 1.0' in text
    assert "racecast_lag_seconds 0.0" in text


def test_the_description_is_of_the_routes_that_there_are() -> None:
    """Every route is described, and every described route is there."""
    served = {
        (method.lower(), rule.rule.replace("<", "{").replace(">", "}"))
        for rule in Api.app.url_map.iter_rules()
        for method in rule.methods or set()
        if method != "HEAD"
    }

    assert served == {(route.method, route.path) for route in openapi.ROUTES}


def test_the_description_has_the_limits(client: Client) -> None:
    """`/openapi.json` is made from the model that validates: it has the limits, and all it refers to."""
    document = client.get("/openapi.json").json
    competitors = document["components"]["schemas"]["RaceRequest"]["properties"]["competitors"]
    references = {text.split('"')[0] for text in json.dumps(document).split("#/components/schemas/")[1:]}

    assert (competitors["minimum"], competitors["maximum"]) == (1, 100_000)
    assert references <= set(document["components"]["schemas"])


def test_the_description_has_what_any_request_may_be_answered_with(client: Client) -> None:
    """What is answered before a route sees the request is described for each, and ids have their patterns."""
    document = client.get("/openapi.json").json
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    named = {
        parameter["name"]: parameter["schema"].get("pattern")
        for operation in operations
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "path"
    }

    assert all({"400", "408", "413", "429"} <= operation["responses"].keys() for operation in operations)
    assert "Retry-After" in document["components"]["responses"]["429"]["headers"]
    assert named["run_id"] == "^[A-Za-z0-9_-]{1,64}$"
    assert named["short_name"] == "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"


def test_whole_numbers_may_be_written_with_a_point(client: Client) -> None:
    """To JSON 5.0 is a whole number, and 5.5 is none."""
    answer = client.create(competitors=5.0, seed=7e3, wave_size=2.0)

    assert (answer.json["competitors"], answer.json["seed"]) == (5, 7000)
    assert answer.json["options"] == {"wave_size": 2}
    assert set(wrong(client.create(competitors=5.5, wave_size=2.5))) == {"competitors", "wave_size"}


@pytest.mark.parametrize(
    "written",
    [
        "1777712400",
        1777712400,
        "2026-05-02T10:00Z",
        "2026-05-02 10:00:00Z",
        "2026-05-02_10:00:00Z",
        "2026-05-02T10:00:00,5Z",
        "2026-05-02T10:00:00+0100",
        "2026-05-02T10:00:00Z\n",
    ],
)
def test_a_time_is_written_as_the_description_says(client: Client, written: Any) -> None:
    """What only can be read as a time, as a number of seconds, is refused."""
    problem = wrong(client.create(start_at=written))

    assert problem == {"start_at": "must be a date and time in ISO 8601, such as 2027-05-01T09:00:00Z"}


def test_the_description_has_all_that_can_be_chosen(client: Client) -> None:
    """Each format and each field of the query of the tracks is described, and what the suffix may be."""
    route = client.get("/openapi.json").json["paths"]["/races/{run_id}/tracks.{suffix}"]["get"]
    parameters = {parameter["name"]: parameter for parameter in route["parameters"]}

    assert list(route["responses"]["200"]["content"]) == [
        "application/geo+json",
        "text/csv",
        "application/gpx+xml",
        "application/vnd.google-earth.kml+xml",
    ]
    assert {name: parameter["in"] for name, parameter in parameters.items()} == {
        "run_id": "path",
        "suffix": "path",
        "bib": "query",
        "interval": "query",
        "truth": "query",
    }
    assert parameters["suffix"]["schema"]["enum"] == ["geojson", "csv", "gpx", "kml"]
    assert all(parameter["description"] for parameter in parameters.values() if parameter["in"] == "query")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", "simulates running races"),
        ("/docs", "how_many_get_stopped"),
        ("/docs", "gpx+xml"),
        ("/docs", "Path parameter: <code>suffix</code> (geojson, csv, gpx, kml)"),
        ("/docs", "Query parameter: <code>bib</code> (list of integer, 1 to 999,999)"),
        ("/docs", "200 (ResultsAnswer, text/csv)"),
    ],
)
def test_pages_say_what_this_is(client: Client, path: str, words: str) -> None:
    """A browser gets a page, and what users have typed is text in it."""
    client.create(name="<script>alert(1)</script>")
    answer = client.get(path)

    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert words in answer.body.decode()
    assert b"<script" not in answer.body


def test_a_fault_is_answered_without_its_trace(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is answered 500 in one sentence; what happened is in the log alone."""
    monkeypatch.setattr(client.engine, "lag", lambda: 1 / 0)
    answer = client.get("/readyz")

    assert answer.status == 500
    assert answer.json["detail"] == "Internal error; see the simulator's log"
    assert b"ZeroDivision" not in answer.body


@pytest.mark.parametrize("name", ["origin", "host", "authorization", "accept", "x-request-id"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/races"), ("GET", "/"), ("GET", "/races/r/results")])
def test_headers_may_hold_any_bytes(client: Client, name: str, method: str, path: str) -> None:
    """Bytes that are no text of any kind are answered, if need be with an error, never with a fault."""
    client.create(run_id="r")
    answer = client.request(method, path, b"{}", headers={name: [b"\xe9\xff\x80"]})

    assert answer.status < 500


def test_a_full_engine_is_answered_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there is no room for another race, the answer says so and what to do."""
    monkeypatch.setattr("simulator.engine.engine.MAX_LIVE_COMPETITORS", 10)
    answer = client.create(competitors=11)

    assert answer.status == 503
    assert "wait for a race to end" in answer.json["detail"]
