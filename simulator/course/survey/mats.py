"""Timing points among the markers, and where the course passes them."""

import re
from collections.abc import Sequence

from simulator.course.course import Course, Mat
from simulator.course.drawing import CourseError, Marker
from simulator.course.survey import limits, names
from simulator.course.survey.markers import off_globe, roles
from stream.courses import AT_AN_END, splits

UNNAMED = "Timing point"

_TIMED = re.compile(
    r"(?:timing(?:[ -](?:point|mat))?|split|checkpoint|mat)"
    r"(?:\s*[-:\u2013\u2014]\s*|\s+|(?=[0-9])|$)(?P<own>.*)",
    re.IGNORECASE | re.DOTALL,
)
_NUMBER = re.compile(r"[\W_]*+[0-9]*+[\W_]*+")


def called(marker: Marker) -> str | None:
    """Return the name of the timing point that a marker denotes, or None.

    "Timing point: Bridge" is named Bridge. "Mat 2", "Split" and "Timing: Start" keep the whole text: "2"
    alone says nothing, and there is only one start. Markers of the start and the finish are not timing
    points; both are timed anyway.
    """
    name = marker.name.strip()
    if roles(name):
        return None
    if marker.is_timing:
        return name or UNNAMED
    found = _TIMED.fullmatch(name)
    if not found:
        return None
    own = found["own"].strip()
    return name if _NUMBER.fullmatch(own) or roles(own) else own


def mats(markers: Sequence[Marker], course: Course, warnings: list[str]) -> tuple[Mat, ...]:
    """Return the timing points among the markers that the course passes.

    Args:
        markers: all markers of the file.
        course: measured, but without timing points.
        warnings: corrections are added.

    Raises:
        CourseError: there are too many, one's name is too long, or the course passes them too often.
    """
    marked = [(marker, name) for marker in markers if (name := called(marker)) is not None]
    limits.check_number(len(marked), limits.MAX_MATS, "timing points")
    for marker, name in marked:
        names.check(name, marker.where)
    taken = {split.name for split in splits(course.distance)}
    found = [_mat(marker, name, course, taken, warnings) for marker, name in marked]
    made = tuple(mat for mat in found if mat)
    passes = course.laps * sum(len(mat.passes) for mat in made)
    if passes > limits.MAX_MAT_PASSES:
        raise CourseError(
            f"the course passes its timing points {passes:,} times, and {limits.MAX_MAT_PASSES:,} are allowed"
        )
    return made


def _mat(marker: Marker, name: str, course: Course, taken: set[str], warnings: list[str]) -> Mat | None:
    """Return a timing point, or None to leave it out."""
    if fault := off_globe(marker):
        warnings.append(f"The {marker.where} is left out: {fault}")
        return None
    off, passes = course.comes_by(marker.lon, marker.lat)
    if off > limits.MAT_FAR:
        warnings.append(f"The {marker.where} is left out: it is {off:,.0f} m from the line")
        return None
    metres = course.run_over(passes)
    at_start, at_finish = metres < AT_AN_END, metres > course.distance - AT_AN_END
    ends = [end for end, at in (("start", at_start), ("finish", at_finish)) if at.any()]
    if (at_start | at_finish).all():
        warnings.append(f"The {marker.where} is left out: it is at the {' and the '.join(ends)}")
        return None
    if ends:
        warnings.append(f"The {marker.where} is also at the {' and the '.join(ends)}, which is timed anyway")
    own = names.unique(name, taken)
    if own != name:
        warnings.append(f'The {marker.where} is called "{own}": there is another "{name}"')
    return Mat(own, (marker.lon, marker.lat), passes)
