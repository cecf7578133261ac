"""One small file for each way in which a course file can be untidy, and its result."""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.course.drawing import CourseError
from simulator.course.library import read_course

HERE = Path(__file__).parent
FILES = sorted((HERE / "files").iterdir())
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((HERE / "expected.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file(path: Path) -> None:
    """A file gives the course or the error that the table says, and all its warnings."""
    assert EXPECTED[path.stem] == _outcome(path)


def test_table() -> None:
    """The table has a row for every file and no other."""
    assert {path.stem for path in FILES} == set(EXPECTED)


def _outcome(path: Path) -> dict[str, Any]:
    """Read a file and return its result in the form of the table."""
    try:
        course = read_course(path.read_bytes(), path.name)
    except CourseError as error:
        return {"error": str(error).removeprefix(path.name)}
    outcome: dict[str, Any] = {"distance": round(course.distance, 1)}
    if course.laps > 1:
        outcome["laps"] = course.laps
    if course.fences:
        outcome["fences"] = [fence.name for fence in course.fences]
    if course.mats:
        mats = {mat.name for mat in course.mats}
        timed = [point for point in course.timing_points if point.kind == "split" and point.name in mats]
        outcome["timing"] = [f"{point.name} {point.lap}: {point.distance:.1f}" for point in timed]
    if course.alt is not None:
        outcome["altitude"] = np.round(course.alt, 1).tolist()
    if course.warnings:
        outcome["warnings"] = list(course.warnings)
    return outcome
