"""Our own events, as lines of JSON, made a recording.

The lines are those of the topics, any of them, as they were read from Kafka or written by `generate`; with
each its key and a tab before it, if that's how they were written. A position is told again when it was: in
the order of `emittedAt`, which puts a topic's partitions together again, at the tick of the newest before it.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from simulator.course.course import TimingPoint
from simulator.race import entrants
from simulator.race.events import STATUS_NAMES
from simulator.race.race import Passings, Snapshot, Status, points_of
from simulator.race.request import MAX_INTERVAL
from simulator.race.start_list import OPEN, StartList
from simulator.replay.recording import MAX_EVENTS, RecordingError, Track, crossings
from stream.contract import TABLES, TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from simulator.course.course import Course
    from simulator.race.entrants import Entrants

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LATEST = 10_000_000
"""Race seconds of the last event at most: four months."""
BOUNDS = {
    field.name: (field.least, field.most) for topic in TOPICS for field in TABLES[topic].fields.values()
} | {
    "rawTime": (0, LATEST),
    "elapsed": (0, LATEST),
    "distance": (0, 10**8),
    "timestamp": (-(2**53), 2**53),
    "emittedAt": (0, 2**53),
}
"""What a number may be: as the contract says, but for these."""
KINDS = TABLES["passings"].fields["kind"].words
MEASURED = ("competitorId", "rawTime", "timestamp", "lat", "lon", "distance", "elapsed")
COLUMNS = 11
"""Numbers that are kept of a position."""


@dataclass
class Lines:
    """The events of one race, as they were read.

    Attributes:
        course: the course's short name.
        positions: numbers, one row behind the other, with the columns that `_position` gives.
        passings: as `_passing` gives them.
        entries: by bib: name, category, club and wave.
        race: the newest record of the race, or nothing.
    """

    course: str = ""
    positions: array[float] = field(default_factory=lambda: array("d"))
    passings: list[tuple[int, TimingPoint, float, float]] = field(default_factory=list)
    entries: dict[int, tuple[str, str, str, int]] = field(default_factory=dict)
    race: dict[str, Any] = field(default_factory=dict)

    def rows(self) -> Floats:
        """Return the positions, shape (k, COLUMNS)."""
        return np.array(self.positions).reshape(-1, COLUMNS)


def read(lines: Iterable[bytes], source: str) -> dict[str, Lines]:
    """Return the events by race.

    Args:
        lines: the file's lines.
        source: what to call it in messages.

    Raises RecordingError with the line's number if one is no event.
    """
    races: dict[str, Lines] = defaultdict(Lines)
    count = 0
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        count += 1
        if count > MAX_EVENTS:
            raise RecordingError(f"{source} has more than {MAX_EVENTS:,} events")
        try:
            _take(races, _event(text))
        except KeyError as error:
            raise _wrong(source, number, f"has no {error.args[0]}") from error
        except ValueError as error:
            raise _wrong(source, number, str(error)) from error
    return dict(races)


def _event(text: bytes) -> dict[str, Any]:
    key, tab, value = text.partition(b"\t")
    # Before a tab is the key, if the file has keys; within JSON there may be tabs as well.
    event = orjson.loads(value if tab and not key.startswith(b"{") else text)
    if not isinstance(event, dict):
        raise ValueError("is no event")  # noqa: TRY004 - told like all that is wrong with a line
    return event


def _take(races: dict[str, Lines], event: dict[str, Any]) -> None:
    """Put an event where it belongs; which topic it is of, its fields tell."""
    run_id = event["runId"]
    if not isinstance(run_id, str):
        raise ValueError("has a runId that is no text")  # noqa: TRY004
    race = races[run_id]
    if "eventId" in event:
        race.course = _text(event, "course")
        race.positions.extend(_position(event))
    elif "kind" in event:
        race.passings.append(_passing(event))
    elif "category" in event:
        bib = int(_number(event, "competitorId"))
        club = _text(event, "club") if "club" in event else ""
        wave = int(_number(event, "wave"))
        race.entries[bib] = (_text(event, "name"), _text(event, "category"), club, wave)
    elif "startTime" in event:
        race.race = event
        race.course = _text(event, "course")
    else:
        raise ValueError("is no event of a topic that there is")


def _position(event: dict[str, Any]) -> tuple[float, ...]:
    """Return bib, rawTime, timestamp, place, distance, elapsed, status, true place or nan, emittedAt."""
    status = event["status"]
    if status not in STATUS_NAMES:
        raise ValueError(f"has a status that there isn't: {str(status)[:40]!r}")
    has_truth = "trueLon" in event
    return (
        *(_number(event, name) for name in MEASURED),
        STATUS_NAMES.index(status),
        _number(event, "trueLat") if has_truth else np.nan,
        _number(event, "trueLon") if has_truth else np.nan,
        _number(event, "emittedAt"),
    )


def _passing(event: dict[str, Any]) -> tuple[int, TimingPoint, float, float]:
    """Return bib, timing point, elapsed and distance."""
    kind = _text(event, "kind")
    if kind not in KINDS:
        raise ValueError(f"has a kind that there isn't: {kind[:40]!r}")
    return (
        int(_number(event, "competitorId")),
        TimingPoint(np.nan, kind, _text(event, "point"), int(_number(event, "lap"))),  # type: ignore[arg-type]
        _number(event, "elapsed"),
        _number(event, "distance"),
    )


def _number(event: dict[str, Any], name: str) -> float:
    value = event[name]
    least, most = BOUNDS[name]
    # bool is an int to Python, and to nobody else.
    if type(value) not in {int, float} or not least <= value <= most:
        raise ValueError(f"has a {name} that is no number from {least:,} to {most:,}")
    return float(value)


def _text(event: dict[str, Any], name: str) -> str:
    value = event[name]
    if not isinstance(value, str) or len(value) > 1000:
        raise ValueError(f"has a {name} that is no text of 1,000 characters at most")
    return value


def _wrong(source: str, number: int, what: str) -> RecordingError:
    return RecordingError(f"{source}, line {number:,}: {what}")


def interval_of(race: Lines) -> float:
    """Return the race seconds between two ticks: the most that a race may have, and all are a multiple of."""
    common = int(np.gcd.reduce(np.unique(race.rows()[:, 1]).astype(np.int64)))
    steps = range(min(common, MAX_INTERVAL), 0, -1)
    return float(next((step for step in steps if common % step == 0), 1))


def parts_of(
    race: Lines, course: Course, interval: float
) -> tuple[Entrants, Track, tuple[TimingPoint, ...], Passings]:
    """Return what a recording is made of.

    Args:
        race: the events.
        course: the race's course.
        interval: race seconds between two ticks.
    """
    columns = race.rows()
    bibs = np.unique(
        np.concatenate(
            [
                columns[:, 0].astype(np.int64),
                np.array([passing[0] for passing in race.passings], np.int64),
                np.array(list(race.entries), np.int64),
            ]
        )
    )
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
    # Without a record of the race its start is what most trackers agree on.
    start = np.median(ahead) if start_ms is None and len(ahead) else float(start_ms or 0)
    told_at = np.maximum.accumulate(raw_time) if len(raw_time) else raw_time
    return Track(
        who=np.searchsorted(bibs, bib.astype(np.int64)),
        tick=np.ceil(told_at / interval - 1e-9).astype(np.int64),
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
    # By kind, name and lap: their distance is not a number, and no two of those are the same.
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
    """Yield of each competitor the index, times, metres, last status and the exact seconds of the end."""
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
