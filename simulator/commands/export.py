"""`python -m simulator export`: writes a race's results, teams or tracks, or how crowded it is.

It needs no server.
The files equal those that the API returns for the same race once it has ended.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from math import inf
from typing import BinaryIO

from simulator.commands.race import race_of
from simulator.commands.settings import FORMATS, ExportSettings, settings_of
from simulator.export import (
    crowding,
    crowding_files,
    result_files,
    results,
    team_files,
    teams,
    track_files,
)
from simulator.export.crowding import CrowdingQuery
from simulator.export.formats import of_suffix
from simulator.export.teams import TeamsQuery
from simulator.export.track_query import TrackQuery
from stream.problems import Problem

ONLY = {
    ("results", "teams"): ("rank",),
    ("teams",): ("scorers", "by", "who"),
    ("tracks",): ("bib", "track_interval", "truth"),
    ("crowding",): ("max_density", "max_flow"),
}
"""Flags that are only valid with some values of `--what`."""


def export(flags: Sequence[str], out: BinaryIO = sys.stdout.buffer) -> None:
    """Write what the flags describe; exits with a message if they are invalid."""
    settings = settings_of(ExportSettings, flags)
    suffixes = FORMATS[settings.what]
    suffix = settings.format or suffixes[0]
    if suffix not in suffixes:
        raise SystemExit(f"--format for {settings.what} must be one of: {', '.join(suffixes)}")
    for what, names in ONLY.items():
        for name in names:
            if settings.what not in what and name in settings.model_fields_set:
                flag = f"--{name.replace('_', '-')}"
                raise SystemExit(f"{flag} is only valid with --what {' or '.join(what)}")
    out.writelines(WRITERS[settings.what](settings, suffix))
    out.flush()


def _results(settings: ExportSettings, suffix: str) -> Iterator[bytes]:
    race = race_of(settings)
    found = results.of(race, race.time_of(race.last_tick), settings.rank)
    return of_suffix(result_files.FORMATS, suffix).write(found)


def _teams(settings: ExportSettings, suffix: str) -> Iterator[bytes]:
    race = race_of(settings)
    query = TeamsQuery(rank=settings.rank, scorers=settings.scorers, by=settings.by, who=settings.who)
    found = teams.of(race, race.time_of(race.last_tick), query)
    return of_suffix(team_files.FORMATS, suffix).write(found)


def _tracks(settings: ExportSettings, suffix: str) -> Iterator[bytes]:
    race = race_of(settings)
    query = TrackQuery(bib=settings.bib, interval=settings.track_interval, truth=settings.truth)
    try:
        tracks = query.tracks(race, race.time_of(race.last_tick), most=inf)
    except Problem as problem:
        # Only a bib can be wrong.
        raise SystemExit(f"--{problem}") from problem
    return of_suffix(track_files.FORMATS, suffix).write(tracks)


def _crowding(settings: ExportSettings, suffix: str) -> Iterator[bytes]:
    query = CrowdingQuery(max_density=settings.max_density, max_flow=settings.max_flow)
    found = crowding.of(race_of(settings), query)
    return of_suffix(crowding_files.FORMATS, suffix).write(found)


WRITERS: dict[str, Callable[[ExportSettings, str], Iterator[bytes]]] = {
    "results": _results,
    "teams": _teams,
    "tracks": _tracks,
    "crowding": _crowding,
}
