# ruff: noqa: E501, PLR0915 - the corpus is a long list of long lines
"""Hostile course files, and how the course readers handle them.

Each file is read as the product reads it, in a separate process that measures CPU time and peak memory. The
result must be a valid course or one `CourseError`; anything else is a failure.

    python -m tests.torture files
"""

import ctypes
import gc
import gzip
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from simulator.course import library
from simulator.course.course import MAX_DISTANCE, Course
from simulator.course.drawing import CourseError
from simulator.course.survey import limits
from tests.torture.outcome import InputResult

ROOT = Path(__file__).parents[2]
MAX_SECONDS = 1.0
"""CPU time limit for one file."""
MAX_MEMORY_MIB = 100.0
"""Memory limit for one file, above the process's memory before, without the file itself."""
_ATTEMPTS = 3
"""Number of times a slow file is read. The fastest counts, because other load slows a shared machine."""
_TIMEOUT_S = 60.0
"""Wall time after which a file counts as hanging."""
_ADDRESS_SPACE = 4 * 1024**3
"""Limit in bytes, so that a failing reader does not exhaust the machine's memory."""


class ReadResult(NamedTuple):
    """Result of reading one file.

    Attributes:
        outcome: "accepted", "rejected" or "failed".
        message: the error, if there was one.
        seconds: CPU time.
        memory: peak memory in MiB, above the process's memory before.
    """

    outcome: str
    message: str
    seconds: float
    memory: float


# The reader process -----------------------------------------------------------------------------------------


def _serve(pipe: Connection) -> None:
    """Read the files whose paths arrive in the pipe, until None arrives."""
    hard_limit = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, hard_limit))
    # Warm-up, so that imports and caches are not measured.
    for path in sorted((ROOT / "courses").glob("*.kml")):
        _read(path.read_bytes(), None)
    while (request := pipe.recv()) is not None:
        path, suffix = request
        pipe.send(_read(Path(path).read_bytes(), suffix))


def _read(data: bytes, suffix: str | None) -> ReadResult:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    before, begin = _memory_mib("VmRSS"), time.process_time()
    course: Course | None = None
    try:
        course = library.read_course(data, f"any{suffix or '.kml'}")
    except CourseError as error:
        outcome, message = "rejected", str(error)
    except BaseException as error:  # noqa: BLE001 - any other exception is a failure to report
        outcome, message = "failed", f"{type(error).__name__}: {error}"[:300]
    else:
        outcome, message = "accepted", ""
    seconds, memory = time.process_time() - begin, _memory_mib("VmHWM") - before
    if course is not None and (wrong := defects(course)):
        outcome, message = "failed", f"an invalid course was accepted: {wrong}"
    if outcome == "rejected" and (len(message) > 600 or "\n" in message):
        outcome, message = "failed", f"the error is not one short sentence: {message[:300]!r}"
    return ReadResult(outcome, message, seconds, memory)


def _memory_mib(key: str) -> float:
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"^{key}:\s+(\d+) kB", status, re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def defects(course: Course) -> str:
    """Return the invalid properties of a course, or an empty string."""
    distances = [point.distance for point in course.timing_points] if len(course.lon) < 5000 else []
    rules = {
        "length": limits.MIN_DISTANCE * 0.99 < course.distance <= MAX_DISTANCE,
        "coordinates": bool(np.isfinite([course.lon, course.lat, course.along]).all()),
        "altitudes": course.alt is None or bool(np.isfinite(course.alt).all()),
        "order of points": bool((np.diff(course.along) > 0).all()),
        "latitudes": float(np.abs(course.lat).max()) <= 90,
        "number of warnings": len(course.warnings) <= limits.MAX_WARNINGS,
        "number of geofences": len(course.fences) <= limits.MAX_FENCES,
        "geofences": all(one.polygon.is_valid and not one.polygon.is_empty for one in course.fences),
        "number of timing points": len(course.mats) <= limits.MAX_MATS,
        "order of timing points": distances == sorted(distances),
        "name": len(course.long_name) <= limits.MAX_NAME,
    }
    return ", ".join(rule for rule, holds in rules.items() if not holds)


class ReaderProcess:
    """Reads files in a separate process, and replaces it if it exits or hangs.

    Args:
        folder: folder for the files that it reads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: Any = None
        self._pipe: Any = None

    def read(self, data: bytes, suffix: str | None = None, attempts: int = _ATTEMPTS) -> ReadResult:
        """Read a file; repeat a slow one and return the fastest result."""
        path = self._folder / "file"
        path.write_bytes(data)
        best = self._read_once(path, suffix)
        while attempts > 1 and best.seconds >= MAX_SECONDS and best.outcome != "failed":
            result = self._read_once(path, suffix)
            memory = max(best.memory, result.memory)
            best = min(best, result, key=lambda one: one.seconds)._replace(memory=memory)
            attempts -= 1
        return best

    def _read_once(self, path: Path, suffix: str | None) -> ReadResult:
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
            with _plain_start():
                self._process.start()
            theirs.close()
        try:
            self._pipe.send((str(path), suffix))
            if self._pipe.poll(_TIMEOUT_S):
                result: ReadResult = self._pipe.recv()
                return result
        except (EOFError, OSError):
            status = self._process.exitcode
            self.close()
            return ReadResult("failed", f"the process exited with status {status}", 0.0, 0.0)
        self.close()
        return ReadResult("failed", "the reader hangs", _TIMEOUT_S, 0.0)

    def close(self) -> None:
        """Kill the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


@contextmanager
def _plain_start() -> Iterator[None]:
    """Let processes start without running this process's main script and without measuring coverage."""
    main: Any = sys.modules["__main__"]
    saved = {name: vars(main)[name] for name in ("__file__", "__spec__") if name in vars(main)}
    coverage_variables = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    try:
        vars(main).update(dict.fromkeys(saved))
        for name in coverage_variables:
            del os.environ[name]
        yield
    finally:
        vars(main).update(saved)
        os.environ.update(coverage_variables)


