"""Reads KML, and KMZ, a zip archive of KML files, into a `Drawing`."""

import posixpath
import re
from collections import deque

from simulator.course import coordinates, kml, xml
from simulator.course.coordinates import clip
from simulator.course.drawing import CourseError, Drawing
from simulator.course.packing import Archive, Unpacked
from simulator.course.survey import limits

MAX_DOCUMENTS = 100
"""Maximum number of KML files that are read in an archive."""
_SHOWN = 3
_ELSEWHERE = re.compile(r"[A-Za-z][\w+.-]*:|//")
"""Matches the beginning of an address outside of the archive."""


def read(main: Unpacked) -> Drawing:
    """Read a KML file, and those that it links to in its archive; other links get a warning.

    Raises:
        CourseError: as `kml.read`; or there are too many files, or too much is in them.
    """
    archive = main.archive
    if archive is None:
        return kml.read(main.content, main.name)
    drawing = Drawing()
    seen = {main.member}
    todo = deque([main.member])
    marks = 0
    while todo:
        member = todo.popleft()
        content = main.content if member == main.member else archive.read(member)
        marks += xml.marks(content, 0, len(content))
        before = len(drawing.warnings)
        for link in kml.add(drawing, content, archive.called(member)):
            target = _target(member, link.href, archive)
            if target is None:
                drawing.warnings.append(link.not_followed())
            elif target not in seen:
                seen.add(target)
                todo.append(target)
        if member != main.member:
            drawing.warnings[before:] = [f"{clip(member)}: {text}" for text in drawing.warnings[before:]]
        _check(drawing, seen, marks, archive)
    if others := [member for member in archive.candidates({".kml"}) if member not in seen]:
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        names = ", ".join(clip(name) for name in others[:_SHOWN])
        drawing.warnings.append(f"Not read, because {clip(main.member)} doesn't link to it: {names}{more}")
    return drawing


def _target(member: str, href: str, archive: Archive) -> str | None:
    """Return the path of a KML file in the archive to which a file there links, or None."""
    path = href.replace("\\", "/")
    if _ELSEWHERE.match(path):
        return None
    base = "" if path.startswith("/") else posixpath.dirname(member)
    bare = re.split("[?#]", path, maxsplit=1)[0]
    for spelled in (path, bare):
        found = archive.find(posixpath.join(base, spelled.lstrip("/")))
        if found and found.casefold().endswith(".kml"):
            return found
    return None


def _check(drawing: Drawing, seen: set[str], marks: int, archive: Archive) -> None:
    """Raise CourseError if there are more files, or more in them, than in one file."""
    shapes = len(drawing.lines) + len(drawing.polygons) + len(drawing.markers)
    points = sum(len(line.lon) for line in drawing.lines) + sum(len(ring.outer) for ring in drawing.polygons)
    for number, most, what in (
        (len(seen), MAX_DOCUMENTS, "files that are linked"),
        (marks, xml.MAX_MARKS, "tags and attributes"),
        (shapes, limits.MAX_SHAPES, coordinates.SHAPES),
        (points, limits.MAX_FILE_POINTS, coordinates.POINTS),
    ):
        if number > most:
            raise CourseError(f"{archive.source} has more than {most:,} {what} in its files together")
