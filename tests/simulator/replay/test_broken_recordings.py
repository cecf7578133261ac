"""Recorded races, broken in every way that is known: the times are right, or what is wrong is reported."""

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simulator.course.course import Course
from simulator.race.race import Status
from simulator.replay import tracks
from simulator.replay.recording import RecordingError
from stream.arrays import Floats
from tests.simulator.replay.gpx_files import gpx, of_competitor, tracks_of
from tests.simulator.replay.test_tracks import computed

COURSES = ("crystal-palace", "track-10000m", "city-10k")
LATE = (7, 120, 600, 1800, 7200, 86_400, 7168 * 86_400)
KINDS = ("clock", "date", "null", "cold", "jump", "cut", "shuffle", "reverse", "swap", "again")
Timed = tuple[list[float], list[str]]
"""Epoch seconds of the start and, if there is one, the finish; and the warnings."""


@lru_cache
def places_of(course: Course, who: int, every: float, before: float) -> Floats:
    """Return a competitor's longitude, latitude and time, shape (k, 3)."""
    return np.array(of_competitor(computed(course), who, every=every, before=before), float)


def timed(course: Course, places: Floats, encode: Callable[[bytes], bytes] = bytes) -> Timed:
    """Return the times in a recording of places."""
    warnings: list[str] = []
    data = encode(gpx(("Ann", [tuple(place) for place in places.tolist()])))
    (track,) = tracks_of({"a.gpx": data}, warnings)
    run = tracks._run(track, course, warnings)
    return [run.start, run.end] if run.status == Status.FINISHED else [run.start], warnings


@st.composite
def breaks(draw: st.DrawFn) -> Callable[[Floats], Floats]:
    """Return something that breaks a recording."""
    kind = draw(st.sampled_from(KINDS))
    at = draw(st.sampled_from((0.0, 1.0)) | st.floats(0.0, 1.0))
    some = draw(st.sampled_from((1, 1, 2, 5, 20)))
    offset = draw(st.sampled_from(LATE)) * draw(st.sampled_from((-1, 1)))
    away = draw(st.sampled_from((0.01, 0.3, 20.0)))
    date = draw(st.sampled_from((0.0, 2.0**31 - 1, -62_135_596_800.0)))
    seed = draw(st.integers(0, 2**32))

    def apply(places: Floats) -> Floats:
        places = places.copy()
        first = int(at * (len(places) - some))
        part = slice(first, first + some)
        if kind == "clock":
            places[part, 2] += offset
        elif kind == "date":
            places[part, 2] = date
        elif kind == "null":
            places[part, :2] = 0.0
        elif kind == "cold":
            places[part] = 0.0
        elif kind == "jump":
            places[part, 0] += away
        order = np.arange(len(places))
        orders = {
            "cut": np.delete(order, slice(first, first + 5 * some)),
            "shuffle": np.random.default_rng(seed).permutation(order),
            "reverse": order[::-1],
            "swap": np.roll(order, first),
            "again": np.append(order[: first + some], order[max(0, first - 50) :]),
        }
        found: Floats = places[orders.get(kind, order)]
        return found

    return apply


@given(
    broken=breaks(),
    name=st.sampled_from(COURSES),
    receiver=st.tuples(st.integers(0, 4), st.sampled_from((1.0, 5.0)), st.sampled_from((0.0, 20.0))),
)
@settings(max_examples=20)
def test_times_are_right_or_what_is_wrong_is_reported(
    library: Mapping[str, Course],
    broken: Callable[[Floats], Floats],
    name: str,
    receiver: tuple[int, float, float],
) -> None:
    """Start and finish are within one sample of those of the unbroken recording, or a warning says so."""
    course = library[name]
    whole = places_of(course, *receiver)
    expected, usual = timed(course, whole)
    assume(not usual)
    try:
        found, warnings = timed(course, broken(whole))
    except RecordingError as error:
        assert "a.gpx" in str(error)  # noqa: PT017 - any outcome but a silent one
        return
    if not warnings:
        assert found == pytest.approx(expected, abs=receiver[1])


@pytest.mark.parametrize("name", COURSES)
@pytest.mark.parametrize("who", [0, 3])
@pytest.mark.parametrize("seconds", [-7168 * 86_400, -86_400, -3600, -600, 600, 3600, 86_400, 1e9])
@pytest.mark.parametrize("which", [slice(0, 1), slice(0, 5), slice(40, 45), slice(-1, None)])
def test_a_wrong_clock_costs_no_time(
    library: Mapping[str, Course], name: str, who: int, seconds: float, which: slice
) -> None:
    """Wherever the wrong times are, start and finish are right, and it is reported."""
    course = library[name]
    whole = places_of(course, who, 1.0, 0.0)
    broken = whole.copy()
    broken[which, 2] += seconds
    found, warnings = timed(course, broken)

    assert found == pytest.approx(timed(course, whole)[0], abs=1.0)
    assert any("left out" in warning for warning in warnings)


@pytest.mark.parametrize(
    "encode",
    [
        lambda data: data.decode().encode("utf-16"),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"+00:00</time>", b"Z</time>"),
        lambda data: data.replace(b"+00:00</time>", b".0+0000 </time>").replace(b"T", b" "),
        lambda data: (
            data.replace(b"<trkseg>", b"\r\n<trkseg>")
            .replace(b"<trkpt", b"\r\n<x:trkpt")
            .replace(b"</trkpt", b"</x:trkpt")
        ),
    ],
)
def test_another_encoding_changes_nothing(
    library: Mapping[str, Course], encode: Callable[[bytes], bytes]
) -> None:
    """UTF-16, a byte order mark, other notations of times and undeclared prefixes: the same times."""
    course = library["crystal-palace"]
    whole = places_of(course, 0, 1.0, 20.0)

    assert timed(course, whole, encode) == timed(course, whole)
