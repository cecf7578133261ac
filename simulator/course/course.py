"""A course: the line along which a race is run, measured.

A course is pure: no file formats, clock or network. Distance is the only coordinate: the place, the fence and
the next timing point are functions of the metres run from the start, laps included.

Between two vertices the line is a WGS84 geodesic. It is measured once, by Karney's inverse problem
("Algorithms for geodesics", J. Geodesy 87, 2013, doi:10.1007/s00190-012-0578-z, as in PROJ), and divided
into pieces so short that a straight line in degrees stays within `TOLERANCE` of it, so that a place is a
linear interpolation.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import shapely
from pyproj import Geod

from stream.arrays import Floats, Ints
from stream.courses import SHORTEST, TimingPoint, lap_profile, timing_points

GEOD = Geod(ellps="WGS84")
EARTH_RADIUS = 6_371_008.8
"""Mean radius of the Earth (IUGG), metres."""
TOLERANCE = 0.01
"""Maximum deviation of a place from the exact geodesic, metres."""
MAX_DISTANCE = 1_000_000.0
"""Maximum length of a course, laps included, metres."""
PIECE = 64
"""Segments of a line that are processed together."""
ALTITUDE_DECIMALS = 1
"""Altitudes are published in decimetres."""
NEAR_MAT = 10.0
"""Distance, in metres, within which the line always passes a mat, even if it comes nearer elsewhere."""
NEAR_MAT_MORE = 5.0
"""Extra distance to a mat, in metres, compared with the nearest place, at which the line still passes it."""


@dataclass(frozen=True, eq=False)
class Fence:
    """A geofence: its name and its polygon (degrees, lon before lat)."""

    name: str
    polygon: shapely.Polygon


@dataclass(frozen=True)
class Mat:
    """A timing point of the course file.

    Attributes:
        name: unique among the course's mats and kilometre splits.
        place: the marker as lon, lat; it may be beside the line.
        passes: metres from the lap's start at which the line passes it, increasing; the same in each lap.
    """

    name: str
    place: tuple[float, float]
    passes: tuple[float, ...]


class Width(NamedTuple):
    """The course's width from a place on: metres from the lap's start, and metres; inf if it is unlimited."""

    since: float
    metres: float


@dataclass(frozen=True, eq=False)
class Course:
    """A measured course; create with `Course.measured`.

    Attributes:
        lon, lat: degrees WGS84 of one lap's vertices, shape (v,); lon is continuous (it may leave ±180).
        alt: metres, shape (v,), or None.
        along: metres from the lap's start to each vertex, shape (v,), increasing from 0.
        laps: number of laps.
        start, finish: the markers as lon, lat.
        mats: timing points of the file, in addition to those that every course has.
        warnings: corrections made when the course was read.
        widths: the widths of a lap that are known, by distance; before the first it is unlimited.
    """

    short_name: str
    long_name: str
    lon: Floats
    lat: Floats
    alt: Floats | None
    along: Floats
    laps: int
    fences: tuple[Fence, ...]
    start: tuple[float, float]
    finish: tuple[float, float]
    mats: tuple[Mat, ...] = ()
    warnings: tuple[str, ...] = ()
    widths: tuple[Width, ...] = ()

    @classmethod
    def measured(  # noqa: PLR0913 - the parts of a course
        cls,
        *,
        short_name: str,
        long_name: str,
        lon: Floats,
        lat: Floats,
        alt: Floats | None = None,
        laps: int = 1,
        fences: Sequence[Fence] = (),
        start: tuple[float, float] | None = None,
        finish: tuple[float, float] | None = None,
        mats: Sequence[Mat] = (),
        widths: Sequence[Width] = (),
    ) -> "Course":
        """Measure a line of two or more distinct vertices, in range (degrees; altitudes in metres)."""
        lon, lat = np.unwrap(np.asarray(lon, float), period=360.0), np.asarray(lat, float)
        lon, lat, alt, along = _densify(lon, lat, alt)
        start = start or (float(lon[0]), float(lat[0]))
        finish = finish or (float(lon[-1]), float(lat[-1]))
        return cls(
            short_name=short_name,
            long_name=long_name,
            lon=lon,
            lat=lat,
            alt=alt,
            along=along,
            laps=laps,
            fences=tuple(fences),
            start=start,
            finish=finish,
            mats=tuple(mats),
            widths=tuple(widths),
        )

    @property
    def lap_length(self) -> float:
        """Metres of one lap."""
        return float(self.along[-1])

    @property
    def distance(self) -> float:
        """Metres from start to finish, laps included."""
        return self.lap_length * self.laps

    def place(self, distance: Floats) -> tuple[Floats, Floats]:
        """Return lon, lat in degrees at each distance (metres, any shape; clipped to 0…`self.distance`)."""
        distance = np.clip(distance, 0.0, self.distance)
        lap = np.minimum(distance // self.lap_length, self.laps - 1)
        within = distance - lap * self.lap_length
        after = np.clip(np.searchsorted(self.along, within, side="right"), 1, len(self.along) - 1)
        before = after - 1
        share = (within - self.along[before]) / (self.along[after] - self.along[before])
        lon = self.lon[before] + share * (self.lon[after] - self.lon[before])
        lat = self.lat[before] + share * (self.lat[after] - self.lat[before])
        return (lon + 180.0) % 360.0 - 180.0 if self._crosses_antimeridian else lon, lat

    def profile(self) -> tuple[Floats, Floats] | None:
        """Return metres of a lap, 50 m apart at most, and the altitudes there; None if unknown."""
        return None if self.alt is None else lap_profile(self.along, self.alt)

    @property
    def climb(self) -> float | None:
        """Metres climbed, laps included; None if the altitude is unknown."""
        profile = self.profile()
        return None if profile is None else round(float(np.diff(profile[1]).clip(0.0).sum()) * self.laps, 1)

    @cached_property
    def visits(self) -> tuple[tuple[str, float, float], ...]:
        """Stretches of the course inside fences: name, first and last metre, in order."""
        found: list[tuple[str, float, float]] = []
        ends, starts = self._ends(), np.arange(self.laps)[:, None, None] * self.lap_length
        for fence, edge in zip(self.fences, self.edges(), strict=True):
            lap = _stretches(ends, self.along, fence.polygon, edge)
            stretches = _merge((lap + starts).reshape(-1, 2))
            found += [(fence.name, first, last) for first, last in stretches.tolist()]
        return tuple(sorted(found, key=lambda visit: visit[1]))

    def edges(self) -> Iterator[Ints]:
        """Yield, for each fence, the segments of a lap that touch its edge, in order."""
        # Piece by piece: most pieces are far from most fences.
        ends, vertices = self._ends(), np.column_stack([self.lon, self.lat])
        firsts = np.arange(0, len(ends), PIECE)
        pieces = [shapely.LineString(vertices[first : first + PIECE + 1]) for first in firsts]
        for fence in self.fences:
            edge = fence.polygon.boundary
            shapely.prepare(edge)
            near = firsts[shapely.intersects(edge, pieces)]
            segments = (near[:, None] + np.arange(PIECE)).ravel()
            segments = segments[segments < len(ends)]
            yield segments[shapely.intersects(edge, shapely.linestrings(ends[segments]))]

    def _ends(self) -> Floats:
        """Both ends of each segment of a lap, shape (n, 2, 2)."""
        vertices = np.column_stack([self.lon, self.lat])
        return np.stack([vertices[:-1], vertices[1:]], axis=1)

    @cached_property
    def timing_points(self) -> tuple[TimingPoint, ...]:
        """Start, kilometre splits, each fence's enter and exit, each mat's passes, finish; by distance."""
        mats = [(mat.name, self.run_over(mat.passes).tolist()) for mat in self.mats]
        return timing_points(self.distance, self.visits, mats)

    def run_over(self, passes: Sequence[float]) -> Floats:
        """Return the metres from the start of places in a lap, for all laps; increasing."""
        starts = np.arange(self.laps)[:, None] * self.lap_length
        return np.sort((starts + np.asarray(passes, float)).ravel())

    def width_steps(self) -> tuple[Floats, Floats]:
        """Return where the width changes, metres from the start with all laps, and the width from there on.

        Both have shape (k,), the first place is 0, and unlimited is inf. Each lap begins with the same width.
        """
        lap = [Width(0.0, np.inf), *self.widths]
        if len(lap) > 1 and lap[1].since <= 0.0:
            lap = lap[1:]
        since, metres = np.array(lap).T
        every = (np.arange(self.laps)[:, None] * self.lap_length + since).ravel()
        wide = np.tile(metres, self.laps)
        changes = np.append(True, wide[1:] != wide[:-1])
        return every[changes], wide[changes]

    def comes_by(self, lon: float, lat: float) -> tuple[float, tuple[float, ...]]:
        """Return the line's distance from a place, and where it passes it: metres within the lap, increasing.

        It passes where it is nearest, and at the nearest point of every other stretch that is about as near.
        """
        vertices, step, square = self._segments_in_space
        before = vertices[:-1] - in_space(np.array([lon]), np.array([lat]))
        foot = -np.einsum("ij,ij->i", before, step) / square
        share = np.clip(foot, 0.0, 1.0)
        aside = before + share[:, None] * step
        off = np.sqrt(np.einsum("ij,ij->i", aside, aside))
        nearest = float(off.min())
        within = max(NEAR_MAT, nearest + NEAR_MAT_MORE)
        hit = np.flatnonzero(off <= within)
        # Half of the part of the segment's line inside the circle, as a share of the segment.
        beside = ((before[hit] + foot[hit, None] * step[hit]) ** 2).sum(axis=1)
        half = np.sqrt(np.maximum(within**2 - beside, 0.0) / square[hit])
        shares = np.clip(np.column_stack([foot[hit] - half, foot[hit] + half]), 0.0, 1.0)
        start, length = self.along[hit], np.diff(self.along)[hit]
        stretches = _merge(start[:, None] + shares * length[:, None])
        at = _nearest_of_each(stretches, start + share[hit] * length, off[hit])
        return nearest, self._once_a_lap(at, stretches)

    @cached_property
    def _segments_in_space(self) -> tuple[Floats, Floats, Floats]:
        """The vertices in space, the segments between them and the squares of their lengths."""
        vertices = in_space(self.lon, self.lat)
        step = np.diff(vertices, axis=0)
        return vertices, step, np.maximum((step**2).sum(axis=1), np.finfo(float).tiny)

    def _once_a_lap(self, at: Floats, stretches: Floats) -> tuple[float, ...]:
        """Drop the farther of two passes of one stretch that extends across the lap line."""
        passes: Floats = at[:, 0]
        around = stretches[0, 0] <= SHORTEST and stretches[-1, 1] >= self.lap_length - SHORTEST
        if self.laps > 1 and len(at) > 1 and around:
            passes = passes[1:] if at[-1, 1] < at[0, 1] else passes[:-1]
        return tuple(passes.tolist())

    @cached_property
    def _crosses_antimeridian(self) -> bool:
        return bool(self.lon.max() > 180.0 or self.lon.min() < -180.0)

    def line_wkt(self) -> str:
        """Return the lap's line as WKT LINESTRING, degrees."""
        return _wkt(shapely.LineString(np.column_stack([self.lon, self.lat])))

    def fences_wkt(self) -> str:
        """Return the fences as WKT: MULTIPOLYGON, POLYGON for a single area, an empty string without fences.

        Overlapping fences are merged: as two polygons of one geometry they would be invalid.
        """
        if not self.fences:
            return ""
        return _wkt(shapely.union_all([fence.polygon for fence in self.fences]))

    def fences_json(self) -> str:
        """Return the fences as a JSON list of objects with name, wkt and visits (first and last metre)."""
        visits = self.visits_by_fence()
        return json.dumps(
            [
                {"name": fence.name, "wkt": _wkt(fence.polygon), "visits": visits[fence.name]}
                for fence in self.fences
            ]
        )

    def visits_by_fence(self) -> dict[str, list[tuple[float, float]]]:
        """Return the visits of each fence, by its name: first and last metre, rounded to millimetres."""
        found: dict[str, list[tuple[float, float]]] = {fence.name: [] for fence in self.fences}
        for name, first, last in self.visits:
            found[name].append((round(first, 3), round(last, 3)))
        return found

    def altitudes_json(self) -> str:
        """Return the altitude of each vertex of the line as a JSON list; an empty one if unknown."""
        altitudes = [] if self.alt is None else np.round(self.alt, ALTITUDE_DECIMALS).tolist()
        return json.dumps(altitudes, separators=(",", ":"))

    def timing_points_json(self) -> str:
        """Return the mats as a JSON list of objects with name and distances (metres, all laps)."""
        return json.dumps(
            [{"name": name, "distances": metres} for name, metres in self.mat_distances().items()]
        )

    def widths_json(self) -> str:
        """Return where the width of a lap changes, as a JSON list of pairs (metres); null is unlimited."""
        pairs = [(round(since, 1), metres if np.isfinite(metres) else None) for since, metres in self.widths]
        return json.dumps(pairs, separators=(",", ":"))

    def mat_distances(self) -> dict[str, list[float]]:
        """Return where the race passes each mat, by its name: metres, rounded to millimetres."""
        found: dict[str, list[float]] = {mat.name: [] for mat in self.mats}
        for point in self.timing_points:
            if point.kind == "split" and point.name in found:
                found[point.name].append(round(point.distance, 3))
        return found

    def start_wkt(self) -> str:
        """Return the start marker as WKT POINT."""
        return _wkt(shapely.Point(self.start))

    def finish_wkt(self) -> str:
        """Return the finish marker as WKT POINT."""
        return _wkt(shapely.Point(self.finish))


