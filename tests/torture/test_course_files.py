"""Short runs of the hostile course files, and tests of the measurements.

Every file must give a course or one error, within limits of time and memory.
"""

import http.client
from collections.abc import Iterator

import pytest

from simulator.course import library
from simulator.course.drawing import CourseError
from tests.torture import course_files
from tests.torture.course_files import Canary, ReadResult, kml, read_mutated, reader_process

MAX_SECONDS = 10.0
"""CPU time limit for one file: far above the usual fraction of a second, far below an unbounded reading."""
QUICK_FAMILIES = ("archives", "numbers", "encodings", "markup", "packed")
LARGE_FILE = 100_000
"""Files of this many bytes or more, and the other families, are read only by `make torture`."""


def test_mutated_files() -> None:
    """Each mutated real file is accepted or rejected, and there are some of both."""
    result = read_mutated(150, max_seconds=MAX_SECONDS)
    assert result.passed, result.failures
    assert result.inputs == 150
    assert min(result.accepted, result.rejected) > 15


def test_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file of the corpus is accepted or rejected, without network connections or written files."""
    monkeypatch.setattr(course_files, "FAMILIES", {"small": _small_files})
    result = course_files.read_corpus(max_seconds=MAX_SECONDS)
    assert result.passed, result.failures
    assert result.inputs > 150


def _small_files() -> Iterator[tuple[str, bytes]]:
    for family in QUICK_FAMILIES:
        for name, data in ALL_FAMILIES[family]():
            if len(data) < LARGE_FILE:
                yield name, data


ALL_FAMILIES = dict(course_files.FAMILIES)


def test_failures_are_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash, too much time and too much memory each count as a failure."""
    good = ReadResult("rejected", "reason", 0.1, 1.0)
    bad = {
        "crash": good._replace(outcome="failed", message="MemoryError"),
        "slow": good._replace(seconds=1.5),
        "large": good._replace(memory=101.0),
    }
    for name, read in {"good": good, **bad}.items():
        monkeypatch.setattr(course_files.ReaderProcess, "read", lambda *_, read=read: read)
        result = read_mutated(2)
        assert result.passed == (name == "good")
        assert len(result.failures) == (0 if name == "good" else 2)


def test_measurements() -> None:
    """Time and memory are measured for each file separately, in one process."""
    large_file = kml(course_files.long_line(50_000))
    with reader_process() as reader:
        for _ in range(2):
            small, large = (reader.read(data) for data in (kml(), large_file))
            assert (small.outcome, large.outcome) == ("rejected", "accepted")
            assert small.memory < 5 < large.memory
            assert small.seconds < large.seconds


def test_hanging_reader_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that hangs is reported, and a new process reads the next file."""
    with reader_process() as reader:
        monkeypatch.setattr(course_files, "_TIMEOUT_S", 0.0)
        assert reader.read(kml()).message == "the reader hangs"
        monkeypatch.undo()
        assert reader.read(kml()).outcome == "rejected"


def test_canary_counts_connections() -> None:
    """The canary counts a connection."""
    import urllib.request  # noqa: PLC0415 - no course reader may import it

    canary = Canary()
    with pytest.raises((OSError, http.client.HTTPException)):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(canary.address, timeout=5)
    canary.close()
    assert canary.connections == 1


def test_too_large_files_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file above the size limit is rejected unread."""
    monkeypatch.setattr(library, "MAX_BYTES", 10)
    with pytest.raises(CourseError, match=r"^a\.kml is bigger than"):
        library.read_course(b"x" * 11, "a.kml")
