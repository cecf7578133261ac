"""The widths of a course: that of the path, and those that markers set from their place on."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from simulator.course.course import GEOD, Course, Width
from simulator.course.drawing import Drawing, Marker, metres_in
from simulator.course.survey import limits
from simulator.course.survey.markers import off_globe
from stream.courses import AT_AN_END

_NAMED = re.compile(r"\s*width\s*[-:=\u2013\u2014]?\s*(?P<own>.*)", re.IGNORECASE | re.DOTALL)
_UNLIMITED = frozenset({"unlimited", "open", "unknown"})


def called(marker: Marker) -> float | None:
    """Return the width that a marker sets, metres; inf for "Width unlimited", None for other markers."""
    found = _NAMED.fullmatch(marker.name)
    if not found:
        return None
    own = found["own"].strip()
    return np.inf if own.casefold() in _UNLIMITED else metres_in(own)


def widths(drawing: Drawing, course: Course, warnings: list[str]) -> tuple[Width, ...]:
    """Return the widths of a lap, by distance, without those that change nothing.

    Args:
        drawing: the content of the file.
        course: measured, but without widths.
        warnings: corrections are added.

    Raises:
        CourseError: there are too many.
    """
    marked = [(marker, metres) for marker in drawing.markers if (metres := called(marker)) is not None]
    limits.check_number(len(marked), limits.MAX_WIDTHS, "widths")
    found = [*_of_path(drawing, warnings), *_of_markers(marked, course, warnings)]
    # Of two at one place the later one in the file counts, as that of a marker at the start.
    last = {width.since: width for width in found}
    steps, before = [], np.inf
    for width in sorted(last.values()):
        if width.metres != before:
            steps.append(width)
        before = width.metres
    return tuple(steps)


def _of_path(drawing: Drawing, warnings: list[str]) -> Iterator[Width]:
    if len(drawing.widths) > 1:
        shown = ", ".join(f"{metres:g}" for metres in drawing.widths[:3])
        warnings.append(
            f"The parts of the path have different widths ({shown} m), and none is used: set placemarks, "
            'such as "Width 4 m", where the width changes'
        )
        return
    for metres in drawing.widths:
        if fault := _fault(metres):
            warnings.append(f"The path's width is left out: {fault}")
        else:
            yield Width(0.0, metres)


def _of_markers(
    marked: Sequence[tuple[Marker, float]], course: Course, warnings: list[str]
) -> Iterator[Width]:
    for marker, metres in marked:
        if fault := off_globe(marker) or _fault(metres):
            warnings.append(f"The {marker.where} is left out: {fault}")
            continue
        off, passes = course.comes_by(marker.lon, marker.lat)
        if off > limits.WIDTH_FAR:
            warnings.append(f"The {marker.where} is left out: it is {off:,.0f} m from the line")
            continue
        nearest = passes[int(np.argmin(_metres_to(marker, course, passes)))]
        if len(passes) > 1:
            warnings.append(
                f"The {marker.where} sets the width from {nearest:,.0f} m on; the course passes it "
                f"{len(passes)} times"
            )
        # A marker drawn beside the start means the whole course.
        yield Width(0.0 if nearest < AT_AN_END else nearest, metres)


def _metres_to(marker: Marker, course: Course, passes: Sequence[float]) -> list[float]:
    """Return the metres from a marker to places of a lap, rounded, so that equal ones keep their order."""
    lon, lat = course.place(np.array(passes))
    here = np.full(len(lon), marker.lon), np.full(len(lon), marker.lat)
    return [round(float(metres), 3) for metres in GEOD.inv(*here, lon, lat)[2]]


def _fault(metres: float) -> str:
    least, most = limits.WIDTHS
    if np.isinf(metres) or least <= metres <= most:
        return ""
    return f"{metres:g} m is no width of a course; {least:g} to {most:,.0f} m are"
