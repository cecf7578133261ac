"""Makes a `Course` of a `Drawing`: the correction rules, common to all formats.

Unambiguous mistakes are corrected, with a warning; others are rejected with a `CourseError` that gives the
reason and the place.

The rules are applied in this order, one module for each: `outliers`, `pieces`, `roundabouts`, `readings` and
`lines` (the line, of however many pieces), `markers` (start and finish), `track` (repeated points),
`altitudes`, `fences`, `mats` (timing points) and `widths`. Their numbers are in `limits`.
"""

from dataclasses import replace

import numpy as np

from simulator.course.course import MAX_DISTANCE, Course
from simulator.course.drawing import CourseError, Drawing
from simulator.course.survey import altitudes, fences, limits, lines, markers, mats, outliers, track, widths

__all__ = ["survey"]


def survey(drawing: Drawing, short_name: str, long_name: str | None = None) -> Course:
    """Make a course of a drawing.

    Args:
        drawing: the content of the file.
        short_name: letters, digits, `_` and `-`, 64 at most.
        long_name: 120 characters at most; default: the drawing's own name, or else the short name.

    Raises:
        CourseError: the drawing has no course, is ambiguous, or exceeds a limit.
    """
    warnings = list(drawing.warnings)
    _check_short_name(short_name)
    laps = _check_laps(1 if drawing.laps is None else drawing.laps)
    drawing.lines = outliers.without_impossible(drawing.lines, warnings)
    drawing.routes = outliers.without_impossible(drawing.routes, warnings)
    track.check_range(drawing)
    line = lines.course_line(drawing, warnings)
    track.refuse_swapped(line, drawing)
    line = replace(line, lon=np.unwrap(line.lon, period=360.0))
    start, finish = markers.find(drawing.markers, line, warnings)
    others = [marker for marker in drawing.markers if mats.called(marker) is None]
    markers.warn_of_unclear(others, start, finish, warnings)
    line = markers.turned(line, start, finish, warnings)
    outliers.check_jumps(line, warnings)
    line = track.distinct(line, warnings)
    if laps > 1:
        line = track.closed(line, warnings)
    _check_distance(track.length(line), laps)
    markers.check_ends(line, start, finish, warnings)
    course = Course.measured(
        short_name=short_name,
        long_name=_long_name(long_name, drawing, short_name),
        lon=line.lon,
        lat=line.lat,
        alt=altitudes.altitudes(line, warnings),
        laps=laps,
        fences=fences.fences(drawing.polygons, line, warnings),
        start=(start.lon, start.lat) if start else None,
        finish=(finish.lon, finish.lat) if finish else None,
    )
    # Where the course passes fences, mats and the places of widths is known once it is measured.
    fences.check_passes(course)
    passed = mats.mats(drawing.markers, course, warnings)
    wide = widths.widths(drawing, course, warnings)
    return replace(course, mats=passed, widths=wide, warnings=tuple(_few(warnings)))


def _check_short_name(short_name: str) -> None:
    if not limits.SHORT_NAME.fullmatch(short_name):
        raise CourseError(
            f"{short_name[:80]!r} can't be a course's short name: 1 to 64 letters, digits, _ and -, "
            "and the first is a letter or a digit"
        )


def _long_name(asked: str | None, drawing: Drawing, short_name: str) -> str:
    name = " ".join((asked or "").split()) or " ".join(drawing.name.split()) or short_name
    if len(name) > limits.MAX_NAME:
        raise CourseError(f"the course's name has {len(name)} characters, and {limits.MAX_NAME} are allowed")
    return name


def _check_laps(laps: int) -> int:
    if not 1 <= laps <= limits.MAX_LAPS:
        raise CourseError(f"laps is {laps}, and 1 to {limits.MAX_LAPS:,} are allowed")
    return laps


def _check_distance(lap: float, laps: int) -> None:
    if lap * laps > MAX_DISTANCE:
        times = f" in {laps} laps" if laps > 1 else ""
        raise CourseError(
            f"the course is {lap * laps / 1000:,.0f} km long{times}, and {MAX_DISTANCE / 1000:,.0f} km are "
            "allowed"
        )


def _few(warnings: list[str]) -> list[str]:
    """Limit the number of warnings."""
    if len(warnings) <= limits.MAX_WARNINGS:
        return warnings
    shown = warnings[: limits.MAX_WARNINGS - 1]
    return [*shown, f"And {len(warnings) - len(shown)} more warnings"]
