"""The documentation matches the code: settings, routes, fields, commands, limits, files."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic_settings import CLI_SUPPRESS, BaseSettings

from dashboard.race import coming, honours, sample
from dashboard.settings import Settings as DashboardSettings
from pinot.health import thresholds
from pinot.settings import ResetSettings, StatusSettings
from pinot.settings import Settings as SetupSettings
from simulator.answer_key import grade, query
from simulator.commands import process
from simulator.commands.settings import BackfillSettings, PublisherSettings, ReplaySettings, ServeSettings
from simulator.course import decoding, geojson, kmz, packing, xml
from simulator.course.library import MAX_BYTES
from simulator.course.survey import limits
from simulator.engine import engine, run
from simulator.export import track_query
from simulator.http import bodies, openapi, rate, site
from simulator.log import kafka as kafka_log
from simulator.publishers import course_loader, kafka, publisher
from simulator.race import chance, options, request, start_list
from simulator.race.crowding import cells
from simulator.race.start_list import limits as start_list_limits
from simulator.replay import event_files, files, fixes, readers, recording, tracks
from simulator.service import courses, plans
from stream import parts, problems, teams
from stream.contract import ALL_TOPICS, read_topics, table_of
from stream.kafka import KafkaAccess
from stream.pinot import PinotAccess

ROOT = Path(__file__).parents[1]
PAGES = (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("[bc]*/README.md"))
MAX_WIDTH = 120
MIB = 1024**2

SHARED = {**KafkaAccess.model_fields, **PinotAccess.model_fields}
"""Settings of all processes, documented in a table of their own."""
PROCESSES: dict[str, type[BaseSettings]] = {
    "The simulator": ServeSettings,
    "A replay": ReplaySettings,
    "A season": BackfillSettings,
    "The dashboard": DashboardSettings,
    "The set-up": SetupSettings,
    "The status": StatusSettings,
    "The reset": ResetSettings,
}
LISTED_ELSEWHERE = {
    ReplaySettings: PublisherSettings.model_fields.keys(),
    BackfillSettings: PublisherSettings.model_fields.keys() | request.RaceRequest.model_fields.keys(),
    ResetSettings: SetupSettings.model_fields.keys(),
}
"""Settings classes whose inherited fields are in the table of another process, or those of a race."""
UNSET = {"pinot_kafka": "the same as `--kafka`"}
"""What the table shows for a setting without a default, if not an empty cell."""


def page(name: str) -> str:
    """Return the text of a page."""
    return (ROOT / name).read_text()


def section(name: str, heading: str) -> str:
    """Return the text from a heading to the next heading of the same level."""
    _, mark, rest = page(name).partition(f"\n{heading}\n")
    assert mark, f"{name} has no {heading}"
    return re.split(rf"^{heading.partition(' ')[0]} ", rest, flags=re.MULTILINE)[0]


def rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of each table row in a text, header rows included."""
    for line in text.splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def code_spans(cell: str) -> list[str]:
    """Return the code spans of a cell."""
    return re.findall(r"`([^`]+)`", cell)