@contextmanager
def reader_process() -> Iterator[ReaderProcess]:
    """Provide a reader process, and kill it afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        reader = ReaderProcess(Path(folder))
        try:
            yield reader
        finally:
            reader.close()


@dataclass
class _Totals:
    """Totals over the files read so far."""

    inputs: int = 0
    accepted: int = 0
    rejected: int = 0
    slowest: float = 0.0
    memory: float = 0.0
    failures: list[str] = field(default_factory=list)

    def add(self, name: str, read: ReadResult, max_seconds: float) -> None:
        """Add the result of one file."""
        self.inputs += 1
        self.slowest, self.memory = max(self.slowest, read.seconds), max(self.memory, read.memory)
        problems = [read.message] if read.outcome == "failed" else []
        if read.seconds >= max_seconds:
            problems.append(f"{read.seconds:.2f} s")
        if read.memory >= MAX_MEMORY_MIB:
            problems.append(f"{read.memory:.0f} MiB")
        if problems:
            self.failures.append(f"{name}: {'; '.join(problems)} ({read.outcome}: {read.message[:120]})")
        elif read.outcome == "accepted":
            self.accepted += 1
        else:
            self.rejected += 1

    def result(self, name: str) -> InputResult:
        """Return the totals as a result."""
        return InputResult(
            name, self.inputs, self.accepted, self.rejected, self.failures, self.slowest, self.memory
        )


# Mutated files ----------------------------------------------------------------------------------------------

_PATTERNS = (
    "*.kml", "*.kmz", "*.gpx", "*.geojson", "*.json", "*.tcx",
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


def originals() -> list[tuple[str, bytes]]:
    """Return the suffix and content of small real files: the project's courses and the tests' files."""
    folders = (ROOT / "courses", ROOT / "tests" / "simulator" / "course" / "files")
    found = sorted(path for folder in folders for pattern in _PATTERNS for path in folder.glob(pattern))
    small = [path for path in found if path.stat().st_size < 30_000]
    files = [(path.suffix, path.read_bytes()) for path in small]
    # Valid courses count four times: mutations of an invalid file mostly give the same error again.
    return [file for file in files for _ in range(4 if _is_valid(*file) else 1)]


def _is_valid(suffix: str, data: bytes) -> bool:
    try:
        library.read_course(data, f"any{suffix}")
    except CourseError:
        return False
    return True


def mutated(seed: int, files: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    """Return the suffix and content of a mutated file; the seed determines both."""
    rng = random.Random(seed)
    # All formats have the same probability.
    wanted = rng.choice((".kml", ".kmz", ".gpx", ".geojson"))
    suffix, data = rng.choice([one for one in files if one[0] == wanted])
    if wanted == ".kmz" and rng.random() < 0.7:
        _, data = rng.choice([one for one in files if one[0] == ".kml"])
        data = zipped((rng.choice(("doc.kml", "../../a.kml", "x/y.KML", "C:\\a.kml")), _edited(data, rng)))
        return suffix, _edited(data, rng, max_edits=1) if rng.random() < 0.2 else data
    return suffix, _edited(data, rng)


def _edited(data: bytes, rng: random.Random, max_edits: int = 6) -> bytes:
    for _ in range(min(max_edits, rng.choice((1, 1, 1, 2, 3, 6)))):
        data = rng.choice(_EDITS)(data, rng)
    return data


def _flipped(data: bytes, rng: random.Random) -> bytes:
    edited = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        if edited:
            edited[rng.randrange(len(edited))] = rng.randrange(256)
    return bytes(edited)


def _spliced(data: bytes, rng: random.Random) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.choice(_PIECES) * rng.choice((1, 1, 1, 2, 300)) + data[at + rng.randint(0, 40) :]


def _cut(data: bytes, rng: random.Random) -> bytes:
    first, last = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
    return data[:first] + data[last:] if rng.random() < 0.5 else data[:last]


def _random_match(pattern: re.Pattern[bytes], data: bytes, rng: random.Random) -> tuple[int, int]:
    found = [match.span() for match in pattern.finditer(data)]
    return rng.choice(found) if found else (len(data), len(data))


def _renumbered(data: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.randint(1, 3)):
        first, last = _random_match(_NUMBER, data, rng)
        data = data[:first] + rng.choice(_NUMBERS) + data[last:]
    return data


def _nudged(data: bytes, rng: random.Random) -> bytes:
    """Change decimals: the file stays well-formed and the line short, but shapes become irregular."""
    edited = bytearray(data)
    digits = [at for match in _DECIMALS.finditer(data) for at in range(*match.span(1))]
    for _ in range(rng.randint(1, 20) if digits else 0):
        edited[rng.choice(digits)] = rng.randint(48, 57)
    return bytes(edited)


def _repeated(data: bytes, rng: random.Random) -> bytes:
    first, last = _random_match(_ELEMENT, data, rng)
    return data[:last] + data[first:last] * rng.choice((1, 2, 200)) + data[last:]


def _without(data: bytes, rng: random.Random) -> bytes:
    first, last = _random_match(rng.choice((_ELEMENT, _TAG)), data, rng)
    return data[:first] + data[last:]


def _nested(data: bytes, rng: random.Random) -> bytes:
    first, last = _random_match(_ELEMENT, data, rng)
    levels = rng.choice((1, 3, 100, 300, 5000))
    name = rng.choice(
        (b"Folder", b"Placemark", b"Polygon", b"MultiGeometry", b"trkseg", b"name", b"coordinates")
    )
    return data[:first] + b"<%b>" % name * levels + data[first:last] + b"</%b>" % name * levels + data[last:]


def _swapped(data: bytes, rng: random.Random) -> bytes:
    first, last = _random_match(_TAG, data, rng)
    other = _random_match(_TAG, data, rng)
    return data[:first] + data[slice(*other)] + data[last:]


def _recoded(data: bytes, rng: random.Random) -> bytes:
    text = data.decode("utf-8", "replace")
    encoding = rng.choice(("utf-16", "utf-16-le", "utf-7", "utf-32", "cp037", "latin-1"))
    declared = f"<?xml version='1.0' encoding='{encoding}'?>" if rng.random() < 0.5 else ""
    return declared.encode(rng.choice(("ascii", encoding))) + text.encode(encoding, "replace")


_EDITS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flipped, _spliced, _spliced, _nudged, _nudged, _nudged, _cut, _renumbered, _renumbered, _repeated, _without, _nested, _swapped,
)  # fmt: skip


def read_mutated(number: int, max_seconds: float = MAX_SECONDS) -> InputResult:
    """Read `number` mutated files; every twentieth also gets another encoding."""
    files, totals = originals(), _Totals()
    with reader_process() as reader:
        for seed in range(number):
            suffix, data = mutated(seed, files)
            if seed % 20 == 0:
                data = _recoded(data, random.Random(seed))
            totals.add(f"mutated file {seed} ({suffix})", reader.read(data, suffix), max_seconds)
    return totals.result("mutated KML, KMZ, GPX and GeoJSON files")


# The corpus -------------------------------------------------------------------------------------------------

_HEAD = b"<kml xmlns='http://www.opengis.net/kml/2.2' xmlns:gx='http://www.google.com/kml/ext/2.2'><Document>"
_FOOT = b"</Document></kml>"
_SHORT_LINE = b"<Placemark><LineString><coordinates>0,51 0.001,51.002 0.002,51.001</coordinates></LineString></Placemark>"
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


def point(name: str, position: str) -> bytes:
    """Return a Placemark with a point."""
    return f"<Placemark><name>{name}</name><Point><coordinates>{position}</coordinates></Point></Placemark>".encode()


def ring(name: str, positions: list[str]) -> bytes:
    """Return a Placemark with a polygon."""
    coordinates = " ".join(positions)
    return (
        f"<Placemark><name>{name}</name><Polygon><outerBoundaryIs><LinearRing><coordinates>{coordinates}</coordinates>"
        "</LinearRing></outerBoundaryIs></Polygon></Placemark>"
    ).encode()


@cache
def point_texts(points: int) -> list[tuple[str, str, str]]:
    """Return longitude, latitude and altitude of points on a line, with as many digits as editors write.

    100,000 points are 14 km long.
    """
    return [
        (f"{-0.5 + nth * 2e-6:.14f}", f"{51 + (nth % 2) * 1e-6:.14f}", f"{100 + nth % 50}.{nth % 97:02}")
        for nth in range(points)
    ]


def long_line(points: int) -> bytes:
    """Return a Placemark with such a line."""
    return line_of("\n".join(map(",".join, point_texts(points))).encode())


def _gpx(points: int, extra: str = "<time>2024-05-01T08:00:00Z</time>") -> bytes:
    fixes = "\n".join(
        f'<trkpt lat="{lat}" lon="{lon}"><ele>{alt}</ele>{extra}</trkpt>'
        for lon, lat, alt in point_texts(points)
    )
    return (
        f"<gpx xmlns='http://www.topografix.com/GPX/1/1'><trk><trkseg>{fixes}</trkseg></trk></gpx>".encode()
    )


def _track(points: int) -> bytes:
    positions = point_texts(points)
    whens = "\n".join("<when>2024-05-01T08:00:00Z</when>" for _ in positions)
    coords = "\n".join(f"<gx:coord>{' '.join(position)}</gx:coord>" for position in positions)
    return kml(f"<Placemark><gx:Track>{whens}{coords}</gx:Track></Placemark>".encode())


def _geojson(points: int) -> bytes:
    positions = ",\n".join(f"[{', '.join(position)}]" for position in point_texts(points))
    return f'{{"type": "LineString", "coordinates": [{positions}]}}'.encode()


def _largest(mats: int = limits.MAX_MATS, fences: int = limits.MAX_FENCES) -> bytes:
    """Return a file that reaches all limits."""
    each = limits.MAX_FENCE_POINTS // fences - 2
    angles = [2 * np.pi * nth / each for nth in range(each)]
    centres = [-0.5 + 0.2 * nth / max(mats, fences) for nth in range(max(mats, fences))]
    rings = [
        ring(f"F{nth}", [f"{lon + 0.001 * np.cos(angle)},{51 + 0.001 * np.sin(angle)}" for angle in angles])
        for nth, lon in enumerate(centres[:fences])
    ]
    points = [point(f"Mat {nth}", f"{lon},51") for nth, lon in enumerate(centres[:mats])]
    return kml(long_line(limits.MAX_POINTS - mats), *rings, *points)


def _back_and_forth(points: int, mats: int) -> bytes:
    positions = " ".join(f"{-0.0005 + 0.001 * (nth % 2)},51" for nth in range(points))
    return kml(line_of(positions.encode()), *(point(f"Mat {nth}", "0,51") for nth in range(mats)))


def _random_polygons(count: int, points: int, spread: float) -> bytes:
    rng = random.Random(7)
    rings = [
        ring(f"S{nth}", [f"{rng.random() * spread},{51 + rng.random() * spread}" for _ in range(points)])
        for nth in range(count)
    ]
    return kml(_SHORT_LINE, *rings)


def _self_crossing(count: int, crossings: int, points: int) -> bytes:
    """Return geofences that cross themselves as often as the reader repairs, and have many more points."""
    bow = [f"{0.001 * (nth % 2)},{51 + 0.001 * nth}" for nth in range(crossings)]
    edge = [f"{0.01 + 0.0001 * (nth % 2)},{51.2 - 0.0001 * nth}" for nth in range(points - crossings)]
    return kml(_SHORT_LINE, *(ring(f"X{nth}", bow + edge) for nth in range(count)))


def _with_declared_size(data: bytes, size: int) -> bytes:
    """Return the archive with another uncompressed size in its headers."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        actual = archive.infolist()[0].file_size
    return data.replace(struct.pack("<L", actual), struct.pack("<L", size))


