"""The race of a command that needs no server."""

import sys
from pathlib import Path

from simulator.commands.settings import RaceSettings
from simulator.course.course import Course
from simulator.course.drawing import CourseError
from simulator.course.library import SUFFIXES, load_file, load_folder, stem_of
from simulator.race.cut_offs import CutOffError
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from simulator.race.start_list import StartListError


def race_of(settings: RaceSettings) -> Race:
    """Return the configured race; exits with a message if there is no such course."""
    course = _course(settings.course, settings.courses)
    for warning in course.warnings:
        sys.stderr.write(f"{settings.course}: {warning}\n")
    fields = settings.model_dump(include=set(RaceRequest.model_fields))
    request = RaceRequest.model_validate(fields | {"course": course.short_name})
    resolved = request.resolved(
        run_id=course.short_name, name=course.long_name, seed=settings.seed, start_at=settings.start_at
    )
    if (listed := resolved.listed) is not None:
        for warning in listed.warnings:
            sys.stderr.write(f"start list: {warning}\n")
        try:
            listed.check(course.distance)
        except StartListError as error:
            raise SystemExit("\n".join(f"--start-list {reason}" for reason in error.reasons)) from error
    try:
        return Race(course, resolved)
    except CutOffError as error:
        raise SystemExit("\n".join(f"--cut-offs {reason}" for reason in error.reasons)) from error


def _course(wanted: str, folder: Path) -> Course:
    """Return a course by short name or file path."""
    try:
        if Path(wanted).suffix.lower() in SUFFIXES or (Path(wanted).suffix and Path(wanted).is_file()):
            return load_file(Path(wanted))
        library = load_folder(folder)
    except CourseError as error:
        raise SystemExit(str(error)) from error
    except OSError as error:
        raise SystemExit(f"The folder {folder} can't be read: {error.strerror}") from error
    if wanted in library.courses:
        return library.courses[wanted]
    errors = [error for file, error in library.errors.items() if stem_of(file) == wanted]
    names = ", ".join(library.courses) or "none"
    raise SystemExit("\n".join(errors) or f"There is no course {wanted} in {folder}; available: {names}")
