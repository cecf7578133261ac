"""Results, forecasts and tracks over HTTP: format, moment, rejected requests."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred, maybeDeferred
from twisted.internet.task import Clock

from simulator.course.course import Course
from simulator.export import forecasts, formats, result_files
from simulator.http.answers import TeamsAnswer
from simulator.http.latest_forecasts import MOST_KEPT
from simulator.http.sending import send
from simulator.race.race import Race
from tests.simulator.fakes import Bench
from tests.simulator.http.test_routes import Client, wrong

JSON, CSV, GEOJSON = "application/json", "text/csv", "application/geo+json"
GPX, KML = "application/gpx+xml", "application/vnd.google-earth.kml+xml"


@pytest.fixture
def client(clock: Clock, straight: Course, tmp_path: Path) -> Client:
    """Return the API with one race, 30 s after its gun."""
    client = Client(clock, {"straight": straight}, tmp_path / "uploads")
    client.create(run_id="r", competitors=3)
    client.wait(30)
    return client


def media_type(client: Client, what: str, accept: str | None) -> str:
    """Return a response's media type without its parameters."""
    answer = client.get(f"/races/r/{what}", accept)
    assert answer.status == 200
    assert answer.header("Vary") == "Accept"
    return answer.header("Content-Type").partition(";")[0]


@pytest.mark.parametrize(
    ("accept", "results", "tracks"),
    [
        (None, JSON, GEOJSON),
        ("", JSON, GEOJSON),
        ("*/*", JSON, GEOJSON),
        ("text/csv", CSV, CSV),
        ("TEXT/CSV", CSV, CSV),
        ("text/csv; charset=utf-8", CSV, CSV),
        ("text/*", CSV, CSV),
        ("application/*;q=0.5, text/csv;q=0.4", JSON, GEOJSON),
        ("application/*;q=0.4, text/csv;q=0.5", CSV, CSV),
        ("*/*, application/json;q=0, application/geo+json;q=0", CSV, CSV),
        ("text/html, */*;q=0.1", JSON, GEOJSON),
        ("text/csv;q=0.2, application/gpx+xml, application/json;q=0.1", CSV, GPX),
        ("application/vnd.google-earth.kml+xml;q=0.9, text/csv;q=0.8", CSV, KML),
    ],
)
def test_the_preferred_format_is_returned(
    client: Client, accept: str | None, results: str, tracks: str
) -> None:
    """The Accept header chooses, with its q-values; what it names outright wins over what it allows."""
    assert media_type(client, "results", accept) == results
    assert media_type(client, "tracks", accept) == tracks


def test_accept_may_come_in_several_lines(client: Client) -> None:
    """Lines of the header are one list, whichever of them is the last."""
    for lines in (["text/csv", "application/json;q=0.5"], ["application/json;q=0.5", "text/csv"]):
        answer = client.request("GET", "/races/r/results", headers={"Accept": lines})
        assert answer.header("Content-Type") == "text/csv; charset=utf-8"


@pytest.mark.parametrize(
    "accept", ["text/html", "text/csv;q=0", "*/*;q=0", "application/xml, image/*", "nonsense"]
)
@pytest.mark.parametrize("what", ["results", "teams", "tracks", "crowding"])
def test_an_unknown_format_is_not_acceptable(client: Client, what: str, accept: str) -> None:
    """If no accepted format is available, the response is 406 and lists those that are."""
    answer = client.get(f"/races/r/{what}", accept)

    assert answer.status == 406
    assert answer.header("Content-Type") == "application/problem+json"
    assert "text/csv" in answer.json["detail"]
    assert ".csv" in answer.json["detail"]


@pytest.mark.parametrize(
    ("what", "suffix", "content_type"),
    [
        ("results", "json", JSON),
        ("results", "csv", "text/csv; charset=utf-8"),
        ("teams", "json", JSON),
        ("teams", "csv", "text/csv; charset=utf-8"),
        ("tracks", "geojson", GEOJSON),
        ("tracks", "csv", "text/csv; charset=utf-8"),
        ("tracks", "gpx", GPX),
        ("tracks", "kml", KML),
        ("crowding", "json", JSON),
        ("crowding", "csv", "text/csv; charset=utf-8"),
    ],
)
def test_the_suffix_wins(client: Client, what: str, suffix: str, content_type: str) -> None:
    """With a suffix the Accept header doesn't count, and the file is called after the race."""
    answer = client.get(f"/races/r/{what}.{suffix}", "text/html, text/csv;q=0.1")

    assert answer.status == 200
    assert answer.header("Content-Type") == content_type
    assert answer.header("Content-Disposition").endswith(f'; filename="r-{what}.{suffix}"')
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.body


