"""Courses out of files: which reader a file needs, and a folder of them.

One bad file never hides the others: a folder's `Library` has the good courses and, for each bad file, the
sentence that says why it can't be used.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from simulator.course import geojson, gpx, kml, kmz, xml
from simulator.course.drawing import CourseError, Drawing
from simulator.course.survey import survey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from simulator.course.course import Course

READERS: Mapping[str, Callable[[bytes, str], Drawing]] = {
    ".kml": kml.read,
    ".kmz": kmz.read,
    ".gpx": gpx.read,
    ".geojson": geojson.read,
    ".json": geojson.read,
}
"""The reader for each suffix: file's bytes and its name for messages in, `Drawing` out."""

MAX_BYTES = 32 * 1024 * 1024
"""A file's size; the biggest line that is allowed takes 20 MB as GPX of a watch that tells all it knows."""


@dataclass(frozen=True)
class Library:
    """The courses of a folder.

    Attributes:
        courses: by short name (the file's name without its suffix), in that order.
        errors: by file name, in that order: why the file can't be used.
        files: the file of each course, by short name.
    """

    courses: Mapping[str, Course]
    errors: Mapping[str, str]
    files: Mapping[str, Path]


def format_of(data: bytes) -> str:
    """Return the suffix of the reader that a file needs, going by its content; KML if nothing else fits."""
    if data.startswith(kmz.MAGIC):
        return ".kmz"
    if data.removeprefix(geojson.BOM).lstrip(b" \t\r\n").startswith(b"{"):
        return ".geojson"
    return ".gpx" if xml.outermost(data) == "gpx" else ".kml"


def read_course(data: bytes, filename: str, long_name: str | None = None) -> Course:
    """Make a course of a file's bytes; its suffix tells the format and its stem is the short name.

    Raises:
        CourseError: with the file's name in front.
    """
    path = PurePath(filename)
    reader = READERS.get(path.suffix.lower())
    if len(data) > MAX_BYTES:
        raise _too_big(filename)
    if reader is None:
        raise CourseError(f"{filename} isn't a course file: its name ends in none of {', '.join(READERS)}")
    drawing = reader(data, filename)
    try:
        return survey(drawing, path.stem, long_name)
    except CourseError as error:
        raise CourseError(f"{filename}: {error}") from None


def load_folder(folder: Path) -> Library:
    """Read every course file in a folder (not in folders in it); other files are passed over.

    Raises:
        OSError: the folder itself can't be read.
    """
    courses: dict[str, Course] = {}
    errors: dict[str, str] = {}
    used: dict[str, Path] = {}
    files = (path for path in folder.iterdir() if path.suffix.lower() in READERS)
    for path in sorted(files, key=lambda path: (path.stem, path.name)):
        try:
            course = read_course(_bytes(path), path.name)
        except CourseError as error:
            errors[path.name] = str(error)
            continue
        if course.short_name in courses:
            errors[path.name] = f"{path.name}: there is another file for {course.short_name}"
            continue
        courses[course.short_name] = course
        used[course.short_name] = path
    return Library(courses, errors, used)


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _too_big(path.name)
        return path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path.name} can't be read: {error.strerror}") from None


def _too_big(name: str) -> CourseError:
    return CourseError(f"{name} is bigger than {MAX_BYTES // 1024**2} MiB")