def moved(lon: Floats, lat: Floats, east: Floats, north: Floats) -> tuple[Floats, Floats]:
    """Move places (degrees, shape (k,)) by metres, up to a few hundred: the Earth is taken as flat."""
    up = np.radians(lat)
    curvature = 1.0 - GEOD.es * np.sin(up) ** 2
    meridian, normal = GEOD.a * (1.0 - GEOD.es) / curvature**1.5, GEOD.a / np.sqrt(curvature)
    # Within a kilometre of a pole, east is meaningless.
    across = normal * np.maximum(np.cos(up), 1e-4)
    new_lon, new_lat = lon + np.degrees(east / across), lat + np.degrees(north / meridian)
    new_lon = np.where(np.abs(new_lon) > 180.0, (new_lon + 180.0) % 360.0 - 180.0, new_lon)
    return new_lon, np.clip(new_lat, -90.0, 90.0)


def in_space(lon: Floats, lat: Floats) -> Floats:
    """Return places in metres from the Earth's centre, shape (n, 3); chords there have no date line."""
    across, up = np.radians(lon), np.radians(lat)
    normal = GEOD.a / np.sqrt(1.0 - GEOD.es * np.sin(up) ** 2)
    axes = [np.cos(up) * np.cos(across), np.cos(up) * np.sin(across), (1.0 - GEOD.es) * np.sin(up)]
    return np.column_stack([normal * axis for axis in axes])