@pytest.mark.parametrize(
    "path", ["results.gpx", "teams.gpx", "results.", "results.CSV", "tracks.json", "tracks.kmz"]
)
def test_an_unknown_suffix_is_not_found(client: Client, path: str) -> None:
    """A suffix that isn't one of the formats' is answered 404."""
    answer = client.get(f"/races/r/{path}")

    assert answer.status == 404
    assert answer.header("Content-Type") == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["results", "results.csv", "teams", "teams.csv", "crowding", "forecasts", "tracks", "tracks.gpx"]
)
def test_head_has_the_headers_alone(client: Client, path: str) -> None:
    """HEAD is answered as GET is, without the body."""
    head, got = client.request("HEAD", f"/races/r/{path}"), client.get(f"/races/r/{path}")

    assert (head.status, head.body) == (200, b"")
    assert head.header("Content-Type") == got.header("Content-Type")
    assert head.header("Content-Disposition") == got.header("Content-Disposition")


def test_results_are_those_of_the_last_published_tick(client: Client) -> None:
    """Results contain nothing that has not been published."""
    before = client.get("/races/r/results").json
    client.publisher.full = True
    client.wait(5)
    snapshot = client.engine.runs["r"].race.snapshot(30.0)

    assert before["race_time"] == 30.0
    assert before["run_id"] == "r"
    assert client.get("/races/r/results").json["race_time"] < 33
    assert sorted(line["distance"] for line in before["results"]) == pytest.approx(
        sorted(snapshot.distance), abs=0.001
    )


def test_forecasts_are_those_of_the_last_published_tick(client: Client) -> None:
    """Forecasts are made at the moment up to which the race is published, for those on the course."""
    answer = client.get("/races/r/forecasts")

    assert answer.header("Content-Type") == JSON
    assert answer.json["race_time"] == 30.0
    assert [one["bib"] for one in answer.json["forecasts"]] == [1, 2, 3]
    assert client.get("/races/none/forecasts").status == 404


