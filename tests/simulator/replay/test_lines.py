import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import orjson
import pytest

from simulator.commands.generate import generate
from simulator.course.course import Course
from simulator.publishers.encode import encode
from simulator.race.events import RaceSource, entries_of, passings_until, positions_at, record_of
from simulator.race.race import BEFORE_THE_START, Race
from simulator.replay import lines
from simulator.replay.event_files import Notes, written
from simulator.replay.lines import Lines
from simulator.replay.recording import Recording, RecordingError
from tests.simulator.conftest import resolved

FAULTS = {
    "lost": 0.1,
    "late": 0.2,
    "frozen": 0.1,
    "duplicates": 0.1,
    "clock_skew": 5.0,
    "gps_error": 3.0,
    "dnf": 0.2,
    "dns": 0.1,
    "disqualified": 0.1,
    "wave_size": 5,
    "entrants": "drawn",
    "interval": 7.0,
}
POSITION = {
    "runId": "r",
    "eventId": "r-1-0",
    "competitorId": 1,
    "rawTime": 0,
    "timestamp": 1000,
    "lat": 50.0,
    "lon": 0.0,
    "distance": 0.0,
    "course": "straight",
    "status": "running",
    "elapsed": 0.0,
    "emittedAt": 0,
}
PASSING = {"runId": "r", "competitorId": 1, "kind": "start", "point": "Start", "lap": 1, "distance": 0.0}
PASSING |= {"elapsed": 0.0, "timestamp": 1000}


def read(stream: Iterable[bytes], source: str = "events", notes: Notes | None = None) -> dict[str, Lines]:
    """Return the races of a file with these lines."""
    file = io.BufferedReader(io.BytesIO(b"\n".join(stream)))
    return lines.read(written(file, source), notes or Notes())


def events(race: Race, *, with_passings: bool = True) -> Iterator[bytes]:
    """Yield all events that an engine would publish for a race."""
    yield from encode(record_of(race, "running", 1, race.request.text())).values
    for entries in entries_of(race, 100):
        yield from encode(entries).values
    for tick in range(race.last_tick + 1):
        if with_passings:
            for passed in passings_until(race, tick, 100):
                yield from encode(passed).values
        for batch in positions_at(race, tick, 100):
            yield from encode(batch).values


def recorded(race: Race, **how: Any) -> Recording:
    """Return a race as it is read from its own events."""
    (found,) = read(events(race, **how)).values()
    interval = lines.interval_of(found)
    request = resolved(competitors=race.request.competitors, interval=interval)
    return Recording(race.course, request, *lines.parts_of(found, race.course, interval))


def test_replay_publishes_the_events_of_the_race(straight: Course) -> None:
    """Under every fault, each tick publishes the same events in the same order, to the last digit."""
    race = Race(straight, resolved(competitors=30, **FAULTS))
    again = recorded(race)

    assert list(chain(*ticks(again))) == list(chain(*ticks(race)))
    # A late position at a tick without any other is published with the newest position before it.
    assert race.last_tick - 20 < again.last_tick <= race.last_tick


def ticks(source: RaceSource) -> list[list[bytes]]:
    """Return the positions' messages, tick by tick."""
    return [
        [value for batch in positions_at(source, tick, 100) for value in encode(batch).values]
        for tick in range(source.last_tick + 1)
    ]


def test_partitions_are_merged(straight: Course) -> None:
    """Partitions read one after the other, as kcat may do it, give the same ticks."""
    race = Race(straight, resolved(competitors=30, **FAULTS))
    stamped = [
        (int(bib), value)
        for tick in range(race.last_tick + 1)
        for batch in positions_at(race, tick, 100)
        for bib, value in zip(batch.bib, encode(replace(batch, emitted_at=1000 * tick)).values, strict=True)
    ]
    partitions = [value for odd in (1, 0) for bib, value in stamped if bib % 2 == odd]
    request = resolved(competitors=30, interval=7.0)
    again = Recording(straight, request, *lines.parts_of(one_of(partitions), straight, 7.0))
    in_order = Recording(
        straight, request, *lines.parts_of(one_of(value for _, value in stamped), straight, 7.0)
    )

    assert [sorted(tick) for tick in ticks(again)] == [sorted(tick) for tick in ticks(in_order)]


def one_of(stream: Iterable[bytes]) -> lines.Lines:
    """Return the only race of some lines."""
    (found,) = read(stream).values()
    return found


def test_a_recording_has_the_passings_and_the_competitors(straight: Course) -> None:
    """Passings come in the same intervals with the same fields; competitors are the same."""
    race = Race(straight, resolved(competitors=30, **FAULTS))
    again = recorded(race)

    for tick in (0, 50, 100, 120):
        original = [value for batch in passings_until(race, tick, 100) for value in encode(batch).values]
        replayed = [value for batch in passings_until(again, tick, 100) for value in encode(batch).values]
        assert sorted(replayed) == sorted(original)
    whole = again.passings(BEFORE_THE_START, 1e9)
    assert len(whole.who) == len(race.passings(BEFORE_THE_START, 1e9).who)
    assert list(again.entrants.some(0, 30)) == list(race.entrants.some(0, 30))


