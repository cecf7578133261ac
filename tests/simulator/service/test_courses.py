"""`POST /courses`: accepted files, their names, rejected files."""

import errno
import gzip
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from simulator.course.course import Course
from simulator.service import courses
from tests.simulator.fakes import Bench
from tests.simulator.http.test_routes import Client, wrong

FILES = Path(__file__).parents[1] / "course" / "files"
PLAIN = (FILES / "plain.kml").read_bytes()
OTHER = PLAIN.replace(b"0.003,51.003", b"0.003,51.004")
ON_POINTS = {"course": "a", "points": [[0, 50], [0.01, 50]]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of uploads, which does not exist yet."""
    return tmp_path / "kept" / "uploads"


@pytest.fixture
def client(clock: Clock, straight: Course, folder: Path) -> Client:
    """Return the API with one shipped course."""
    return Client(clock, {"straight": straight}, folder)


def files(folder: Path) -> list[str]:
    """Return the names of all that is in a folder."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("name", ["plain.kml", "kmz-doc.kmz", "gpx-track.gpx", "geojson-plain.geojson"])
def test_a_course_is_accepted(client: Client, folder: Path, name: str) -> None:
    """A file of any format gets 201 with the course, is stored unchanged, and the course is published."""
    data = (FILES / name).read_bytes()
    answer = client.request("POST", "/courses?name=my-Park_1", data)

    assert answer.status == 201
    assert answer.header("Location") == "/courses/my-Park_1"
    assert answer.json == {
        "short_name": "my-Park_1",
        "long_name": "Test",
        "distance": pytest.approx(412.4, abs=0.1),
        "laps": 1,
        "climb": 2.5 if name.endswith("gpx") else None,
        "narrowest": None,
        "fences": [] if name.endswith("gpx") else ["Park"],
        "timing_points": [],
        "warnings": ["Not read, because doc.kml doesn't link to it: aaa.kml"] if "kmz" in name else [],
        "links": {"self": "/courses/my-Park_1"},
    }
    assert files(folder) == [f"my-Park_1{Path(name).suffix}"]
    assert (folder / files(folder)[0]).read_bytes() == data
    assert [course.short_name for course in client.publisher.courses] == ["my-Park_1"]


def test_a_packed_course_is_accepted(client: Client, clock: Clock, straight: Course, folder: Path) -> None:
    """A file that is packed is stored as it came, and is the same course after a restart."""
    data = gzip.compress((FILES / "gpx-track.gpx").read_bytes())
    assert client.request("POST", "/courses?name=walk", data).status == 201
    assert files(folder) == ["walk.gz"]
    assert (folder / "walk.gz").read_bytes() == data
    again = Client(clock, {"straight": straight}, folder)
    assert again.request("POST", "/courses?name=walk", data).status == 200
    assert again.request("POST", "/courses?name=walk", PLAIN).status == 409


def test_an_accepted_course_can_be_used(client: Client) -> None:
    """It is listed by its name, shown as GeoJSON, and races are run on it."""
    client.request("POST", "/courses?name=my-park", PLAIN)
    listed = [course["short_name"] for course in client.get("/courses").json["courses"]]

    assert listed == ["my-park", "straight"]
    assert client.get("/courses/my-park").json["features"][0]["properties"]["name"] == "Test"
    assert client.create(course="my-park").status == 201
    assert b"my-park" in client.get("/").body


def test_a_course_survives_a_restart(client: Client, clock: Clock, straight: Course, folder: Path) -> None:
    """The next simulator with the same folder knows the course, and the same file is the same course."""
    first = client.request("POST", "/courses?name=my-park", PLAIN)
    again = Client(clock, {"straight": straight}, folder)

    assert again.get("/courses").json == client.get("/courses").json
    repeat = again.request("POST", "/courses?name=my-park", PLAIN)
    assert (repeat.status, repeat.json) == (200, first.json)


def test_warnings_are_returned(client: Client) -> None:
    """Corrections made to a file are returned with the course."""
    answer = client.request("POST", "/courses", (FILES / "fence-open.kml").read_bytes())

    assert answer.status == 201
    assert answer.json["warnings"] == ["The Polygon at line 6 (Park) isn't closed: closed"]


@pytest.mark.parametrize(
    ("long_name", "short_name"),
    [
        ("Crystal Palace", "crystal-palace"),
        ("  5 km — Zürich, Été! ", "5-km-zurich-ete"),
        ("__A__b", "a-b"),
        ("x" * 100, "x" * 64),
        ("y" * 63 + " z", "y" * 63),
        ("公園", "course"),
        ("", "course"),
        ("Straight", "straight-2"),
    ],
)
def test_a_short_name_is_derived(client: Client, long_name: str, short_name: str) -> None:
    """Without a name, a free one of ASCII letters, digits and - is derived from the name in the file."""
    answer = client.request("POST", "/courses", PLAIN.replace(b">Test<", f">{long_name}<".encode()))

    assert (answer.status, answer.json["short_name"]) == (201, short_name)


def test_derived_names_are_numbered(client: Client) -> None:
    """Files with the same name get numbers, however long it is; the same file again is the same course."""
    names = [b"Test"] * 3 + [b"t" * 70] * 3
    data = [PLAIN.replace(b">Test<", b">%s<" % name) + b" " * nth for nth, name in enumerate(names)]
    answers = [client.request("POST", "/courses", file) for file in [*data, *data]]

    assert [answer.status for answer in answers] == [201] * 6 + [200] * 6
    made = ["test", "test-2", "test-3", "t" * 64, "t" * 62 + "-2", "t" * 62 + "-3"]
    assert [answer.json["short_name"] for answer in answers] == [*made, *made]


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("straight", "a course shipped with Racecast"),
        ("STRAIGHT", "a course shipped with Racecast"),
        ("mine", "another uploaded course"),
        ("Mine", "another uploaded course"),
        ("field", "a course that came with a race"),
    ],
)
def test_a_name_has_one_owner(client: Client, folder: Path, name: str, owner: str) -> None:
    """A name that is taken is rejected with its owner, and the owner stays unchanged."""
    client.request("POST", "/courses?name=mine", PLAIN)
    client.create(course="field", points=[[0, 50], [0.01, 50]])
    answer = client.request("POST", f"/courses?name={name}", OTHER)

    assert answer.status == 409
    assert answer.json["detail"] == f"The name {name} is taken by {owner}: choose another name"
    assert (folder / "mine.kml").read_bytes() == PLAIN
    assert files(folder) == ["mine.kml"]