def test_forecasts_are_made_once_per_tick(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests at the same tick share them; the next tick has others. Those of four races are kept."""
    made: list[tuple[str, float]] = []
    real = forecasts.of

    def counted(race: Race, until: float) -> forecasts.RaceForecasts:
        made.append((race.run_id, until))
        return real(race, until)

    monkeypatch.setattr(forecasts, "of", counted)
    first, again = (client.get("/races/r/forecasts").body for _ in range(2))
    assert first == again
    assert made == [("r", 30.0)]
    client.wait(1)
    assert client.get("/races/r/forecasts").json["race_time"] == 31.0
    for nth in range(MOST_KEPT):
        client.create(run_id=f"other_{nth}", competitors=3)
        client.get(f"/races/other_{nth}/forecasts")
    del made[:]
    client.get("/races/other_0/forecasts")
    assert made == []
    client.get("/races/r/forecasts")
    assert made == [("r", 31.0)]


@pytest.mark.parametrize("path", ["results", "results.csv", "results.json"])
def test_the_query_chooses_the_rank(client: Client, path: str) -> None:
    """`?rank=chip` ranks by chip time, in each format; without it, and with `gun`, places go by gun time."""
    client.create(run_id="flow", competitors=30, start_flow=0.5, speed=1000)
    client.wait(100)
    by_default, by_gun, by_chip = (
        client.get(f"/races/flow/{path}{query}").body.decode() for query in ("", "?rank=gun", "?rank=chip")
    )
    csv_by_chip = client.get("/races/flow/results.csv?rank=chip").body.decode("utf-8-sig")
    times = [float(row["chip_time"]) for row in csv.DictReader(io.StringIO(csv_by_chip))]

    assert by_default == by_gun != by_chip
    assert times == sorted(times)
    assert len(times) == 30


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [("rank=net", "rank", "must be 'gun' or 'chip'"), ("order=chip", "order", "is not")],
)
def test_an_unknown_rank_is_rejected(client: Client, query: str, field: str, words: str) -> None:
    """The response is 422 and names the parameter and its values."""
    answer = client.get(f"/races/r/results?{query}")

    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == field
    assert words in answer.json["errors"][0]["detail"]


def test_teams_are_those_of_the_last_published_tick(client: Client) -> None:
    """Teams follow the race: none before the first finish, then the finishers' clubs by the query's rules."""
    client.create(run_id="clubs", competitors=200, entrants="drawn", speed=1000)
    assert client.get("/races/clubs/teams").json["teams"] == []
    client.wait(100)
    results = client.get("/races/clubs/results?rank=chip").json["results"]
    answer = client.get("/races/clubs/teams?scorers=3&by=time&who=women&rank=chip")
    found = TeamsAnswer.model_validate_json(answer.body, strict=True)

    assert (found.scorers, found.by, found.who, found.rank) == (3, "time", "women", "chip")
    assert len(found.teams) > 5
    for team in found.teams:
        members = [one for one in results if one["club"] == team.club and one["sex"] == "F"]
        done = [one for one in members if one["status"] == "finished"]
        assert [scorer.bib for scorer in team.scorers] == [one["bib"] for one in done[:3]]
        assert team.score == sum(one["official_time"] for one in done[:3])
        assert (team.place is None) == (len(done) < 3)


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("scorers=1", "scorers", "must be at least 2"),
        ("scorers=21", "scorers", "must be at most 20"),
        ("scorers=four", "scorers", "must be a whole number"),
        ("by=points", "by", "must be 'place' or 'time'"),
        ("who=veterans", "who", "must be 'all', 'women', 'men' or 'mixed'"),
        ("club=AC", "club", "is not"),
    ],
)
def test_unknown_rules_of_teams_are_rejected(client: Client, query: str, field: str, words: str) -> None:
    """The response is 422 and names the parameter and what it may be."""
    answer = client.get(f"/races/r/teams?{query}")

    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == field
    assert words in answer.json["errors"][0]["detail"]


def test_crowding_is_that_of_the_whole_race(client: Client) -> None:
    """The answer doesn't wait for the race, and the query sets the levels of its warnings."""
    client.create(run_id="tight", competitors=200, crowding="flow", width=1.0)
    found = client.get("/races/tight/crowding?max_density=0.2&max_flow=1000").json
    race = client.engine.runs["tight"].race
    assert race.field.lost is not None

    assert found["competitors"]["lost_on_course"] == pytest.approx(race.field.lost.on_course, abs=0.001)
    assert found["warnings"][0]["quantity"] == "density"
    assert found["warnings"][0]["level"] == 0.2


@pytest.mark.parametrize("query", ["max_density=0", "max_density=dense", "max_flow=nan", "density=1"])
def test_an_impossible_level_is_rejected(client: Client, query: str) -> None:
    """The response is 422 and names the parameter."""
    answer = client.get(f"/races/r/crowding?{query}")

    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == query.partition("=")[0]


def test_tracks_go_up_to_the_last_published_tick(client: Client) -> None:
    """A track has a point for each tick from the gun to the last published one."""
    features = client.get("/races/r/tracks").json["features"]

    assert [len(feature["properties"]["times"]) for feature in features] == [31, 31, 31]
    assert {feature["properties"]["times"][-1] for feature in features} == {1777712430000}


def test_the_query_chooses(client: Client) -> None:
    """The query has bibs, interval and truth; a bib may be repeated."""
    features = client.get("/races/r/tracks?bib=3&bib=1&interval=10&truth=true").json["features"]

    assert [feature["properties"]["bib"] for feature in features] == [1, 3]
    assert [len(feature["properties"]["times"]) for feature in features] == [4, 4]


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("bib=4", "bib", "must be in the race: no competitor has the bib 4"),
        ("bib=1&bib=77", "bib", "must be in the race: no competitor has the bib 77"),
        ("bib=x", "bib[0]", "must be a whole number"),
        ("bib=", "bib[0]", "must be a whole number"),
        ("bib=0", "bib[0]", "must be at least 1"),
        ("bib=99999999999999999999", "bib[0]", "must be at most 1,000,000"),
        ("interval=0.99", "interval", "must be at least 1"),
        ("interval=3601", "interval", "must be at most 3,600"),
        ("bib=1_0", "bib[0]", "must be a whole number"),
        ("bib=%2B1", "bib[0]", "must be a whole number"),
        ("interval=1_0", "interval", "must be a number"),
        ("interval=%205", "interval", "must be a number"),
        ("interval=nan", "interval", "must be a number"),
        ("interval=2&interval=3", "interval", "must be a number"),
        ("truth=maybe", "truth", "must be true or false"),
        ("bibs=1", "bibs", "is not a field of this request"),
    ],
)
def test_an_invalid_query_is_rejected(client: Client, query: str, field: str, words: str) -> None:
    """Errors in the query name their field."""
    for path in ("tracks", "tracks.kml"):
        assert wrong(client.get(f"/races/r/{path}?{query}")) == {field: words}


