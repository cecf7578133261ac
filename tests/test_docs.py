"""The documentation says what is there: settings, routes, commands, limits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic_settings import CLI_SUPPRESS

from dashboard.settings import Settings as DashboardSettings
from pinot.health import thresholds
from pinot.settings import ResetSettings, StatusSettings
from pinot.settings import Settings as SetupSettings
from simulator.commands import process, replay
from simulator.commands.settings import PublisherSettings, ReplaySettings, ServeSettings
from simulator.course import geojson, kmz, xml
from simulator.course.library import MAX_BYTES
from simulator.course.survey import limits
from simulator.engine import engine
from simulator.export import track_query
from simulator.http import openapi, rate, site
from simulator.publishers import course_loader, kafka, publisher
from simulator.race import chance, options, request, start_list
from simulator.replay import recording, tracks
from simulator.service import courses, races
from stream import problems
from stream.kafka import KafkaAccess
from stream.pinot import PinotAccess

if TYPE_CHECKING:
    from pydantic_settings import BaseSettings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SECURITY = (ROOT / "SECURITY.md").read_text()
UNSET = {"pinot_kafka": "the same as `--kafka`"}
"""What stands for a setting without a default, if not nothing."""
SHARED = "Kafka and Pinot"
REACHED = {**KafkaAccess.model_fields, **PinotAccess.model_fields}
"""The settings of every process, told once."""
PROCESSES: dict[str, type[BaseSettings]] = {
    "The simulator": ServeSettings,
    "A replay": ReplaySettings,
    "The dashboard": DashboardSettings,
    "The set-up": SetupSettings,
    "The status": StatusSettings,
    "The reset": ResetSettings,
}
BASES: dict[type[BaseSettings], type[BaseSettings]] = {
    ReplaySettings: PublisherSettings,
    ResetSettings: SetupSettings,
}
"""Whose table names those settings only that another one's doesn't have."""


@pytest.mark.parametrize("process", [*PROCESSES, SHARED])
def test_every_setting_is_in_the_readme(process: str) -> None:
    """The README's table of a process has each of its settings once, with its default, but those of all."""
    section = README.split(f"**{process}**")[1].split("\n**")[0].split("\n## ")[0]
    told = dict(re.findall(r"^\| `--([a-z-]+)` \|([^|]*)\|", section, re.MULTILINE))
    settings = PROCESSES.get(process)
    fields = REACHED if settings is None else settings.model_fields
    elsewhere = set(REACHED) if settings is not None else set()
    if settings in BASES:
        elsewhere |= BASES[settings].model_fields.keys()
    there = {}
    for name, setting in fields.items():
        if setting.is_required() or name in elsewhere:
            continue
        if CLI_SUPPRESS in setting.metadata:  # it has no flag
            assert f"`RACECAST_{name.upper()}`" in section
            continue
        default = setting.get_default()
        shown = str(default).removeprefix(f"{ROOT}/").removesuffix("/" if "http" in str(default) else "")
        there[(setting.alias or name).replace("_", "-")] = UNSET.get(name, "") if default is None else shown
    told = {flag: default.strip() for flag, default in told.items()}

    assert told == there


def test_every_route_is_in_the_readme() -> None:
    """The README's table of routes has each route of the API, and no other."""
    section = README.split("## The API")[1].split("\n## ")[0]
    told = re.findall(r"`(GET|POST) (/[^`]*)`", section)

    assert sorted(told) == sorted((route.method.upper(), route.path) for route in openapi.ROUTES)


