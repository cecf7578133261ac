"""GPX files as a receiver writes them, of a race that is computed, and reading them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import numpy as np

from simulator.race.race import Race
from simulator.replay import fixes, readers
from simulator.replay.fixes import Recorded

Place = tuple[float, float, float | None]
"""Longitude, latitude and epoch seconds."""
HEAD = '<?xml version="1.0"?>\n<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">'


def gpx(*tracks: tuple[str, list[Place]]) -> bytes:
    """Return a file of tracks: a name and places as longitude, latitude and epoch seconds."""
    parts = [HEAD]
    for name, places in tracks:
        parts.append(f"<trk><name>{escape(name)}</name><trkseg>")
        parts += [_point(*place) for place in places]
        parts.append("</trkseg></trk>")
    return "".join([*parts, "</gpx>"]).encode()


def _point(lon: float, lat: float, when: float | None) -> str:
    moment = None if when is None else datetime.fromtimestamp(when, UTC)
    time = "" if moment is None else f"<time>{moment.isoformat()}</time>"
    return f'<trkpt lat="{lat:.7f}" lon="{lon:.7f}">{time}</trkpt>'


def of_competitor(
    race: Race, who: int, *, every: float = 3.0, before: float = 20.0, after: float = 30.0
) -> list[Place]:
    """Return where a competitor's receiver was, from a while before the start to a while after the end."""
    begin, end = float(race.field.start[who]) - before, float(race.field.end[who]) + after
    times = np.arange(begin, end, every)
    true = race.snapshot(np.clip(times, 0.0, None), np.full(len(times), who))
    noise = np.random.default_rng(who).normal(0.0, 1.5e-5, (2, len(times)))
    start = race.start_ms / 1000
    return [
        (lon, lat, start + time)
        for lon, lat, time in zip(true.lon + noise[0], true.lat + noise[1], times.tolist(), strict=True)
    ]


def tracks_of(files: Mapping[str, bytes], warnings: list[str] | None = None) -> list[Recorded]:
    """Return the tracks of files, by name; what is left out is added to the warnings."""
    written = [track for name, data in files.items() for track in readers.read(data, name, [])]
    return [fixes.usable(track, [] if warnings is None else warnings) for track in written]
