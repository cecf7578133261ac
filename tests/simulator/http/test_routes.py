import csv
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from treq.testing import StubTreq
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.internet.task import Clock

from simulator.course.course import Course, Width
from simulator.engine.engine import Engine
from simulator.http import openapi
from simulator.http.routes import Api
from simulator.log.local import LocalLog
from simulator.race.request import RaceRequest
from simulator.service.catalogue import Catalogue
from simulator.service.courses import CourseService
from simulator.service.following import Following
from simulator.service.races import RaceService
from simulator.service.uploads import UploadFolder
from tests.simulator.conftest import START
from tests.simulator.fakes import FakePublisher


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
        self.engine = Engine(
            clock, self.publisher, LocalLog(self.publisher, self.publisher.stored), in_thread
        )
        chances = iter(range(10_000))
        uploads = UploadFolder(folder)
        catalogue = Catalogue(courses, *uploads.load())
        self.race_service = RaceService(clock, self.engine, catalogue, uploads, lambda _: next(chances))
        _ = ensureDeferred(Following(clock, self.race_service).begin())
        course_service = CourseService(self.race_service, uploads, self.publisher, in_thread)
        stub: Any = StubTreq  # untyped
        self._treq = stub(Api(self.race_service, course_service, self.publisher).app.resource())

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
        """Return the response, which must have arrived."""
        response = self._now(asked)
        reading = self._treq.content(response)
        self._treq.flush()
        return Answered(response.code, response.headers, self._now(reading))

    def get(self, path: str, accept: str | None = None) -> Answered:
        """Send a GET request, with an Accept header if a media type is given."""
        return self.request("GET", path, headers={} if accept is None else {"Accept": accept})

    def post(self, path: str, body: Any = None) -> Answered:
        """Send a POST request."""
        return self.request("POST", path, body)

    def create(self, **fields: Any) -> Answered:
        """Create a race on the straight."""
        return self.post("/races", {"course": "straight", **fields})

    def wait(self, seconds: float) -> None:
        """Advance the time."""
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
    """Return the error of each invalid field."""
    assert answer.status == 422
    assert answer.header("Content-Type") == "application/problem+json"
    return {entry["field"]: entry["detail"] for entry in answer.json["errors"]}


def test_a_race_is_created_with_the_defaults(client: Client) -> None:
    """A request with only a course gets 201 with the race, its generated id and seed, and links."""
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
        "time_limits": [],
        "cut_offs_from": "gun",
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


def test_the_original_body_is_accepted_at_the_root(client: Client) -> None:
    """`POST /` accepts the body that the original client sends, its points included."""
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
    """A repeated request with points returns the same race; other points are a conflict."""
    body = {"run_id": "r", "course": "field", "points": [[0, 50], [0.01, 50]]}
    other = {**body, "points": [[0, 50], [0.02, 50]]}

    assert [client.post("/races", asked).status for asked in (body, body, other)] == [201, 200, 409]


def test_generated_ids_are_unique(clock: Clock, straight: Course, tmp_path: Path) -> None:
    """If a generated id is taken, another one is drawn."""
    chances = iter([5, 1, 5, 5, 6, 2])
    publisher = FakePublisher()
    engine = Engine(clock, publisher, LocalLog(publisher, publisher.stored), maybeDeferred)
    race_service = RaceService(
        clock,
        engine,
        Catalogue({"straight": straight}),
        UploadFolder(tmp_path),
        lambda _: next(chances),
    )
    _ = ensureDeferred(Following(clock, race_service).begin())
    for _ in range(2):
        _ = ensureDeferred(race_service.create(RaceRequest(course="straight")))

    assert [run_id[-6:] for run_id in engine.runs] == ["000005", "000006"]


def test_a_race_that_starts_now_is_running(client: Client) -> None:
    """A race without a start runs at once, at any fraction of a second."""
    for _ in range(20):
        client.clock.advance(0.0123456)
        assert client.create().json["status"] == "running"


def test_a_pause_does_not_move_the_gun(client: Client) -> None:
    """`start_at` is the gun time, however long the race was paused."""
    before = client.create(run_id="r").json["start_at"]
    client.wait(3)
    client.post("/races/r/pause")
    client.wait(5)
    client.post("/races/r/resume")

    assert client.get("/races/r").json["start_at"] == before