def test_the_same_course_under_another_name_is_another_course(client: Client) -> None:
    """A file may be uploaded under several names."""
    answers = [client.request("POST", f"/courses?name={name}", PLAIN) for name in ("a", "b")]

    assert [answer.status for answer in answers] == [201, 201]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b"nothing", 'the file is no course file: it begins with "nothing"; KML, KMZ, GPX, '),
        (b"<html/>", "the file is a web page (HTML), not the file that it offers: download "),
        ((FILES / "junk-token.kml").read_bytes(), 'the file, line 7: "51.o025" is not a number'),
        ((FILES / "no-line.kml").read_bytes(), "there is no line to run along"),
        (
            (FILES / "kmz-bomb.kmz").read_bytes(),
            "the file: doc.kml in it is bigger than 20 MiB when unpacked",
        ),
        ((FILES / "gpx-no-latitude.gpx").read_bytes(), "the file, line 6: the point has no latitude"),
        (b'{"type": "Topology"}', "the file isn't GeoJSON: "),
        (
            (FILES / "geojson-junk-number.geojson").read_bytes(),
            'the file, feature 1: coordinates[3][1] is "51.o04", not a number',
        ),
        ((FILES / "name-too-long.kml").read_bytes(), "the course's name has "),
    ],
)
def test_an_invalid_file_is_rejected(client: Client, folder: Path, data: bytes, words: str) -> None:
    """An invalid file is rejected with the message of the reader or the survey, and not stored."""
    answer = client.request("POST", "/courses?name=bad", data)

    assert list(wrong(answer)) == ["file"]
    assert wrong(answer)["file"].startswith(words)
    assert answer.json["detail"] == f"The file can't be used: {wrong(answer)['file']}"
    assert files(folder) == []
    assert client.get("/courses/bad").status == 404


