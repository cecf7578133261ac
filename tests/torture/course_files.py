# ruff: noqa: E501, PLR0915, T201 - the corpus is a long list of long lines
"""Hostile course files, and how the readers handle them.

Each file is read as the product reads it, in a process of its own that measures the processor time and the peak
memory. The result must be a course or one `CourseError`; anything else is broken.

    python -m tests.torture.course_files [FILES]
"""

from __future__ import annotations

import ctypes
import gc
import io
import json
import multiprocessing
import os
import random
import re
import resource
import socket
import struct
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.course import library
from simulator.course.course import MAX_DISTANCE
from simulator.course.drawing import CourseError
from simulator.course.survey import limits
from tests.torture.outcome import Hostile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from simulator.course.course import Course

ROOT = Path(__file__).parents[2]
SECONDS = 1.0
MEMORY = 100.0
"""MiB that one reading may take, above what the process had, the file itself not counted."""
_TRIES = 3
"""Readings of a file that seems too slow: the least counts, for on a shared machine a processor is slower at
times."""
_PATIENCE = 60.0
"""Seconds after which a reading is given up."""
_CEILING = 4 * 1024**3
"""Bytes of address space, so that what is broken doesn't take the machine along."""


class Read(NamedTuple):
    """What came of one file: "taken", "refused" or "broken", in which words, and what it cost."""

    outcome: str
    words: str
    seconds: float
    memory: float


# The process that reads -------------------------------------------------------------------------------------


def _serve(pipe: Connection) -> None:
    """Read file after file, each named by its path, until there are no more."""
    soft, hard = _CEILING, resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    for path in sorted((ROOT / "courses").glob("*.kml")):
        _read(path.read_bytes(), None)
    while (order := pipe.recv()) is not None:
        path, suffix = order
        pipe.send(_read(Path(path).read_bytes(), suffix))


def _read(data: bytes, suffix: str | None) -> Read:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before, begin = _status("VmRSS"), time.process_time()
    course: Course | None = None
    try:
        found = library.format_of(data)
        course = library.read_course(data, f"any{suffix or found}")
    except CourseError as error:
        outcome, words = "refused", str(error)
    except BaseException as error:  # noqa: BLE001 - whatever else comes is what is looked for
        outcome, words = "broken", f"{type(error).__name__}: {error}"[:300]
    else:
        outcome, words = "taken", ""
    seconds, memory = time.process_time() - begin, _status("VmHWM") - before
    if course is not None and (fault := unsound(course)):
        outcome, words = "broken", f"an unsound course was taken: {fault}"
    if outcome == "refused" and (len(words) > 600 or "\n" in words):
        outcome, words = "broken", f"the error isn't one short sentence: {words[:300]!r}"
    return Read(outcome, words, seconds, memory)


def _status(key: str) -> float:
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"^{key}:\s+(\d+) kB", status, re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def unsound(course: Course) -> str:
    """Return the rules that a course breaks, or an empty text."""
    metres = [point.distance for point in course.timing_points] if len(course.lon) < 5000 else []
    rules = {
        "its length": limits.MIN_DISTANCE * 0.99 < course.distance <= MAX_DISTANCE,
        "its numbers": bool(np.isfinite([course.lon, course.lat, course.along]).all()),
        "its altitudes": course.alt is None or bool(np.isfinite(course.alt).all()),
        "its order": bool((np.diff(course.along) > 0).all()),
        "its latitudes": float(np.abs(course.lat).max()) <= 90,
        "its number of warnings": len(course.warnings) <= limits.MAX_WARNINGS,
        "its number of geofences": len(course.fences) <= limits.MAX_FENCES,
        "its geofences": all(one.polygon.is_valid and not one.polygon.is_empty for one in course.fences),
        "its number of timing points": len(course.mats) <= limits.MAX_MATS,
        "the order of its timing points": metres == sorted(metres),
        "its name": len(course.long_name) <= limits.MAX_NAME,
    }
    return ", ".join(rule for rule, held in rules.items() if not held)


class Reader:
    """A process that reads files; another one if it ends or hangs.

    Args:
        folder: where the files are put that it reads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: Any = None
        self._pipe: Any = None

    def read(self, data: bytes, suffix: str | None = None, tries: int = _TRIES) -> Read:
        """Return what comes of a file; of one that seems too slow, the quickest of some readings."""
        path = self._folder / "file"
        path.write_bytes(data)
        found = self._once(path, suffix)
        while tries > 1 and found.seconds >= SECONDS and found.outcome != "broken":
            again = self._once(path, suffix)
            found = min(found, again, key=lambda read: read.seconds)._replace(
                memory=max(found.memory, again.memory)
            )
            tries -= 1
        return found

    def _once(self, path: Path, suffix: str | None) -> Read:
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
            with _unobserved():
                self._process.start()
            theirs.close()
        try:
            self._pipe.send((str(path), suffix))
            if self._pipe.poll(_PATIENCE):
                found: Read = self._pipe.recv()
                return found
        except (EOFError, OSError):
            status = self._process.exitcode
            self.close()
            return Read("broken", f"the process ended, with status {status}", 0.0, 0.0)
        self.close()
        return Read("broken", "it hangs", _PATIENCE, 0.0)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


@contextmanager
def _unobserved() -> Iterator[None]:
    """Let a process begin that neither runs this one's main script again, nor is measured for coverage."""
    main: Any = sys.modules["__main__"]
    known = {name: vars(main)[name] for name in ("__file__", "__spec__") if name in vars(main)}
    observed = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    try:
        vars(main).update(dict.fromkeys(known))
        for name in observed:
            del os.environ[name]
        yield
    finally:
        vars(main).update(known)
        os.environ.update(observed)


@contextmanager
def reader() -> Iterator[Reader]:
    """Give a reader."""
    with tempfile.TemporaryDirectory() as folder:
        one = Reader(Path(folder))
        try:
            yield one
        finally:
            one.close()


