"""Recordings that belong together: copies are left out, and the pieces of a run are joined."""

from collections.abc import Hashable, Sequence

import numpy as np

from simulator.course.course import GEOD
from simulator.replay.fixes import JUMP, Recorded
from simulator.replay.names import Label, labels

MAX_BREAK = 900.0
"""Seconds between two pieces of a run."""
APART = 5.0
"""Metres per second of the break, besides `JUMP`, that two pieces may be apart."""
PIECE, WHOLE = 0.9, 1.25
"""Share of the course from which on a track is no piece, and that joined pieces have at most."""


def without_copies(tracks: Sequence[Recorded], warnings: list[str]) -> list[Recorded]:
    """Return the tracks without the second of two with the same times, bib and name: a file and its copy."""
    found: dict[tuple[Label, float, float, int], Recorded] = {}
    for track, label in zip(tracks, labels(tracks), strict=True):
        first = found.setdefault((label, float(track.time[0]), float(track.time[-1]), len(track.time)), track)
        if first is not track:
            warnings.append(f"{track.where()}: left out: the same recording as {first.where()}")
    return list(found.values())


def joined(tracks: Sequence[Recorded], length: float, warnings: list[str]) -> list[Recorded]:
    """Return the tracks; those of one competitor that are pieces of one run are joined.

    Receivers begin another track or file when they are paused. Pieces have the same bib, or without one the
    same file and person's name; each continues where the one before ended.

    Args:
        tracks: the tracks.
        length: metres of the course: pieces are shorter, and together not much longer.
        warnings: what is joined is added.
    """
    groups: dict[Hashable, list[Recorded]] = {}
    for track, label in zip(tracks, labels(tracks), strict=True):
        name = label.name if label.personal else ""
        groups.setdefault(label.bib or (track.source, name), []).append(track)
    return [run for group in groups.values() for run in _runs(group, length, warnings)]


def _runs(group: Sequence[Recorded], length: float, warnings: list[str]) -> list[Recorded]:
    """Return the runs of one competitor."""
    runs: list[Recorded] = []
    total = 0.0
    for track in sorted(group, key=lambda track: float(track.time[0])):
        way = float(GEOD.line_length(track.lon, track.lat))
        is_piece = way < PIECE * length and total + way <= WHOLE * length
        if is_piece and total and _continues(runs[-1], track):
            warnings.append(f"{track.where()}: continues {runs[-1].where()}: joined")
            runs[-1] = _together(runs[-1], track)
            total += way
        else:
            runs.append(track)
            total = way if way < PIECE * length else 0.0
    return runs


def _continues(run: Recorded, track: Recorded) -> bool:
    pause = float(track.time[0] - run.time[-1])
    apart = GEOD.inv(run.lon[-1], run.lat[-1], track.lon[0], track.lat[0])[2]
    return 0 < pause <= MAX_BREAK and bool(apart <= JUMP + APART * pause)


def _together(run: Recorded, track: Recorded) -> Recorded:
    time, lon, lat = (
        np.concatenate(parts)
        for parts in ((run.time, track.time), (run.lon, track.lon), (run.lat, track.lat))
    )
    return run._replace(time=time, lon=lon, lat=lat)