def test_points_make_a_course_of_their_own(client: Client) -> None:
    """Points with an unknown course name become a course; a warning says that no competitor will pause."""
    body = {"course": "field", "points": [[0, 50], [0.01, 50]], "how_many_get_stopped": 0.5}
    answer = client.post("/races", body)

    assert answer.status == 201
    assert answer.json["warnings"][-1] == "The course passes through no geofence: no competitor will pause."
    assert client.get("/courses/field").status == 200


def test_options_are_accepted_and_returned(client: Client) -> None:
    """The response has the options that differ from their defaults."""
    options = {"pace_model": "parkrun", "gps_error": 2.5, "dnf": 0.1, "corrals": True, "wave_size": 20}
    answer = client.post("/races", {"course": "straight", **options, "lost": 0.0, "women": 0.4})

    assert answer.status == 201
    assert answer.json["options"] == options
    assert client.post("/races", {"course": "straight"}).json["options"] == {}


def test_a_start_list_gives_the_competitors(client: Client) -> None:
    """The start list gives number and bibs of the competitors; errors in it name its field."""
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


def test_what_is_assumed_about_a_start_list_is_a_warning(client: Client) -> None:
    """Warnings are in the answer, and stay in it; all faulty lines are in the errors."""
    body = {"course": "straight", "run_id": "noted", "start_list": "Bib,Name,E-mail\n1,Ann,a@b"}
    answer = client.post("/races", body)
    refused = client.post("/races", {"course": "straight", "start_list": "bib,name\nx,Ann\ny,Bob"})
    too_fast = client.post("/races", {"course": "straight", "start_list": "bib,expected time\n1,0:00:10"})

    assert answer.json["warnings"][0].startswith('Start list: Unused columns: "E-mail"')
    assert client.get("/races/noted").json["warnings"] == answer.json["warnings"]
    assert [error["field"] for error in refused.json["errors"]] == ["start_list"] * 2
    assert [error["detail"][:20] for error in refused.json["errors"]] == [
        "is invalid in line 2",
        "is invalid in line 3",
    ]
    assert wrong(too_fast)["start_list"].startswith("is invalid for bib 1: the expected time of 10 s")


def test_a_start_list_has_a_preview(client: Client) -> None:
    """A preview says how a list is read; with other columns chosen, it has the list to be sent."""
    body = {"start_list": "Nr,Who,Verein\n1,Ann,Harriers\n2,Bo,"}
    plain = client.post("/start-lists", body)
    chosen = client.post("/start-lists", {**body, "columns": {"name": 2, "club": 0}})
    created = client.post("/races", {"course": "straight", "start_list": chosen.json["start_list"]})

    assert plain.status == 200
    assert [(one["name"], one["field"]) for one in plain.json["columns"]] == [
        ("Nr", "bib"),
        ("Who", ""),
        ("Verein", "club"),
    ]
    assert plain.json["rows"] == [["1", "Ann", "Harriers"], ["2", "Bo", ""]]
    assert (plain.json["competitors"], plain.json["clubs"], plain.json["start_list"]) == (2, 1, None)
    assert plain.json["warnings"][0].startswith('Unused columns: "Who"')
    assert [one["field"] for one in chosen.json["columns"]] == ["bib", "name", ""]
    assert (created.status, created.json["competitors"]) == (201, 2)


def test_a_preview_has_errors(client: Client) -> None:
    """What is wrong with a list is in its preview; a wrong request is refused."""
    faulty = client.post("/start-lists", {"start_list": "bib,name\nx,Ann"})
    unknown = client.post("/start-lists", {"start_list": "", "columns": {"shoe": 1}})
    twice = client.post("/start-lists", {"start_list": "", "columns": {"bib": 1, "name": 1}})

    assert (faulty.status, faulty.json["competitors"]) == (200, 0)
    assert faulty.json["errors"][0].startswith("is invalid in line 2")
    assert wrong(unknown)["columns"].startswith("has no field shoe; the fields are bib, name, ")
    assert wrong(twice)["columns"] == "must not have column 1 for two fields"