def numbers(text: str) -> tuple[float, ...]:
    """Return the numbers in a text, except those in code spans and parentheses."""
    text = re.sub(r"`[^`]*`|\([^)]*\)", "", text)
    return tuple(float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*(?:\.\d+)?", text))


def makefile_targets(documented: str = "") -> set[str]:
    """Return the targets of the Makefile, or those whose line contains `documented`."""
    found = re.findall(rf"^([a-z-]+):.*{documented}", page("Makefile"), re.MULTILINE)
    return set(found)


@pytest.mark.parametrize("process", ["Kafka and Pinot", *PROCESSES])
def test_every_setting_is_documented(process: str) -> None:
    """The table of a process lists each flag with its default; secrets appear as environment variables."""
    settings = PROCESSES.get(process)
    fields = SHARED if settings is None else settings.model_fields
    elsewhere = set() if settings is None else set(SHARED)
    if settings in LISTED_ELSEWHERE:
        elsewhere |= LISTED_ELSEWHERE[settings]
    text = section("docs/settings.md", f"## {process}")
    documented = {name.removeprefix("--"): row[1] for row in rows(text) for name in code_spans(row[0])}
    expected = {}
    for name, setting in fields.items():
        if setting.is_required() or name in elsewhere:
            continue
        if CLI_SUPPRESS in setting.metadata:
            assert f"`RACECAST_{name.upper()}`" in text
            continue
        default = setting.get_default()
        shown = str(default).removeprefix(f"{ROOT}/").removesuffix("/" if "http" in str(default) else "")
        flag = (setting.alias or name).replace("_", "-")
        expected[flag] = UNSET.get(name, "") if default is None else shown

    assert documented == expected


def test_every_route_is_documented() -> None:
    """docs/api.md lists exactly the routes of the API."""
    documented = {name for row in rows(page("docs/api.md")) for name in code_spans(row[0])}

    assert documented == {f"{route.method.upper()} {route.path}" for route in openapi.ROUTES}


@pytest.mark.parametrize("topic", ALL_TOPICS)
def test_every_field_is_documented(topic: str) -> None:
    """docs/stream.md lists the fields of each topic in order, their types and which are optional."""
    text = section("docs/stream.md", f"### Events of `{topic}`")
    documented = {
        name: (kind, not meaning.startswith("optional:"))
        for cell, kind, meaning in rows(text)
        for name in code_spans(cell)
    }

    fields = table_of(topic).fields
    assert documented == {name: (field.type, field.required) for name, field in fields.items()}
    assert list(documented) == list(fields)


def test_every_option_is_documented() -> None:
    """docs/races.md lists all request options; the `*_for` options may share one description."""
    documented = {name for row in rows(page("docs/races.md")) for name in code_spans(row[1])}
    options_in_code = request.RaceRequest.model_fields.keys() - request.PlainRequest.model_fields.keys()

    assert {*options_in_code, "start_list"} - documented == {
        name for name in options_in_code if name.endswith("_for")
    }
    assert documented <= request.RaceRequest.model_fields.keys()


def test_every_target_is_documented() -> None:
    """docs/development.md lists each target of `make help`, and all targets on any page exist."""
    documented = set(re.findall(r"`make ([a-z-]+)`", page("docs/development.md")))
    named = {target for text in PAGES for target in re.findall(r"\bmake ([a-z-]+)`", text.read_text())}

    assert makefile_targets("## ") <= documented
    assert named <= makefile_targets()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_links_exist(path: Path) -> None:
    """Modules in `python -m` commands and link targets exist, and no line is too long."""
    text = path.read_text()
    modules = [ROOT / name.replace(".", "/") for name in re.findall(r"python -m ([a-z.]*[a-z])", text)]
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text)
    targets = [(path.parent / link if link else path, anchor) for link, anchor in links]

    assert [
        at for at in modules if not ((at / "__main__.py").exists() or at.with_suffix(".py").exists())
    ] == []
    assert [at for at, _ in targets if not at.exists()] == []
    assert [(at, anchor) for at, anchor in targets if anchor and anchor not in anchors(at)] == []
    assert [line for line in text.splitlines() if len(line) > MAX_WIDTH and line[0] not in "|!"] == []


