"""Pinot's table of courses: filled by the set-up, uploads and races, one segment per course."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from pinot.admin.cluster import Cluster, query_trouble
from pinot.admin.setup import OLD_SEGMENT, set_up
from simulator.course.library import load_folder, read_course
from simulator.publishers.pinot_courses import FIELDS, CourseTable, row_of, segment_of
from stream.pinot import PinotError
from stream.waiting import wait_for
from tests.pinot.conftest import Pinot
from tests.processes import ROOT, simulator
from tests.stacks import stack_settings, without

PLAIN = (ROOT / "tests" / "simulator" / "course" / "files" / "plain.kml").read_bytes()
MANY = 40
SHIPPED = ("city-10k", "crystal-palace", "hilly-half", "track-10000m")


@pytest.fixture
def name(pinot: Pinot) -> Iterator[str]:
    """A unique short name; its segment is deleted afterwards."""
    name = f"t-{uuid4().hex[:12]}"
    yield name
    cluster = Cluster(pinot.stack.controller)
    if segment_of(name) in cluster.segments("courses"):
        cluster.delete_segment("courses", segment_of(name))


def into(pinot: Pinot) -> list[str]:
    """Return the flags of a simulator that publishes to this Kafka and Pinot."""
    addresses = ["--kafka", pinot.stack.kafka, "--pinot-controller", pinot.stack.controller]
    return ["--publisher", "kafka", *addresses]


def look_up(name: str) -> str:
    """Return a query that looks up a course's name."""
    return f"select lookup('courses', 'longName', 'shortName', '{name}') from courses limit 1"


def test_the_row_is_what_the_table_is_made_of() -> None:
    """A course's row has the columns and the sources of derived columns; no string is empty."""
    row = orjson.loads(row_of(read_course(PLAIN.replace(b"Polygon", b"P"), "park.kml")))
    config = json.loads((ROOT / "pinot" / "tables" / "courses.json").read_text())
    schema = json.loads((ROOT / "pinot" / "schemas" / "courses.json").read_text())
    columns = {spec["name"] for part, specs in schema.items() if part.endswith("Specs") for spec in specs}
    made = {
        transform["columnName"]: transform["transformFunction"].split("(")[1].rstrip(")")
        for transform in config["ingestionConfig"]["transformConfigs"]
    }

    assert tuple(row) == FIELDS
    assert set(row) == columns - set(made) | set(made.values())
    assert row["fencesWkt"] == "POLYGON EMPTY"
    assert "" not in row.values()


def test_a_course_is_loaded_once(answering: Callable[[int, bytes], str]) -> None:
    """A course is loaded again only if it has changed or the last load failed."""
    same, changed = (read_course(PLAIN.replace(b"Test", name), "a.kml") for name in (b"Test", b"New"))
    table = CourseTable(answering(200, b"{}"))
    table.load(same)
    table._controller = answering(500, b'{"error": "not now"}')
    table.load(same)
    for _ in range(2):
        with pytest.raises(PinotError, match="500 for /tables/courses/idealstate: not now"):
            table.load(changed)


def test_an_invalid_address_is_reported() -> None:
    """An invalid URL is reported as an unreachable Pinot."""
    for address in ("nowhere", "http://[", "http://127.0.0.1:1"):
        with pytest.raises(PinotError):
            CourseTable(address).load(read_course(PLAIN, "a.kml"))


