"""Any file gives a course or one error, in bounded time and memory."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

import pytest

from simulator.course import library
from simulator.course.drawing import CourseError
from tests.torture import course_files
from tests.torture.course_files import Canary, Read, kml, reader, run

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 10.0
"""Seconds of processor time: what takes a fraction of one, or minutes if it runs away."""
BIG = 3_000_000
"""Bytes from which on a file is left to the long form."""


def test_mutated() -> None:
    """Some mutated real files are accepted, and all others rejected."""
    outcome = run(300, seconds=PATIENCE)
    assert outcome.held, outcome.broken
    assert outcome.tried == 300
    assert min(outcome.taken, outcome.refused) > 30


def test_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """So is every named file; nothing is called, and nothing is written."""
    monkeypatch.setattr(course_files, "FAMILIES", {"short": _short})
    outcome = course_files.corpus(seconds=PATIENCE)
    assert outcome.held, outcome.broken
    assert outcome.tried > 200


def _short() -> Iterator[tuple[str, bytes]]:
    families = ("archives", "numbers", "shapes", "encodings", "markup", "points")
    for name in families:
        for what, data in ALL[name]():
            if len(data) < BIG:
                yield what, data


ALL = dict(course_files.FAMILIES)


def test_what_is_broken_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash, an unsound course, a long time and much memory all count as broken."""
    held = Read("refused", "why", 0.1, 1.0)
    cases = {
        "crash": held._replace(outcome="broken", words="MemoryError"),
        "slow": held._replace(seconds=1.5),
        "greedy": held._replace(memory=101.0),
    }
    for what, read in {"held": held, **cases}.items():
        monkeypatch.setattr(course_files.Reader, "read", lambda *_, read=read: read)
        outcome = run(2)
        assert outcome.held == (what == "held")
        assert len(outcome.broken) == (0 if what == "held" else 2)


def test_what_is_measured() -> None:
    """The memory and the time of one reading are those that it takes, again and again."""
    big = kml(course_files.long_line(50_000))
    with reader() as process:
        for _ in range(2):
            small, large = (process.read(data) for data in (kml(), big))
            assert (small.outcome, large.outcome) == ("refused", "taken")
            assert small.memory < 5 < large.memory
            assert small.seconds < large.seconds


def test_reader_that_hangs_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that hangs counts as broken, and another reads the next file."""
    with reader() as process:
        monkeypatch.setattr(course_files, "_PATIENCE", 0.0)
        assert process.read(kml()).words == "it hangs"
        monkeypatch.undo()
        assert process.read(kml()).outcome == "refused"


def test_calls_of_the_canary_are_counted() -> None:
    """A call to the canary is counted."""
    import urllib.request  # noqa: PLC0415 - what no reader may do

    canary = Canary()
    with pytest.raises((OSError, http.client.HTTPException)):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(canary.address, timeout=5)
    canary.close()
    assert canary.calls == 1


def test_a_file_too_big_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is bigger than any may be isn't looked at."""
    monkeypatch.setattr(library, "MAX_BYTES", 10)
    with pytest.raises(CourseError, match=r"^a\.kml is bigger than"):
        library.read_course(b"x" * 11, "a.kml")
