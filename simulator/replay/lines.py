"""Converts events, as lines of JSON, to a recording.

The lines are events of any topics, as read from Kafka or written by `generate`, perhaps each after its key
and a tab. Positions are sorted by `emittedAt`, which merges a topic's partitions, and published again at the
tick of the newest position before them.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from simulator.course.course import Course, TimingPoint
from simulator.race import entrants
from simulator.race.entrants import Entrants
from simulator.race.events import STATUS_NAMES
from simulator.race.race import Passings, Snapshot, Status, points_of
from simulator.race.request import MAX_INTERVAL
from simulator.race.start_list import OPEN, StartList
from simulator.replay.recording import MAX_EVENTS, RecordingError, Track, crossings
from stream.arrays import Floats, Ints
from stream.contract import TABLES, TOPICS

MAX_TIME = 10_000_000
"""Maximum race time of an event, seconds: four months."""
BOUNDS = {
    field.name: (field.least, field.most) for topic in TOPICS for field in TABLES[topic].fields.values()
} | {
    "rawTime": (0, MAX_TIME),
    "elapsed": (0, MAX_TIME),
    "distance": (0, 10**8),
    "timestamp": (-(2**53), 2**53),
    "emittedAt": (0, 2**53),
}
"""Bounds of each number: those of the contract, except for a few."""
KINDS = TABLES["passings"].fields["kind"].words
MEASURED = ("competitorId", "rawTime", "timestamp", "lat", "lon", "distance", "elapsed")
COLUMNS = 11
"""Numbers that are kept of a position."""


@dataclass
class Lines:
    """The events of one race.

    Attributes:
        course: the course's short name.
        positions: the numbers that `_position` returns, one position after the other.
        passings: as returned by `_passing`.
        entries: name, category, club and wave, by bib.
        race: the newest record of the race, or empty.
    """

    course: str = ""
    positions: "array[float]" = field(default_factory=lambda: array("d"))
    passings: list[tuple[int, TimingPoint, float, float]] = field(default_factory=list)
    entries: dict[int, tuple[str, str, str, int]] = field(default_factory=dict)
    race: dict[str, Any] = field(default_factory=dict)

    def rows(self) -> Floats:
        """Return the positions, shape (k, COLUMNS)."""
        return np.array(self.positions).reshape(-1, COLUMNS)


def read(lines: Iterable[bytes], source: str) -> dict[str, Lines]:
    """Return the events by race; raises RecordingError, with the line's number, if a line isn't an event.

    Args:
        lines: the file's lines.
        source: name of the file in messages.
    """
    races: dict[str, Lines] = defaultdict(Lines)
    written = ((number, text) for number, line in enumerate(lines, start=1) if (text := line.strip()))
    for count, (number, text) in enumerate(written, start=1):
        if count > MAX_EVENTS:
            raise RecordingError(f"{source} has more than {MAX_EVENTS:,} events")
        try:
            _take(races, _event(text))
        except (KeyError, ValueError) as error:
            reason = f"has no {error.args[0]}" if isinstance(error, KeyError) else error
            raise RecordingError(f"{source}, line {number:,}: {reason}") from error
    return dict(races)


def _event(text: bytes) -> dict[str, Any]:
    key, tab, value = text.partition(b"\t")
    # A key precedes the first tab if the file has keys, but JSON may contain tabs as well.
    event = orjson.loads(value if tab and not key.startswith(b"{") else text)
    if not isinstance(event, dict):
        raise ValueError("is not an event")  # noqa: TRY004 - reported like all errors of a line
    return event


def _take(races: dict[str, Lines], event: dict[str, Any]) -> None:
    """Add an event to its race; its fields determine its topic."""
    race = races[_text(event, "runId")]
    if "eventId" in event:
        race.course = _text(event, "course")
        race.positions.extend(_position(event))
    elif "kind" in event:
        race.passings.append(_passing(event))
    elif "category" in event:
        name, category = _text(event, "name"), _text(event, "category")
        club = _text(event, "club") if "club" in event else ""
        race.entries[int(_number(event, "competitorId"))] = name, category, club, int(_number(event, "wave"))
    elif "startTime" in event:
        race.race = event
        race.course = _text(event, "course")
    else:
        raise ValueError("is not an event of a known topic")


def _position(event: dict[str, Any]) -> tuple[float, ...]:
    """Return MEASURED, the status's number, the true lat and lon or NaN, and emittedAt."""
    has_truth = "trueLon" in event
    return (
        *(_number(event, name) for name in MEASURED),
        STATUS_NAMES.index(_word(event, "status", STATUS_NAMES)),
        _number(event, "trueLat") if has_truth else np.nan,
        _number(event, "trueLon") if has_truth else np.nan,
        _number(event, "emittedAt"),
    )