def test_cut_offs_are_returned_with_their_places(client: Client) -> None:
    """The response has the limits by distance, and the option as seconds by name."""
    asked = {"cut_offs": "finish = 0:40:00; 1 km = 600", "cut_offs_from": "wave"}
    answer = client.post("/races", {"course": "straight", "run_id": "r1", **asked})

    assert answer.status == 201
    assert answer.json["options"] == {
        "cut_offs": {"finish": 2400.0, "1 km": 600.0},
        "cut_offs_from": "wave",
    }
    distance = pytest.approx(2500.0, abs=1.0)
    assert answer.json["time_limits"] == [
        {"name": "1 km", "point": "1 km", "lap": 1, "distance": 1000.0, "limit": 600.0},
        {"name": "finish", "point": "Finish", "lap": 1, "distance": distance, "limit": 2400.0},
    ]
    assert answer.json["cut_offs_from"] == "wave"
    again = client.post("/races", {"course": "straight", "run_id": "r1", **asked})
    assert (again.status, again.json["time_limits"]) == (200, answer.json["time_limits"])
    assert client.get("/races/r1").json["time_limits"] == answer.json["time_limits"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"cut_offs": {"Bridge": 900}},
            "must name timing points of the course, not 'Bridge'; they are 1 km, 2 km",
        ),
        (
            {"cut_offs": {"1 km": 900, "finish": 800}},
            "must rise with the distance: finish, 0:13:20, is not later",
        ),
        ({"cut_offs": {"1 km": 10}}, "can't be reached: 1 km within 0:00:10 is faster than 60 seconds per"),
        ({"cut_offs": "1 km"}, "must be names of timing points with times, such as 5 km = 0:40:00; finish ="),
        (
            {"cut_offs": {"finish": 600}, "wave_size": 50, "wave_delay": 900},
            "must not close the course before all have started: the finish closes after 0:10:00",
        ),
    ],
)
def test_cut_offs_that_do_not_fit_are_rejected(client: Client, fields: dict[str, Any], reason: str) -> None:
    """Limits that the course or the starts don't allow get 422 with the reason at the field."""
    answer = client.post("/races", {"course": "straight", **fields})

    assert wrong(answer)["cut_offs"].startswith(reason)
    assert client.get("/races").json["races"] == []


def test_results_name_the_cut_off(client: Client, clock: Clock) -> None:
    """In a race with cut-offs each result has the one that has stopped its competitor; CSV has a column."""
    client.create(run_id="r1", competitors=20, seed=3, cut_offs="1 km = 300", speed=100)
    clock.advance(60)
    answer = client.get("/races/r1/results")
    text = client.get("/races/r1/results.csv").body.decode("utf-8-sig")

    named = {line["bib"]: line["cut_off"] for line in answer.json["results"]}
    assert set(named.values()) == {"", "1 km"}
    assert {line["status"] for line in answer.json["results"] if line["cut_off"]} == {"dnf"}
    read = {int(row["bib"]): row["cut_off"] for row in csv.DictReader(text.splitlines())}
    assert read == named


def test_options_without_an_effect_get_a_warning(client: Client) -> None:
    """Hills on a course without altitude and a wall in a short race have no effect: a warning says so."""
    answer = client.post("/races", {"course": "straight", "gradient": True, "fatigue": "wall"})

    assert answer.json["warnings"] == [
        "The course has no altitude: hills do not affect the pace.",
        "The course is shorter than 30 km: no competitor will hit the wall.",
    ]


def test_options_of_the_timing_mats_get_a_warning(client: Client) -> None:
    """Without raw reads they change no event: a warning says what they change."""
    (warning,) = client.post("/races", {"course": "straight", "stray_reads": 0.1}).json["warnings"]

    assert warning.startswith("Raw reads are not published without `chip_reads`: the other options")
    assert client.post("/races", {"course": "straight", "stray_reads": 0.0}).json["warnings"] == []
    both = {"course": "straight", "stray_reads": 0.1, "chip_reads": True}
    assert client.post("/races", both).json["warnings"] == []


def test_points_that_form_no_course_are_rejected(client: Client) -> None:
    """Identical points don't form a course."""
    answer = client.post("/races", {"course": "dot", "points": [[0, 50], [0, 50]]})

    assert wrong(answer)["points"].startswith("don't form a valid course:")


