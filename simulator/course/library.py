"""Reads course files: chooses the reader, and loads folders.

An invalid file doesn't hide the others: a folder's `Library` has the valid courses and, for each invalid one,
the reason.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from simulator.course import geojson, gpx, kml, kmz, xml
from simulator.course.course import Course
from simulator.course.drawing import CourseError, Drawing
from simulator.course.survey import survey
from simulator.course.survey.limits import MAX_SHORT_NAME

READERS: Mapping[str, Callable[[bytes, str], Drawing]] = {
    ".kml": kml.read,
    ".kmz": kmz.read,
    ".gpx": gpx.read,
    ".geojson": geojson.read,
    ".json": geojson.read,
}
"""The reader of each suffix: takes a file's bytes and its name for messages, returns a `Drawing`."""

NOT_IN_A_SHORT_NAME = re.compile(r"[^A-Za-z0-9_-]+")
UNNAMED = "course"
"""Short name of a course whose own name has no usable characters."""
MAX_BYTES = 32 * 1024 * 1024
"""Maximum bytes of a file; the largest allowed line takes 20 MB as GPX with all of a watch's data."""


@dataclass(frozen=True)
class Library:
    """The courses of a folder.

    Attributes:
        courses: by short name (the file's name without its suffix), in that order.
        errors: by file name, in that order: why the file can't be used.
        files: the file of each course, by short name.
    """

    courses: dict[str, Course]
    errors: dict[str, str]
    files: dict[str, Path]


def format_of(data: bytes) -> str:
    """Detect a file's format by its content and return the reader's suffix; KML by default."""
    if data.startswith(kmz.MAGIC):
        return ".kmz"
    if data.removeprefix(geojson.BOM).lstrip(b" \t\r\n").startswith(b"{"):
        return ".geojson"
    return ".gpx" if xml.outermost(data) == "gpx" else ".kml"


def read_course(data: bytes, filename: str, long_name: str | None = None, *, messages: str = "") -> Course:
    """Return the course in a file's bytes.

    Args:
        data: the file.
        filename: its suffix is the format, its stem the short name.
        long_name: display name; default: the file's own.
        messages: name of the file in messages; default: `filename`.

    Raises:
        CourseError: the message starts with the file's name.
    """
    path, shown = PurePath(filename), messages or filename
    reader = READERS.get(path.suffix.lower())
    if len(data) > MAX_BYTES:
        raise CourseError(f"{shown} is bigger than {MAX_BYTES // 1024**2} MiB")
    if reader is None:
        raise CourseError(f"{shown} isn't a course file: its name ends in none of {', '.join(READERS)}")
    drawing = reader(data, shown)
    try:
        return survey(drawing, path.stem, long_name)
    except CourseError as error:
        raise CourseError(f"{shown}: {error}") from None


def load_file(path: Path) -> Course:
    """Read a course file; its stem becomes the short name, with hyphens for invalid characters.

    Raises:
        CourseError: the message starts with the file's name.
    """
    stem = NOT_IN_A_SHORT_NAME.sub("-", path.stem).lstrip("_-")[:MAX_SHORT_NAME] or UNNAMED
    return read_course(_bytes(path), stem + path.suffix, messages=path.name)


def load_folder(folder: Path) -> Library:
    """Read every course file directly in a folder; other files are ignored.

    Raises:
        OSError: the folder itself can't be read.
    """
    library = Library({}, {}, {})
    files = (path for path in folder.iterdir() if path.suffix.lower() in READERS)
    for path in sorted(files, key=lambda path: (path.stem, path.name)):
        try:
            course = read_course(_bytes(path), path.name)
        except CourseError as error:
            library.errors[path.name] = str(error)
            continue
        if course.short_name in library.courses:
            library.errors[path.name] = f"{path.name}: there is another file for {course.short_name}"
            continue
        library.courses[course.short_name] = course
        library.files[course.short_name] = path
    return library


def _bytes(path: Path) -> bytes:
    """Return a file's bytes, or enough of them to see that it is too big."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CourseError(f"{path.name} can't be read: {error.strerror}") from None