def _passing(event: dict[str, Any]) -> tuple[int, TimingPoint, float, float]:
    """Return bib, timing point (its distance unknown), elapsed and distance."""
    kind: Any = _word(event, "kind", KINDS)
    return (
        int(_number(event, "competitorId")),
        TimingPoint(np.nan, kind, _text(event, "point"), int(_number(event, "lap"))),
        _number(event, "elapsed"),
        _number(event, "distance"),
    )


def _number(event: dict[str, Any], name: str) -> float:
    value = event[name]
    least, most = BOUNDS[name]
    # A bool is an int in Python.
    if type(value) not in {int, float} or not least <= value <= most:
        raise ValueError(f"{name} is not a number from {least:,} to {most:,}")
    return float(value)


def _text(event: dict[str, Any], name: str) -> str:
    value = event[name]
    if not isinstance(value, str) or len(value) > 1000:
        raise ValueError(f"{name} is not a text of at most 1,000 characters")
    return value


def _word(event: dict[str, Any], name: str, words: Sequence[str]) -> str:
    value = event[name]
    if value not in words:
        raise ValueError(f"unknown {name}: {str(value)[:40]!r}")
    return str(value)


def interval_of(race: Lines) -> float:
    """Return the race seconds between two ticks: the longest allowed interval that divides all times."""
    common = int(np.gcd.reduce(np.unique(race.rows()[:, 1]).astype(np.int64)))
    steps = range(min(common, MAX_INTERVAL), 0, -1)
    return float(next((step for step in steps if common % step == 0), 1))


def parts_of(
    race: Lines, course: Course, interval: float
) -> tuple[Entrants, Track, tuple[TimingPoint, ...], Passings]:
    """Return the parts of a recording.

    Args:
        race: the events.
        course: the race's course.
        interval: race seconds between two ticks.
    """
    columns = race.rows()
    passed = [bib for bib, *_ in race.passings]
    bibs = np.unique(np.concatenate([columns[:, 0], passed, list(race.entries)])).astype(np.int64)
    track = _track(columns, bibs, interval, race.race.get("startTime"))
    if race.passings:
        points, passings = _recorded_passings(race.passings, bibs)
    else:
        points, passings = points_of(course), crossings(course, _runs(track, len(bibs)))
    return _entrants(race, bibs), track, points, passings


def _track(columns: Floats, bibs: Ints, interval: float, start_ms: int | None) -> Track:
    columns = columns[np.argsort(columns[:, -1], kind="stable")]
    bib, raw_time, timestamp, lat, lon, distance, elapsed, status, true_lat, true_lon, _ = columns.T
    ahead = timestamp - raw_time * 1000
    # Without a record of the race, its start is the median of the trackers' clocks.
    start = np.median(ahead) if start_ms is None and len(ahead) else float(start_ms or 0)
    return Track(
        who=np.searchsorted(bibs, bib.astype(np.int64)),
        tick=np.ceil(np.maximum.accumulate(raw_time) / interval - 1e-9).astype(np.int64),
        time=raw_time,
        skew=np.rint(ahead - start).astype(np.int64),
        snapshot=Snapshot(elapsed, distance, lon, lat, status.astype(np.uint8)),
        lon=np.where(np.isnan(true_lon), lon, true_lon),
        lat=np.where(np.isnan(true_lat), lat, true_lat),
    )


def _recorded_passings(
    found: list[tuple[int, TimingPoint, float, float]], bibs: Ints
) -> tuple[tuple[TimingPoint, ...], Passings]:
    bib, point, elapsed, distance = zip(*found, strict=True)
    # Timing points are compared without their distance, which is NaN and so equals no other.
    keys = [(one.kind, one.name, one.lap) for one in point]
    points = dict(zip(keys, point, strict=True))
    numbers = {key: nth for nth, key in enumerate(points)}
    return tuple(points.values()), Passings(
        np.searchsorted(bibs, np.array(bib, np.int64)),
        np.array([numbers[key] for key in keys], np.int64),
        np.array(elapsed, float),
        np.array(distance, float),
    )


def _runs(track: Track, count: int) -> Iterator[tuple[int, Floats, Floats, Status, float]]:
    """Yield each competitor's index, times, metres, last status and exact end, as `crossings` needs them."""
    order = np.lexsort((track.time, track.who))
    ends = np.searchsorted(track.who[order], np.arange(count + 1))
    for who in range(count):
        own = order[ends[who] : ends[who + 1]]
        if len(own):
            status = Status(int(track.snapshot.status[own[-1]]))
            end = float(track.snapshot.elapsed[own[-1]])
            yield who, track.time[own], track.snapshot.distance[own], status, end


def _entrants(race: Lines, bibs: Ints) -> Entrants:
    known = [race.entries.get(bib, (f"Runner {bib}", OPEN, "", 1)) for bib in bibs.tolist()]
    name, category, club, wave = zip(*known, strict=True) if known else ((), (), (), ())
    waves = np.array(wave, np.int64)
    listed = StartList(bibs, name, category, club, waves, np.full(len(bibs), np.nan))
    return entrants.listed(listed, waves)