def test_a_repeat_is_the_same_race(client: Client) -> None:
    """The same body with the same run id gets 200 and the same race with its seed."""
    first = client.create(run_id="r1", competitors=5)
    again = client.create(run_id="r1", competitors=5)

    assert (first.status, again.status) == (201, 200)
    assert first.json["seed"] == again.json["seed"]
    assert len(client.engine.runs) == 1


def test_another_body_with_the_same_id_is_a_conflict(client: Client) -> None:
    """A run id that is taken by a different request is rejected."""
    client.create(run_id="r1", competitors=5)
    answer = client.create(run_id="r1", competitors=6)

    assert answer.status == 409
    assert answer.json["title"] == "Conflict"


LIMITS: list[tuple[str, list[Any], list[Any]]] = [
    ("run_id", ["a", "A-z_9", "x" * 64], ["", "x" * 65, "a b", "a/b", "é", "a\n", 7]),
    ("name", ["x", "x" * 120, "Ünï ${x}"], ["", "x" * 121, "  ", "a\nb", "a\u0000", 5]),
    ("competitors", [1, 200_000], [0, 1_000_001, -1, 1.5, "10", True, None]),
    ("fastest", [60, 500, 144.5], [59.999, 500.001, "144", float("nan"), float("inf")]),
    ("slowest", [144, 3600], [143.999, 3600.001]),
    ("how_many_get_stopped", [0, 1, 0.5], [-0.001, 1.001]),
    ("min_pause", [0, 30], [-0.001, 30.001]),
    ("max_pause", [5, 3600], [4.999, 3600.001]),
    ("seed", [0, 2**63 - 1], [-1, 2**63, 2**70, 1.5]),
    ("speed", [0.1, 1000], [0.099, 1000.1]),
    ("interval", [1, 3600], [0.999, 3600.1]),
    ("read_repeats", [1, 10], [0, 11, 1.5]),
    ("missed_passes", [0, 1], [-0.001, 1.001]),
    ("missed_by_line", [0, 1], [-0.001, 1.001]),
    ("stray_reads", [0, 1], [-0.001, 1.001]),
    ("reader_skew", [0, 3600], [-0.001, 3600.001]),
    ("reader_drift", [0, 1000], [-0.001, 1000.001]),
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
def test_values_within_the_limits_are_accepted(client: Client, field: str, value: Any) -> None:
    """Every field accepts its smallest and its largest value."""
    assert client.create(**{field: value}).status == 201


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, _, bad in LIMITS for value in bad], ids=str
)
def test_values_beyond_the_limits_are_rejected(client: Client, field: str, value: Any) -> None:
    """Every field rejects values beyond its limits, and the response names the field."""
    fields = wrong(client.create(**{field: value}))
    # A conflict of two fields is reported at the second.
    partner = {"fastest": "slowest", "min_pause": "max_pause"}.get(field, field)

    assert any(name.startswith((field, partner)) for name in fields)
    assert not client.engine.runs


def test_every_invalid_field_is_reported(client: Client) -> None:
    """All errors are reported at once, each with its field."""
    body = {"competitors": 0, "fastest": "quick", "colour": "red"}

    assert wrong(client.post("/races", body)) == {
        "course": "is required",
        "competitors": "must be at least 1",
        "fastest": "must be a number",
        "colour": "is not a field of this request",
    }


def test_too_many_positions_per_second_are_rejected(client: Client) -> None:
    """A race with too many positions per second is rejected, and the message has the rate."""
    answer = client.create(competitors=100_000, speed=1000, interval=1)

    assert "100,000,000 positions a second" in answer.json["detail"]
    assert answer.status == 422
    assert client.create(competitors=100_000, speed=1000).status == 201


def test_the_largest_race(client: Client) -> None:
    """A million competitors are accepted, at as many positions a second as any race may have."""
    assert client.create(competitors=1_000_000, interval=4.9).status == 422
    assert client.create(competitors=1_000_000, interval=5).status == 201


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b"\xff\xfe", b'{"a":' * 100_000])
def test_what_is_not_json_is_a_bad_request(client: Client, body: bytes) -> None:
    """A body that can't be parsed is answered 400."""
    answer = client.post("/races", body)

    assert answer.status == 400
    assert answer.json["detail"].startswith("The body is not valid JSON")


