"""Makes the line of the course of a file's lines.

A *path* is what a file says belongs together; `pieces` makes one line of each, and `readings` decides which
of these are the course. Whatever could be meant otherwise gets a warning.
"""

from collections.abc import Sequence

import numpy as np

from simulator.course.course import in_space
from simulator.course.drawing import CourseError, Drawing, Line, Marker
from simulator.course.drawing import Path as DrawnPath
from simulator.course.survey import limits, outliers, pieces, roundabouts
from simulator.course.survey.chains import Chain
from simulator.course.survey.ends import Ends, apart, shown, turned, without_overlaps
from simulator.course.survey.markers import roles
from simulator.course.survey.pieces import Path
from simulator.course.survey.readings import Reading, likeliest
from simulator.course.survey.track import length
from stream.arrays import Floats

_SHOWN = 16
"""Lines left out among which the nearest is looked for."""
_JOINED = 200
"""Paths whose pieces are joined; the others are shorter."""


def course_line(drawing: Drawing, warnings: list[str]) -> Line:
    """Return the line of the course; raises CourseError if there is none or a part of it is missing."""
    lines = outliers.without_zeros(_chosen(drawing, warnings), warnings)
    if not lines:
        why = f" ({'; '.join(drawing.warnings[:3])})" if drawing.warnings else ""
        polygons = "; a polygon is a geofence, not a course" if drawing.polygons else ""
        raise CourseError(f"there is no line to run along{polygons}{why}")
    starts, finishes = (_places(drawing.markers, role) for role in ("start", "finish"))
    paths = _paths(lines, starts, np.concatenate([starts, finishes]))
    chosen = _course(paths, starts, finishes, warnings)
    if chosen.fault:
        raise CourseError(chosen.fault)
    warnings += chosen.warnings
    _check_size(chosen.line, chosen.metres)
    return chosen.line


def _chosen(drawing: Drawing, warnings: list[str]) -> Sequence[Line]:
    """Return the lines, or the routes if they are much longer.

    Planners write a route's few points beside the road between them.
    """
    is_planned = not drawing.lines
    if drawing.lines and drawing.routes:
        drawn, planned = (sum(map(length, some)) for some in (drawing.lines, drawing.routes))
        is_planned = planned > limits.ROUTE_MORE * drawn
    lines, others = (drawing.routes, drawing.lines) if is_planned else (drawing.lines, drawing.routes)
    if others:
        warnings.append(
            f"Left out, because the {lines[0].where} is more exact or longer: "
            f"{shown([line.where for line in others])}"
        )
    for route in lines if is_planned else ():
        apart = float(outliers.steps_of(route).max())
        if apart > limits.ROUTE_STEP:
            warnings.append(
                f"The {route.where} has points up to {apart:,.0f} m apart, with straight lines between "
                "them: if it follows roads, export it as a track"
            )
    return lines


def _places(markers: Sequence[Marker], role: str) -> Floats:
    """Return the places in space of the markers with a role, shape (k, 3)."""
    places = [(marker.lon, marker.lat) for marker in markers if role in roles(marker.name)]
    return in_space(*np.array(places).T) if places else np.empty((0, 3))


def _paths(lines: Sequence[Line], starts: Floats, proven: Floats) -> list[Path]:
    """Join the pieces of each path; of very many paths only those that can be the course."""
    by_path: dict[DrawnPath | Line, list[Line]] = {}
    for line in lines:
        by_path.setdefault(line.path or line, []).append(line)
    several = sorted(sum(map(length, some)) for some in by_path.values() if len(some) > 1)
    least = several[-_JOINED:][0] if several else 0.0
    return [
        pieces.join(some, starts, proven)
        if len(some) == 1 or sum(map(length, some)) >= least
        else Path(some[0], 0.0, (), "it is shorter than others")
        for some in by_path.values()
    ]


# --- Several paths ---


def _course(paths: Sequence[Path], starts: Floats, finishes: Floats, warnings: list[str]) -> Path:
    """Return the path that is the course, joined from several if they meet."""
    longest = max(paths, key=lambda path: path.metres)
    if longest.fault or len(paths) == 1:
        return longest
    usable = [path for path in paths if not path.fault]
    drawn = roundabouts.cut([path.line for path in usable], warnings)
    ends = Ends(without_overlaps(drawn, warnings))
    reading = likeliest(ends, starts, finishes)
    order = ends.begun(reading.order, starts)
    used = [usable[piece.number] for piece in order]
    _check_share(ends, reading)
    if len(order) == 1:
        (chosen,) = used
        report = f"The course is the longest line, the {chosen.line.where}"
        if chosen.metres < longest.metres:
            report = f"The course is the {chosen.line.where}"
    else:
        line = ends.joined(order, f"course of {len(order):,} lines", warnings)
        chosen = Path(line, length(line), [text for path in used for text in path.warnings])
        report = (
            f"The course is {len(order):,} lines that meet, from the {used[0].line.where} to the "
            f"{used[-1].line.where}{turned(order)}"
        )
    part = set(used)
    if left := [path.line.where for path in paths if path not in part]:
        report += f"; left out: {shown(left)} ({reading.reason or _nearest(ends, order)})"
    gaps = ends.gaps(order)
    if (gaps > limits.MEET).any():
        report += f"; {gaps.sum():,.0f} m between them are run in straight lines"
    warnings.append(report)
    return chosen


def _check_share(ends: Ends, reading: Reading) -> None:
    """Raise CourseError if the course is a small part of many lines that don't meet."""
    metres, whole = ends.metres(reading.order), float(ends.lengths.sum())
    if not reading.reason and not ends.is_loop(reading.order) and metres < limits.MIN_SHARE * whole:
        raise CourseError(
            f"there are {len(ends.lines):,} lines of {whole:,.0f} m, which make a course of {metres:,.0f} m: "
            f"{_nearest(ends, reading.order)}; draw the missing parts, or delete what doesn't belong"
        )


def _nearest(ends: Ends, order: Chain) -> str:
    """Describe the gap between the course and the nearest of the longest lines left out."""
    used = {piece.number for piece in order}
    others = sorted(set(range(len(ends.lines))) - used, key=lambda number: -ends.lengths[number])[:_SHOWN]
    own, theirs = ([(number, end) for number in some for end in (0, -1)] for some in (used, others))
    here, there = (
        np.concatenate([[ends.starts[number], ends.finishes[number]] for number in some])
        for some in (used, others)
    )
    metres = apart(here[:, None], there[None])
    one, other = np.unravel_index(int(metres.argmin()), metres.shape)
    (number, end), place = theirs[other], outliers.at(ends.lines[own[one][0]], own[one][1])
    if metres.min() <= limits.MEET:
        return f"the {ends.lines[number].where} branches off at {place}"
    return f"{metres.min():,.0f} m are missing from {place} to {outliers.at(ends.lines[number], end)}"


def _check_size(line: Line, metres: float) -> None:
    if metres < limits.MIN_DISTANCE:
        least = f"{limits.MIN_DISTANCE:g} m"
        raise CourseError(f"the {line.where} is {metres:.1f} m long, and a course has {least} or more")
    if (points := len(line.lon)) > limits.MAX_POINTS:
        raise CourseError(f"the {line.where} has {points:,} points, and {limits.MAX_POINTS:,} are allowed")
