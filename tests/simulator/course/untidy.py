"""Courses as untidy files have them: in pieces, out of order, reversed, with jumps; in each format."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from simulator.course.library import load_file
from stream.arrays import Floats
from tests.processes import ROOT

SHIPPED = {path.stem: load_file(path) for path in sorted((ROOT / "courses").glob("*.kml"))}


@dataclass(frozen=True)
class Untidy:
    """Pieces of a shipped course's lap.

    Attributes:
        course: the course's short name.
        pieces: lon and lat of the pieces, shape (n, 2) each, in the order of the file.
        in_order: whether each begins where the one before ends.
    """

    course: str
    pieces: tuple[Floats, ...]
    in_order: bool

    @property
    def metres(self) -> float:
        """The length of the whole line."""
        return SHIPPED[self.course].lap_length


@st.composite
def untidy(draw: st.DrawFn, *, shuffled: bool = True) -> Untidy:
    """Cut a shipped course at some of its points; shuffle the pieces and reverse some."""
    name = draw(st.sampled_from(sorted(SHIPPED)))
    course = SHIPPED[name]
    line = np.column_stack([course.lon, course.lat])
    # A cut is at least a hundred metres from the others: shorter pieces have no clear ends.
    marks = draw(st.lists(st.integers(1, int(course.lap_length // 100) - 1), max_size=12, unique=True))
    cuts = np.unique(np.searchsorted(course.along, np.sort(marks) * 100.0))
    bounds = [0, *cuts.tolist(), len(line) - 1]
    pieces = [line[first : last + 1] for first, last in pairwise(bounds) if last > first]
    order = draw(st.permutations(range(len(pieces)))) if shuffled else list(range(len(pieces)))
    against = [shuffled and draw(st.booleans()) for _ in pieces]
    made = tuple(pieces[nth][::-1] if back else pieces[nth] for nth, back in zip(order, against, strict=True))
    return Untidy(name, made, all((one[-1] == other[0]).all() for one, other in pairwise(made)))


def _gpx(body: str) -> bytes:
    return f'<gpx version="1.1">{body}</gpx>'.encode()


def _trkseg(piece: Floats) -> str:
    points = "".join(f'<trkpt lat="{lat:.9f}" lon="{lon:.9f}"/>' for lon, lat in piece)
    return f"<trkseg>{points}</trkseg>"


def _gpx_segments(pieces: Sequence[Floats]) -> bytes:
    return _gpx(f"<trk>{''.join(map(_trkseg, pieces))}</trk>")


def _gpx_tracks(pieces: Sequence[Floats]) -> bytes:
    return _gpx("".join(f"<trk>{_trkseg(piece)}</trk>" for piece in pieces))


def _line_string(piece: Floats) -> str:
    points = " ".join(f"{lon:.9f},{lat:.9f}" for lon, lat in piece)
    return f"<LineString><coordinates>{points}</coordinates></LineString>"


def _track(piece: Floats) -> str:
    points = "".join(f"<gx:coord>{lon:.9f} {lat:.9f}</gx:coord>" for lon, lat in piece)
    return f"<gx:Track>{points}</gx:Track>"


def _kml_geometry(pieces: Sequence[Floats]) -> bytes:
    lines = "".join(map(_line_string, pieces))
    return f"<kml><Placemark><MultiGeometry>{lines}</MultiGeometry></Placemark></kml>".encode()


def _kml_tracks(pieces: Sequence[Floats]) -> bytes:
    tracks = "".join(map(_track, pieces))
    return f"<kml><Placemark><gx:MultiTrack>{tracks}</gx:MultiTrack></Placemark></kml>".encode()


def _kml_placemarks(pieces: Sequence[Floats]) -> bytes:
    places = "\n".join(f"<Placemark>{_line_string(piece)}</Placemark>" for piece in pieces)
    return f"<kml><Document>{places}</Document></kml>".encode()


def _geojson_lines(pieces: Sequence[Floats]) -> bytes:
    lines = [piece.round(9).tolist() for piece in pieces]
    return json.dumps({"type": "MultiLineString", "coordinates": lines}).encode()


def _geojson_features(pieces: Sequence[Floats]) -> bytes:
    lines = [{"type": "LineString", "coordinates": piece.round(9).tolist()} for piece in pieces]
    features = [{"type": "Feature", "properties": {}, "geometry": line} for line in lines]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


Writer = Callable[[Sequence[Floats]], bytes]
ONE_PATH: Mapping[str, Writer] = {
    "segments of a GPX track": _gpx_segments,
    "lines of a KML MultiGeometry": _kml_geometry,
    "tracks of a KML MultiTrack": _kml_tracks,
    "lines of a GeoJSON MultiLineString": _geojson_lines,
}
"""Ways to write pieces that belong together."""
SEPARATE: Mapping[str, Writer] = {
    "GPX tracks": _gpx_tracks,
    "KML Placemarks": _kml_placemarks,
    "GeoJSON features": _geojson_features,
}
"""Ways to write pieces of which the file doesn't say that they belong together."""
