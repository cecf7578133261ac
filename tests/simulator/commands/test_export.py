"""`python -m simulator export`: the files equal those of the API."""

import io
import subprocess
import sys
from collections.abc import Mapping

import pytest

from simulator.commands.export import export
from simulator.commands.settings import EPOCH
from simulator.course.course import Course
from simulator.export import (
    crowding,
    crowding_files,
    result_files,
    results,
    team_files,
    teams,
    track_files,
    tracks,
)
from simulator.export.crowding import CrowdingQuery
from simulator.export.formats import Format
from simulator.export.teams import TeamsQuery
from simulator.export.track_query import MAX_TRACK_POINTS, TrackQuery
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from tests.processes import ROOT

RACE = ["--course", "hilly-half", "--competitors", "5", "--seed", "5", "--dnf", "0.2", "--interval", "30"]


def exported(*flags: str) -> bytes:
    """Return what `export` writes."""
    out = io.BytesIO()
    export([*RACE, *flags], out)
    return out.getvalue()


@pytest.fixture
def race(library: Mapping[str, Course]) -> Race:
    """Return the race that the flags describe."""
    request = RaceRequest(course="hilly-half", competitors=5, seed=5, dnf=0.2, interval=30.0)
    course = library["hilly-half"]
    return Race(course, request.resolved(run_id="hilly-half", name=course.long_name, seed=0, start_at=EPOCH))


@pytest.mark.parametrize("form", result_files.FORMATS, ids=lambda form: form.suffix)
def test_results_are_those_of_the_race(race: Race, form: Format[results.Results]) -> None:
    """The results equal those that the API returns once the race has ended."""
    expected = b"".join(form.write(results.of(race, race.time_of(race.last_tick))))

    assert exported("--format", form.suffix) == expected
    assert form.suffix == "csv" or exported() == expected


def test_results_by_chip_time(race: Race) -> None:
    """`--rank chip` gives what the API gives for `?rank=chip`."""
    found = results.of(race, race.time_of(race.last_tick), "chip")

    assert exported("--rank", "chip") == b"".join(result_files.as_json(found))


@pytest.mark.parametrize("form", team_files.FORMATS, ids=lambda form: form.suffix)
def test_teams_are_those_of_the_race(library: Mapping[str, Course], form: Format[teams.Teams]) -> None:
    """The teams equal the API's too, with the query's fields as flags."""
    request = RaceRequest(
        course="hilly-half", competitors=60, seed=5, dnf=0.2, interval=30.0, entrants="drawn"
    )
    course = library["hilly-half"]
    race = Race(course, request.resolved(run_id="hilly-half", name=course.long_name, seed=0, start_at=EPOCH))
    query = TeamsQuery(scorers=3, by="time", who="men", rank="chip")
    expected = b"".join(form.write(teams.of(race, race.time_of(race.last_tick), query)))
    flags = ("--scorers", "3", "--by", "time", "--who", "men", "--rank", "chip")
    race_flags = ("--competitors", "60", "--entrants", "drawn")

    assert b"AC" in expected
    assert exported(*race_flags, "--what", "teams", "--format", form.suffix, *flags) == expected


@pytest.mark.parametrize("form", track_files.FORMATS, ids=lambda form: form.suffix)
def test_tracks_are_those_of_the_race(race: Race, form: Format[tracks.Tracks]) -> None:
    """The tracks equal the API's too, with the query's fields as flags."""
    query = TrackQuery(bib=["2", "5"], interval="60", truth="true")  # type: ignore[list-item,arg-type]
    expected = b"".join(form.write(query.tracks(race, race.time_of(race.last_tick))))
    flags = ("--bib", "5", "--bib", "2", "--track-interval", "60", "--truth")

    assert exported("--what", "tracks", "--format", form.suffix, *flags) == expected


@pytest.mark.parametrize("form", crowding_files.FORMATS, ids=lambda form: form.suffix)
def test_crowding_is_that_of_the_race(race: Race, form: Format[crowding.Crowding]) -> None:
    """How crowded the race is equals the API's answer, with the levels as flags."""
    expected = b"".join(form.write(crowding.of(race, CrowdingQuery(max_density=0.1, max_flow=5))))
    flags = ("--max-density", "0.1", "--max-flow", "5")

    assert exported("--what", "crowding", "--format", form.suffix, *flags) == expected


def test_points_have_no_limit() -> None:
    """The limit of points in one API response doesn't apply."""
    flags = ("--competitors", "60", "--interval", "1", "--what", "tracks", "--format", "csv")

    assert exported(*flags).count(b"\n") > MAX_TRACK_POINTS


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--format", "gpx"], "--format for results must be one of: json, csv"),
        (
            ["--what", "tracks", "--format", "json"],
            "--format for tracks must be one of: geojson, csv, gpx, kml",
        ),
        (["--bib", "1"], "--bib is only valid with --what tracks"),
        (["--what", "tracks", "--rank", "chip"], "--rank is only valid with --what results or teams"),
        (["--scorers", "3"], "--scorers is only valid with --what teams"),
        (["--what", "tracks", "--who", "men"], "--who is only valid with --what teams"),
        (["--what", "teams", "--scorers", "1"], "--scorers must be at least 2"),
        (["--what", "teams", "--scorers", "21"], "--scorers must be at most 20"),
        (["--what", "teams", "--by", "sum"], "--by must be 'place' or 'time'"),
        (["--rank", "net"], "--rank must be 'gun' or 'chip'"),
        (["--max-flow", "5"], "--max-flow is only valid with --what crowding"),
        (["--what", "crowding", "--format", "gpx"], "--format for crowding must be one of: json, csv"),
        (["--truth"], "--truth is only valid with --what tracks"),
        (["--what", "tracks", "--bib", "9"], "--bib must be in the race: no competitor has the bib 9"),
        (["--what", "tracks", "--bib", "x"], "--bib must be a whole number"),
        (["--what", "tracks", "--track-interval", "0"], "--track-interval must be at least 1"),
        (["--what", "tracks", "--interval", "0"], "--interval must be at least 1"),
        (["--course", "nowhere"], "There is no course nowhere"),
    ],
)
def test_invalid_flags_are_rejected(flags: list[str], words: str) -> None:
    """Invalid flags end the command with a message."""
    with pytest.raises(SystemExit) as caught:
        exported(*flags)

    assert str(caught.value).startswith(words)


def test_it_is_a_command() -> None:
    """`python -m simulator export` writes to standard output."""
    command = [sys.executable, "-m", "simulator", "export", *RACE, "--format", "csv"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)

    assert done.stdout.startswith(b"\xef\xbb\xbfplace,category_place,bib,name,")
    assert done.stdout.count(b"\r\n") == 6