def test_a_course_is_replaced_when_the_one_before_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment is replaced only once servers serve it; a timeout is an error."""
    there: dict[str, Any] = {"OFFLINE": {segment_of("a"): {}}}
    served: list[dict[str, Any]] = []
    asked = []

    def ask(method: str, controller: str, path: str, **_: Any) -> httpx.Response:
        asked.append(path.rpartition("/")[2])
        answer = served.pop(0) if asked[-1] == "externalview" else there
        return httpx.Response(200, json=answer, request=httpx.Request(method, controller + path))

    monkeypatch.setattr("simulator.publishers.pinot_courses.ask", ask)
    served += [{"OFFLINE": None}, {"OFFLINE": {}}, there]
    CourseTable("http://pinot").load(read_course(PLAIN, "a.kml"))
    assert asked == [*["idealstate", "externalview"] * 3, "ingestFromFile"]

    served += [{"OFFLINE": None}]
    with pytest.raises(PinotError, match="no server of Pinot's has fetched courses_a within 0 s"):
        CourseTable("http://pinot", patience=0).load(read_course(PLAIN, "a.kml"))


def test_an_upload_can_be_looked_up(pinot: Pinot, name: str, tmp_path: Path) -> None:
    """An uploaded course can be looked up like shipped ones, with its fences; a second set-up keeps it."""
    with simulator(tmp_path, *into(pinot)) as running:
        address = f"{running.address}/courses?name={name}"
        assert httpx.post(address, content=PLAIN, trust_env=False).status_code == 201
        pinot.wait_until(look_up(name), [["Test"]])
    set_up(stack_settings(pinot.stack), lambda _: None)

    pinot.wait_until(look_up(name), [["Test"]])
    for shipped in SHIPPED:
        long_name = load_folder(ROOT / "courses").courses[shipped].long_name
        pinot.wait_until(look_up(shipped), [[long_name]])
    ((fences,),) = pinot.ask(f"select fences from courses where shortName = '{name}'")
    assert [fence["name"] for fence in json.loads(fences)] == ["Park"]


def test_uploads_are_loaded_at_the_start(pinot: Pinot, name: str, tmp_path: Path) -> None:
    """Courses in the uploads folder are loaded into Pinot soon after the start."""
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / f"{name}.kml").write_bytes(PLAIN)
    with simulator(tmp_path, *into(pinot)):
        pinot.wait_until(look_up(name), [["Test"]])


def test_a_course_of_a_race_can_be_looked_up(pinot: Pinot, name: str, tmp_path: Path) -> None:
    """The course of a race with its own points is in the table."""
    race = {"course": name, "run_id": name, "points": [[0, 51], [0.01, 51]], "competitors": 1}
    with simulator(tmp_path, *into(pinot)) as running:
        answer = httpx.post(f"{running.address}/races", json=race, trust_env=False)
        assert answer.status_code == 201
        pinot.wait_until(look_up(name), [[name]])
        fences = f"select ST_AsText(geoFenceLocation), fences from courses where shortName = '{name}'"
        # Pinot 0.11 misses rows for a moment while it replaces a segment.
        pinot.wait_until(fences, [["POLYGON EMPTY", "[]"]])


def test_a_course_is_replaced_and_not_doubled(pinot: Pinot, name: str) -> None:
    """Loading a course again, even while Pinot fetches the previous one, replaces its row and segment."""
    for long_name in (b"Test", b"Second", b"New name"):
        CourseTable(pinot.stack.controller).load(
            read_course(PLAIN.replace(b"Test", long_name), f"{name}.kml")
        )
    pinot.wait_until(look_up(name), [["New name"]])

    assert pinot.ask(f"select count(*) from courses where shortName = '{name}'") == [[1]]
    assert Cluster(pinot.stack.controller).segments("courses").count(segment_of(name)) == 1


def test_many_courses_survive_a_restart(pinot: Pinot, name: str) -> None:
    """After a restart Pinot has all courses, although it reads each while it loads the others."""
    table, cluster = CourseTable(pinot.stack.controller), Cluster(pinot.stack.controller)
    names = [f"{name}-{number}" for number in range(MANY)]
    for one in names:
        table.load(read_course(PLAIN, f"{one}.kml"))
    with without(pinot.stack, "pinot"):
        pass
    trouble = partial(query_trouble, pinot.stack.broker, "courses")
    wait_for("the courses", trouble, seconds=60, say=print)
    try:
        for one in names:
            pinot.wait_until(look_up(one), [["Test"]])
    finally:
        for one in names:
            cluster.delete_segment("courses", segment_of(one))


def test_the_segment_of_older_versions_goes(pinot: Pinot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The single segment of older versions is deleted, and no course is lost."""
    with monkeypatch.context() as patched:
        patched.setattr("simulator.publishers.pinot_courses.segment_of", lambda _: OLD_SEGMENT)
        CourseTable(pinot.stack.controller).load(load_folder(ROOT / "courses").courses["hilly-half"])
    set_up(stack_settings(pinot.stack), lambda _: None)
    cluster = Cluster(pinot.stack.controller)

    def left() -> str | None:
        return "it is there" if OLD_SEGMENT in cluster.segments("courses") else None

    # Pinot deletes a segment after all its servers have dropped it.
    wait_for("the end of the old segment", left, seconds=60, say=print)
    for name in SHIPPED:
        pinot.wait_until(f"select count(*) from courses where shortName = '{name}'", [[1]])
        pinot.wait_until(look_up(name), [[load_folder(ROOT / "courses").courses[name].long_name]])