@pytest.mark.parametrize("body", [b"[]", b"7", b"null", b'"x"'])
def test_json_that_is_no_object_is_invalid(client: Client, body: bytes) -> None:
    """JSON that is not an object is answered 422."""
    answer = client.post("/races", body)

    assert answer.status == 422
    assert answer.json["detail"] == "must be a JSON object"


def test_an_unknown_course_names_the_known_ones(client: Client) -> None:
    """An unknown course is rejected with the names of the known ones."""
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
    """The three actions change the state; those that the state doesn't allow are a conflict."""
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


def test_a_percent_encoded_action_is_the_same_action(client: Client) -> None:
    """Routes match the decoded path, and so do their handlers."""
    client.create(run_id="r")

    assert client.post("/races/r/%70ause").json["status"] == "paused"


def test_positions_are_those_of_the_last_tick(client: Client) -> None:
    """The positions of all competitors at the last published tick, as GeoJSON."""
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


def test_positions_are_available_after_the_end(client: Client) -> None:
    """The positions of an ended race are computed again."""
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
    assert (listed[0]["climb"], listed[0]["timing_points"]) == (None, [])
    assert [feature["properties"]["kind"] for feature in shown] == [
        "course",
        "start",
        "finish",
        "geofence",
        "geofence",
    ]


def test_a_course_is_listed_with_its_narrowest_width(clock: Clock, straight: Course, tmp_path: Path) -> None:
    """The narrowest place of a course is listed; null without widths, and unlimited parts don't count."""
    widths = {
        "plain": (),
        "free": (Width(0.0, np.inf),),
        "narrow": (Width(0.0, 6.0), Width(9.0, 3.5), Width(20.0, np.inf)),
    }
    courses = {name: replace(straight, short_name=name, widths=found) for name, found in widths.items()}
    listed = Client(clock, courses, tmp_path / "uploads").get("/courses").json["courses"]

    assert {one["short_name"]: one["narrowest"] for one in listed} == {
        "plain": None,
        "free": None,
        "narrow": 3.5,
    }


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
    """An unknown path gets 404 with problem details."""
    answer = client.get(path)

    assert answer.status == 404
    assert answer.header("Content-Type") == "application/problem+json"


@pytest.mark.parametrize("path", ["/races//r", "/races/%2Fr", "/races/%2F/results", "/races/"])
def test_paths_are_exact(client: Client, path: str) -> None:
    """A path with an extra slash gets 404, and no redirect."""
    client.create(run_id="r")
    answer = client.get(path)

    assert answer.status == 404
    assert not answer.headers.hasHeader("Location")


def test_a_wrong_method_gets_the_allowed_ones(client: Client) -> None:
    """An unsupported method gets 405 with the allowed ones."""
    answer = client.request("DELETE", "/races")

    assert answer.status == 405
    assert "POST" in answer.header("Allow")


def test_readiness_gives_the_reason(client: Client) -> None:
    """While events are not delivered, `/readyz` is 503 with the reason, and `/healthz` is 200."""
    client.create(run_id="a", competitors=3)
    assert client.get("/readyz").json == {
        "status": "ok",
        "reasons": [],
        "partitions": [0],
        "parts": 1,
        "lag": 0.0,
    }
    client.publisher.failing = "no broker answers"
    answer = client.get("/readyz")

    assert answer.status == 503
    assert answer.json["status"] == "not ready"
    assert answer.json["reasons"] == ["no broker answers"]
    assert client.get("/healthz").status == 200


def test_no_race_is_known_before_earlier_ones_are_read(client: Client) -> None:
    """Until then a race that is not found may exist, and a repeated create would make another race."""
    client.create(run_id="race-1", competitors=3)
    client.race_service.unread = "no broker answers"
    body = {"course": "straight", "run_id": "race-1", "competitors": 3}
    answers = [client.request("POST", "/races", body), client.request("POST", "/races/race-1/cancel")]
    answers += [client.get(path) for path in ("/", "/races", "/races/race-1", "/races/race-1/results")]

    assert {answer.status for answer in answers} == {503}
    assert {answer.header("Retry-After") for answer in answers} == {"2"}
    assert answers[0].json["detail"] == "The races are still being read: no broker answers"
    assert client.get("/readyz").json["reasons"] == ["no broker answers"]
    assert client.get("/courses").status == 200

    client.race_service.unread = None
    assert client.request("POST", "/races", body).status == 200


