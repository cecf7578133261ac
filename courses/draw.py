"""Generate the three invented courses in this folder: `python courses/draw.py` writes their KML files.

Each is designed in metres east and north of a point, in an azimuthal equidistant projection (error less than
1 cm over 10 km), and converted to WGS84.
"""  # noqa: INP001 - a folder of files, not a package

from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod, Proj

Floats = NDArray[np.float64]

GEOD = Geod(ellps="WGS84")

# World Athletics, Track and Field Facilities Manual: the 400 m Standard Track, measured 0.30 m from the kerb.
STRAIGHT = 84.39
KERB = 36.50
RADIUS = KERB + 0.30
OUTER = KERB + 9 * 1.22  # nine lanes
TRACK_CENTRE = (0.0052, 51.4738)
TRACK_AZIMUTH = 65.0
BEND_CHORDS = 200  # each about half a metre; 25 laps are 0.06 m shorter than with true arcs

HALF_START = (-1.7900, 53.3450)
HALF_DISTANCE = 21_097.5
HALF_HEADING = 150.0
HALF_STEP = 32
# Pieces of the road: length in metres, and turn to the right in degrees.
# fmt: off
ROAD = (
    (520, 7), (380, 43), (420, -2), (90, 0), (140, 56), (460, -60), (140, 35), (180, 12), (420, 0), (300, -4),
    (110, -13), (380, -1), (140, -39), (140, 82), (180, -8), (520, -3), (420, 6), (520, 0), (460, 0),
    (420, -2), (230, -40), (180, -4), (460, -52), (140, 36), (420, 4), (300, -47), (300, -5), (300, 35),
    (420, 7), (300, -10), (230, 35), (90, 26), (110, -43), (380, 27), (110, -34), (300, -32), (300, -3),
    (110, -40), (380, -2), (420, 5), (420, -1), (460, -10), (110, 52), (420, -5), (110, 40), (300, -80),
    (90, -4), (300, -3), (180, 46), (300, -31), (140, -44), (140, 28), (230, 10), (140, -77), (90, 4),
    (230, 16), (300, 60), (180, -37), (460, 85), (380, -38), (300, 50), (90, -33), (90, 3), (380, 19),
    (380, 24), (90, -52), (230, 21), (140, -19), (520, 7), (420, 3), (380, 29), (460, -10), (230, -7),
    (230, -31), (140, 17), (180, 8), (460, 15),
)
# Points with zero gradient: kilometres from the start, metres above sea level.
HEIGHTS = (
    (0.0, 190), (1.0, 184), (3.4, 296), (4.9, 268), (6.2, 322), (9.0, 196), (10.4, 188), (12.3, 262),
    (13.6, 240), (14.4, 266), (17.2, 158), (18.6, 150), (19.5, 176), (20.4, 140), (21.0975, 148),
)
# fmt: on
FENCES = (("First summit", 3150, 3600), ("Drinks station", 10_150, 10_450), ("Dale Wood", 15_400, 16_600))

CITY_CENTRE = (-2.2450, 53.4790)
CITY_DISTANCE = 10_000.0
# Corners of the streets in metres east and north of the start, before scaling to 10 km.
# fmt: off
STREETS = (
    (0, 0), (0, 880), (480, 1090), (500, 1850), (1260, 2080), (1690, 1700), (1500, 1010), (2080, 690),
    (2290, -90), (1630, -480), (1500, -1120), (720, -1290), (330, -800), (-480, -930), (-720, -310),
    (-150, -260), (-120, 60),
)
# fmt: on
CORNER_ROUNDS = 3
CITY_WIDTH = 8.0
# Metres from the start, and the width from there on: a bridge, an avenue, old streets, the finish straight.
CITY_WIDTHS = ((2900, 5), (3300, 10), (5600, 6), (8300, 12))
CITY_FENCES = (("Old bridge", 2900, 3300), ("Drinks station", 5000, 5200), ("Cheering mile", 8300, 9900))