@pytest.mark.parametrize(
    "path",
    [path for path in PAGES if path.name != "CHANGELOG.md"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_named_files_exist(path: Path) -> None:
    """Source files and folders named in text and commands exist; the changelog may name removed ones."""
    inside = r"(?:stream|simulator|pinot|dashboard|monitoring|tests|benchmarks|examples)/[a-z0-9_./*-]*"
    named = re.findall(rf"`({inside})`|^    [^#\n]* ({inside})", path.read_text(), re.MULTILINE)

    assert [name for name in map("".join, named) if not list(ROOT.glob(name))] == []


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub generates them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


PER_SECOND = ServeSettings.model_fields["requests_per_second"].default
LIMITS: dict[str, tuple[float, ...]] = {
    "a request body": (
        bodies.MAX_BODY / MIB,
        bodies.MAX_SIZES[bodies.COURSES] / MIB,
        bodies.MAX_ANSWER / MIB,
    ),
    "rows of a consumer's answer": (grade.MAX_ROWS,),
    "length of windows, and lateness, of an answer": (1, query.MAX_WINDOW, 0, query.MAX_LATENESS),
    "competitors of a race": (1, options.MAX_COMPETITORS),
    "competitors of all parts that a simulator publishes": (engine.MAX_LIVE_COMPETITORS,),
    "competitors of a part of a race": (parts.PART,),
    "simulators with work on one Kafka": (read_topics()["progress"]["partitions"],),
    "competitors whose positions a page reads": (sample.MOST_WHOLE, sample.SAMPLED, sample.LISTED),
    "competitors in the finish list of such a race": (sample.MOST_WHOLE,),
    "scorers of a team": teams.SCORERS,
    "competitors of a race with a table of teams": (sample.MOST_WHOLE,),
    "finishers, next arrivals and podiums on the announcer board": (
        honours.NEWEST,
        coming.NEXT,
        honours.MOST_PODIUMS,
    ),
    "competitors that a search by name or club finds in such a race": (sample.FOUND,),
    "races in memory": (engine.MAX_RUNS,),
    "positions per second that a race requests": (request.MAX_RATE,),
    "paces": (start_list.FASTEST, start_list.SLOWEST),
    "interval between two positions": (1, request.MAX_INTERVAL),
    "start": (request.OLDEST_START.total_seconds() / 3600, request.FURTHEST_START.days),
    "points of a course in a request": (2, request.MAX_POINTS),
    "a start list": (request.MAX_START_LIST, start_list.MAX_LINES, start_list.MAX_ROWS),
    "a bib, and a wave, of a start list": (1, start_list.MAX_BIB, 1, start_list.MAX_WAVE),
    "a name, a category or a club of a start list": (start_list.MAX_WORDS,),
    "columns of a start list, and those with known names": (
        start_list_limits.MAX_COLUMNS,
        start_list_limits.MAX_USED,
    ),
    "faulty lines of a start list that are listed": (start_list_limits.MAX_FAULTS,),
    "the last start": (options.MAX_START,),
    "competitors of a plan": (plans.MAX_COMPETITORS,),
    "plans that are computed at the same time, and that wait": (1, plans.MAX_WAITING),
    "width of a start line or a course": limits.WIDTHS,
    "cells of a course with a known width, and these times the competitors": (
        cells.MAX_CELLS,
        cells.MAX_CROSSINGS,
    ),
    "duration of a tracker fault": (1, options.MAX_EPISODE),
    "mean number of reads of a pass by a line of a mat": (1, options.MAX_REPEATS),
    "error and drift of a reader's clock": (0, options.MAX_READER_SKEW, 0, options.MAX_READER_DRIFT),
    "points of the tracks in one response": (track_query.MAX_TRACK_POINTS,),
    "an event of a recording, with its envelope": (event_files.MAX_LINE / MIB,),
    "events of a recording": (recording.MAX_EVENTS,),
    "tracks of a recording": (tracks.MAX_TRACKS, readers.MAX_FIXES, files.MAX_FILE / MIB),
    "jumps in a track of a recording": (fixes.MAX_JUMPS,),
    "invalid fields reported in one response": (problems.MAX_ENTRIES,),
    "an idle connection": (site.IDLE,),
    "sending a request, including its body": (site.DEADLINE,),
    "open connections": (site.MAX_CONNECTIONS,),
    "requests of a client": (PER_SECOND, PER_SECOND * rate.BURST),
    "clients that are distinguished": (rate.MAX_CLIENTS,),
    "interval between two delivery records of a part": (engine.CHECK,),
    "writing a record to the race log in Kafka": (kafka_log.WRITE_WITHIN,),
    "races known after a start": (publisher.MAX_KNOWN, run.LONG_REQUEST),
    "events waiting in Kafka's producer": (kafka.HIGH_WATER,),
    "a shutdown's wait for the batch in hand and for its delivery": (process.PATIENCE,),
    "a shutdown's wait for Kafka after that": (kafka.FLUSH,),
    "uploaded courses": (courses.MAX_UPLOADS,),
    "all that is read in a KMZ, a gzip file or a zip archive": (packing.MAX_UNPACKED / MIB,),
    "the list of files in a zip archive": (packing.MAX_DIRECTORY / MIB,),
    "layers of packing, and concatenated gzip files": (packing.MAX_LAYERS, packing.MAX_PARTS),
    "KML files in a KMZ that are linked": (kmz.MAX_DOCUMENTS,),
    "control characters and the like that are replaced in a course file": (decoding.MAX_FORBIDDEN,),
    "tags and attributes in a course file, without times and extensions": (
        xml.MAX_MARKS,
        xml.MAX_ATTRIBUTES,
    ),
    "tags, attributes and texts in a course file, without its points": (xml.MAX_NODES,),
    "values and names in a GeoJSON file": (geojson.MAX_VALUES,),
    "nested geometry collections in a GeoJSON file": (geojson.MAX_DEPTH,),
    "timing points of a course": (limits.MAX_MATS,),
    "passings of them by one competitor, all laps": (limits.MAX_MAT_PASSES,),
    "contacts of the course with geofence edges, all laps": (limits.MAX_FENCE_PASSES,),
    "wait before a course is sent to Pinot again": (course_loader.FIRST_PAUSE, course_loader.LONGEST_PAUSE),
    "a shutdown's wait for courses on their way to Pinot": (course_loader.LAST,),
    "a course file": (MAX_BYTES / MIB,),
}


@pytest.mark.parametrize("what", LIMITS)
def test_limits_match_the_code(what: str) -> None:
    """The limits in SECURITY.md are those in the code."""
    documented = {row[0]: row[1] for row in rows(section("SECURITY.md", "## Limits"))}

    assert numbers(documented[what]) == LIMITS[what]


LIGHTS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "simulator": (
        (thresholds.LATE_AMBER_S, thresholds.PART_AMBER_S, thresholds.UNSETTLED_AFTER_S),
        (thresholds.UNOWNED_AFTER_S, thresholds.PART_RED_S),
    ),
    "Kafka": ((), ()),
    "Pinot": ((thresholds.LAG_AMBER_S, thresholds.STUCK_AFTER_S), (thresholds.LAG_RED_S,)),
    "embedded store": ((thresholds.LOG_AMBER_BYTES / 1e6,), ()),
    "end to end": ((thresholds.FRESH_AMBER_S,), (thresholds.FRESH_RED_S,)),
}
"""The thresholds for amber and for red."""


def test_thresholds_match_the_code() -> None:
    """The thresholds in docs/operations.md are those in the code."""
    text = section("docs/operations.md", "## Lights")
    documented = {part: (numbers(amber), numbers(red)) for part, amber, red in rows(text)}

    assert {part: documented[part] for part in LIGHTS} == LIGHTS
    others = {thresholds.BUSY_PER_S, thresholds.ABANDONED_AFTER_S / 60, thresholds.RECORDED_WITHIN_S}
    assert others <= set(numbers(text))


def test_random_streams_keep_their_numbers() -> None:
    """The numbers of random streams are unchanged, so that old seeds give the same races."""
    assert {stream.name: stream.value for stream in chance.Stream} == {
        "PACE": 1,
        "VARIATION": 2,
        "STOPPED": 3,
        "PAUSE_PLACE": 4,
        "PAUSE_LENGTH": 5,
        "SEX": 6,
        "SPLIT": 7,
        "WALL": 8,
        "WALL_LENGTH": 9,
        "WALL_SLOWDOWN": 10,
        "START_ORDER": 11,
        "FIRST_NAME": 12,
        "LAST_NAME": 13,
        "AGE": 14,
        "CLUB": 15,
        "FATE": 16,
        "END_PLACE": 17,
        "END_PAUSE": 18,
        "VERDICT": 19,
        "WALKING": 20,
        "WALKING_FROM": 21,
        "ASTRAY": 22,
        "ASTRAY_PLACE": 23,
        "ASTRAY_REACH": 24,
        "ASTRAY_BEARING": 25,
        "GPS_FREQUENCY": 26,
        "GPS_RADIUS": 27,
        "GPS_PHASE": 28,
        "GPS_NOISE": 29,
        "LOST": 30,
        "FROZEN": 31,
        "LATE": 32,
        "DUPLICATE": 33,
        "SKEW": 34,
        "BATTERY": 35,
        "BATTERY_LIFE": 36,
        "REGULARITY": 37,
        "ATTENDANCE": 38,
        "FORM": 39,
        "READ_MISSED": 40,
        "READ_MISSED_BY_LINE": 41,
        "READ_COUNT": 42,
        "READ_PHASE": 43,
        "READ_STRENGTH": 44,
        "READ_LOSS": 45,
        "READ_ID": 46,
        "STRAY": 47,
        "STRAY_MAT": 48,
        "STRAY_TIME": 49,
        "STRAY_LINE": 50,
        "STRAY_RETURN": 51,
        "READER_SKEW": 52,
        "READER_DRIFT": 53,
    }