@pytest.mark.parametrize("name", ["", "a/b", "..%2Fa", "-a", "a.kml", "x" * 65, "%C3%A9", "a%00", "a%0A"])
def test_an_invalid_name_is_rejected(client: Client, folder: Path, name: str) -> None:
    """Characters and length of a short name are limited."""
    answer = client.request("POST", f"/courses?name={name}", b"")

    assert list(wrong(answer)) == ["name"]
    assert "1 to 64 of the characters A-Z a-z 0-9 _ -" in wrong(answer)["name"]
    assert files(folder) == []


@pytest.mark.parametrize(
    ("query", "field"), [("nam=x", "nam"), ("name=a&laps=2", "laps"), ("name=a&name=b", "name"), ("x", "x")]
)
def test_an_unknown_parameter_is_rejected(client: Client, query: str, field: str) -> None:
    """An unknown or repeated parameter is rejected by name."""
    assert list(wrong(client.request("POST", f"/courses?{query}", PLAIN))) == [field]


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "text/plain"])
def test_the_media_type_does_not_matter(client: Client, media_type: str) -> None:
    """The format follows from the content, not from the media type; curl labels every body as a form."""
    data = PLAIN.replace(b"<Document>", b"<Document><description>a&amp;name=b&amp;c</description>")
    answer = client.request("POST", "/courses", data, headers={"Content-Type": media_type})

    assert (answer.status, answer.json["short_name"]) == (201, "test")