def track() -> str:
    """Return the KML of 10,000 m on a track: 25 laps from the finish line, anticlockwise."""
    half, chord = STRAIGHT / 2, np.linspace(0.0, np.pi, BEND_CHORDS + 1)
    # The finish line is at the start of the first bend. x points along the home straight, y to the infield.
    first = np.column_stack([half + RADIUS * np.sin(chord), -RADIUS * np.cos(chord)])
    lap = np.vstack([first, -first, first[:1]])
    back = np.array([[half, KERB], [half, OUTER], [-half, OUTER], [-half, KERB], [half, KERB]])
    plane = Proj(proj="aeqd", lon_0=TRACK_CENTRE[0], lat_0=TRACK_CENTRE[1], ellps="WGS84")
    line = _degrees(plane, _turned(lap, TRACK_AZIMUTH))
    return _kml(
        name="10,000 m on the track",
        about="Invented: 25 laps of a 400 m standard track, laid out on a heath that has none.",
        line=_coordinates(line, 8),
        markers={"Start": _coordinates(line[:1], 8), "Finish": _coordinates(line[-1:], 8)},
        fences={"Back straight": _coordinates(_degrees(plane, _turned(back, TRACK_AZIMUTH)), 8)},
        laps=25,
    )


def _turned(points: Floats, azimuth: float) -> Floats:
    """Rotate points (x forward along the azimuth, y left) to metres east and north."""
    sin, cos = np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))
    return np.column_stack([points[:, 0] * sin - points[:, 1] * cos, points[:, 0] * cos + points[:, 1] * sin])


def half() -> str:
    """Return the KML of a hilly half marathon from one village to another."""
    plane = Proj(proj="aeqd", lon_0=HALF_START[0], lat_0=HALF_START[1], ellps="WGS84")
    road = _road()
    line = _degrees(plane, road)
    for _ in range(3):  # repeated, because rounding and chords change the length
        line = _degrees(plane, road).round(7)
        road *= HALF_DISTANCE / GEOD.line_length(*line.T)
    along = np.linspace(0.0, HALF_DISTANCE, len(line))
    return _kml(
        name="Hilly half marathon",
        about="Invented: a point-to-point half marathon in the Peak District. No road runs exactly there.",
        line=_coordinates(line, 7, _height(along)),
        markers={"Start": _coordinates(line[:1], 7), "Finish": _coordinates(line[-1:], 7)},
        fences={
            name: _coordinates(_degrees(plane, _around(road[(along >= first) & (along <= last)])), 7)
            for name, first, last in FENCES
        },
    )


def city() -> str:
    """Return the KML of a 10 km course in a city, whose finish is one street away from the start."""
    plane = Proj(proj="aeqd", lon_0=CITY_CENTRE[0], lat_0=CITY_CENTRE[1], ellps="WGS84")
    streets = _rounded(np.array(STREETS, float))
    line = _degrees(plane, streets)
    for _ in range(3):  # as above
        line = _degrees(plane, streets).round(7)
        streets *= CITY_DISTANCE / GEOD.line_length(*line.T)
    path = shapely.LineString(streets)
    return _kml(
        name="City 10 km",
        about="Invented: 10 km round the middle of a city. No streets run exactly there.",
        line=_coordinates(line, 7),
        markers={"Start": _coordinates(line[:1], 7), "Finish": _coordinates(line[-1:], 7)}
        | {
            f"Width {width} m": _coordinates(_degrees(plane, _stretch(path, first, first)), 7)
            for first, width in CITY_WIDTHS
        },
        width=CITY_WIDTH,
        fences={
            name: _coordinates(_degrees(plane, _around(_stretch(path, first, last))), 7)
            for name, first, last in CITY_FENCES
        },
    )


def _rounded(corners: Floats) -> Floats:
    """Round the corners of a line by corner cutting (Chaikin 1974)."""
    for _ in range(CORNER_ROUNDS):
        first, second = corners[:-1], corners[1:]
        cut = np.stack([0.85 * first + 0.15 * second, 0.15 * first + 0.85 * second], axis=1).reshape(-1, 2)
        corners = np.vstack([corners[:1], cut[1:-1], corners[-1:]])
    return corners


def _stretch(path: shapely.LineString, first: float, last: float) -> Floats:
    """Return points every 20 m along a line, between two distances in metres."""
    return shapely.get_coordinates(shapely.line_interpolate_point(path, np.arange(first, last + 1, 20.0)))