@dataclass
class _Sum:
    """What has come of the files so far."""

    tried: int = 0
    taken: int = 0
    refused: int = 0
    slowest: float = 0.0
    memory: float = 0.0

    def __post_init__(self) -> None:
        self.broken: list[str] = []

    def add(self, what: str, read: Read, seconds: float) -> None:
        """Count one file."""
        self.tried += 1
        self.slowest, self.memory = max(self.slowest, read.seconds), max(self.memory, read.memory)
        faults = [read.words] if read.outcome == "broken" else []
        if read.seconds >= seconds:
            faults.append(f"{read.seconds:.2f} s")
        if read.memory >= MEMORY:
            faults.append(f"{read.memory:.0f} MiB")
        if faults:
            self.broken.append(f"{what}: {'; '.join(faults)} ({read.outcome}: {read.words[:120]})")
        elif read.outcome == "taken":
            self.taken += 1
        else:
            self.refused += 1

    def hostile(self, what: str) -> Hostile:
        """Return the row."""
        return Hostile(what, self.tried, self.taken, self.refused, self.broken, self.slowest, self.memory)


# Mutated files ----------------------------------------------------------------------------------------------

_NAMES = (
    "*.kml", "*.kmz", "*.gpx", "*.geojson", "*.json",
)  # fmt: skip
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_DECIMALS = re.compile(rb"\.\d\d(\d+)")
_ELEMENT = re.compile(rb"<([A-Za-z:]+)\b[^<>]*>[^<>]*</\1>|<([A-Za-z:]+)[^<>]*/>")
_TAG = re.compile(rb"<[^<>]*>|[\[\]{}]")
_NUMBERS = (
    b"NaN", b"nan", b"inf", b"-Infinity", b"1e999", b"-1e308", b"1e-320", b"180.0000001", b"-181", b"90.1", b"-91",
    b"529090", b"1000000000000000000000", b"0x10", b"1_0", b"", b"-", b"--1", b"1e", b"0", b"-0.0", b"\xd9\xa1",
    b"9" * 400, b"null", b'"51"', b"true", b"1,2", b"1 2", b"1;2",
)  # fmt: skip
_PIECES = (
    b"<", b">", b"&", b"&#0;", b"&lt;", b"&x;", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"<![CDATA[", b"]]>", b"<!--",
    b"<?xml?>", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc0\x80", b"\xf0\x9f\x98\x80", b"PK\x05\x06", b"PK\x01\x02",
    b"PK\x06\x06", b"PK\x06\x07", b"<name>", b"</Placemark>", b"<gx:Track>", b"<coord>1 2 3</coord>", b"<trkpt>",
    b"<Polygon>", b"<NetworkLink/>", b"<a:b/>", b' c:d="e"', b"encoding='utf-7'", b"[", b"]", b"{", b"}", b'"', b",",
    b"[[[[", b'{"type":"Point"}', b'"laps":1e9,', b"\\ud800", b"\n", b"Mat 1", b"Start", b"\xe2\x80\xae",
)  # fmt: skip


def bases() -> list[tuple[str, bytes]]:
    """Return real files: those that ship with the project, and the tests' own."""
    folders = (ROOT / "courses", ROOT / "tests" / "simulator" / "course" / "files")
    found = sorted(path for folder in folders for name in _NAMES for path in folder.glob(name))
    small = [path for path in found if path.stat().st_size < 30_000]
    files = [(path.suffix, path.read_bytes()) for path in small]
    # Those of which a course comes four times as often: of the others comes the same error most of the time.
    return [file for file in files for _ in range(4 if _is_course(*file) else 1)]


def _is_course(suffix: str, data: bytes) -> bool:
    try:
        library.read_course(data, f"any{suffix}")
    except CourseError:
        return False
    return True


def mutated(seed: int, originals: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    """Return a file made of a real one: its suffix and its bytes, the same for each seed."""
    chance = random.Random(seed)
    # Each format as often, however many files of it there are.
    wanted = chance.choice((".kml", ".kmz", ".gpx", ".geojson"))
    suffix, data = chance.choice([one for one in originals if one[0] == wanted])
    if wanted == ".kmz" and chance.random() < 0.7:
        _, data = chance.choice([one for one in originals if one[0] == ".kml"])
        data = zipped(
            (chance.choice(("doc.kml", "../../a.kml", "x/y.KML", "C:\\a.kml")), _edited(data, chance))
        )
        return suffix, _edited(data, chance, most=1) if chance.random() < 0.2 else data
    return suffix, _edited(data, chance)


def _edited(data: bytes, chance: random.Random, most: int = 6) -> bytes:
    for _ in range(min(most, chance.choice((1, 1, 1, 2, 3, 6)))):
        data = chance.choice(_EDITS)(data, chance)
    return data


def _flipped(data: bytes, chance: random.Random) -> bytes:
    edited = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if edited:
            edited[chance.randrange(len(edited))] = chance.randrange(256)
    return bytes(edited)


def _spliced(data: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    return (
        data[:at]
        + chance.choice(_PIECES) * chance.choice((1, 1, 1, 2, 300))
        + data[at + chance.randint(0, 40) :]
    )


def _cut(data: bytes, chance: random.Random) -> bytes:
    first, last = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
    return data[:first] + data[last:] if chance.random() < 0.5 else data[:last]


def _one(pattern: re.Pattern[bytes], data: bytes, chance: random.Random) -> tuple[int, int]:
    found = [match.span() for match in pattern.finditer(data)]
    return chance.choice(found) if found else (len(data), len(data))


def _renumbered(data: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 3)):
        first, last = _one(_NUMBER, data, chance)
        data = data[:first] + chance.choice(_NUMBERS) + data[last:]
    return data


def _nudged(data: bytes, chance: random.Random) -> bytes:
    """Change decimals: so a file stays well-formed and its line short, and its shapes become strange."""
    edited = bytearray(data)
    digits = [at for match in _DECIMALS.finditer(data) for at in range(*match.span(1))]
    for _ in range(chance.randint(1, 20) if digits else 0):
        edited[chance.choice(digits)] = chance.randint(48, 57)
    return bytes(edited)


def _repeated(data: bytes, chance: random.Random) -> bytes:
    first, last = _one(_ELEMENT, data, chance)
    return data[:last] + data[first:last] * chance.choice((1, 2, 200)) + data[last:]


def _without(data: bytes, chance: random.Random) -> bytes:
    first, last = _one(chance.choice((_ELEMENT, _TAG)), data, chance)
    return data[:first] + data[last:]


def _nested(data: bytes, chance: random.Random) -> bytes:
    first, last = _one(_ELEMENT, data, chance)
    deep = chance.choice((1, 3, 100, 300, 5000))
    name = chance.choice(
        (b"Folder", b"Placemark", b"Polygon", b"MultiGeometry", b"trkseg", b"name", b"coordinates")
    )
    return data[:first] + b"<%b>" % name * deep + data[first:last] + b"</%b>" % name * deep + data[last:]


def _swapped(data: bytes, chance: random.Random) -> bytes:
    first, last = _one(_TAG, data, chance)
    other = _one(_TAG, data, chance)
    return data[:first] + data[slice(*other)] + data[last:]


def _recoded(data: bytes, chance: random.Random) -> bytes:
    text = data.decode("utf-8", "replace")
    encoding = chance.choice(("utf-16", "utf-16-le", "utf-7", "utf-32", "cp037", "latin-1"))
    declared = f"<?xml version='1.0' encoding='{encoding}'?>" if chance.random() < 0.5 else ""
    return declared.encode(chance.choice(("ascii", encoding))) + text.encode(encoding, "replace")


_EDITS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flipped, _spliced, _spliced, _nudged, _nudged, _nudged, _cut, _renumbered, _renumbered, _repeated, _without, _nested, _swapped,
)  # fmt: skip
_RARE = _recoded