def test_uploads_are_limited(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit further uploads are rejected, except repeated ones."""
    monkeypatch.setattr(courses, "MAX_UPLOADS", 1)
    answers = [client.request("POST", f"/courses?name={name}", PLAIN) for name in ("a", "b", "a")]

    assert [answer.status for answer in answers] == [201, 503, 200]
    assert answers[1].json["detail"].startswith("The limit of 1 uploaded courses is reached")


def test_a_full_disk_is_reported(client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is answered 503 with the system's words and no path; the same file may come again."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(folder))

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        answer = client.request("POST", "/courses?name=a", PLAIN)
    assert (answer.status, answer.json["detail"]) == (
        503,
        "The course can't be stored: No space left on device",
    )
    assert files(folder) == []
    assert client.get("/courses/a").status == 404
    assert client.request("POST", "/courses?name=a", PLAIN).status == 201


def test_an_existing_file_is_not_overwritten(client: Client, folder: Path) -> None:
    """A file that was put into the folder meanwhile stays unchanged and keeps its name."""
    folder.mkdir(parents=True)
    (folder / "a.gpx").write_text("by hand")
    answer = client.request("POST", "/courses?name=a", PLAIN)

    assert (answer.status, files(folder)) == (409, ["a.gpx"])
    assert "an uploaded file that can't be used" in answer.json["detail"]


def test_a_store_that_fails_does_not_lose_the_course(client: Client, folder: Path) -> None:
    """If publishing fails, the course is accepted all the same: it is published again with its races."""
    client.publisher.failing = "the disk is full"
    answer = client.request("POST", "/courses?name=a", PLAIN)

    assert (answer.status, files(folder)) == (201, ["a.kml"])


@pytest.fixture
def bench() -> Bench:
    """Return a bench on which work waits."""
    return Bench()


@pytest.fixture
def slow(clock: Clock, straight: Course, folder: Path, bench: Bench) -> Client:
    """Return the API whose files are read when the bench works."""
    return Client(clock, {"straight": straight}, folder, bench)


def test_of_two_files_with_one_name_the_first_gets_it(slow: Client, bench: Bench, folder: Path) -> None:
    """Two simultaneous files with the same name are read one after the other."""
    asked = [slow.ask("POST", "/courses?name=a", data) for data in (PLAIN, OTHER, PLAIN)]
    waiting = len(bench.waiting)
    bench.work()

    assert waiting == 1
    assert [slow.answered(one).status for one in asked] == [201, 409, 200]
    assert (folder / "a.kml").read_bytes() == PLAIN


def test_other_requests_are_served_meanwhile(slow: Client, bench: Bench) -> None:
    """While a file is read the API answers, and a race with points can't take the file's name."""
    asked = slow.ask("POST", "/courses?name=a", PLAIN)
    bench.work(2)
    race = slow.ask("POST", "/races", {**ON_POINTS, "run_id": "r"})
    assert slow.get("/healthz").status == 200
    bench.work()

    assert slow.answered(race).json["course"].startswith("a-")
    assert slow.answered(asked).status == 201


def test_the_first_to_be_ready_gets_the_name(slow: Client, bench: Bench) -> None:
    """A race whose points are being surveyed while a file takes their course's name gets another one."""
    race = slow.ask("POST", "/races", {**ON_POINTS, "run_id": "r"})
    bench.work(1)
    asked = slow.ask("POST", "/courses?name=a", PLAIN)
    field = bench.waiting.pop(0)
    bench.work()
    bench.waiting.append(field)
    bench.work()

    assert slow.answered(asked).status == 201
    assert slow.answered(race).json["course"].startswith("a-")


def test_a_disconnect_interrupts_nothing(slow: Client, bench: Bench) -> None:
    """After a disconnect a file that is being read is still accepted; a waiting one is not."""
    gone = [slow.ask("POST", f"/courses?name={name}", PLAIN) for name in ("a", "b")]
    for one in gone:
        _ = one.addErrback(lambda _: None)
        one.cancel()
    staying = slow.ask("POST", "/courses?name=c", PLAIN)
    waiting = len(bench.waiting)
    bench.work()

    assert waiting == 1
    assert slow.answered(staying).status == 201
    listing = slow.ask("GET", "/courses")
    bench.work()
    listed = [course["short_name"] for course in slow.answered(listing).json["courses"]]
    assert listed == ["a", "c", "straight"]


def test_an_unusable_file_keeps_its_name(clock: Clock, folder: Path) -> None:
    """An invalid file found among the uploads is left alone, and its name stays taken."""
    folder.mkdir(parents=True)
    (folder / "test.kml").write_text("<kml>")
    client = Client(clock, {}, folder)
    answers = [client.request("POST", f"/courses{query}", PLAIN) for query in ("?name=test", "")]

    assert [answer.status for answer in answers] == [409, 201]
    assert answers[1].json["short_name"] == "test-2"
    assert (folder / "test.kml").read_text() == "<kml>"


def test_simulators_with_one_folder_share_the_courses(clock: Clock, folder: Path) -> None:
    """What is uploaded to one is listed at the other, can be raced there, and keeps its name."""
    one, other = Client(clock, {}, folder), Client(clock, {}, folder)
    assert one.request("POST", "/courses?name=shared", PLAIN).status == 201
    assert other.post("/races", {"course": "shared", "run_id": "there"}).status == 201
    assert one.request("POST", "/courses?name=later", PLAIN).status == 201

    assert [course["short_name"] for course in other.get("/courses").json["courses"]] == ["later", "shared"]
    assert other.request("POST", "/courses?name=later", PLAIN).status == 200
    assert other.get("/courses/shared").status == 200
    assert other.get("/courses/unknown").status == 404
    assert other.get("/courses/..%2Fshared").status == 404