def _nearest_of_each(stretches: Floats, metres: Floats, off: Floats) -> Floats:
    """Return for each stretch its nearest place as metres and distance off, shape (k, 2)."""
    owner = np.searchsorted(stretches[:, 0], metres + SHORTEST, side="right") - 1
    # Places outside all stretches belong to a mere touch, which doesn't count.
    inside = np.flatnonzero((owner >= 0) & (metres <= stretches[owner, 1] + SHORTEST))
    order = inside[np.lexsort((metres[inside], off[inside], owner[inside]))]
    _, first = np.unique(owner[order], return_index=True)
    return np.column_stack([metres, off])[order[first]]


def _wkt(geometry: shapely.Geometry) -> str:
    # Nine decimals are 0.1 mm.
    return str(shapely.to_wkt(geometry, rounding_precision=9, trim=True))


def _densify(lon: Floats, lat: Floats, alt: Floats | None) -> tuple[Floats, Floats, Floats | None, Floats]:
    """Measure each segment and divide the long ones: lon, lat, alt and the metres at each vertex."""
    azimuth, _, length = GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
    pieces = np.maximum(1, np.ceil(length / _longest_piece(lat))).astype(np.int64)
    segment = np.repeat(np.arange(len(pieces)), pieces)
    piece = np.arange(len(segment)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    share = piece / pieces[segment]
    along = np.concatenate([[0.0], np.cumsum(length)])
    new_lon, new_lat = lon[segment], lat[segment]
    inner = np.flatnonzero(piece)
    if len(inner):
        at = segment[inner]
        inner_lon, inner_lat, _ = GEOD.fwd(
            lon[at], lat[at], np.asarray(azimuth)[at], share[inner] * length[at]
        )
        # fwd returns ±180: shift it next to the segment's first vertex.
        new_lon[inner] = inner_lon - 360.0 * np.round((inner_lon - lon[at]) / 360.0)
        new_lat[inner] = inner_lat
    new_alt = None
    if alt is not None:
        alt = np.asarray(alt, float)
        new_alt = np.append(alt[segment] + share * (alt[segment + 1] - alt[segment]), alt[-1])
    return (
        np.append(new_lon, lon[-1]),
        np.append(new_lat, lat[-1]),
        new_alt,
        np.append(along[segment] + share * length[segment], along[-1]),
    )


def _longest_piece(lat: Floats) -> Floats:
    """Return for each segment the length, in metres, up to which a straight line in degrees is a geodesic.

    A parallel of latitude φ leaves its chord's great circle by s² tan φ / 8R in the middle of s metres.
    """
    steepest = np.tan(np.radians(np.minimum(np.maximum(np.abs(lat[:-1]), np.abs(lat[1:])), 89.9)))
    allowed: Floats = np.sqrt(8.0 * EARTH_RADIUS * TOLERANCE / np.maximum(steepest, 0.1))
    return np.minimum(allowed, 500.0)


def _stretches(ends: Floats, along: Floats, polygon: shapely.Polygon, edge: Ints) -> Floats:
    """Return the stretches of the line inside the polygon as metres, shape (k, 2), in order.

    `edge` are the segments that touch the polygon's edge. The part between two of them is entirely inside or
    outside, so its first point decides.
    """
    begins, breaks = np.append(0, edge + 1), np.append(edge, len(ends))
    between = begins < breaks
    begins, breaks = begins[between], breaks[between]
    shapely.prepare(polygon)
    inside = shapely.intersects_xy(polygon, *ends[begins, 0].T)
    whole = np.column_stack([along[begins[inside]], along[breaks[inside]]])
    segments = shapely.linestrings(ends[edge])
    parts, owner = shapely.get_parts(shapely.intersection(segments, polygon), return_index=True)
    lines = shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING
    parts, owner = parts[lines], edge[owner[lines]]
    first, last = shapely.get_point(parts, 0), shapely.get_point(parts, -1)
    metres = [_project(shapely.get_coordinates(end), ends[owner], along, owner) for end in (first, last)]
    return _merge(np.concatenate([whole, np.sort(np.column_stack(metres), axis=1)]))


def _project(points: Floats, ends: Floats, along: Floats, segment: Ints) -> Floats:
    """Return the metres of points on their segments."""
    direction = ends[:, 1] - ends[:, 0]
    share = ((points - ends[:, 0]) * direction).sum(axis=1) / (direction**2).sum(axis=1)
    projected: Floats = along[segment] + np.clip(share, 0.0, 1.0) * (along[segment + 1] - along[segment])
    return projected


def _merge(stretches: Floats) -> Floats:
    """Join adjacent stretches and drop mere touches; shape (k, 2), in order."""
    stretches = stretches[np.argsort(stretches[:, 0], kind="stable")]
    if not len(stretches):
        return stretches
    furthest = np.maximum.accumulate(stretches[:, 1])
    opens = np.append(True, stretches[1:, 0] > furthest[:-1] + SHORTEST)
    first = stretches[opens, 0]
    last = furthest[np.append(np.flatnonzero(opens)[1:], len(stretches)) - 1]
    merged: Floats = np.column_stack([first, last])[last - first >= SHORTEST]
    return merged