def run(tried: int, first: int = 0, seconds: float = SECONDS) -> Hostile:
    """Read mutated files; the seeds go on from `first`."""
    originals, total = bases(), _Sum()
    with reader() as process:
        for seed in range(first, first + tried):
            suffix, data = mutated(seed, originals)
            if seed % 20 == 0:
                data = _RARE(data, random.Random(seed))
            total.add(f"mutated file {seed} ({suffix})", process.read(data, suffix), seconds)
    return total.hostile("mutated KML, KMZ, GPX and GeoJSON files")


# The corpus -------------------------------------------------------------------------------------------------

_HEAD = b"<kml xmlns='http://www.opengis.net/kml/2.2' xmlns:gx='http://www.google.com/kml/ext/2.2'><Document>"
_FOOT = b"</Document></kml>"
_SHORT = b"<Placemark><LineString><coordinates>0,51 0.001,51.002 0.002,51.001</coordinates></LineString></Placemark>"
TEN_MILLION = 10_000_000


def zipped(*members: tuple[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", packing) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return data.getvalue()


def kml(*parts: bytes) -> bytes:
    """Return a KML file."""
    return _HEAD + b"".join(parts) + _FOOT


def line_of(coordinates: bytes) -> bytes:
    """Return a Placemark with a line."""
    return b"<Placemark><LineString><coordinates>" + coordinates + b"</coordinates></LineString></Placemark>"


def point(name: str, place: str) -> bytes:
    """Return a Placemark with a point."""
    return f"<Placemark><name>{name}</name><Point><coordinates>{place}</coordinates></Point></Placemark>".encode()


def ring(name: str, places: list[str]) -> bytes:
    """Return a Placemark with a polygon."""
    drawn = " ".join(places)
    return (
        f"<Placemark><name>{name}</name><Polygon><outerBoundaryIs><LinearRing><coordinates>{drawn}</coordinates>"
        "</LinearRing></outerBoundaryIs></Polygon></Placemark>"
    ).encode()


@cache
def written(points: int) -> list[tuple[str, str, str]]:
    """Return places along a line that is 14 km long if it has 100,000, with all digits that editors write."""
    return [
        (f"{-0.5 + nth * 2e-6:.14f}", f"{51 + (nth % 2) * 1e-6:.14f}", f"{100 + nth % 50}.{nth % 97:02}")
        for nth in range(points)
    ]


def long_line(points: int) -> bytes:
    """Return such a line as KML writes it."""
    return line_of("\n".join(map(",".join, written(points))).encode())


def _gpx(points: int, more: str = "<time>2024-05-01T08:00:00Z</time>") -> bytes:
    fixes = "\n".join(
        f'<trkpt lat="{lat}" lon="{lon}"><ele>{alt}</ele>{more}</trkpt>' for lon, lat, alt in written(points)
    )
    return (
        f"<gpx xmlns='http://www.topografix.com/GPX/1/1'><trk><trkseg>{fixes}</trkseg></trk></gpx>".encode()
    )


def _track(points: int) -> bytes:
    places = written(points)
    whens = "\n".join("<when>2024-05-01T08:00:00Z</when>" for _ in places)
    coords = "\n".join(f"<gx:coord>{' '.join(place)}</gx:coord>" for place in places)
    return kml(f"<Placemark><gx:Track>{whens}{coords}</gx:Track></Placemark>".encode())


def _geojson(points: int) -> bytes:
    places = ",\n".join(f"[{', '.join(place)}]" for place in written(points))
    return f'{{"type": "LineString", "coordinates": [{places}]}}'.encode()


def _biggest(mats: int = limits.MAX_MATS, fences: int = limits.MAX_FENCES) -> bytes:
    """Return a file that has all that one may have."""
    each = limits.MAX_FENCE_POINTS // fences - 2
    turns = [2 * np.pi * nth / each for nth in range(each)]
    centres = [-0.5 + 0.2 * nth / max(mats, fences) for nth in range(max(mats, fences))]
    rings = [
        ring(f"F{nth}", [f"{lon + 0.001 * np.cos(turn)},{51 + 0.001 * np.sin(turn)}" for turn in turns])
        for nth, lon in enumerate(centres[:fences])
    ]
    points = [point(f"Mat {nth}", f"{lon},51") for nth, lon in enumerate(centres[:mats])]
    return kml(long_line(limits.MAX_POINTS - mats), *rings, *points)


def _to_and_fro(points: int, mats: int) -> bytes:
    places = " ".join(f"{-0.0005 + 0.001 * (nth % 2)},51" for nth in range(points))
    return kml(line_of(places.encode()), *(point(f"Mat {nth}", "0,51") for nth in range(mats)))


def _scribbles(count: int, points: int, spread: float) -> bytes:
    chance = random.Random(7)
    rings = [
        ring(
            f"S{nth}", [f"{chance.random() * spread},{51 + chance.random() * spread}" for _ in range(points)]
        )
        for nth in range(count)
    ]
    return kml(_SHORT, *rings)


def _stars(count: int, crossings: int, points: int) -> bytes:
    """Return fences with a fine edge that cross themselves as often as is repaired."""
    bow = [f"{0.001 * (nth % 2)},{51 + 0.001 * nth}" for nth in range(crossings)]
    edge = [f"{0.01 + 0.0001 * (nth % 2)},{51.2 - 0.0001 * nth}" for nth in range(points - crossings)]
    return kml(_SHORT, *(ring(f"X{nth}", bow + edge) for nth in range(count)))


def _lying(data: bytes, size: int) -> bytes:
    """Return an archive whose headers give a wrong size of its file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        true = archive.infolist()[0].file_size
    return data.replace(struct.pack("<L", true), struct.pack("<L", size))


def _overlapping(entries: int) -> bytes:
    """Return an archive whose many files are all the same bytes."""
    whole = kml(b" " * 15_000_000)
    packed = zlib.compress(whole, 9, -15)
    name, crc = b"doc.kml", zlib.crc32(whole)
    local = (
        struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, crc, len(packed), len(whole), len(name), 0) + name
    )
    header = struct.pack(
        "<4s6H3L5H2L",
        b"PK\1\2",
        20,
        20,
        0,
        8,
        0,
        0,
        crc,
        len(packed),
        len(whole),
        len(name),
        0,
        0,
        0,
        0,
        0,
        0,
    )
    directory = (header + name) * entries
    start = len(local) + len(packed)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, entries % 65536, entries % 65536, len(directory), start, 0)
    return local + packed + directory + end


def _hidden_directory() -> bytes:
    """Return an archive whose long list of files isn't where who looks for its end sees it."""
    header = (
        struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0) + b"a.kml"
    )
    directory = header * 600_000
    # The place of the list reads like another end of the archive.
    end = struct.pack("<4s4HL", b"PK\5\6", 0, 0, 0, 0, len(directory)) + b"PK\5\6" + b"\0\0"
    return b"PK\3\4" + directory + end


def _zip64(entries: int) -> bytes:
    header = (
        struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0) + b"a.kml"
    )
    directory = b"PK\3\4" + header * entries
    where = len(directory)
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, where - 4, 4)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, where, 1)
    return directory + end64 + locator + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 50, 4, 0)