def _overlapping(entries: int) -> bytes:
    """Return an archive whose entries all refer to the same data."""
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
    """Return an archive that hides its long directory from a search for the end record."""
    header = (
        struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0) + b"a.kml"
    )
    directory = header * 600_000
    # The directory offset looks like the signature of another end record.
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


def _billion_laughs(levels: int, each: int) -> bytes:
    entities = "".join(f"<!ENTITY l{nth} '{f'&l{nth - 1};' * each}'>" for nth in range(1, levels))
    return f"<!DOCTYPE kml [<!ENTITY l0 'lol'>{entities}]><kml><name>&l{levels - 1};</name></kml>".encode()


def _external(canary_url: str) -> Iterator[tuple[str, bytes]]:
    """Yield files that refer to a local file and to the canary's URL."""
    for kind, url in {"file": "file:///etc/passwd", "http": canary_url}.items():
        doctype = f"<!DOCTYPE kml [<!ENTITY x SYSTEM '{url}'>]>".encode()
        yield f"external entity, {kind}", doctype + kml(_SHORT_LINE, b"<name>&x;</name>")
        doctype = f"<!DOCTYPE kml [<!ENTITY % x SYSTEM '{url}'> %x;]>".encode()
        yield f"external parameter entity, {kind}", doctype + kml(_SHORT_LINE)
        yield f"external DTD, {kind}", f"<!DOCTYPE kml SYSTEM '{url}'>".encode() + kml(_SHORT_LINE)
        yield f"external DTD in GPX, {kind}", f"<!DOCTYPE gpx SYSTEM '{url}'><gpx/>".encode()
        late = (
            b"<!--" + b"x" * 100_000 + b"-->" + f"<!DOCTYPE kml SYSTEM '{url}'>".encode() + kml(_SHORT_LINE)
        )
        yield f"external DTD after a comment, {kind}", late
        wide = (f"<!DOCTYPE kml [<!ENTITY x SYSTEM '{url}'>]>" + kml(b"<name>&x;</name>").decode()).encode(
            "utf-16"
        )
        yield f"external entity in UTF-16, {kind}", wide
        href = f"<href>{url}</href>".encode()
        yield (
            f"NetworkLink, {kind}",
            kml(b"<NetworkLink><Link>" + href + b"</Link></NetworkLink>", _SHORT_LINE),
        )
        yield f"only a NetworkLink, {kind}", kml(b"<NetworkLink><Url>" + href + b"</Url></NetworkLink>")
        yield (
            f"icon, {kind}",
            kml(b"<Style><IconStyle><Icon>" + href + b"</Icon></IconStyle></Style>", _SHORT_LINE),
        )
        yield (
            f"overlay, {kind}",
            kml(b"<GroundOverlay><Icon>" + href + b"</Icon></GroundOverlay>", _SHORT_LINE),
        )
        yield (
            f"model, {kind}",
            kml(b"<Placemark><Model><Link>" + href + b"</Link></Model></Placemark>", _SHORT_LINE),
        )
        schema = f"xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='{url} {url}'"
        yield f"schema, {kind}", kml(_SHORT_LINE).replace(b"<Document", f"<Document {schema}".encode())
        yield (
            f"style sheet, {kind}",
            f"<?xml-stylesheet type='text/xsl' href='{url}'?>".encode() + kml(_SHORT_LINE),
        )
        include = f"<x:include xmlns:x='http://www.w3.org/2001/XInclude' href='{url}'/>".encode()
        yield f"XInclude, {kind}", kml(include, _SHORT_LINE)
        yield (
            f"namespace, {kind}",
            kml(_SHORT_LINE).replace(b"<Document", f"<Document xmlns='{url}'".encode()),
        )
        link = f"<gpx><metadata><link href='{url}'/></metadata></gpx>".encode()
        yield f"link in GPX, {kind}", link
        crs = {"type": "link", "properties": {"href": url}}
        line = {"type": "LineString", "coordinates": [[0, 51], [0.001, 51.001]], "crs": crs, "$ref": url}
        yield f"reference system in GeoJSON, {kind}", json.dumps(line).encode()