def test_every_target_is_in_the_readme() -> None:
    """Each target of the Makefile that is meant for people is in the README, and no other."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)) - {"help"}

    assert set(re.findall(r"`make ([a-z-]+)`", README)) == targets


def test_every_python_command_is_there() -> None:
    """Each `python -m` of the README is a module that can be run."""
    modules = set(re.findall(r"python -m ([a-z.]+)", README))

    assert modules == {"simulator", "dashboard", "pinot", "pinot.local"}
    assert all((ROOT / module.replace(".", "/") / "__main__.py").exists() for module in modules)


def test_every_option_is_in_the_readme() -> None:
    """The README says of each option what it does; how long a fault lasts is said once for all."""
    section = README.split("## Races that could be real")[1].split("\n## ")[0]
    told = set(re.findall(r"`([a-z_]+)`", section))
    episodes = {name for name in request.RaceRequest.model_fields if name.endswith("_for")}
    asked = request.RaceRequest.model_fields.keys() - request.PlainRequest.model_fields.keys()

    assert {*asked, "start_list"} - told == episodes


PER_SECOND = ServeSettings.model_fields["requests_per_second"].default
LIMITS = {
    "a request's body": f"{site.MAX_BODY // 1024**2} MiB",
    "competitors of a race": f"1 to {request.MAX_COMPETITORS:,}",
    "competitors of all races that have not ended": f"{engine.MAX_LIVE_COMPETITORS:,}",
    "races in memory": f"{engine.MAX_RUNS:,}; the oldest that has ended is forgotten",
    "positions a second that a race asks for": f"{request.MAX_RATE:,.0f}",
    "start": f"from {request.OLDEST_START.total_seconds() / 3600:.0f} hours ago "
    f"to {request.FURTHEST_START.days} days ahead",
    "points of a course in a request": f"2 to {request.MAX_POINTS:,}",
    "a start list": f"{request.MAX_START_LIST:,} characters, {start_list.MAX_LINES:,} lines, "
    f"{start_list.MAX_ROWS:,} competitors",
    "a bib, and a wave, of a start list": f"1 to {start_list.MAX_BIB:,}, and 1 to {start_list.MAX_WAVE:,}",
    "a name, a category or a club of a start list": f"{start_list.MAX_WORDS} printable characters",
    "the last start": f"{options.MAX_START:,.0f} s after the gun",
    "how long a tracker's fault lasts": f"1 to {options.MAX_EPISODE:,.0f} s",
    "points of the tracks in one answer": f"{track_query.MAX_TRACK_POINTS:,}",
    "events of a recording that is replayed": f"{recording.MAX_EVENTS:,}",
    "GPX tracks that are replayed": f"{tracks.MAX_TRACKS:,}, of {tracks.MAX_FIXES:,} places each, "
    f"in files of {replay.MAX_FILE // 1024**2} MiB",
    "wrong fields told of in one answer": f"{problems.MAX_ENTRIES}",
    "a connection that says nothing": f"{site.IDLE:.0f} s",
    "sending a request, its body included": f"{site.DEADLINE:.0f} s",
    "requests of a client": f"{PER_SECOND:g} a second, {PER_SECOND * rate.BURST:g} at once "
    "(`--requests-per-second`)",
    "clients that are told apart": f"{rate.MAX_CLIENTS:,}",
    "a request's id that a client gives": "64 of `A-Za-z0-9._-`",
    "connections that are open at once": f"{site.MAX_CONNECTIONS:,}",
    "between two notes of how far a race is delivered": f"{engine.CHECK:.0f} s; in proportion longer if the "
    f"request has more than {engine.CHECK_BYTES:,} characters",
    "races of before that are taken up": f"{publisher.MAX_KNOWN:,}, those under way first; ended ones with "
    f"requests of {races.MAX_ENDED:,} characters at most",
    "events that wait in Kafka's producer": f"{kafka.HIGH_WATER:,}",
    "a shutdown's wait for the tick in hand and what was accepted": f"{process.PATIENCE:.0f} s",
    "a shutdown's wait for Kafka after that": f"{kafka.FLUSH:.0f} s",
    "uploaded courses": f"{courses.MAX_UPLOADS}",
    "a KML file in a KMZ": f"{kmz.MAX_UNPACKED // 1024**2} MiB unpacked",
    "a KMZ's list of its files": f"{kmz.MAX_DIRECTORY // 1024**2} MiB",
    "tags and attributes in a course file, without times and extensions": f"{xml.MAX_MARKS:,}; "
    f"{xml.MAX_ATTRIBUTES} attributes in a tag",
    "tags, attributes and texts in a course file, without its points": f"{xml.MAX_NODES:,}",
    "values and names in a GeoJSON file": f"{geojson.MAX_VALUES:,}",
    "geometry collections in each other in a GeoJSON file": f"{geojson.MAX_DEPTH}",
    "timing points of a course": f"{limits.MAX_MATS}",
    "passings of them by one competitor, all laps": f"{limits.MAX_MAT_PASSES:,}",
    "touches of geofences' edges by the course, all laps": f"{limits.MAX_FENCE_PASSES:,}",
    "pauses before Pinot is told of a course again": f"{course_loader.FIRST_PAUSE:.0f} s, and twice as long "
    f"each time, to {course_loader.LONGEST_PAUSE:.0f} s",
    "a shutdown's wait for courses on their way to Pinot": f"{course_loader.LAST:.0f} s",
    "a course file": f"{MAX_BYTES // 1024**2} MiB, and the limits in [courses/README.md](courses/README.md)",
}


@pytest.mark.parametrize("what", LIMITS)
def test_limits_are_those_of_the_code(what: str) -> None:
    """The numbers in SECURITY.md are the code's own."""
    told = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|", SECURITY, re.MULTILINE))

    assert told[what] == LIMITS[what]


def test_links_lead_somewhere() -> None:
    """Each link to a file in the documentation leads to a file."""
    pages = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md")]
    pages += [ROOT / "courses" / "README.md", ROOT / "benchmarks" / "README.md"]
    broken = [
        (page.name, link)
        for page in pages
        for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text())
        if not (page.parent / link).exists()
    ]

    assert broken == []


def test_the_random_streams_keep_their_numbers() -> None:
    """A stream's number is never given anew: old seeds would give other races."""
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
    }


def test_thresholds_are_those_of_the_code() -> None:
    """The README's numbers for the lights are the judgement's own."""
    section = README.split("### When a light isn't green")[1].split("\n## ")[0]
    told = {
        f"more than {thresholds.LATE_AMBER_S:.0f} s late, or was",
        f"more than {thresholds.LAG_AMBER_S:.0f} s behind its topic",
        f"stood still for {thresholds.STUCK_AFTER_S:.0f} s",
        f"more than {thresholds.LAG_RED_S:.0f} s behind;",
        f"over {thresholds.LOG_AMBER_BYTES / 1e6:.0f} MB",
        f"position is more than {thresholds.FRESH_AMBER_S:.0f} s late",
        f"more than {thresholds.FRESH_RED_S:.0f} s late;",
        f"no less than {thresholds.BUSY_PER_S:,.0f} messages a second",
        f"nothing was heard for {thresholds.ABANDONED_AFTER_S / 60:.0f} minutes",
    }

    assert {words for words in told if words not in section} == set()
