"""The start and finish markers, and the direction of the line that they imply."""

import re
from collections.abc import Sequence

import numpy as np
import shapely

from simulator.course.course import GEOD
from simulator.course.drawing import Line, Marker
from simulator.course.survey import limits
from simulator.course.survey.track import DEGREE, beside, in_range

Ends = tuple[Marker | None, Marker | None]

_ROLES = {
    "start": "start",
    "startline": "start",
    "finish": "finish",
    "finishline": "finish",
    "end": "finish",
}
_EMPTY_WORDS = frozenset({"the", "a", "of", "and", "race", "course", "line", "point", "marker"})
"""Words that don't change a marker's role: "Start line", "Start and finish", "End of the race"."""


def roles(name: str) -> frozenset[str]:
    """Return the role of a marker with this name: "start", "finish", both or none.

    Only certain cases count: "Start/Finish" is both, "Start of lap 2" is none.
    """
    words = [word for word in re.findall(r"\w+", name.casefold()) if word not in _EMPTY_WORDS]
    if not all(word in _ROLES for word in words):
        return frozenset()
    return frozenset(_ROLES[word] for word in words)


def find(found: Sequence[Marker], line: Line, warnings: list[str]) -> Ends:
    """Return the start and the finish marker, each None if there is none near the (unwrapped) line.

    Raises:
        CourseError: there are too many.
    """
    usable: dict[str, Marker] = {}
    ends = [(marker, wanted) for marker in found if (wanted := roles(marker.name))]
    limits.check_number(len(ends), limits.MAX_MARKERS, "markers of the start and the finish")
    for marker, wanted in ends:
        if fault := _fault(marker, line):
            warnings.append(f"The {marker.where} is left out: {fault}")
            continue
        for role in sorted(wanted):
            first = usable.setdefault(role, marker)
            if first is not marker:
                warnings.append(f"The {marker.where} is left out: the {first.where} is the {role}")
    return usable.get("start"), usable.get("finish")


def _fault(marker: Marker, line: Line) -> str:
    if fault := off_globe(marker):
        return fault
    off = _off_line(marker, line)
    return f"it is {off:,.0f} m from the line" if off > limits.MARKER_FAR else ""


def off_globe(marker: Marker) -> str:
    """Return the error in a marker's coordinates, or ""."""
    if in_range(np.array(marker.lon), np.array(marker.lat)):
        return ""
    return f"longitude {marker.lon:g}, latitude {marker.lat:g} is no place on the globe"


def _off_line(marker: Marker, line: Line) -> float:
    """Return metres from a marker to the line, accurate to a few per mille nearby."""
    (lon,) = beside(np.array([marker.lon]), line.lon[0])
    east = (line.lon - lon) * (np.cos(np.radians(marker.lat)) * DEGREE)
    north = (line.lat - marker.lat) * DEGREE
    return float(shapely.LineString(np.column_stack([east, north])).distance(shapely.Point(0.0, 0.0)))


def turned(line: Line, start: Marker | None, finish: Marker | None, warnings: list[str]) -> Line:
    """Reverse the line if it runs from the finish marker to the start marker."""
    if not start or not finish:
        return line
    to_start, to_finish = _to_ends(start, line), _to_ends(finish, line)
    nearer_start = to_start[0] - to_start[1]
    nearer_finish = to_finish[1] - to_finish[0]
    # On a closed loop both directions are equal: keep the drawn one.
    if min(nearer_start, nearer_finish) <= 0 or nearer_start + nearer_finish <= limits.MARKER_NEAR:
        return line
    warnings.append(f"The {line.where} runs from the finish marker to the start marker: turned round")
    return line.take(slice(None, None, -1))


def _to_ends(marker: Marker, line: Line) -> list[float]:
    """Return the metres from a marker to the line's first and last point."""
    return [GEOD.inv(marker.lon, marker.lat, line.lon[end], line.lat[end])[2] for end in (0, -1)]


def check_ends(line: Line, start: Marker | None, finish: Marker | None, warnings: list[str]) -> None:
    """Warn about markers that are not at their end of the line."""
    for marker, end, own in ((start, "start", 0), (finish, "end", 1)):
        if not marker or (metres := _to_ends(marker, line))[own] <= limits.MARKER_NEAR:
            continue
        is_reversed = metres[1 - own] <= limits.MARKER_NEAR
        hint = ", but beside its other end: was the line drawn the wrong way round?" if is_reversed else ""
        warnings.append(f"The {marker.where} is {metres[own]:,.0f} m from the line's {end}{hint}")