def test_late_ticks_are_a_reason_not_to_be_ready(client: Client) -> None:
    """When ticks are more than a few seconds late, `/readyz` says by how much."""
    client.create()
    client.wait(1)
    client.publisher.full = True
    client.wait(10)

    assert client.get("/readyz").json["reasons"] == ["ticks are 9 s late"]


def test_metrics_have_the_counts(client: Client) -> None:
    """`/metrics` has the counts under their Prometheus names."""
    client.create(competitors=3)
    client.wait(2)
    text = client.get("/metrics").body.decode()

    assert "racecast_ticks_total 3.0" in text
    assert 'racecast_races{status="running"} 1.0' in text
    assert "racecast_lag_seconds 0.0" in text


def test_the_document_has_all_routes() -> None:
    """The OpenAPI document and the application have the same routes."""
    served = {
        (method.lower(), rule.rule.replace("<", "{").replace(">", "}"))
        for rule in Api.app.url_map.iter_rules()
        for method in rule.methods or set()
        if method != "HEAD"
    }

    assert served == {(route.method, route.path) for route in openapi.ROUTES}


def test_the_document_has_the_limits(client: Client) -> None:
    """`/openapi.json` has the limits of the request model, and no dangling reference."""
    document = client.get("/openapi.json").json
    competitors = document["components"]["schemas"]["RaceRequest"]["properties"]["competitors"]
    references = {text.split('"')[0] for text in json.dumps(document).split("#/components/schemas/")[1:]}

    assert (competitors["minimum"], competitors["maximum"]) == (1, 1_000_000)
    assert references <= set(document["components"]["schemas"])


def test_the_document_has_the_statuses_of_any_request(client: Client) -> None:
    """Each operation has the statuses sent before routing, and ids have their patterns."""
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


def test_integers_may_have_a_decimal_point(client: Client) -> None:
    """5.0 is accepted as an integer, 5.5 is not."""
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
def test_a_time_must_be_in_the_documented_format(client: Client, written: Any) -> None:
    """Other formats of time, such as a number of seconds, are rejected."""
    problem = wrong(client.create(start_at=written))

    assert problem == {"start_at": "must be a date and time in ISO 8601, such as 2027-05-01T09:00:00Z"}


def test_the_document_has_all_formats_and_query_fields(client: Client) -> None:
    """The route for tracks lists its formats, its query fields and its suffixes."""
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
        ("/docs", "Query parameter: <code>bib</code> (list of integer, 1 to 1,000,000)"),
        ("/docs", "200 (ResultsAnswer, text/csv)"),
    ],
)
def test_browsers_get_pages(client: Client, path: str, words: str) -> None:
    """A browser gets an HTML page, in which users' text is escaped."""
    client.create(name="<script>alert(1)</script>")
    answer = client.get(path)

    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert words in answer.body.decode()
    assert b"<script" not in answer.body


def test_a_fault_is_answered_without_a_traceback(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug gets 500 with one sentence; the details are only in the log."""
    monkeypatch.setattr(client.engine, "lag", lambda: 1 / 0)
    answer = client.get("/readyz")

    assert answer.status == 500
    assert answer.json["detail"] == "Internal error; see the simulator's log"
    assert b"ZeroDivision" not in answer.body


@pytest.mark.parametrize("name", ["origin", "host", "authorization", "accept", "x-request-id"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/races"), ("GET", "/"), ("GET", "/races/r/results")])
def test_headers_may_hold_any_bytes(client: Client, name: str, method: str, path: str) -> None:
    """Headers with arbitrary bytes never cause a 500."""
    client.create(run_id="r")
    answer = client.request(method, path, b"{}", headers={name: [b"\xe9\xff\x80"]})

    assert answer.status < 500


def test_a_full_engine_is_answered_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there is no capacity for another race, the response says so and what to do."""
    monkeypatch.setattr("simulator.engine.engine.MAX_LIVE_COMPETITORS", 10)
    answer = client.create(competitors=11)

    assert answer.status == 503
    assert "wait for a race to end" in answer.json["detail"]
