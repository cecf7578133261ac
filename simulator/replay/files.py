"""Finds the tracks in files and folders; those that can't be used are left out, with the reason."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from simulator.course import packing
from simulator.course.drawing import CourseError
from simulator.replay import fixes, readers
from simulator.replay.fixes import Recorded
from simulator.replay.recording import RecordingError

EVENTS = (".ndjson", ".jsonl", ".json", ".ndjson.gz", ".jsonl.gz", ".json.gz")
"""Ends of the names of event files."""
TRACKS = frozenset({".gpx", ".kml", ".kmz", ".tcx", ".xml", ".fit", ".gz", ".zip"})
"""Suffixes of the files that are opened in folders and archives."""
RENAMED = ".txt"
"""Suffix that may follow one of them."""
MAX_DEPTH = 3
"""Maximum depth at which folders in a folder are searched."""
MAX_FILE = 64 * 1024 * 1024
"""Maximum size of a file, and of what is packed in one, bytes."""
SHOWN = 5
"""Files that a message names."""
_MAIN = "doc.kml"
"""Main document of a KMZ."""


def found(paths: Sequence[Path], warnings: list[str]) -> list[Path]:
    """Return the files; of folders those with a known suffix, in the order of their names.

    If a folder has none, they are sought in the folders in it: one for each wave or competitor.

    Raises:
        RecordingError: there is no such file, or a folder has nothing that can be replayed.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += _in_folder(path, warnings)
        elif path.exists():
            files.append(path)
        else:
            raise RecordingError(f"no such file or folder: {path}")
    return files


def is_events(path: Path) -> bool:
    """Return whether a file has events rather than tracks, by its name."""
    return path.name.lower().endswith(EVENTS)


def _in_folder(folder: Path, warnings: list[str]) -> list[Path]:
    usable, others = _sorted_out(folder, MAX_DEPTH)
    listed = ", ".join(others[:SHOWN]) + (f" and {len(others) - SHOWN:,} more" if len(others) > SHOWN else "")
    if not usable:
        suffixes = ", ".join(sorted({*EVENTS, *TRACKS}))
        raise RecordingError(f"no {suffixes} file in {folder}{': ' if listed else ''}{listed}")
    if others:
        warnings.append(f"left out, not recordings: {listed}")
    return usable


def _sorted_out(folder: Path, depth: int) -> tuple[list[Path], list[str]]:
    """Return the files of a folder to replay, and the names of what is left out.

    Tracks count more than events. The folders in it are searched only if it has neither.
    """
    there = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    usable = [path for path in there if _is_track(path)]
    usable = usable or [path for path in there if is_events(path) and path.is_file()]
    is_empty = not usable
    left_out: list[str] = []
    for path in there:
        is_folder = path.is_dir()
        inside, others = _sorted_out(path, depth - 1) if is_folder and is_empty and depth else ([], [])
        usable += inside
        if inside:
            left_out += [f"{path.name}/{name}" for name in others]
        elif path not in usable:
            left_out.append(f"{path.name}/" if is_folder else path.name)
    return usable, left_out


def _is_track(path: Path) -> bool:
    """Return whether a file may have tracks, by its name; mail programs make `a.gpx.txt` of `a.gpx`."""
    name = path.name.lower().removesuffix(RENAMED)
    return Path(name).suffix in TRACKS and path.is_file() and not is_events(path)


def tracks_in(files: Sequence[Path], warnings: list[str]) -> list[Recorded]:
    """Return the usable tracks of files; what is left out is added to `warnings`.

    Raises:
        RecordingError: there is none; the text says why.
    """
    tracks: list[Recorded] = []
    reasons: list[str] = []
    folder = os.path.commonpath([file.absolute().parent for file in files])
    for file in files:
        try:
            for source, data in _contents(_bytes(file), file.absolute().relative_to(folder).as_posix()):
                _add(tracks, source, data, warnings, reasons)
        except (CourseError, RecordingError) as error:
            reasons.append(str(error))
    if not tracks:
        more = f" (and {len(reasons) - SHOWN:,} more)" if len(reasons) > SHOWN else ""
        raise RecordingError("; ".join(reasons[:SHOWN]) + more)
    warnings += [f"left out: {reason}" for reason in reasons]
    return tracks


def _add(tracks: list[Recorded], source: str, data: bytes, warnings: list[str], reasons: list[str]) -> None:
    try:
        written = readers.read(data, source, warnings)
    except RecordingError as error:
        reasons.append(str(error))
        return
    for track in written:
        try:
            tracks.append(fixes.usable(track, warnings))
        except RecordingError as error:
            reasons.append(str(error))


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_FILE + 1)
    except OSError as error:
        raise RecordingError(f"{file.name} can't be read: {error.strerror}") from None
    if len(data) > MAX_FILE:
        raise RecordingError(f"{file.name} is larger than {MAX_FILE // 1024**2} MiB")
    return data


def _contents(data: bytes, source: str) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of a file, or of each track file that is packed in it."""
    if data.startswith(packing.GZIP):
        data, source = packing.unpacked(data, source, TRACKS, MAX_FILE)
    if not data.startswith((packing.ZIP, packing.EMPTY_ZIP)):
        yield source, data
        return
    archive = packing.Archive(data, source, MAX_FILE)
    if _MAIN in archive:
        yield source, archive.read(_MAIN)
        return
    members = archive.candidates(TRACKS)
    if not members:
        raise RecordingError(f"{source} has no recording in it")
    for member in members:
        content, name = packing.unpacked(archive.read(member), f"{source}/{member}", TRACKS, MAX_FILE)
        yield name, content
