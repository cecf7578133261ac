"""The start and finish markers, and the direction of the line that they imply."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import shapely

from simulator.course.course import GEOD
from simulator.course.drawing import Line, Marker
from simulator.course.survey import limits
from simulator.course.survey.track import DEGREE, beside, in_range


def _plain(text: str) -> str:
    """Return a text without case and accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def _words(name: str) -> list[str]:
    """Return the words of a name; digits and underscores separate them."""
    return re.findall(r"[^\W\d_]+", _plain(name))


_TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_EMPTY_WORDS = frozenset(map(_plain, _TABLE["empty"]))
_ROLES = {
    _plain(word): roles
    for key, roles in (("start", {"start"}), ("finish", {"finish"}), ("both", {"start", "finish"}))
    for word in _TABLE[key]
}

_LONG = [word for word in _ROLES if len(word) >= 5]
"""Words that are looked for in longer ones."""


def roles(name: str) -> frozenset[str]:
    """Return the role of a marker with this name: "start", "finish", both or none.

    Only certain cases count: "Start/Finish" is both, "Start of lap 2" is none.
    """
    words = [word for word in _words(name) if word not in _EMPTY_WORDS]
    return _mentioned(words) if all(word in _ROLES for word in words) else frozenset()


def _mentioned(words: Sequence[str]) -> frozenset[str]:
    return frozenset().union(*(_ROLES.get(word, ()) for word in words))


def _hinted(words: Sequence[str]) -> frozenset[str]:
    """Return the roles that words mention, or that longer words contain, as in "restart"."""
    parts = [part for word in words for part in _LONG if word.startswith(part) or word.endswith(part)]
    return _mentioned([*words, *parts])


def find(found: Sequence[Marker], line: Line, warnings: list[str]) -> tuple[Marker | None, Marker | None]:
    """Return the start and the finish marker, each None if there is none near the (unwrapped) line.

    Of several the ones nearest to the line's ends are used, in the drawn direction if these are as near as in
    the other one.

    Raises:
        CourseError: there are too many.
    """
    ends = [(marker, wanted) for marker in found if (wanted := roles(marker.name))]
    limits.check_number(len(ends), limits.MAX_MARKERS, "markers of the start and the finish")
    usable: dict[str, list[Marker]] = {"start": [], "finish": []}
    for marker, wanted in ends:
        if fault := _fault(marker, line):
            warnings.append(f"The {marker.where} is left out: {fault}")
            continue
        for role in wanted:
            usable[role].append(marker)
    used = _nearest(usable, line)
    for role, markers in usable.items():
        warnings += [
            f"The {marker.where} is left out: the {own.where} is the {role}"
            for marker in markers
            if (own := used[role]) and marker is not own
        ]
    return used["start"], used["finish"]


def _nearest(usable: Mapping[str, Sequence[Marker]], line: Line) -> dict[str, Marker | None]:
    """Return the marker of each role that is nearest to its end of the line."""
    metres = {id(marker): _to_ends(marker, line) for markers in usable.values() for marker in markers}

    def chosen(*, backwards: bool) -> tuple[float, dict[str, Marker | None]]:
        """Return markers for one direction of the line, and their metres from its ends."""
        total, best = 0.0, dict[str, Marker | None]()
        for role, own in (("start", 0), ("finish", -1)):
            end = -1 - own if backwards else own
            marker = min(usable[role], key=lambda one: metres[id(one)][end], default=None)
            total, best[role] = total + (metres[id(marker)][end] if marker else 0.0), marker
        return total, best

    drawn, other = chosen(backwards=False), chosen(backwards=True)
    return (other if other[0] < drawn[0] - limits.MARKER_NEAR else drawn)[1]


def warn_of_unclear(
    others: Sequence[Marker], start: Marker | None, finish: Marker | None, warnings: list[str]
) -> None:
    """Warn about markers that could be the missing start or finish, but whose names say more."""
    known = {role for role, marker in (("start", start), ("finish", finish)) if marker}
    for marker in others:
        missing = _hinted(_words(marker.name)) - known - roles(marker.name)
        if missing:
            role = " and the ".join(sorted(missing, reverse=True))
            warnings.append(
                f"The {marker.where} isn't taken for the {role}: its name says more; rename it if it is"
            )


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
    """Reverse the line if its markers are at the wrong ends, or the only one is."""
    found = [(marker, own) for marker, own in ((start, 0), (finish, 1)) if marker]
    metres = [
        (to_ends[own], to_ends[1 - own]) for marker, own in found if (to_ends := _to_ends(marker, line))
    ]
    further = [to_own - to_other for to_own, to_other in metres]
    # On a closed loop both directions are equal: keep the drawn one.
    if not found or min(further) <= 0 or sum(further) <= limits.MARKER_NEAR:
        return line
    if len(found) == 1 and metres[0][1] > limits.MARKER_NEAR:
        return line
    reason = (
        "runs from the finish marker to the start marker"
        if len(found) > 1
        else f"has the {found[0][0].where} at its other end"
    )
    warnings.append(f"The {line.where} {reason}: turned round")
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