def _laughs(levels: int, each: int) -> bytes:
    entities = "".join(f"<!ENTITY l{nth} '{f'&l{nth - 1};' * each}'>" for nth in range(1, levels))
    return f"<!DOCTYPE kml [<!ENTITY l0 'lol'>{entities}]><kml><name>&l{levels - 1};</name></kml>".encode()


def _external(address: str) -> Iterator[tuple[str, bytes]]:
    """Yield files that ask for others, on this machine and at an address that listens."""
    for what, where in {"file": "file:///etc/passwd", "http": address}.items():
        doctype = f"<!DOCTYPE kml [<!ENTITY x SYSTEM '{where}'>]>".encode()
        yield f"external entity, {what}", doctype + kml(_SHORT, b"<name>&x;</name>")
        doctype = f"<!DOCTYPE kml [<!ENTITY % x SYSTEM '{where}'> %x;]>".encode()
        yield f"external parameter entity, {what}", doctype + kml(_SHORT)
        yield f"external DTD, {what}", f"<!DOCTYPE kml SYSTEM '{where}'>".encode() + kml(_SHORT)
        yield f"external DTD of a GPX, {what}", f"<!DOCTYPE gpx SYSTEM '{where}'><gpx/>".encode()
        late = b"<!--" + b"x" * 100_000 + b"-->" + f"<!DOCTYPE kml SYSTEM '{where}'>".encode() + kml(_SHORT)
        yield f"external DTD behind a comment, {what}", late
        wide = (f"<!DOCTYPE kml [<!ENTITY x SYSTEM '{where}'>]>" + kml(b"<name>&x;</name>").decode()).encode(
            "utf-16"
        )
        yield f"external entity in UTF-16, {what}", wide
        href = f"<href>{where}</href>".encode()
        yield f"NetworkLink, {what}", kml(b"<NetworkLink><Link>" + href + b"</Link></NetworkLink>", _SHORT)
        yield f"NetworkLink alone, {what}", kml(b"<NetworkLink><Url>" + href + b"</Url></NetworkLink>")
        yield (
            f"icon, {what}",
            kml(b"<Style><IconStyle><Icon>" + href + b"</Icon></IconStyle></Style>", _SHORT),
        )
        yield f"overlay, {what}", kml(b"<GroundOverlay><Icon>" + href + b"</Icon></GroundOverlay>", _SHORT)
        yield (
            f"model, {what}",
            kml(b"<Placemark><Model><Link>" + href + b"</Link></Model></Placemark>", _SHORT),
        )
        schema = f"xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='{where} {where}'"
        yield f"schema, {what}", kml(_SHORT).replace(b"<Document", f"<Document {schema}".encode())
        yield (
            f"style sheet, {what}",
            f"<?xml-stylesheet type='text/xsl' href='{where}'?>".encode() + kml(_SHORT),
        )
        include = f"<x:include xmlns:x='http://www.w3.org/2001/XInclude' href='{where}'/>".encode()
        yield f"XInclude, {what}", kml(include, _SHORT)
        yield f"namespace, {what}", kml(_SHORT).replace(b"<Document", f"<Document xmlns='{where}'".encode())
        link = f"<gpx><metadata><link href='{where}'/></metadata></gpx>".encode()
        yield f"link in a GPX, {what}", link
        crs = {"type": "link", "properties": {"href": where}}
        line = {"type": "LineString", "coordinates": [[0, 51], [0.001, 51.001]], "crs": crs, "$ref": where}
        yield f"reference system in GeoJSON, {what}", json.dumps(line).encode()


