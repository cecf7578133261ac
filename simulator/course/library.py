"""Reads course files: chooses the reader, and loads folders.

An invalid file doesn't hide the others: a folder's `Library` has the valid courses and, for each invalid one,
the reason.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from simulator.course import formats, geojson, gpx, kmz, packing, tcx
from simulator.course.course import Course
from simulator.course.drawing import CourseError, Drawing
from simulator.course.packing import Unpacked
from simulator.course.survey import survey
from simulator.course.survey.limits import MAX_SHORT_NAME

_READERS: Mapping[str, Callable[[Unpacked], Drawing]] = {
    "kml": kmz.read,
    "gpx": lambda file: gpx.read(file.content, file.name),
    "tcx": lambda file: tcx.read(file.content, file.name),
    "geojson": lambda file: geojson.read(file.content, file.name),
}
"""The reader of each format."""
_UNPACKED = (".kml", ".kmz", ".gpx", ".tcx", ".geojson", ".json", ".geojsonl", ".geojsons")
SUFFIXES = (*_UNPACKED, ".gz", ".zip")
"""Suffixes of course files. The format follows from the content."""
_NOT_READ = (".fit", ".topojson", ".gpkg")
"""Suffixes of files that are reported rather than ignored in a folder."""

NOT_IN_A_SHORT_NAME = re.compile(r"[^A-Za-z0-9_-]+")
UNNAMED = "course"
"""Short name of a course whose own name has no usable characters."""
MAX_BYTES = 16 * 1024 * 1024
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


def read_drawing(data: bytes, source: str) -> tuple[Drawing, str]:
    """Return the content of a file in any format, packed or not, and the suffix that it should have.

    Raises:
        CourseError: the file can't be read; the message starts with `source`.
    """
    if len(data) > MAX_BYTES:
        raise CourseError(f"{source} is bigger than {MAX_BYTES // 1024**2} MiB")
    file = packing.opened(data, source)
    form = formats.recognised(file.content, file.name)
    suffix = f".{form}"
    if data.startswith(packing.GZIP):
        suffix = ".gz"
    elif file.archive:
        suffix = ".kmz" if form == "kml" else ".zip"
    return _READERS[form](file), suffix


def read_course(data: bytes, filename: str, long_name: str | None = None, *, messages: str = "") -> Course:
    """Return the course in a file's bytes.

    Args:
        data: the file.
        filename: without its suffixes it is the short name.
        long_name: display name; default: the file's own.
        messages: name of the file in messages; default: `filename`.

    Raises:
        CourseError: the message starts with the file's name.
    """
    shown = messages or filename
    drawing, _ = read_drawing(data, shown)
    try:
        return survey(drawing, stem_of(filename), long_name)
    except CourseError as error:
        raise CourseError(f"{shown}: {error}") from None


def stem_of(filename: str) -> str:
    """Return a file's name without its suffixes: `walk` of `walk.gpx.gz`."""
    path = PurePath(filename)
    if path.suffix.lower() in SUFFIXES and path.suffix.lower() not in _UNPACKED:
        inner = PurePath(path.stem)
        return inner.stem if inner.suffix.lower() in _UNPACKED else path.stem
    return path.stem


def load_file(path: Path) -> Course:
    """Read a course file; its stem becomes the short name, with hyphens for invalid characters.

    Raises:
        CourseError: the message starts with the file's name.
    """
    stem = NOT_IN_A_SHORT_NAME.sub("-", stem_of(path.name)).lstrip("_-")[:MAX_SHORT_NAME] or UNNAMED
    return read_course(_bytes(path), stem, messages=path.name)


def load_folder(folder: Path) -> Library:
    """Read every course file directly in a folder; other files are ignored.

    Raises:
        OSError: the folder itself can't be read.
    """
    library = Library({}, {}, {})
    known = SUFFIXES + _NOT_READ
    # macOS writes a file ._NAME beside each one on foreign disks.
    files = (
        path for path in folder.iterdir() if path.suffix.lower() in known and not path.name.startswith("._")
    )
    for path in sorted(files, key=lambda path: (stem_of(path.name), path.name)):
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
