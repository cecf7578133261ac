"""Converts events, as lines of JSON, to a recording.

The lines are events of any topics, as read from Kafka or written by `generate`: alone, after a key and other
fields, or in an envelope. What is not an event is skipped and noted. Positions are sorted by `emittedAt`,
which merges a topic's partitions, and published again at the tick of the newest position before them.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from simulator.course.course import Course
from simulator.race import entrants
from simulator.race.entrants import Entrants
from simulator.race.events import STATUS_NAMES
from simulator.race.race import Passings, Snapshot, Status, points_of
from simulator.race.request import MAX_INTERVAL
from simulator.race.start_list import OPEN, StartList
from simulator.replay.event_files import Notes, Written
from simulator.replay.recording import MAX_EVENTS, RecordingError, Track, crossings
from stream.arrays import Floats, Ints
from stream.contract import TABLES, TOPICS
from stream.courses import TimingPoint

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
SEXES = TABLES["competitors"].fields["sex"].words
MEASURED = ("competitorId", "rawTime", "timestamp", "lat", "lon", "distance", "elapsed")
ENVELOPES = ("payload", "value")
"""Fields of envelopes that contain the event: of kcat -J and Kafka Connect, and of rpk, AKHQ and others."""
MAX_ENVELOPES = 3
"""Maximum number of envelopes around an event."""
TOMBSTONES = "messages without a value, skipped"
NOT_EVENTS = "lines that are not events, skipped"
OTHER_TOPICS = "messages of other topics, skipped"
RAW_READS = "raw reads of chips, skipped"
CUT_SHORT = "last lines that are cut short, skipped"
WRONG_BYTES = "lines with bytes that are not UTF-8, which were replaced"
_NOTHING = {b"", b"null", b"NULL"}
_SHOWN = 60
"""Maximum length of quoted text."""
COLUMNS = 11
"""Numbers that are kept of a position."""


@dataclass
class Lines:
    """The events of one race.

    Attributes:
        course: the course's short name.
        positions: the numbers that `_position` returns, one position after the other.
        passings: as returned by `_passing`.
        entries: name, category, club, sex and wave, by bib.
        race: the newest record of the race, or empty.
    """

    course: str = ""
    positions: "array[float]" = field(default_factory=lambda: array("d"))
    passings: list[tuple[int, TimingPoint, float, float]] = field(default_factory=list)
    entries: dict[int, tuple[str, str, str, str, int]] = field(default_factory=dict)
    race: dict[str, Any] = field(default_factory=dict)

    def rows(self) -> Floats:
        """Return the positions, shape (k, COLUMNS)."""
        return np.array(self.positions).reshape(-1, COLUMNS)


def read(lines: Iterable[Written], notes: Notes) -> dict[str, Lines]:
    """Return the events by race.

    Raises RecordingError, with the line's number, if an event is invalid, or if there are none.

    Args:
        lines: the files' lines.
        notes: what is skipped is added.
    """
    races: dict[str, Lines] = defaultdict(Lines)
    count = 0
    for line in lines:
        try:
            events = list(_events(line, notes))
            for event in events:
                _take(races, event)
        except (KeyError, ValueError) as error:
            reason = f"has no {error.args[0]}" if isinstance(error, KeyError) else error
            raise RecordingError(f"{line.source}, line {line.line:,}: {reason}") from error
        count += len(events)
        if count > MAX_EVENTS:
            raise RecordingError(f"{line.source} has more than {MAX_EVENTS:,} events")
    if not count:
        why = "; ".join(notes.warnings()) or "the file is empty"
        raise RecordingError(f"there are no events of Racecast, one JSON object a line: {why}")
    return dict(races)


def _events(line: Written, notes: Notes) -> Iterator[dict[str, Any]]:
    """Yield the events of a line: one, none, or the rows of an answer of Pinot."""
    place = f"{line.source} line {line.line:,}"
    text = _value(line.text.strip(b" \r\n\0"))
    if text in _NOTHING:
        if line.text.strip():
            notes.add(TOMBSTONES, place)
        return
    if not text.startswith(b"{"):
        notes.add(NOT_EVENTS, f'{place} "{text[:_SHOWN].decode(errors="replace")}"')
        return
    try:
        event = _parsed(text, place, notes)
    except orjson.JSONDecodeError as error:
        if not line.is_last or text.count(b"{") <= text.count(b"}"):
            raise ValueError(f"is not valid JSON, from column {error.colno:,} on: {error.msg}") from error
        notes.add(CUT_SHORT, place)
        return
    if "resultTable" in event:
        yield from _rows_of_pinot(event)
        return
    inner = _unwrapped(event)
    if inner is not None and "runId" in inner and "rssi" not in inner:
        yield inner
    else:
        what, why = _skipped(inner, event.get("topic"))
        notes.add(what, f"{place}{why}")


def _skipped(inner: dict[str, Any] | None, topic: object) -> tuple[str, str]:
    """Return what a message is that is not an event, and more about it."""
    if inner is None:
        return TOMBSTONES, ""
    if "rssi" in inner:
        return RAW_READS, ""
    if isinstance(topic, str) and topic not in TOPICS:
        return OTHER_TOPICS, f" ({topic[:_SHOWN]})"
    return NOT_EVENTS, f" (no runId; fields: {', '.join(list(inner)[:8]) or 'none'})"


def _value(text: bytes) -> bytes:
    """Return what follows the key, the time and the headers that consumers print in front of a value."""
    if text.startswith(b"{"):
        return text
    parts = text.split(b"\t")
    for nth, part in enumerate(parts):
        if part.lstrip().startswith(b"{"):
            return b"\t".join(parts[nth:]).strip()
    if len(parts) > 1:
        return parts[-1].strip()
    begin = text.find(b'{"')
    return text[begin:] if begin > 0 and b'"runId"' in text and text.endswith(b"}") else text


def _parsed(text: bytes, place: str, notes: Notes) -> dict[str, Any]:
    try:
        event: dict[str, Any] = orjson.loads(text)
    except orjson.JSONDecodeError:
        repaired = text.decode(errors="replace")
        if "\ufffd" not in repaired:
            raise
        event = orjson.loads(repaired)
        notes.add(WRONG_BYTES, place)
    return event


def _unwrapped(event: dict[str, Any]) -> dict[str, Any] | None:
    """Return the event in its envelopes; None if there is none."""
    for _ in range(MAX_ENVELOPES):
        name = next((name for name in ENVELOPES if name in event), None)
        if name is None or "runId" in event:
            break
        inner = event[name]
        if inner is None or inner == "":
            return None
        if isinstance(inner, str):
            try:
                inner = orjson.loads(inner)
            except orjson.JSONDecodeError as error:
                raise ValueError(f"{name} is not JSON but {inner[:_SHOWN]!r}: consume it as text") from error
        if inner is None:
            return None
        if not isinstance(inner, dict):
            raise ValueError(f"{name} is not an event")  # noqa: TRY004 - reported like all errors of a line
        event = inner
    return event


def _rows_of_pinot(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of Pinot's answer to a query."""
    table = answer["resultTable"]
    try:
        names = table["dataSchema"]["columnNames"]
        yield from (dict(zip(names, row, strict=True)) for row in table["rows"])
    except (KeyError, TypeError) as error:
        raise ValueError("is not the answer of Pinot to a query") from error


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
        club = _text(event, "club") if event.get("club") is not None else ""
        sex = _word(event, "sex", SEXES) if event.get("sex") is not None else ""
        wave = int(_number(event, "wave"))
        race.entries[int(_number(event, "competitorId"))] = name, category, club, sex, wave
    elif "startTime" in event:
        race.race = event
        race.course = _text(event, "course")
    else:
        fields = ", ".join(list(event)[:12])
        raise ValueError(f"is not an event of the topics {', '.join(TOPICS)}; its fields: {fields}")


def _position(event: dict[str, Any]) -> tuple[float, ...]:
    """Return MEASURED, the status's number, the true lat and lon or NaN, and emittedAt."""
    has_truth = event.get("trueLon") is not None
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
    known = [race.entries.get(bib, (f"Runner {bib}", OPEN, "", "", 1)) for bib in bibs.tolist()]
    name, category, club, sex, wave = zip(*known, strict=True) if known else ((), (), (), (), ())
    waves = np.array(wave, np.int64)
    listed = StartList(bibs, name, category, club, waves, np.full(len(bibs), np.nan), sex)
    return entrants.listed(listed, waves)
