"""`python -m simulator export`: writes a race's results or tracks, without a server.

The files equal those that the API returns for the same race once it has ended.
"""

from __future__ import annotations

import argparse
from math import inf
from typing import TYPE_CHECKING, Any, BinaryIO

from pydantic import ValidationError

from simulator.commands.generate import add_race, race_of
from simulator.export import result_files, results, track_files
from simulator.export.formats import of_suffix
from simulator.export.track_query import TrackQuery
from stream.problems import Problem, from_validation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulator.race.race import Race

SUFFIXES = {
    "results": [form.suffix for form in result_files.FORMATS],
    "tracks": [form.suffix for form in track_files.FORMATS],
}
"""Formats of each output, the default first."""
FLAGS = {"bib": "--bib", "interval": "--track-interval", "truth": "--truth"}
"""The flags of a track query's fields; --interval is the race's own."""


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    flags = argparse.ArgumentParser(
        prog="python -m simulator export",
        description="Write a race's results or tracks to standard output.",
    )
    of_each = "; ".join(f"{what}: {', '.join(suffixes)}" for what, suffixes in SUFFIXES.items())
    flags.add_argument("--what", choices=SUFFIXES, default="results", help="what to write (default: results)")
    flags.add_argument("--format", help=f"{of_each} (default: the first one)")
    fields = TrackQuery.model_fields
    flags.add_argument(FLAGS["bib"], action="append", help=fields["bib"].description)
    flags.add_argument(FLAGS["interval"], dest="track_interval", help=fields["interval"].description)
    flags.add_argument(FLAGS["truth"], action="store_true", default=None, help=fields["truth"].description)
    add_race(flags)
    return flags


def export(arguments: Sequence[str], out: BinaryIO) -> None:
    """Write results or tracks.

    Args:
        arguments: the flags.
        out: receives the file.

    Raises SystemExit with a message if the flags are invalid.
    """
    flags = vars(parser().parse_args(arguments))
    what, suffix = flags.pop("what"), flags.pop("format")
    asked = {"bib": flags.pop("bib"), "interval": flags.pop("track_interval"), "truth": flags.pop("truth")}
    asked = {name: value for name, value in asked.items() if value is not None}
    suffix = suffix or SUFFIXES[what][0]
    if suffix not in SUFFIXES[what]:
        raise SystemExit(f"--format for {what} must be one of: {', '.join(SUFFIXES[what])}")
    pieces = _results(flags, asked, suffix) if what == "results" else _tracks(flags, asked, suffix)
    out.writelines(pieces)
    out.flush()


def _results(flags: dict[str, Any], asked: dict[str, Any], suffix: str) -> Iterator[bytes]:
    for name in asked:
        raise SystemExit(f"{FLAGS[name]} is only valid with --what tracks")
    race = race_of(flags)
    return of_suffix(result_files.FORMATS, suffix).write(results.of(race, _end(race)))


def _tracks(flags: dict[str, Any], asked: dict[str, Any], suffix: str) -> Iterator[bytes]:
    race = race_of(flags)
    try:
        found = TrackQuery(**asked).tracks(race, _end(race), most=inf)
    except (ValidationError, Problem) as error:
        problem = from_validation(error) if isinstance(error, ValidationError) else error
        raise SystemExit("\n".join(_sentence(*wrong) for wrong in problem.errors)) from error
    return of_suffix(track_files.FORMATS, suffix).write(found)


def _sentence(field: str, detail: str) -> str:
    return f"{FLAGS[field.partition('[')[0]]} {detail}"


def _end(race: Race) -> float:
    return race.time_of(race.last_tick)