def _road() -> Floats:
    """Return the road in metres east and north, one point every HALF_STEP metres."""
    lengths, turns = np.array(ROAD, float).T
    begins = np.cumsum(lengths) - lengths
    metre = np.arange(lengths.sum())
    piece = np.searchsorted(begins, metre, side="right") - 1
    within = (metre - begins[piece]) / lengths[piece]
    # The curvature changes smoothly within each piece, as on a real road.
    curvature = np.radians(turns / lengths)[piece] * (1.0 - np.cos(2.0 * np.pi * within))
    heading = np.radians(HALF_HEADING) + np.cumsum(curvature)
    points = np.cumsum(np.column_stack([np.sin(heading), np.cos(heading)]), axis=0)
    road: Floats = (points - points[0])[::HALF_STEP]
    return road


def _height(along: Floats) -> Floats:
    """Return metres above sea level: half a cosine wave between two points with zero gradient."""
    at, height = np.array(HEIGHTS).T * [[1000.0], [1.0]]
    leg = np.clip(np.searchsorted(at, along, side="right") - 1, 0, len(at) - 2)
    within = (along - at[leg]) / (at[leg + 1] - at[leg])
    climb = height[leg + 1] - height[leg]
    heights: Floats = height[leg] + climb * (1.0 - np.cos(np.pi * within)) / 2.0
    return heights


def _around(stretch: Floats) -> Floats:
    """Return the outline of the area within 45 m of a stretch of road."""
    area = shapely.LineString(stretch).buffer(45.0, quad_segs=4).simplify(6.0)
    return shapely.get_coordinates(area)[::-1]


def _degrees(plane: Proj, points: Floats) -> Floats:
    return np.column_stack(plane(points[:, 0], points[:, 1], inverse=True))


def _coordinates(points: Floats, decimals: int, heights: Floats | None = None) -> str:
    if heights is None:
        return " ".join(f"{lon:.{decimals}f},{lat:.{decimals}f}" for lon, lat in points)
    table = zip(points, heights, strict=True)
    return " ".join(f"{lon:.{decimals}f},{lat:.{decimals}f},{height:.1f}" for (lon, lat), height in table)


def _kml(  # noqa: PLR0913 - one argument per part of the file
    *,
    name: str,
    about: str,
    line: str,
    markers: dict[str, str],
    fences: dict[str, str],
    laps: int = 1,
    width: float | None = None,
) -> str:
    mode = "absolute" if line.split(" ", 1)[0].count(",") == 2 else "clampToGround"
    known = {"laps": laps if laps > 1 else None, "width": width}
    values = [
        f'<Data name="{name}"><value>{value:g}</value></Data>'
        for name, value in known.items()
        if value is not None
    ]
    data = f"<ExtendedData>{''.join(values)}</ExtendedData>" if values else ""
    path = (
        f"{data}<LineString><tessellate>1</tessellate><altitudeMode>{mode}</altitudeMode>"
        f"<coordinates>{line}</coordinates></LineString>"
    )
    points = {name: f"<Point><coordinates>{place}</coordinates></Point>" for name, place in markers.items()}
    areas = {
        name: f"<Polygon><outerBoundaryIs><LinearRing><coordinates>{ring}</coordinates></LinearRing>"
        "</outerBoundaryIs></Polygon>"
        for name, ring in fences.items()
    }
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<kml xmlns="http://www.opengis.net/kml/2.2">',
            "<Document>",
            f"  <name>{escape(name)}</name>",
            f"  <description>{escape(about)} Drawn by draw.py.</description>",
            *_placemarks({"Course": path} | points | areas),
            "</Document>",
            "</kml>",
            "",
        ]
    )


def _placemarks(contents: dict[str, str]) -> Iterable[str]:
    for name, content in contents.items():
        yield f"  <Placemark><name>{escape(name)}</name>{content}</Placemark>"


COURSES = {"track-10000m.kml": track, "hilly-half.kml": half, "city-10k.kml": city}

if __name__ == "__main__":
    for filename, draw in COURSES.items():
        (Path(__file__).parent / filename).write_text(draw(), encoding="utf-8")