def _paths(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield archives whose names lead elsewhere."""
    names = (
        "../../up.kml", f"{folder}/absolute.kml", "C:\\windows\\a.kml", "..\\..\\up.kml", "/dev/null/a.kml", "CON.kml",
        "aux.kml/doc.kml", "a\0b.kml", "." * 300 + "/a.kml", "x" * 60_000 + ".kml", "\u202elmk.kml", "~/a.kml", "//host/a.kml",
    )  # fmt: skip
    for name in names:
        yield f"path {name[:20]!r}", zipped((name, kml(_SHORT)), ("x.png", b"x"))


def _archives() -> Iterator[tuple[str, bytes]]:
    good = zipped(("doc.kml", kml(_SHORT)))
    yield "60 MB of blanks in a KMZ", zipped(("doc.kml", b" " * 60_000_000))
    yield "20 MB of blanks in a KMZ", zipped(("doc.kml", kml(b" " * 20_000_000, _SHORT)))
    yield "20 MB of tags in a KMZ", zipped(("doc.kml", kml(b"<a/>" * 5_000_000)))
    yield "a bomb in a bomb", zipped(("doc.kml", zipped(("doc.kml", b" " * 20_000_000))))
    yield "an archive of archives", zipped(*((f"{nth}.kmz", good) for nth in range(2000)))
    yield "a size that lies low", _lying(zipped(("doc.kml", b" " * 60_000_003)), 100)
    yield "a size that lies a little", _lying(zipped(("doc.kml", b" " * 30_000_003)), 20_000_000)
    yield "a size that lies high", _lying(good, 2**32 - 2)
    yield "files that overlap", _overlapping(10_000)
    yield "files that overlap, too many", _overlapping(300_000)
    yield "a long list of files that hides", _hidden_directory()
    yield "a long list of files, ZIP64", _zip64(500_000)
    yield "20,000 KML files", zipped(*((f"{nth}.kml", b"") for nth in range(18_000)))
    yield "bzip2", zipped(("doc.kml", b" " * 19_000_000), packing=zipfile.ZIP_BZIP2)
    yield "LZMA", zipped(("doc.kml", b" " * 19_000_000), packing=zipfile.ZIP_LZMA)
    huge = bytearray(zipped(("doc.kml", kml(_SHORT)), packing=zipfile.ZIP_LZMA))
    at = huge.index(b"doc.kml") + 7
    huge[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    yield "LZMA that wants 4 GB", bytes(huge)
    yield "a comment as long as may be", good[:-2] + b"\xff\xff" + b"PK\5\6" * 16_383 + b"xxx"
    yield "nothing but a magic number", b"PK\3\4"
    yield "an end of an archive alone", b"PK\3\4" + b"PK\5\6" * 500_000
    yield "a file that is encrypted", good.replace(b"PK\1\2\x14\x03\x14\0\0", b"PK\1\2\x14\x03\x14\0\1")


def _numbers() -> Iterator[tuple[str, bytes]]:
    for value in (
        "NaN",
        "nan",
        "inf",
        "-Infinity",
        "1e999",
        "-1e999",
        "181",
        "-91",
        "1e308",
        "1e-400",
        "9" * 5000,
    ):
        yield f"{value[:9]} in KML", kml(line_of(f"0,51 {value},51 0,{value} 0.001,51.001,{value}".encode()))
        yield f"{value[:9]} in an altitude", kml(line_of(f"0,51,1 0,51.01,{value} 0.001,51.02,3".encode()))
        track = f"<trk><trkseg><trkpt lat='{value}' lon='0'/><trkpt lat='51' lon='{value}'/></trkseg></trk>"
        yield f"{value[:9]} in GPX", f"<gpx>{track}</gpx>".encode()
        yield (
            f"{value[:9]} in a gx:Track",
            kml(f"<gx:Track><gx:coord>{value} 51 0</gx:coord></gx:Track>".encode()),
        )
        line = f'{{"type":"LineString","coordinates":[[0,51],[{value},51],[0,{value}],[0,51.1,{value}]]}}'
        yield f"{value[:9]} in GeoJSON", line.encode()
        yield f"{value[:9]} laps", kml(f"<Data name='laps'><value>{value}</value></Data>".encode(), _SHORT)


def _points() -> Iterator[tuple[str, bytes]]:
    most = limits.MAX_POINTS
    yield "the longest line in KML", kml(long_line(most))
    yield (
        "the longest line in KML, written in two ways",
        kml(line_of(b"0,51 " + "\n".join(map(",".join, written(most - 1))).encode())),
    )
    yield "the longest line in KMZ", zipped(("doc.kml", kml(long_line(most))))
    yield "the longest gx:Track", _track(limits.MAX_ELEMENT_POINTS)
    yield "the longest gx:Track, in KMZ", zipped(("doc.kml", _track(limits.MAX_ELEMENT_POINTS)))
    yield (
        "the longest gx:Track, its prefix not declared",
        _track(limits.MAX_ELEMENT_POINTS).replace(b"xmlns:gx", b"id"),
    )
    yield "the longest GPX track", _gpx(limits.MAX_ELEMENT_POINTS)
    yield "the longest GPX track of a watch", _gpx(limits.MAX_ELEMENT_POINTS, _WATCH)
    yield "the longest line in GeoJSON", _geojson(most)
    yield "one point too many", kml(long_line(most + 1))
    yield "all that a file may have", _biggest()
    yield "two big geofences", _biggest(1, 2)
    fit = TEN_MILLION
    yield "10 million points in KML", kml(line_of(b"1,2 " * fit))
    yield "10 million points in KML, in many lines", kml(line_of(b"1,2 " * 2_000_000) * 5)
    yield "as many points as fit in KML, in many lines", kml(line_of(b"1,2 " * 1_500_000) * 5)
    yield "as many points as fit in one line", kml(line_of(b"1,2 " * 2_400_000))
    yield "10 million points in KMZ", zipped(("doc.kml", kml(line_of(b"1,2 " * 2_000_000) * 5)))
    yield "as many points as fit in KMZ", zipped(("doc.kml", kml(line_of(b"1,2 " * 2_000_000) * 2)))
    yield "as many points as fit in GPX", b"<gpx><trk><trkseg>" + b'<trkpt lat="1" lon="2"/>' * 1_390_000
    yield (
        "660,000 points in GPX",
        b"<gpx><trk><trkseg>" + b'<trkpt lat="1" lon="2"/>' * 660_000 + b"</trkseg></trk></gpx>",
    )
    yield "10 million points in GPX", b"<gpx><trk><trkseg>" + b"<trkpt/>" * fit
    yield (
        "10 million points in GeoJSON",
        b'{"type":"LineString","coordinates":[' + b"[1,2]," * fit + b"[1,2]]}",
    )
    yield (
        "120,000 points in GeoJSON",
        b'{"type":"LineString","coordinates":[' + b"[1,2]," * 120_000 + b"[1,2]]}",
    )
    yield (
        "points that aren't alike in GeoJSON",
        b'{"type":"LineString","coordinates":[' + b"[1,2,null]," * 99_000 + b"[1,2]]}",
    )
    same = b'{"type":"LineString","coordinates":[' + b"[1,2]," * 99_000 + b"[1,2.01]]}"
    yield "99,000 times the same point", same
    close = " ".join(f"0,{51 + nth * 1e-9:.10f}" for nth in range(99_000))
    yield "99,000 points a tenth of a millimetre apart", kml(line_of(f"{close} 0,52".encode()))
    yield "a to-and-fro line past a timing point", _to_and_fro(9_000, 1)
    yield "a to-and-fro line past a hundred", _to_and_fro(99_000, 100)
    yield "a hundred timing points of one name", kml(long_line(90_000), *[point("Mat", "-0.4,51")] * 100)
    yield "20,000 starts", kml(long_line(80_000), *[point("Start", "-0.4,51")] * 19_000)
    yield "50 starts far away", kml(long_line(90_000), *[point("Start", "9,51")] * 50)
    yield (
        "20,000 points without a name",
        kml(_SHORT, b"<Point><coordinates>1,2</coordinates></Point>" * 19_900),
    )
    yield (
        "a million points without a name",
        kml(_SHORT, b"<Point><coordinates>1,2</coordinates></Point>" * 300_000),
    )
    deep = b"<Folder>" * 240 + b"<Point><coordinates>1,2</coordinates></Point>" * 19_000 + b"</Folder>" * 240
    yield "20,000 points, deep", kml(_SHORT, deep)
    yield "20,000 points with a name", kml(_SHORT, point("P", "0,51") * 9_000)
    lines = b"<LineString><coordinates>1,2 1,3</coordinates></LineString>"
    yield "19,000 lines", kml(_SHORT, lines * 19_000)
    yield "20,000 waypoints", b"<gpx>" + b'<wpt lat="1" lon="2"><name>a</name></wpt>' * 18_000 + b"</gpx>"
    features = b'{"type":"Feature","geometry":null},' * 90_000
    yield "90,000 features of nothing", b'{"type":"FeatureCollection","features":[' + features + b"1]}"
    mark = b'{"type":"Feature","properties":{"name":"a"},"geometry":{"type":"Point","coordinates":[0,51]}},'
    yield "features of points", b'{"type":"FeatureCollection","features":[' + mark * 19_900 + b"1]}"
    inner = b'{"type":"Point","coordinates":[1,2]},' * 60_000
    collection = b'{"type":"GeometryCollection","geometries":[' + inner + b"1]}"
    yield "a collection of points", collection
    named = b'{"type":"Feature","properties":{"name":"a"},"geometry":' + collection + b"}"
    yield "a collection of points with a name", named


def _shapes() -> Iterator[tuple[str, bytes]]:
    yield "a scribble for a geofence", _scribbles(1, 1990, 0.01)
    yield "five scribbles", _scribbles(5, 1990, 0.01)
    yield "a hundred small scribbles", _scribbles(100, 14, 0.01)
    yield "a hundred geofences that cross themselves", _stars(100, 20, 98)
    yield "five big geofences that cross themselves", _stars(5, 60, 1990)
    yield "a geofence that crosses itself, too big", _stars(1, 60, 9900)
    comb = [f"{nth * 1e-5},{51 + (nth % 2) * 0.01}" for nth in range(9_900)]
    yield "a comb", kml(_SHORT, ring("Comb", [*comb, "0.1,50.9", "0,50.9"]))
    spiral = [f"{nth * 1e-6 * np.cos(nth / 50)},{51 + nth * 1e-6 * np.sin(nth / 50)}" for nth in range(9_900)]
    yield "a spiral", kml(_SHORT, ring("Spiral", spiral))
    yield "a geofence of one place", kml(_SHORT, ring("Dot", ["0,51"] * 9_990))
    yield "101 geofences", kml(_SHORT, ring("F", ["0,51", "0,52", "1,52"]) * 101)
    yield "19,000 geofences", kml(_SHORT, ring("F", ["0,51", "0,52", "1,52"]) * 19_000)
    hole = b"<innerBoundaryIs><LinearRing><coordinates>0,51 0,51.1 0.1,51</coordinates></LinearRing></innerBoundaryIs>"
    outer = b"<outerBoundaryIs><LinearRing><coordinates>0,51 0,52 1,52 1,51</coordinates></LinearRing></outerBoundaryIs>"
    yield "3,000 holes, all the same", kml(_SHORT, b"<Polygon>" + outer + hole * 3_000 + b"</Polygon>")
    nested = b"<Polygon>" * 200 + outer + hole * 3_000 + b"</Polygon>" * 200
    yield "polygons in polygons", kml(_SHORT, nested)
    yield (
        "rings over the poles",
        kml(line_of(b"0,89.9 90,89.9 180,89.9 -90,89.9 0,89.9"), ring("P", ["0,90", "90,89", "-90,89"])),
    )
    crossing = " ".join(f"{180 * (-1) ** nth},{nth * 1e-4}" for nth in range(20_000))
    yield "a line that jumps the date line", kml(line_of(crossing.encode()))


def _markup() -> Iterator[tuple[str, bytes]]:
    yield "billion laughs", _laughs(10, 10)
    yield "billion laughs, deep", _laughs(30, 10)
    yield (
        "quadratic blow-up",
        b"<!DOCTYPE kml [<!ENTITY a '" + b"x" * 50_000 + b"'>]><kml>" + b"&a;" * 50_000 + b"</kml>",
    )
    yield "a million entities", b"<!DOCTYPE kml [" + b"<!ENTITY a 'b'>" * 1_000_000 + b"]><kml/>"
    many = "".join(f"<!ENTITY a{nth} 'b'>" for nth in range(600_000)).encode()
    yield "600,000 entities", b"<!DOCTYPE kml [" + many + b"]><kml/>"
    yield "600,000 entities in UTF-16", (b"<!DOCTYPE kml [" + many[:7_000_000]).decode().encode("utf-16")
    yield "a laughing GPX", _laughs(10, 10).replace(b"kml", b"gpx")
    for deep in (256, 100_000, 2_000_000):
        yield f"{deep:,} levels in KML", b"<kml>" + b"<Folder>" * deep + b"</Folder>" * deep + b"</kml>"
        yield f"{deep:,} levels in GPX", b"<gpx>" + b"<trk>" * deep
        yield (
            f"{deep:,} levels in GeoJSON",
            b'{"type":"LineString","coordinates":' + b"[" * deep + b"]" * deep + b"}",
        )
        yield f"{deep:,} objects in GeoJSON", b'{"type":' * deep + b"1" + b"}" * deep
    collection = b'{"type":"GeometryCollection","geometries":['
    yield "100,000 geometry collections", collection * 100_000 + b"]}" * 100_000
    for tag in (
        b"<a/>",
        b"<a></a>",
        b"<a/> ",
        b'<a b=""/>',
        b'<a b="c" d="e"/>x',
        b"<Point/>",
        b"<name/>",
        b"<Placemark/>",
    ):
        yield f"tags {tag.decode()}", kml(tag * (1_900_000 // (tag.count(b"<") + tag.count(b"="))))
        yield f"too many tags {tag.decode()}", kml(tag * (30_000_000 // len(tag)))
    stuffed = b"<gx:Track><coord>" + b"<a/>" * 1_900_000 + b"</coord></gx:Track>"
    yield "tags in a place", kml(stuffed)
    yield (
        "tags in places",
        kml(b"<gx:Track>" + (b"<coord>1 2" + b"<a/> " * 60 + b"</coord>") * 30_000 + b"</gx:Track>"),
    )
    yield "tags in a point of GPX", b"<gpx><trk><trkseg><trkpt>" + b"<a/>" * 1_900_000
    yield "tags that are dropped", kml(b"<when/>" * 1_900_000)
    yield "tags in what is dropped", kml(b"<Style>" + b"<a/>" * 1_900_000 + b"</Style>")
    yield (
        "empty lists of coordinates",
        kml(b"<LineString>" + b"<coordinates/>" * 1_900_000 + b"</LineString>"),
    )
    yield "lists in lists", kml(b"<coordinates>1,2 " * 200 + b"</coordinates>" * 200)
    yield "empty places", kml(b"<gx:Track>" + b"<coord/>" * 1_900_000 + b"</gx:Track>")
    attributes = b" ".join(b'a%d=""' % nth for nth in range(400_000))
    yield "400,000 attributes", b"<kml " + attributes + b"/>"
    yield "400,000 attributes, quoted otherwise", b"<kml " + attributes.replace(b'"', b"'") + b"/>"
    yield "400,000 attributes with tags in them", b"<kml " + attributes.replace(b'""', b'"\'>"') + b"/>"
    yield "400,000 attributes in UTF-16", (b"<kml " + attributes + b"/>").decode().encode("utf-16")
    yield "the same attribute", b"<kml " + b'a="" ' * 400_000 + b"/>"
    prefixes = b" ".join(b'xmlns:a%d="b%d"' % (nth, nth) for nth in range(400_000))
    yield "400,000 prefixes", b"<kml " + prefixes + b"/>"
    some = b" ".join(b'xmlns:a%d="b%d"' % (nth, nth) for nth in range(190))
    yield "prefixes that are used", b"<kml " + some + b">" + b"<a1:b a2:c='' a3:d=''/>" * 400_000 + b"</kml>"
    scopes = b"".join(b'<a xmlns:p%d="u%d">' % (nth, nth) for nth in range(200))
    yield "prefixes in scopes", kml(scopes, b"<p0:a/>" * 90_000, b"</a>" * 200)
    yield "100,000 undeclared prefixes", kml(*(b"<p%d:a/>" % nth for nth in range(100_000)))
    yield "an undeclared prefix, often", kml(b"<p:a/>" * 90_000)
    yield "an undeclared prefix at the end", kml(b"<Style>" + b"<a/>" * 1_800_000 + b"</Style><p:a/>")
    yield "prefixes in a text", kml(b" a:b" * 5_000_000, b"<p:a/>")
    yield "a huge name of a tag", b"<kml><" + b"a" * 30_000_000 + b"/></kml>"
    yield "a huge attribute", b"<kml a='" + b"b" * 30_000_000 + b"'/>"
    yield "a huge attribute that is allowed", b"<kml a='" + b"b" * 9_000_000 + b"'/>"
    yield "three huge attributes", kml(*(b"<a b='" + b"&lt;" * 2_400_000 + b"'/>" for _ in range(3)))
    yield "a huge comment", kml(_SHORT, b"<!--" + b"x- " * 10_000_000 + b"-->")
    yield "a huge comment that is allowed", kml(_SHORT, b"<!--" + b"x- " * 3_000_000 + b"-->")
    yield "a huge comment first", b"<!--" + b"x- " * 3_000_000 + b"-->" + kml(_SHORT)
    yield "a million comments", b"<!---->" * 900_000 + kml(_SHORT)
    yield "comments in a text", kml(b"<name>" + b"a<!---->" * 900_000 + b"</name>", _SHORT)
    yield "a huge instruction", kml(_SHORT, b"<?a " + b"x? " * 10_000_000 + b"?>")
    yield "huge CDATA", kml(b"<description><![CDATA[" + b"]] " * 10_000_000 + b"]]></description>", _SHORT)
    yield "30 MB of descriptions", kml(b"<description>" + b"x" * 9_000_000 + b"</description>", _SHORT) * 1
    yield "30 MB of unknown texts", kml(*(b"<a>" + b"x" * 9_000_000 + b"</a>" for _ in range(3)), _SHORT)
    yield (
        "30 MB of unknown texts with a letter of four bytes",
        kml(*(b"<name>\xf0\x9f\x98\x80" + b"x" * 9_000_000 + b"</name>" for _ in range(3)), _SHORT),
    )
    yield "blanks", b" " * 30_000_000
    yield "blanks, and a tag", b" " * 30_000_000 + kml(_SHORT)
    yield "lines, and a declaration", b"\n" * 30_000_000 + b"<?xml version='1.0'?>" + kml(_SHORT)
    yield "blanks in a declaration", b"<?xml" + b" " * 20_000_000 + b"encoding='latin-1'?>" + kml(_SHORT)
    for text in (b"a ", b"ab ", b"-", b"\xf0\x9f\x98\x80 ", b"&amp;", b"1,"):
        name = text * (9_000_000 // len(text))
        yield f"a huge name of {text!r}", kml(b"<name>" + name + b"</name>", _SHORT)
        marker = (
            b"<Placemark><name>Mat "
            + name
            + b"x</name><Point><coordinates>0,51</coordinates></Point></Placemark>"
        )
        yield f"a huge timing point of {text!r}", kml(_SHORT, marker)
        yield f"huge laps of {text!r}", kml(b"<Data name='laps'><value>" + name + b"</value></Data>", _SHORT)
        yield f"huge coordinates of {text!r}", kml(line_of(name))
        yield f"a huge place of {text!r}", kml(b"<gx:Track><gx:coord>" + name + b"</gx:coord></gx:Track>")
        yield (
            f"a huge altitude of {text!r}",
            b"<gpx><trk><trkseg><trkpt lat='1' lon='2'><ele>" + name + b"</ele></trkpt></trkseg></trk></gpx>",
        )
    yield (
        "huge names of waypoints",
        b"<gpx>" + b'<wpt lat="1" lon="2"><name>Mat ' * 1 + b"-" * 5_000_000 + b"a</name></wpt></gpx>",
    )
    for what, long in {"a": "a" * 16_000_000, "-": "Mat " + "-" * 14_000_000 + "\U0001f600"}.items():
        line = {"type": "LineString", "coordinates": [[0, 51], [0, 51.01]], "name": long}
        yield f"a huge name of {what} in GeoJSON", json.dumps(line, ensure_ascii=False).encode()
    yield "values in GeoJSON", b'{"type":"FeatureCollection","features":[' + b"{}," * 160_000 + b"1]}"
    yield "objects in GeoJSON", b'{"type":"FeatureCollection","features":[' + b'{"a":1},' * 160_000 + b"1]}"
    yield (
        "chains of objects in GeoJSON",
        b'{"type":"FeatureCollection","features":['
        + (b'{"a":' * 900 + b"1" + b"}" * 900 + b",") * 270
        + b"1]}",
    )
    yield "lists in GeoJSON", b'{"type":"LineString","coordinates":[' + b"[],".ljust(3) * 240_000 + b"[]]}"
    yield (
        "chains of lists in GeoJSON",
        b'{"type":"LineString","coordinates":[' + (b"[" * 900 + b"]" * 900 + b",") * 500 + b"1]}",
    )
    yield (
        "names in GeoJSON",
        ('{"type":"LineString",' + ",".join(f'"a{nth}":1' for nth in range(240_000)) + "}").encode(),
    )
    yield "texts in GeoJSON", b'{"type":"LineString","coordinates":[' + b'"ab",' * 490_000 + b"1]}"
    yield "empty polygons in GeoJSON", b'{"type":"MultiPolygon","coordinates":[' + b"[]," * 240_000 + b"[]]}"
    yield "empty lines in GeoJSON", b'{"type":"MultiLineString","coordinates":[' + b"[]," * 240_000 + b"[]]}"


def _encodings() -> Iterator[tuple[str, bytes]]:
    body = kml(_SHORT).decode()
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-7", "utf-32", "cp037", "iso2022_jp", "hz", "idna", "punycode",
                     "unicode_escape", "zlib", "rot13", "no-such", "utf-8", "latin-1", "shift_jis", "undefined"):  # fmt: skip
        declared = f"<?xml version='1.0' encoding='{encoding}'?>"
        with suppress(LookupError, UnicodeError):
            yield f"all in {encoding}", (declared + body).encode(encoding)
            yield f"declared in ASCII, then {encoding}", declared.encode() + body.encode(encoding)
        yield f"said to be {encoding}", (declared + body).encode()
        yield f"30 MB said to be {encoding}", declared.encode() + b"<a>" + b"ab-" * 5_000_000
    tags = "<kml>" + "<a/>" * 3_000_000 + "</kml>"
    yield "tags in UTF-7", b"<?xml version='1.0' encoding='utf-7'?>" + tags.encode("utf-7")
    yield "tags in EBCDIC", ("<?xml version='1.0' encoding='cp037'?>" + tags).encode("cp037")
    yield "tags in UTF-16", tags[:8_000_000].encode("utf-16")
    yield "tags in UTF-32", tags[:7_000_000].encode("utf-32")
    yield (
        "high letters in Latin-1",
        b"<?xml version='1.0' encoding='latin-1'?><kml><name>" + b"\xff" * 9_000_000 + b"</name></kml>",
    )
    yield (
        "high letters in UTF-16",
        ("<kml><name>" + "\U0001f600" + "\u4e00" * 3_000_000 + "</name></kml>").encode("utf-16"),
    )
    yield "half a letter in UTF-16", b"\xff\xfe<\x00k\x00\x00\xd8"
    yield "overlong UTF-8", kml(b"\xc0\xbc\xe0\x80\xbc", _SHORT)


_WATCH = (
    "<time>2024-05-01T08:00:00.000Z</time><extensions><gpxtpx:TrackPointExtension xmlns:gpxtpx='x'><gpxtpx:hr>140</gpxtpx:hr>"
    "<gpxtpx:cad>80</gpxtpx:cad></gpxtpx:TrackPointExtension></extensions>"
)

FAMILIES: dict[str, Callable[[], Iterator[tuple[str, bytes]]]] = {
    "archives": _archives,
    "numbers": _numbers,
    "points": _points,
    "shapes": _shapes,
    "markup": _markup,
    "encodings": _encodings,
}
"""The corpus without what asks for other files and what leads elsewhere: each makes its files one by one."""


class Canary:
    """Listens, and counts the calls."""

    def __init__(self) -> None:
        self.calls = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}/canary"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.calls += 1
                connection.close()

    def close(self) -> None:
        """Listen no longer."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def corpus(seconds: float = SECONDS, say: Callable[[str], None] | None = None) -> Hostile:
    """Read every file of the corpus; nothing may have called the canary or written a file."""
    total, canary = _Sum(), Canary()
    with tempfile.TemporaryDirectory() as folder, reader() as process:
        families: list[Callable[[], Iterator[tuple[str, bytes]]]] = [
            partial(_external, canary.address),
            partial(_paths, Path(folder)),
            *FAMILIES.values(),
        ]
        for family in families:
            for what, data in family():
                read = process.read(data)
                total.add(what, read, seconds)
                if say:
                    say(
                        f"{read.seconds:6.2f} s {read.memory:6.1f} MiB {len(data) / 1e6:6.1f} MB {what}: {read.outcome} {read.words[:90]}"
                    )
        written_there = sorted(path.name for path in Path(folder).iterdir())
    canary.close()
    if canary.calls:
        total.broken.append(f"the canary was called {canary.calls} times")
    if written_there:
        total.broken.append(f"files were written: {written_there}")
    return total.hostile("corpus of hostile course files")


if __name__ == "__main__":
    for outcome in (corpus(say=print), run(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)):
        print(outcome, "held" if outcome.held else "BROKEN", flush=True)
