"""A site on which every race, course, geofence, competitor, category and club has a hostile name.

Each name has a number: the bib of the competitor that is named so, and the seed of the race. What the API
takes goes through it, and names of courses through course files; the rest is written past it, because no page
can rely on who writes the store.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape as xml_text

from tests.browser.hostile import HOSTILE
from tests.browser.site import Site
from tests.dashboard.events import Event, SqliteWriter, competitor, passing, position, race
from tests.processes import dashboard, simulator

NUMBERED = dict(enumerate(HOSTILE, start=1))

IN_SCRIPT = next(hostile for hostile in HOSTILE if hostile.kind == "closing tag")
"""The name of the two races below and of their course."""

ON_COURSE, AT_HOME = "crowd-on-course", "crowd-at-home"
"""The race in which all competitors are in the geofence of their name, and the one in which all have
finished.
"""

LAT, WEST, STEP = 51.42, -0.07, 0.0005
"""Courses go straight to the east; a competitor and a geofence are at each step. All in degrees."""
METRES_PER_STEP = 34.66
STEPS = len(HOSTILE) + 1
LENGTH_M = METRES_PER_STEP * STEPS
GUN_TO_NOW_S = 900

TOLD_LATELY_S = 60
"""Seconds before the site's creation at which the races with names of their own have emitted a position."""


@contextmanager
def hostile_site(folder: Path) -> Iterator[Site]:
    """Run simulator and dashboard with files in `folder`."""
    courses = folder / "courses"
    courses.mkdir()
    for number, hostile in NUMBERED.items():
        if hostile.has_a_look:
            (courses / f"{run_of(number)}.kml").write_text(_kml(hostile.text), encoding="utf-8")
    store = ("--sqlite", str(folder / "races.db"))
    writer = SqliteWriter(folder / "races.db")
    _write_crowds(writer)
    with (
        simulator(folder, *store, "--courses", str(courses)) as api,
        dashboard(folder, api.address, *store) as pages,
    ):
        site = Site(pages.address, api.address)
        for number in NUMBERED:
            _make_race(site, writer, number)
        yield site


def run_of(number: int) -> str:
    """The run id of the race that is named so, and the short name of its course."""
    return f"hostile-{number:03}"


def place_name(number: int) -> str:
    """The name as courses and geofences have it; control characters can't get into a course file."""
    hostile = NUMBERED[number]
    return hostile.in_a_course_file if hostile.has_a_look else hostile.text


def _make_race(site: Site, writer: SqliteWriter, number: int) -> None:
    """A race that starts tomorrow: it waits, and costs nothing."""
    hostile, run = NUMBERED[number], run_of(number)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    if not hostile.has_a_look:
        writer.write("courses", [_course(run, hostile.text, [hostile.text])])
    if hostile.is_printable:
        wanted = {"name": hostile.text, "competitors": 1, "start_at": tomorrow.isoformat()}
        site.create_race(run_id=run, course=run, seed=number, **wanted)
    else:
        start = round(1000 * tomorrow.timestamp())
        known = {"name": hostile.text, "status": "scheduled", "startTime": start}
        writer.write("races", [race(run, course=run, seed=number, **known)])
    common = {"course": run, "distance": METRES_PER_STEP, "emittedAt": _ago(TOLD_LATELY_S)}
    writer.write("parkrun", [position(run, 1, **common)])


def _write_crowds(writer: SqliteWriter) -> None:
    writer.write("courses", [_course("crowded", IN_SCRIPT.text, [place_name(number) for number in NUMBERED])])
    for run, status in ((ON_COURSE, "running"), (AT_HOME, "finished")):
        common = {"course": "crowded", "status": status}
        writer.write("races", [race(run, name=IN_SCRIPT.text, competitors=len(HOSTILE), **common)])
        for bib, hostile in NUMBERED.items():
            named = {"name": hostile.text, "category": hostile.text, "club": hostile.text}
            writer.write("competitors", [competitor(run, bib, **named)])
            step = bib if status == "running" else STEPS
            where = {"lat": LAT, "lon": WEST + STEP * step, "distance": METRES_PER_STEP * step}
            # The first of a crowd last of all, for the analytics page has entrants of the latest races.
            when = {"rawTime": GUN_TO_NOW_S, "emittedAt": _ago(0 if bib == 1 else 2 * TOLD_LATELY_S)}
            elapsed = GUN_TO_NOW_S - bib
            writer.write("parkrun", [position(run, bib, elapsed=elapsed, **when, **where, **common)])
            writer.write("passings", _passings(run, bib, place_name(bib)))
        if status == "finished":
            finish = {"kind": "finish", "point": "finish", "distance": LENGTH_M}
            writer.write(
                "passings", [passing(run, bib, elapsed=GUN_TO_NOW_S - bib, **finish) for bib in NUMBERED]
            )
            writer.write("passings", [_exit(run, bib, place_name(bib)) for bib in NUMBERED])


def _passings(run: str, bib: int, fence: str) -> list[Event]:
    at_fence = METRES_PER_STEP * bib
    return [
        passing(run, bib, kind="start", point="start", distance=0.0, elapsed=0.0),
        passing(run, bib, elapsed=300.0 + bib),
        passing(run, bib, kind="enter", point=fence, distance=at_fence, elapsed=500.0 + bib),
    ]


def _exit(run: str, bib: int, fence: str) -> Event:
    """Each stays in the geofence for a minute more than the one before."""
    at_fence = METRES_PER_STEP * bib
    return passing(run, bib, kind="exit", point=fence, distance=at_fence, elapsed=500.0 + 61 * bib)


def _ago(seconds: int) -> int:
    """Epoch milliseconds."""
    return round(1000 * (datetime.now(UTC) - timedelta(seconds=seconds)).timestamp())


def _course(short_name: str, long_name: str, fences: Sequence[str]) -> Event:
    """A row of `courses` with a geofence at each step."""
    return {
        "shortName": short_name,
        "longName": long_name,
        "distance": LENGTH_M,
        "courseMap": f"LINESTRING ({_wkt(_line())})",
        "geoFenceLocation": f"POLYGON (({_wkt(_ring(1))}))",
        "startLocation": f"POINT ({_wkt(_line()[:1])})",
        "endLocation": f"POINT ({_wkt(_line()[1:])})",
        "fences": json.dumps(
            [
                {"name": name, "wkt": f"POLYGON (({_wkt(_ring(step))}))"}
                for step, name in enumerate(fences, start=1)
            ]
        ),
    }


def _kml(name: str) -> str:
    """A course file of that name, with a geofence of the same name."""
    shown = xml_text(name)
    line, ring = (" ".join(f"{lon},{lat}" for lon, lat in places) for places in (_line(), _ring(1)))
    return (
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        f"<name>{shown}</name>"
        f"<Placemark><LineString><coordinates>{line}</coordinates></LineString></Placemark>"
        f"<Placemark><name>{shown}</name><Polygon><outerBoundaryIs><LinearRing>"
        f"<coordinates>{ring}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
        "</Document></kml>"
    )


def _line() -> list[tuple[float, float]]:
    return [(WEST, LAT), (WEST + STEP * STEPS, LAT)]


def _ring(step: int) -> list[tuple[float, float]]:
    """A square around a step, lon before lat, closed."""
    lon, half = WEST + STEP * step, STEP / 4
    corners = [(-half, -half), (half, -half), (half, half), (-half, half), (-half, -half)]
    return [(round(lon + x, 6), round(LAT + y, 6)) for x, y in corners]


def _wkt(places: Sequence[tuple[float, float]]) -> str:
    return ", ".join(f"{lon} {lat}" for lon, lat in places)