def test_too_many_points_are_refused(client: Client) -> None:
    """A response has a maximum of points; fewer bibs or a longer interval help."""
    client.create(run_id="big", competitors=500, fastest=300.0, speed=100.0, interval=1.0)
    client.wait(5)

    assert wrong(client.get("/races/big/tracks")) == {
        "interval": "gives 250,500 points; the limit is 200,000: choose bibs or a longer interval"
    }
    assert client.get("/races/big/tracks?interval=2").status == 200
    assert client.get("/races/big/tracks?bib=5").status == 200


def test_a_race_before_its_start_has_results_and_no_tracks(client: Client) -> None:
    """A scheduled race lists its competitors, and has no tracks."""
    client.create(run_id="later", competitors=2, start_at="2026-05-02T12:00:00Z")
    results = client.get("/races/later/results").json

    assert results["race_time"] == -1.0
    assert [line["status"] for line in results["results"]] == ["waiting", "waiting"]
    assert client.get("/races/later/tracks").json == {"type": "FeatureCollection", "features": []}
    assert etree.fromstring(client.get("/races/later/tracks.gpx").body).find("{*}trk") is None


def test_a_cancelled_race_has_what_was_published(client: Client) -> None:
    """Competitors on the course at the cancellation stay there."""
    client.post("/races/r/cancel")
    client.wait(60)
    results = client.get("/races/r/results").json

    assert results["race_time"] == 30.0
    assert [(line["status"], line["place"]) for line in results["results"]] == [("running", None)] * 3
    assert len(client.get("/races/r/tracks.csv").body.splitlines()) == 1 + 3 * 31


def test_a_race_that_has_ended_is_complete(client: Client) -> None:
    """After the end, all competitors have finished, and the tracks lead to the finish."""
    client.create(run_id="done", competitors=4, speed=1000.0, seed=3)
    client.wait(60)
    rows = list(csv.DictReader(io.StringIO(client.get("/races/done/results.csv").body.decode("utf-8-sig"))))
    tracks = list(csv.DictReader(io.StringIO(client.get("/races/done/tracks.csv").body.decode("utf-8-sig"))))

    assert client.get("/races/done").json["status"] == "finished"
    assert [row["place"] for row in rows] == ["1", "2", "3", "4"]
    assert sorted(row["race_time"] for row in tracks if row["status"] == "finished") == sorted(
        row["gun_time"] for row in rows
    )


def test_files_are_generated_in_threads(clock: Clock, straight: Course, tmp_path: Path) -> None:
    """No piece is generated on the reactor: the client waits for the thread."""
    bench = Bench()
    client = Client(clock, {"straight": straight}, tmp_path / "uploads", bench)
    created = client.ask("POST", "/races", {"course": "straight", "run_id": "r", "competitors": 3})
    bench.work()
    assert client.answered(created).status == 201
    asked = client.ask("GET", "/races/r/results.csv")

    for _ in range(4):
        assert len(bench.waiting) == 1
        bench.work(1)
    assert client.answered(asked).body.startswith(b"\xef\xbb\xbfplace,")
    assert not bench.waiting