def test_missing_passings_are_computed(straight: Course) -> None:
    """Positions alone give all passings within a tick, and ends to the millisecond."""
    race = Race(straight, resolved(competitors=30, dnf=0.2, disqualified=0.1, dns=0.1, interval=5))
    found, true = passed(recorded(race, with_passings=False)), passed(race)

    assert found.keys() == true.keys()
    for (who, kind, name, lap), (seconds, metres) in true.items():
        tolerance = 1e-3 if kind in {"finish", "dnf"} else 5.0
        assert found[who, kind, name, lap][0] == pytest.approx(seconds, abs=tolerance)
        assert found[who, kind, name, lap][1] == pytest.approx(metres, abs=0.001)


def passed(source: RaceSource) -> dict[tuple[int, str, str, int], tuple[float, float]]:
    """Return seconds and metres of each passing by competitor, kind, name and lap."""
    passings = source.passings(BEFORE_THE_START, 1e9)
    points = [source.points[point] for point in passings.point.tolist()]
    keys = [(who, *point[1:]) for who, point in zip(passings.who.tolist(), points, strict=True)]
    return dict(
        zip(keys, zip(passings.elapsed.tolist(), passings.distance.tolist(), strict=True), strict=True)
    )


def test_what_generate_writes_is_read() -> None:
    """Lines with keys, of several topics one after the other, are a race."""
    out = io.BytesIO()
    flags = ["--course", "crystal-palace", "--competitors", "3", "--interval", "60"]
    for topic in ("competitors", "parkrun", "passings"):
        generate([*flags, "--topic", topic, "--keys"], out)
    (race,) = read(out.getvalue().splitlines()).values()

    assert race.course == "crystal-palace"
    assert len(race.entries) == 3
    assert lines.interval_of(race) == 60
    assert race.passings


def test_start_without_a_record_of_the_race(straight: Course) -> None:
    """Without a record of the race, its start is the median of the trackers' clocks."""
    race = Race(straight, resolved(competitors=9, interval=60, clock_skew=2))
    stream = [value for batch in positions_at(race, 1, 100) for value in encode(batch).values]
    (found,) = read(stream).values()
    _, track, _, _ = lines.parts_of(found, straight, 60.0)
    skews = positions_at(race, 1, 100).__next__().timestamp - race.start_ms - 60_000

    assert track.skew == pytest.approx(skews - np.median(skews), abs=1)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "line 2: "),
        (b'{"runId":7}', "line 2: runId is not a text"),
        (b'{"runId":"r"}', "is not an event of the topics parkrun, "),
        ({**POSITION, "lat": 91}, "lat is not a number from -90 to 90"),
        ({**POSITION, "lon": "1"}, "lon is not a number"),
        ({**POSITION, "rawTime": -1}, "rawTime is not a number from 0"),
        ({**POSITION, "rawTime": True}, "rawTime is not a number"),
        ({**POSITION, "competitorId": 0}, "competitorId is not a number from 1"),
        ({**POSITION, "status": "flying"}, "unknown status: 'flying'"),
        ({**POSITION, "status": []}, "unknown status"),
        ({**POSITION, "course": 5}, "course is not a text"),
        ({name: value for name, value in POSITION.items() if name != "distance"}, "has no distance"),
        ({**PASSING, "kind": "jump"}, "unknown kind: 'jump'"),
        ({**PASSING, "lap": 0}, "lap is not a number from 1"),
        ({**PASSING, "elapsed": None}, "elapsed is not a number"),
        (b'{"runId":"r","eventId":"e","rawTime":1e999}', "line 2"),
    ],
)
def test_invalid_line_is_reported_with_its_number(line: bytes | dict[str, Any], words: str) -> None:
    """A line that is not an event is reported in one sentence."""
    text = line if isinstance(line, bytes) else orjson.dumps(line)
    with pytest.raises(RecordingError) as caught:
        read([orjson.dumps(POSITION), text, orjson.dumps(POSITION)], "race.ndjson")

    assert str(caught.value).startswith("race.ndjson, line 2")
    assert words in str(caught.value)


def test_number_of_events_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with as many events as the limit is read; one more is rejected."""
    monkeypatch.setattr(lines, "MAX_EVENTS", 3)
    line = orjson.dumps(POSITION)

    assert len(read([line, b"", line, line])["r"].rows()) == 3
    with pytest.raises(RecordingError, match="f has more than 3 events"):
        read([line] * 4, "f")
