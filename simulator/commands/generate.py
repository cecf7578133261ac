"""`python -m simulator generate`: writes all events of a race as lines of JSON, without a server.

The lines are the messages that the engine would publish, in the same order; `emittedAt` is the time of the
tick, so that the same seed gives the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pydantic import ValidationError
from pydantic_core import PydanticUndefined

from simulator.course.drawing import CourseError
from simulator.course.library import READERS, load_file, load_folder
from simulator.publishers.encode import encode
from simulator.race.events import entries_of, passings_until, positions_at, record_of
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from stream.contract import TOPICS
from stream.problems import flag_sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulator.course.course import Course
    from simulator.race.events import Streamed
    from stream.contract import Topic

BATCH = 5000
EPOCH = datetime(2026, 1, 1, 9, tzinfo=UTC)
"""Default gun time: fixed, so that the same command writes the same bytes."""
LEFT_OUT = {"points", "speed"}
"""Request fields that don't apply here."""
FILES = {"start_list"}
"""Request fields whose values are long texts: here they are files."""
YEARS = (1970, 9998)
"""Allowed years of the gun time: earlier, events could have no timestamp; later, a race might not end."""
HELP = {
    "course": "Short name of a course in the folder, or the path of a course file.",
    "run_id": "Id of the race. Default: the course's short name.",
    "seed": "Random seed. Default: 0.",
    "interval": "Race seconds between two positions of a competitor. Default: 1.",
    "start_at": f"Gun time: ISO 8601 with a zone, in the years {YEARS[0]} to {YEARS[1]}. "
    f"Default: {EPOCH:%Y-%m-%dT%H:%M:%SZ}.",
}
"""Descriptions that differ from the API's."""


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    flags = argparse.ArgumentParser(
        prog="python -m simulator generate",
        description="Write all events of a race to standard output, one JSON object per line.",
    )
    flags.add_argument(
        "--topic", choices=TOPICS, default="parkrun", help="which events (default: parkrun, the positions)"
    )
    flags.add_argument(
        "--keys",
        action="store_true",
        help="write each event's key and a tab in front of it, for kcat -K '\\t'",
    )
    add_race(flags)
    return flags


def add_race(flags: argparse.ArgumentParser) -> None:
    """Add the flags of a race: the folder of courses, and the request's fields."""
    flags.add_argument("--courses", type=Path, default=Path("courses"), help="folder with course files")
    for name, field in RaceRequest.model_fields.items():
        if name not in LEFT_OUT:
            has_default = field.default is not None and field.default is not PydanticUndefined
            default = f" (default: {field.default})" if has_default else ""
            text = f"{HELP.get(name) or field.description or 'as in POST /races'}{default}"
            if name in FILES:
                text = f"File: {text}"
            flags.add_argument(
                f"--{name.replace('_', '-')}",
                dest=name,
                help=text.replace("%", "%%"),
                required=field.is_required(),
            )


def generate(arguments: Sequence[str], out: BinaryIO) -> None:
    """Write a race.

    Args:
        arguments: the flags.
        out: receives the lines.

    Raises SystemExit with a message if the flags are invalid.
    """
    flags = vars(parser().parse_args(arguments))
    topic, keys = flags.pop("topic"), flags.pop("keys")
    race = race_of(flags)
    for batch in _batches(race, topic):
        messages = encode(batch)
        lines = messages.values
        if keys:
            lines = [b"%b\t%b" % pair for pair in zip(messages.keys, lines, strict=True)]
        out.write(b"\n".join(lines) + b"\n")
    out.flush()


def race_of(flags: dict[str, Any]) -> Race:
    """Return the race described by the flags of `add_race`; raises SystemExit with a message."""
    given = {name: value for name, value in flags.items() if value is not None}
    folder = given.pop("courses")
    for name in FILES & given.keys():
        given[name] = _text_of(Path(given[name]))
    course = _course(given["course"], folder)
    given["course"] = course.short_name
    try:
        # Flags are strings, which the API's strict validation would reject, so parse leniently here.
        request = RaceRequest.model_validate(given, strict=False)
    except ValidationError as error:
        raise SystemExit(flag_sentences(error)) from error
    if request.start_at and not YEARS[0] <= request.start_at.year <= YEARS[1]:
        raise SystemExit(f"--start-at must be in the years {YEARS[0]} to {YEARS[1]}")
    resolved = request.resolved(run_id=course.short_name, name=course.long_name, seed=0, start_at=EPOCH)
    return Race(course, resolved)


def _course(wanted: str, folder: Path) -> Course:
    """Return a course by short name or file path; its warnings go to stderr."""
    if Path(wanted).suffix.lower() in READERS:
        try:
            course = load_file(Path(wanted))
        except CourseError as error:
            raise SystemExit(str(error)) from error
    else:
        try:
            library = load_folder(folder)
        except OSError as error:
            raise SystemExit(f"The folder {folder} can't be read: {error.strerror}") from error
        if wanted not in library.courses:
            names = ", ".join(library.courses) or "none"
            errors = [error for file, error in library.errors.items() if Path(file).stem == wanted]
            missing = f"There is no course {wanted} in {folder}; available: {names}"
            raise SystemExit("\n".join(errors) or missing)
        course = library.courses[wanted]
    for warning in course.warnings:
        sys.stderr.write(f"{wanted}: {warning}\n")
    return course


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise SystemExit(f"The file {file} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SystemExit(f"The file {file} is not valid UTF-8") from error


def _batches(race: Race, topic: Topic) -> Iterator[Streamed]:
    match topic:
        case "races":
            ended = race.start_ms + round(race.duration * 1000)
            request = race.request.text()
            yield record_of(race, "running", race.start_ms, request)
            yield record_of(race, "finished", ended, request, delivered_until=race.time_of(race.last_tick))
        case "competitors":
            yield from entries_of(race, BATCH)
        case "passings":
            ticks = range(race.last_tick + 1)
            yield from chain.from_iterable(passings_until(race, tick, BATCH) for tick in ticks)
        case "parkrun":
            for tick in range(race.last_tick + 1):
                told_at = race.start_ms + int(round(race.time_of(tick), 6)) * 1000
                for batch in positions_at(race, tick, BATCH):
                    yield replace(batch, emitted_at=told_at)