def test_long_start_lists_are_read_in_threads(clock: Clock, straight: Course, tmp_path: Path) -> None:
    """While a thread reads a long list, the reactor answers other requests."""
    bench = Bench()
    client = Client(clock, {"straight": straight}, tmp_path / "uploads", bench)
    body = {"course": "straight", "run_id": "long", "start_list": "name\n" + "Ann Smith\n" * 20_000}
    asked = client.ask("POST", "/races", body)

    assert client.get("/healthz").status == 200
    assert client.get("/races/long").status == 404
    bench.work()
    assert client.answered(asked).json["competitors"] == 20_000


def test_of_two_requests_with_one_run_id_one_makes_the_race(
    clock: Clock, straight: Course, tmp_path: Path
) -> None:
    """Requests that are served at the same time get the same race, or a conflict if they differ."""
    bench = Bench()
    client = Client(clock, {"straight": straight}, tmp_path / "uploads", bench)
    body = {"course": "straight", "run_id": "r", "competitors": 3}
    asked = [client.ask("POST", "/races", more | body) for more in ({}, {}, {"speed": 2})]
    bench.work()

    assert [client.answered(one).status for one in asked] == [201, 200, 409]


def test_a_fault_at_the_beginning_is_answered_as_such(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can't be made at all is answered 500, and is not called a file."""
    broken: formats.Format[Any] = formats.Format(
        "json", "application/json", lambda _: (b"%d" % (1 // nth) for nth in (0, 1))
    )
    monkeypatch.setattr(result_files, "FORMATS", (broken,))
    answer = client.get("/races/r/results")

    assert answer.status == 500
    assert not answer.headers.hasHeader("Content-Disposition")


class FakeRequest:
    """A request that records the calls to it; it is its own transport."""

    def __init__(self) -> None:
        self.log: list[object] = []
        self.producer: Any = None
        self.transport = self

    def registerProducer(self, producer: Any, *, streaming: bool) -> None:  # noqa: N802 - Twisted's name
        """Record the producer."""
        assert streaming
        self.producer = producer

    def unregisterProducer(self) -> None:  # noqa: N802 - Twisted's name
        """Record the end."""
        self.log.append("end")

    def write(self, data: bytes) -> None:
        """Record the data."""
        self.log.append(data)

    def abortConnection(self) -> None:  # noqa: N802 - Twisted's name
        """Record that the connection was aborted."""
        self.log.append("broken off")


def sending(request: FakeRequest, pieces: Iterator[bytes]) -> Deferred[None]:
    """Send pieces."""
    fake: Any = request
    return ensureDeferred(send(fake, pieces, maybeDeferred))


def test_nothing_is_generated_for_a_client_that_does_not_read() -> None:
    """While the client's buffer is full, no piece is generated; sending continues once it has room."""
    request = FakeRequest()
    made: list[int] = []

    def pieces() -> Iterator[bytes]:
        for nth in range(4):
            made.append(nth)
            if nth == 1:
                request.producer.pauseProducing()
                request.producer.pauseProducing()
            yield b"%d" % nth

    sent = sending(request, pieces())
    assert (made, request.log) == ([0, 1], [b"0", b"1"])
    request.producer.resumeProducing()
    request.producer.resumeProducing()

    assert sent.called
    assert request.log == [b"0", b"1", b"2", b"3", "end"]


def test_a_failed_file_aborts_the_connection() -> None:
    """If a piece can't be generated, the connection is aborted and the error is raised."""
    request = FakeRequest()
    faults: list[Any] = []
    _ = sending(request, (b"%d" % (1 // nth) for nth in (1, 0))).addErrback(faults.append)

    assert request.log == [b"1", "broken off"]
    assert faults[0].check(ZeroDivisionError)


def test_a_disconnect_ends_the_sending() -> None:
    """After a disconnect nothing is sent, and the connection is not used again."""
    request = FakeRequest()
    ends: list[Any] = []

    def pieces() -> Iterator[bytes]:
        request.producer.pauseProducing()
        yield b"0"
        raise AssertionError

    sent = sending(request, pieces())
    _ = sent.addErrback(ends.append)
    sent.cancel()
    request.producer.stopProducing()
    request.producer.resumeProducing()

    assert ends[0].check(CancelledError)
    assert request.log == [b"0"]