def _paths(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield archives whose member names leave the folder or are invalid."""
    names = (
        "../../up.kml", f"{folder}/absolute.kml", "C:\\windows\\a.kml", "..\\..\\up.kml", "/dev/null/a.kml", "CON.kml",
        "aux.kml/doc.kml", "a\0b.kml", "." * 300 + "/a.kml", "x" * 60_000 + ".kml", "\u202elmk.kml", "~/a.kml", "//host/a.kml",
    )  # fmt: skip
    for name in names:
        yield f"path {name[:20]!r}", zipped((name, kml(_SHORT_LINE)), ("x.png", b"x"))


def _archives() -> Iterator[tuple[str, bytes]]:
    good = zipped(("doc.kml", kml(_SHORT_LINE)))
    yield "60 MB of spaces in a KMZ", zipped(("doc.kml", b" " * 60_000_000))
    yield "20 MB of spaces in a KMZ", zipped(("doc.kml", kml(b" " * 20_000_000, _SHORT_LINE)))
    yield "20 MB of tags in a KMZ", zipped(("doc.kml", kml(b"<a/>" * 5_000_000)))
    yield "nested zip bomb", zipped(("doc.kml", zipped(("doc.kml", b" " * 20_000_000))))
    yield "an archive of archives", zipped(*((f"{nth}.kmz", good) for nth in range(2000)))
    yield "declared size far too small", _with_declared_size(zipped(("doc.kml", b" " * 60_000_003)), 100)
    yield (
        "declared size slightly too small",
        _with_declared_size(zipped(("doc.kml", b" " * 30_000_003)), 20_000_000),
    )
    yield "declared size too large", _with_declared_size(good, 2**32 - 2)
    yield "overlapping entries", _overlapping(10_000)
    yield "too many overlapping entries", _overlapping(300_000)
    yield "hidden long directory", _hidden_directory()
    yield "long directory, ZIP64", _zip64(500_000)
    yield "20,000 KML files", zipped(*((f"{nth}.kml", b"") for nth in range(18_000)))
    yield "bzip2", zipped(("doc.kml", b" " * 19_000_000), packing=zipfile.ZIP_BZIP2)
    yield "LZMA", zipped(("doc.kml", b" " * 19_000_000), packing=zipfile.ZIP_LZMA)
    huge = bytearray(zipped(("doc.kml", kml(_SHORT_LINE)), packing=zipfile.ZIP_LZMA))
    at = huge.index(b"doc.kml") + 7
    huge[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    yield "LZMA with a 4 GB dictionary", bytes(huge)
    yield "longest archive comment", good[:-2] + b"\xff\xff" + b"PK\5\6" * 16_383 + b"xxx"
    yield "only a magic number", b"PK\3\4"
    yield "only end records", b"PK\3\4" + b"PK\5\6" * 500_000
    yield "encrypted entry", good.replace(b"PK\1\2\x14\x03\x14\0\0", b"PK\1\2\x14\x03\x14\0\1")


def _packed() -> Iterator[tuple[str, bytes]]:
    yield "300 MB of zeros in gzip", gzip.compress(bytes(300_000_000))
    yield "20 MB of spaces in gzip", gzip.compress(b" " * 20_000_000)
    yield "a zip bomb in gzip", gzip.compress(zipped(("doc.kml", b" " * 60_000_000)))
    yield "a gzip bomb in a zip", zipped(("a.gpx.gz", gzip.compress(bytes(300_000_000))))
    twice = gzip.compress(gzip.compress(bytes(20_000_000)))
    yield "gzip, three times", gzip.compress(twice)
    yield "5,000 gzip files", gzip.compress(b"") * 5_000
    yield "400,000 gzip files", gzip.compress(b"") * 400_000
    yield "5,000 gzip files before 10 MB", gzip.compress(b"") * 4_999 + gzip.compress(os.urandom(10_000_000))
    yield "the longest GPX track in gzip", gzip.compress(_gpx(limits.MAX_ELEMENT_POINTS))
    yield "the longest GPX track in a zip", zipped(("a.gpx", _gpx(limits.MAX_ELEMENT_POINTS)))
    yield "10,000 GPX files", zipped(*((f"{nth}.gpx", b"") for nth in range(10_000)))
    yield "a cut gzip file", gzip.compress(os.urandom(5_000_000))[:-9]
    yield (
        "the longest line behind a link",
        zipped(("doc.kml", links("a.kml")), ("a.kml", kml(long_line(100_000)))),
    )
    names = [f"{nth}.kml" for nth in range(99)]
    for size in (1_000, 5_000, 100_000):
        files = ((name, kml(long_line(size))) for name in names[: 20_000_000 // (size * 40)])
        yield f"links to files of {size:,} points", zipped(("doc.kml", links(*names)), *files)
    yield (
        "links to 99 files of tags",
        zipped(("doc.kml", links(*names)), *((name, kml(b"<a/>" * 30_000)) for name in names)),
    )
    chain = ((f"{nth}.kml", links(f"{nth + 1}.kml")) for nth in range(200))
    yield "a chain of links", zipped(("doc.kml", links("0.kml")), *chain)
    yield "a circle of links", zipped(("doc.kml", links("a.kml") * 1), ("a.kml", links("doc.kml", "a.kml")))
    yield (
        "20,000 links to one file",
        zipped(("doc.kml", links(*["a.kml"] * 20_000)), ("a.kml", kml(_SHORT_LINE))),
    )
    yield "20,000 links to elsewhere", zipped(("doc.kml", links(*["http://a"] * 20_000)))
    yield "a long link", zipped(("doc.kml", links("../" * 3_000_000 + "a.kml")), ("a.kml", kml(_SHORT_LINE)))
    yield "a link to a bomb", zipped(("doc.kml", links("a.kml")), ("a.kml", b" " * 60_000_000))


def links(*names: str) -> bytes:
    """Return a KML file that links to others."""
    link = "<NetworkLink><Link><href>{}</href></Link></NetworkLink>"
    return kml(*(link.format(name).encode() for name in names))


def _untidy() -> Iterator[tuple[str, bytes]]:
    longest = _gpx(limits.MAX_ELEMENT_POINTS)
    route = (
        longest.replace(b"trkseg>", b"rtept>")
        .replace(b"trkpt", b"gpxx:rpt")
        .replace(b"trk>", b"rte>")
        .replace(b"<gpx", b"<gpx xmlns:gpxx='x'")
    )
    yield "the longest GPX track, bad byte", longest.replace(b"<trk>", b"<trk><name>\xe4</name>")
    yield "the longest GPX track, half a letter", longest.replace(b"<trk>", b"<trk><name>\xc3\xa4\xc3</name>")
    yield "the longest GPX track, control character", longest.replace(b"<trk>", b"<trk><name>\x0b</name>")
    yield "the longest GPX track, capitals", longest.replace(b"trkpt", b"TRKPT")
    yield "the longest GPX track, text before it", b"junk" * 1_000 + longest
    yield "the longest GPX track, no segment", longest.replace(b"<trkseg>", b"").replace(b"</trkseg>", b"")
    yield "the longest GPX track, no altitude", longest.replace(b"<ele>", b"<ele>--")
    yield "the longest GPX track, decimal commas", re.sub(rb"([0-9])\.(?=[0-9])", rb"\1,", longest)
    yield "the longest route in an extension", route
    yield "the longest TCX track", _tcx(limits.MAX_ELEMENT_POINTS)
    yield "too long a TCX track", _tcx(limits.MAX_ELEMENT_POINTS + 1)
    yield (
        "segments without a track",
        b"<gpx>" + b"<trkseg><trkpt lat='1' lon='2'/></trkseg>" * 40_000 + b"</gpx>",
    )
    yield "16 MB of bad bytes", kml(b"<name>" + b"\xff" * 16_000_000 + b"</name>")
    yield "16 MB of bad bytes and letters", kml(b"<name>" + b"\xc3\xa4\xff" * 5_000_000 + b"</name>")
    yield "16 MB of bad lines", kml(b"<name>" + b"\xff\n" * 8_000_000 + b"</name>")
    yield (
        "30 MB of letters",
        kml(b"<description>" + b"\xf0\x9f\x98\x80" * 2_400_000 + b"</description>", _SHORT_LINE),
    )
    yield "10,000 control characters", kml(_SHORT_LINE, b"<name>" + b"&#0;\n" * 10_000 + b"</name>")
    yield "six million control characters", kml(b"<name>" + b"&#0;" * 6_000_000 + b"</name>")
    yield "24 MB of ampersands", kml(b"<name>" + b"&" * 24_000_000 + b"</name>")
    yield "quotes in tags of a mended file", b"\xff" + kml(b"<a b='\"" * 3_000_000)
    yield "tags of a mended file", b"<kml>\xff" + b"<a b='c'" * 3_000_000
    yield "beginnings within text", b"<a>" + b"<gpx " * 5_000_000
    yield "prefixes before the beginning", (b"<" + b"a" * 30_000) * 900
    feature = b'{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]}}'
    points = re.sub(rb",[0-9.]+\n", b",--\n", long_line(limits.MAX_POINTS))
    yield "the longest line in KML, unreadable", kml(points.replace(b"-0.", b"-x.", 10))
    line = _geojson(limits.MAX_POINTS)
    yield "the longest line in GeoJSON, unreadable", re.sub(rb"[0-9.]+\]", b'"--"]', line)
    yield "the longest line in GeoJSON, NaN", re.sub(rb"[0-9.]+\]", b"NaN]", line)
    yield "the longest line in GeoJSON, in quotes", re.sub(rb"(-?[0-9.]+)", rb'"\1"', line)
    yield "500,000 times NaN", b'{"type":"LineString","coordinates":[' + b"NaN," * 499_000 + b"0]}"
    yield "what begins like NaN", b"[" + b" NaN \n\n\n" * 1_800_000 + b"]"
    yield "16 MB after the end", kml(_SHORT_LINE) + b"<a>" * 100_000 + b"x" * 15_000_000
    yield "two million entities", kml(b"<name>" + b"&eacute;" * 2_000_000 + b"</name>", _SHORT_LINE)
    yield "less-than signs", kml(b"<name>" + b"< " * 400_000 + b"</name>", _SHORT_LINE)
    yield "a sequence of features", (feature + b"\n") * 60_000
    yield "a sequence with separators", (b"\x1e" + feature + b"\n") * 60_000
    yield "16 million separators", b"{" + b"\x1e" * 16_000_000
    yield "16 million lines", b"{}" + b"\n" * 16_000_000 + b"{}"
    yield "a sequence of objects", b"{}\n" * 400_000
    yield "a sequence of numbers", b"{}\n{}\n" + b"1\n" * 5_000_000
    yield "a list of objects", b"[" + b"{}," * 200_000 + b"{}]"
    line = _geojson(limits.MAX_POINTS).replace(b"\n", b"")
    yield "the longest line in a sequence", line + b"\n" + feature
    yield "the longest line in a sequence, UTF-16", (line[:7_000_000] + b"\n{}").decode().encode("utf-16")
    nested = b'{"type":"FeatureCollection","features":[' * 300
    yield "nested feature collections", nested + b"]}" * 300
    yield "bad bytes in GeoJSON", b'{"name":"' + b"\xff" * 15_000_000 + b'"}'
    yield "control characters in GeoJSON", b'{"name":"' + b"\1" * 15_000_000 + b'"}'
    yield "a fault at the end of 16 MB of letters", b'{"name":"' + b"\xf0\x9f\x98\x80" * 3_900_000 + b'",}'
    yield "30 MB of text", b"lat lon " * 3_700_000
    yield "30 MB of commas", b"," * 30_000_000


def _tcx(points: int) -> bytes:
    heart = "<Time>2024-05-01T08:00:00Z</Time><HeartRateBpm><Value>99</Value></HeartRateBpm>"
    fixes = "\n".join(
        f"<Trackpoint>{heart}<Position><LatitudeDegrees>{lat}</LatitudeDegrees><LongitudeDegrees>{lon}"
        f"</LongitudeDegrees></Position><AltitudeMeters>{alt}</AltitudeMeters></Trackpoint>"
        for lon, lat, alt in point_texts(points)
    )
    head = "<TrainingCenterDatabase><Courses><Course><Track>"
    return f"{head}{fixes}</Track></Course></Courses></TrainingCenterDatabase>".encode()


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
        yield (
            f"{value[:9]} laps",
            kml(f"<Data name='laps'><value>{value}</value></Data>".encode(), _SHORT_LINE),
        )


def _points() -> Iterator[tuple[str, bytes]]:
    limit = limits.MAX_POINTS
    yield "the longest line in KML", kml(long_line(limit))
    yield (
        "the longest line in KML, two coordinate formats",
        kml(line_of(b"0,51 " + "\n".join(map(",".join, point_texts(limit - 1))).encode())),
    )
    yield "the longest line in KMZ", zipped(("doc.kml", kml(long_line(limit))))
    yield "the longest gx:Track", _track(limits.MAX_ELEMENT_POINTS)
    yield "the longest gx:Track, in KMZ", zipped(("doc.kml", _track(limits.MAX_ELEMENT_POINTS)))
    yield (
        "the longest gx:Track, undeclared prefix",
        _track(limits.MAX_ELEMENT_POINTS).replace(b"xmlns:gx", b"id"),
    )
    yield "the longest GPX track", _gpx(limits.MAX_ELEMENT_POINTS)
    yield (
        "the longest GPX track, with a watch's extensions",
        _gpx(limits.MAX_ELEMENT_POINTS, _WATCH_EXTENSIONS),
    )
    yield "the longest line in GeoJSON", _geojson(limit)
    yield "one point too many", kml(long_line(limit + 1))
    yield "all limits reached", _largest()
    yield "two large geofences", _largest(1, 2)
    yield "10 million points in KML", kml(line_of(b"1,2 " * TEN_MILLION))
    yield "10 million points in KML, in five lines", kml(line_of(b"1,2 " * 2_000_000) * 5)
    yield "as many points as fit in KML, in five lines", kml(line_of(b"1,2 " * 1_500_000) * 5)
    yield "as many points as fit in one line", kml(line_of(b"1,2 " * 2_400_000))
    yield "10 million points in KMZ", zipped(("doc.kml", kml(line_of(b"1,2 " * 2_000_000) * 5)))
    yield "as many points as fit in KMZ", zipped(("doc.kml", kml(line_of(b"1,2 " * 2_000_000) * 2)))
    yield "as many points as fit in GPX", b"<gpx><trk><trkseg>" + b'<trkpt lat="1" lon="2"/>' * 1_390_000
    yield (
        "660,000 points in GPX",
        b"<gpx><trk><trkseg>" + b'<trkpt lat="1" lon="2"/>' * 660_000 + b"</trkseg></trk></gpx>",
    )
    yield "10 million points in GPX", b"<gpx><trk><trkseg>" + b"<trkpt/>" * TEN_MILLION
    yield (
        "10 million points in GeoJSON",
        b'{"type":"LineString","coordinates":[' + b"[1,2]," * TEN_MILLION + b"[1,2]]}",
    )
    yield (
        "120,000 points in GeoJSON",
        b'{"type":"LineString","coordinates":[' + b"[1,2]," * 120_000 + b"[1,2]]}",
    )
    yield (
        "positions of different lengths in GeoJSON",
        b'{"type":"LineString","coordinates":[' + b"[1,2,null]," * 99_000 + b"[1,2]]}",
    )
    same = b'{"type":"LineString","coordinates":[' + b"[1,2]," * 99_000 + b"[1,2.01]]}"
    yield "99,000 times the same point", same
    close = " ".join(f"0,{51 + nth * 1e-9:.10f}" for nth in range(99_000))
    yield "99,000 points a tenth of a millimetre apart", kml(line_of(f"{close} 0,52".encode()))
    yield "a back-and-forth line past a timing point", _back_and_forth(9_000, 1)
    yield "a back-and-forth line past 100 timing points", _back_and_forth(99_000, 100)
    yield "100 timing points with the same name", kml(long_line(90_000), *[point("Mat", "-0.4,51")] * 100)
    yield "20,000 starts", kml(long_line(80_000), *[point("Start", "-0.4,51")] * 19_000)
    yield "50 starts far away", kml(long_line(90_000), *[point("Start", "9,51")] * 50)
    yield (
        "20,000 points without a name",
        kml(_SHORT_LINE, b"<Point><coordinates>1,2</coordinates></Point>" * 19_900),
    )
    yield (
        "a million points without a name",
        kml(_SHORT_LINE, b"<Point><coordinates>1,2</coordinates></Point>" * 300_000),
    )
    nested = (
        b"<Folder>" * 240 + b"<Point><coordinates>1,2</coordinates></Point>" * 19_000 + b"</Folder>" * 240
    )
    yield "20,000 deeply nested points", kml(_SHORT_LINE, nested)
    yield "20,000 points with a name", kml(_SHORT_LINE, point("P", "0,51") * 9_000)
    lines = b"<LineString><coordinates>1,2 1,3</coordinates></LineString>"
    yield "19,000 lines", kml(_SHORT_LINE, lines * 19_000)
    yield "20,000 waypoints", b"<gpx>" + b'<wpt lat="1" lon="2"><name>a</name></wpt>' * 18_000 + b"</gpx>"
    features = b'{"type":"Feature","geometry":null},' * 90_000
    yield "90,000 features without geometry", b'{"type":"FeatureCollection","features":[' + features + b"1]}"
    mark = b'{"type":"Feature","properties":{"name":"a"},"geometry":{"type":"Point","coordinates":[0,51]}},'
    yield "point features", b'{"type":"FeatureCollection","features":[' + mark * 19_900 + b"1]}"
    inner = b'{"type":"Point","coordinates":[1,2]},' * 60_000
    collection = b'{"type":"GeometryCollection","geometries":[' + inner + b"1]}"
    yield "a collection of points", collection
    named = b'{"type":"Feature","properties":{"name":"a"},"geometry":' + collection + b"}"
    yield "a named collection of points", named


def _pieces() -> Iterator[tuple[str, bytes]]:
    """Yield files of many lines: in any order, all at one place, far apart, along each other."""
    order = np.random.default_rng(1).permutation(9_900)
    many: dict[str, Sequence[Sequence[float]]] = {
        "a chain out of order": [(nth * 50, 0, nth * 50 + 50, 0) for nth in order.tolist()],
        "a chain of 6 m each, half of them reversed": [
            (nth * 6, 0, nth * 6 + 6, 0) if nth % 3 else (nth * 6 + 6, 0, nth * 6, 0)
            for nth in order.tolist()
        ],
        "a star": [(0, 0, 100, nth / 10) for nth in range(9_900)],
        "rings in a row": [(nth * 20, 0, nth * 20 + 20, 500, nth * 20, 0) for nth in range(9_000)],
        "a comb": [(nth * 50, 0, nth * 50 + 50, 0, nth * 50 + 50, 40) for nth in range(9_000)],
        "far apart": [(nth * 1e4 % 1e7, nth, nth * 1e4 % 1e7 + 99, nth) for nth in order.tolist()],
        "each along the next": [(nth * 5, 0, nth * 5 + 40, 0) for nth in range(9_900)],
        "a long one and parts of it": [
            [number for nth in range(80_000) for number in (nth * 2, nth % 2)],
            *((nth * 5, 0, nth * 5 + 400, 0) for nth in range(1_000)),
        ],
        "a line of jumps": [[number for nth in range(80_000) for number in (nth * 2, 1e4 * (nth % 5 == 0))]],
        "a line of spurs": [[number for nth in range(80_000) for number in (nth * 2, 90 * (nth % 25 == 0))]],
        "roundabouts between thousands of ways": [
            *((nth * 50, 0, nth * 50 + 25, 25, nth * 50 + 50, 0, nth * 50, 0) for nth in range(100)),
            *((nth % 100 * 50 + 25, 25, nth % 100 * 50 + 90, nth) for nth in range(9_000)),
        ],
        "a thousand groups": [
            (nth // 9 * 2000 + nth % 9 * 100, 0, nth // 9 * 2000 + nth % 9 * 100 + 100, 0)
            for nth in range(9_000)
        ],
    }
    for name, lines in many.items():
        texts = [
            " ".join(
                f"{x / 70_000:.7f},{51 + y / 111_000:.7f}" for x, y in zip(line[::2], line[1::2], strict=True)
            )
            for line in lines
        ]
        strings = [f"<LineString><coordinates>{text}</coordinates></LineString>".encode() for text in texts]
        yield f"{name}, as Placemarks", kml(*(b"<Placemark>" + text + b"</Placemark>" for text in strings))
        together = b"".join(strings)
        yield (
            f"{name}, in a MultiGeometry",
            kml(b"<Placemark><MultiGeometry>" + together + b"</MultiGeometry></Placemark>"),
        )
        if len(lines) > 1000:
            halves = zip(strings[::2], strings[1::2], strict=False)
            pairs = (
                b"<Placemark><MultiGeometry>" + one + two + b"</MultiGeometry></Placemark>"
                for one, two in halves
            )
            yield f"{name}, in pairs", kml(*pairs)


def _shapes() -> Iterator[tuple[str, bytes]]:
    yield "a random polygon as geofence", _random_polygons(1, 1990, 0.01)
    yield "five random polygons", _random_polygons(5, 1990, 0.01)
    yield "100 small random polygons", _random_polygons(100, 14, 0.01)
    yield "100 self-crossing geofences", _self_crossing(100, 20, 98)
    yield "five large self-crossing geofences", _self_crossing(5, 60, 1990)
    yield "a self-crossing geofence that is too large", _self_crossing(1, 60, 9900)
    comb = [f"{nth * 1e-5},{51 + (nth % 2) * 0.01}" for nth in range(9_900)]
    yield "a comb-shaped geofence", kml(_SHORT_LINE, ring("Comb", [*comb, "0.1,50.9", "0,50.9"]))
    spiral = [f"{nth * 1e-6 * np.cos(nth / 50)},{51 + nth * 1e-6 * np.sin(nth / 50)}" for nth in range(9_900)]
    yield "a spiral geofence", kml(_SHORT_LINE, ring("Spiral", spiral))
    yield "a geofence whose points are all equal", kml(_SHORT_LINE, ring("Dot", ["0,51"] * 9_990))
    yield "101 geofences", kml(_SHORT_LINE, ring("F", ["0,51", "0,52", "1,52"]) * 101)
    yield "19,000 geofences", kml(_SHORT_LINE, ring("F", ["0,51", "0,52", "1,52"]) * 19_000)
    hole = b"<innerBoundaryIs><LinearRing><coordinates>0,51 0,51.1 0.1,51</coordinates></LinearRing></innerBoundaryIs>"
    outer = b"<outerBoundaryIs><LinearRing><coordinates>0,51 0,52 1,52 1,51</coordinates></LinearRing></outerBoundaryIs>"
    yield "3,000 identical holes", kml(_SHORT_LINE, b"<Polygon>" + outer + hole * 3_000 + b"</Polygon>")
    nested = b"<Polygon>" * 200 + outer + hole * 3_000 + b"</Polygon>" * 200
    yield "nested polygons", kml(_SHORT_LINE, nested)
    yield (
        "rings over the poles",
        kml(line_of(b"0,89.9 90,89.9 180,89.9 -90,89.9 0,89.9"), ring("P", ["0,90", "90,89", "-90,89"])),
    )
    crossing = " ".join(f"{180 * (-1) ** nth},{nth * 1e-4}" for nth in range(20_000))
    yield "a line that crosses the date line repeatedly", kml(line_of(crossing.encode()))


def _markup() -> Iterator[tuple[str, bytes]]:
    yield "billion laughs", _billion_laughs(10, 10)
    yield "deep billion laughs", _billion_laughs(30, 10)
    yield (
        "quadratic blow-up",
        b"<!DOCTYPE kml [<!ENTITY a '" + b"x" * 50_000 + b"'>]><kml>" + b"&a;" * 50_000 + b"</kml>",
    )
    yield "a million entities", b"<!DOCTYPE kml [" + b"<!ENTITY a 'b'>" * 1_000_000 + b"]><kml/>"
    many = "".join(f"<!ENTITY a{nth} 'b'>" for nth in range(600_000)).encode()
    yield "600,000 entities", b"<!DOCTYPE kml [" + many + b"]><kml/>"
    yield "600,000 entities in UTF-16", (b"<!DOCTYPE kml [" + many[:7_000_000]).decode().encode("utf-16")
    yield "billion laughs in GPX", _billion_laughs(10, 10).replace(b"kml", b"gpx")
    for levels in (256, 100_000, 2_000_000):
        yield f"{levels:,} levels in KML", b"<kml>" + b"<Folder>" * levels + b"</Folder>" * levels + b"</kml>"
        yield f"{levels:,} levels in GPX", b"<gpx>" + b"<trk>" * levels
        yield (
            f"{levels:,} levels in GeoJSON",
            b'{"type":"LineString","coordinates":' + b"[" * levels + b"]" * levels + b"}",
        )
        yield f"{levels:,} objects in GeoJSON", b'{"type":' * levels + b"1" + b"}" * levels
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
    yield "tags in a coordinate", kml(stuffed)
    yield (
        "tags in coordinates",
        kml(b"<gx:Track>" + (b"<coord>1 2" + b"<a/> " * 60 + b"</coord>") * 30_000 + b"</gx:Track>"),
    )
    yield "tags in a GPX point", b"<gpx><trk><trkseg><trkpt>" + b"<a/>" * 1_900_000
    yield "ignored tags", kml(b"<when/>" * 1_900_000)
    yield "tags in an ignored element", kml(b"<Style>" + b"<a/>" * 1_900_000 + b"</Style>")
    yield (
        "empty coordinate lists",
        kml(b"<LineString>" + b"<coordinates/>" * 1_900_000 + b"</LineString>"),
    )
    yield "nested coordinate lists", kml(b"<coordinates>1,2 " * 200 + b"</coordinates>" * 200)
    yield "empty coordinates in a gx:Track", kml(b"<gx:Track>" + b"<coord/>" * 1_900_000 + b"</gx:Track>")
    attributes = b" ".join(b'a%d=""' % nth for nth in range(400_000))
    yield "400,000 attributes", b"<kml " + attributes + b"/>"
    yield "400,000 attributes in single quotes", b"<kml " + attributes.replace(b'"', b"'") + b"/>"
    yield "400,000 attributes containing tags", b"<kml " + attributes.replace(b'""', b'"\'>"') + b"/>"
    yield "400,000 attributes in UTF-16", (b"<kml " + attributes + b"/>").decode().encode("utf-16")
    yield "a repeated attribute", b"<kml " + b'a="" ' * 400_000 + b"/>"
    prefixes = b" ".join(b'xmlns:a%d="b%d"' % (nth, nth) for nth in range(400_000))
    yield "400,000 prefixes", b"<kml " + prefixes + b"/>"
    some = b" ".join(b'xmlns:a%d="b%d"' % (nth, nth) for nth in range(190))
    yield "used prefixes", b"<kml " + some + b">" + b"<a1:b a2:c='' a3:d=''/>" * 400_000 + b"</kml>"
    scopes = b"".join(b'<a xmlns:p%d="u%d">' % (nth, nth) for nth in range(200))
    yield "prefixes in nested scopes", kml(scopes, b"<p0:a/>" * 90_000, b"</a>" * 200)
    yield "100,000 undeclared prefixes", kml(*(b"<p%d:a/>" % nth for nth in range(100_000)))
    yield "an undeclared prefix, 90,000 times", kml(b"<p:a/>" * 90_000)
    yield "an undeclared prefix at the end", kml(b"<Style>" + b"<a/>" * 1_800_000 + b"</Style><p:a/>")
    yield "prefixes in text", kml(b" a:b" * 5_000_000, b"<p:a/>")
    yield "a huge tag name", b"<kml><" + b"a" * 30_000_000 + b"/></kml>"
    yield "a huge attribute", b"<kml a='" + b"b" * 30_000_000 + b"'/>"
    yield "the largest allowed attribute", b"<kml a='" + b"b" * 9_000_000 + b"'/>"
    yield "three huge attributes", kml(*(b"<a b='" + b"&lt;" * 2_400_000 + b"'/>" for _ in range(3)))
    yield "a huge comment", kml(_SHORT_LINE, b"<!--" + b"x- " * 10_000_000 + b"-->")
    yield "the largest allowed comment", kml(_SHORT_LINE, b"<!--" + b"x- " * 3_000_000 + b"-->")
    yield "a huge comment at the beginning", b"<!--" + b"x- " * 3_000_000 + b"-->" + kml(_SHORT_LINE)
    yield "a million comments", b"<!---->" * 900_000 + kml(_SHORT_LINE)
    yield "comments in text", kml(b"<name>" + b"a<!---->" * 900_000 + b"</name>", _SHORT_LINE)
    yield "a huge processing instruction", kml(_SHORT_LINE, b"<?a " + b"x? " * 10_000_000 + b"?>")
    yield (
        "huge CDATA",
        kml(b"<description><![CDATA[" + b"]] " * 10_000_000 + b"]]></description>", _SHORT_LINE),
    )
    yield (
        "30 MB of descriptions",
        kml(b"<description>" + b"x" * 9_000_000 + b"</description>", _SHORT_LINE) * 1,
    )
    yield (
        "30 MB of text in unknown elements",
        kml(*(b"<a>" + b"x" * 9_000_000 + b"</a>" for _ in range(3)), _SHORT_LINE),
    )
    yield (
        "30 MB of text with a four-byte character",
        kml(*(b"<name>\xf0\x9f\x98\x80" + b"x" * 9_000_000 + b"</name>" for _ in range(3)), _SHORT_LINE),
    )
    yield "only spaces", b" " * 30_000_000
    yield "spaces before the root element", b" " * 30_000_000 + kml(_SHORT_LINE)
    yield (
        "empty lines before the declaration",
        b"\n" * 30_000_000 + b"<?xml version='1.0'?>" + kml(_SHORT_LINE),
    )
    yield (
        "spaces in the declaration",
        b"<?xml" + b" " * 20_000_000 + b"encoding='latin-1'?>" + kml(_SHORT_LINE),
    )
    for text in (b"a ", b"ab ", b"-", b"\xf0\x9f\x98\x80 ", b"&amp;", b"1,"):
        name = text * (9_000_000 // len(text))
        yield f"a huge name, {text!r}", kml(b"<name>" + name + b"</name>", _SHORT_LINE)
        marker = (
            b"<Placemark><name>Mat "
            + name
            + b"x</name><Point><coordinates>0,51</coordinates></Point></Placemark>"
        )
        yield f"a huge timing point name, {text!r}", kml(_SHORT_LINE, marker)
        yield (
            f"a huge number of laps, {text!r}",
            kml(b"<Data name='laps'><value>" + name + b"</value></Data>", _SHORT_LINE),
        )
        yield f"huge coordinates, {text!r}", kml(line_of(name))
        yield f"a huge gx:coord, {text!r}", kml(b"<gx:Track><gx:coord>" + name + b"</gx:coord></gx:Track>")
        yield (
            f"a huge altitude, {text!r}",
            b"<gpx><trk><trkseg><trkpt lat='1' lon='2'><ele>" + name + b"</ele></trkpt></trkseg></trk></gpx>",
        )
    yield (
        "a huge waypoint name",
        b"<gpx>" + b'<wpt lat="1" lon="2"><name>Mat ' * 1 + b"-" * 5_000_000 + b"a</name></wpt></gpx>",
    )
    for character, long_name in {
        "a": "a" * 16_000_000,
        "-": "Mat " + "-" * 14_000_000 + "\U0001f600",
    }.items():
        line = {"type": "LineString", "coordinates": [[0, 51], [0, 51.01]], "name": long_name}
        yield f"a huge name in GeoJSON, {character}", json.dumps(line, ensure_ascii=False).encode()
    yield "empty objects in GeoJSON", b'{"type":"FeatureCollection","features":[' + b"{}," * 160_000 + b"1]}"
    yield "objects in GeoJSON", b'{"type":"FeatureCollection","features":[' + b'{"a":1},' * 160_000 + b"1]}"
    yield (
        "nested objects in GeoJSON",
        b'{"type":"FeatureCollection","features":['
        + (b'{"a":' * 900 + b"1" + b"}" * 900 + b",") * 270
        + b"1]}",
    )
    yield "lists in GeoJSON", b'{"type":"LineString","coordinates":[' + b"[],".ljust(3) * 240_000 + b"[]]}"
    yield (
        "nested lists in GeoJSON",
        b'{"type":"LineString","coordinates":[' + (b"[" * 900 + b"]" * 900 + b",") * 500 + b"1]}",
    )
    yield (
        "member names in GeoJSON",
        ('{"type":"LineString",' + ",".join(f'"a{nth}":1' for nth in range(240_000)) + "}").encode(),
    )
    yield "strings in GeoJSON", b'{"type":"LineString","coordinates":[' + b'"ab",' * 490_000 + b"1]}"
    yield "empty polygons in GeoJSON", b'{"type":"MultiPolygon","coordinates":[' + b"[]," * 240_000 + b"[]]}"
    yield "empty lines in GeoJSON", b'{"type":"MultiLineString","coordinates":[' + b"[]," * 240_000 + b"[]]}"


def _encodings() -> Iterator[tuple[str, bytes]]:
    body = kml(_SHORT_LINE).decode()
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-7", "utf-32", "cp037", "iso2022_jp", "hz", "idna", "punycode",
                     "unicode_escape", "zlib", "rot13", "no-such", "utf-8", "latin-1", "shift_jis", "undefined"):  # fmt: skip
        declared = f"<?xml version='1.0' encoding='{encoding}'?>"
        with suppress(LookupError, UnicodeError):
            yield f"entirely in {encoding}", (declared + body).encode(encoding)
            yield f"declaration in ASCII, rest in {encoding}", declared.encode() + body.encode(encoding)
        yield f"declared as {encoding}", (declared + body).encode()
        yield f"30 MB declared as {encoding}", declared.encode() + b"<a>" + b"ab-" * 5_000_000
    tags = "<kml>" + "<a/>" * 3_000_000 + "</kml>"
    yield "tags in UTF-7", b"<?xml version='1.0' encoding='utf-7'?>" + tags.encode("utf-7")
    yield "tags in EBCDIC", ("<?xml version='1.0' encoding='cp037'?>" + tags).encode("cp037")
    yield "tags in UTF-16", tags[:8_000_000].encode("utf-16")
    yield "tags in UTF-32", tags[:7_000_000].encode("utf-32")
    yield (
        "non-ASCII characters in Latin-1",
        b"<?xml version='1.0' encoding='latin-1'?><kml><name>" + b"\xff" * 9_000_000 + b"</name></kml>",
    )
    yield (
        "non-ASCII characters in UTF-16",
        ("<kml><name>" + "\U0001f600" + "\u4e00" * 3_000_000 + "</name></kml>").encode("utf-16"),
    )
    yield "an incomplete surrogate pair in UTF-16", b"\xff\xfe<\x00k\x00\x00\xd8"
    yield "overlong UTF-8", kml(b"\xc0\xbc\xe0\x80\xbc", _SHORT_LINE)


_WATCH_EXTENSIONS = (
    "<time>2024-05-01T08:00:00.000Z</time><extensions><gpxtpx:TrackPointExtension xmlns:gpxtpx='x'><gpxtpx:hr>140</gpxtpx:hr>"
    "<gpxtpx:cad>80</gpxtpx:cad></gpxtpx:TrackPointExtension></extensions>"
)

FAMILIES: dict[str, Callable[[], Iterator[tuple[str, bytes]]]] = {
    "archives": _archives,
    "numbers": _numbers,
    "points": _points,
    "pieces": _pieces,
    "shapes": _shapes,
    "markup": _markup,
    "encodings": _encodings,
    "packed": _packed,
    "untidy": _untidy,
}
"""The corpus without external references and paths: each function yields names and contents of files."""


class Canary:
    """A server that counts connections: no course file may cause one."""

    def __init__(self) -> None:
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}/canary"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                connection.close()

    def close(self) -> None:
        """Stop listening."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def read_corpus(max_seconds: float = MAX_SECONDS, log: Callable[[str], None] | None = None) -> InputResult:
    """Read all files of the corpus; a connection to the canary or a written file is a failure."""
    totals, canary = _Totals(), Canary()
    with tempfile.TemporaryDirectory() as folder, reader_process() as reader:
        families: list[Callable[[], Iterator[tuple[str, bytes]]]] = [
            partial(_external, canary.address),
            partial(_paths, Path(folder)),
            *FAMILIES.values(),
        ]
        for family in families:
            for name, data in family():
                read = reader.read(data)
                totals.add(name, read, max_seconds)
                if log:
                    cost = f"{read.seconds:6.2f} s {read.memory:6.1f} MiB {len(data) / 1e6:6.1f} MB"
                    log(f"{cost} {name}: {read.outcome} {read.message[:90]}")
        written_files = sorted(path.name for path in Path(folder).iterdir())
    canary.close()
    if canary.connections:
        totals.failures.append(f"the canary received {canary.connections} connections")
    if written_files:
        totals.failures.append(f"files were written: {written_files}")
    return totals.result("corpus of hostile course files")
