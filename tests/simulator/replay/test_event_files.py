"""Recorded events as shells, Kafka's tools and jq write them."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.replay import event_files, lines
from simulator.replay.event_files import Notes, opened
from simulator.replay.lines import Lines
from simulator.replay.recording import RecordingError
from stream.contract import read_event
from tests.processes import ROOT
from tests.simulator.replay.test_lines import POSITION

WILD = ROOT / "tests" / "wild" / "70-powershell-utf16-ndjson"
EVENTS = [{**POSITION, "rawTime": time, "eventId": f"r-1-{time}"} for time in range(3)]
LINES = [json.dumps(event) for event in EVENTS]
TEXT = "\n".join(LINES) + "\n"
ROWS = [list(event.values()) for event in EVENTS]
PINOT = {"resultTable": {"dataSchema": {"columnNames": list(POSITION)}, "rows": ROWS}, "exceptions": []}
Read = Callable[[str | bytes], tuple[dict[str, Lines], list[str]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a file with this content; return its races and the warnings."""

    def read_file(content: str | bytes) -> tuple[dict[str, Lines], list[str]]:
        file, notes = tmp_path / "race.ndjson", Notes()
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return lines.read(opened([file]), notes), notes.warnings()

    return read_file


def in_lines(*envelopes: Any) -> str:
    """Return values as one JSON document a line."""
    return "".join(json.dumps(envelope) + "\n" for envelope in envelopes)


@pytest.mark.parametrize("name", ["race.ndjson", "race-bom.ndjson"])
def test_files_of_powershell_are_read(name: str) -> None:
    """UTF-16 and a byte order mark change nothing."""
    notes = Notes()
    (race,) = lines.read(opened([WILD / name]), notes).values()
    times, bibs = race.rows()[:, 1], race.rows()[:, 0]

    assert race.course == "canal"
    assert (len(race.rows()), sorted(set(bibs))) == (35, [1, 2])
    assert times.max() == 1140
    assert notes.warnings() == []


@pytest.mark.parametrize(
    "content",
    [
        *(TEXT.encode(encoding) for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")),
        TEXT.replace("\n", "\r\n\r\n"),
        gzip.compress(TEXT.encode()),
        gzip.compress(TEXT.encode("utf-16")),
        in_lines(*({"topic": "parkrun", "partition": 0, "key": "r:1", "payload": line} for line in LINES)),
        in_lines(*({"topic": "parkrun", "key": "r:1", "payload": event} for event in EVENTS)),
        in_lines(*({"schema": {"type": "struct"}, "payload": event} for event in EVENTS)),
        in_lines(*({"topic": "p", "payload": json.dumps({"schema": {}, "payload": e})} for e in EVENTS)),
        "".join(f"r:1\t{line}\n" for line in LINES),
        "".join(f"null\t{line}\n" for line in LINES),
        "".join(f"CreateTime:17\tPartition:0\tOffset:5\ta:b,c:d\tr:1\t{line}\n" for line in LINES),
        "".join(f"r:1|{line}\n" for line in LINES),
        "[" + ",".join(LINES) + "]",
        "[\n" + ",\n".join(LINES) + "\n]\n",
        json.dumps(EVENTS, indent=2),
        json.dumps(EVENTS, indent=2).encode("utf-16"),
        "\n".join(json.dumps(event, indent=4) for event in EVENTS),
        "".join(LINES),
        ",\n".join(LINES) + ",\n",
        in_lines(*(event | {"trueLat": None, "trueLon": None} for event in EVENTS)),
        json.dumps([{"key": "r:1", "value": line, "offset": 1} for line in LINES]),
        json.dumps(PINOT),
        json.dumps(PINOT, indent=1),
    ],
)
def test_the_same_events_are_read_from_any_tool(read: Read, content: str | bytes) -> None:
    """Encodings, compression, keys, envelopes, arrays and Pinot's answers are no obstacle."""
    races, warnings = read(content)

    np.testing.assert_array_equal(races["r"].rows(), read(TEXT)[0]["r"].rows())
    assert warnings == []


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_objects_may_be_cut_anywhere_between_two_reads(
    read: Read, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """Quotes, braces and backslashes in texts don't end an object."""
    monkeypatch.setattr(event_files, "_CHUNK", chunk)
    name = 'a "quoted\\" { name \\'
    entry = {"runId": "r", "competitorId": 1, "name": name, "category": "W", "wave": 1}
    races, warnings = read(json.dumps([entry, EVENTS[0]], indent=1))

    assert races["r"].entries == {1: (name, "W", "", "", 1)}
    assert len(races["r"].rows()) == 1
    assert warnings == []


@pytest.mark.parametrize(
    ("content", "count", "warning"),
    [
        ("r:1\tnull\nr:1\t\nnull\n" + TEXT, 3, "messages without a value, skipped: 3 (race.ndjson line 1,"),
        (TEXT + in_lines({"topic": "parkrun", "payload": None}), 3, "messages without a value, skipped: 1"),
        (
            in_lines({"topic": "orders", "payload": {"id": 1}}) + TEXT,
            3,
            "messages of other topics, skipped: 1",
        ),
        (in_lines(*read_event("reads")["examples"]) + TEXT, 3, "raw reads of chips, skipped: 2"),
        ("% Reached end of topic\n" + TEXT, 3, 'skipped: 1 (race.ndjson line 1 "% Reached end of topic")'),
        ("[2026-01-01] INFO begun\n" + TEXT, 3, "lines that are not events, skipped: 1"),
        ('{"level": "info"}\n' + TEXT, 3, "race.ndjson line 1 (no runId; fields: level)"),
        (TEXT[:-30], 2, "last lines that are cut short, skipped: 1 (race.ndjson line 3)"),
        (TEXT.encode("utf-16")[:-31], 2, "last lines that are cut short, skipped: 1"),
        (json.dumps(EVENTS)[:-50], 2, "last lines that are cut short, skipped: 1"),
        (TEXT.encode().replace(b"straight", b"str\xe5ight", 1), 3, "bytes that are not UTF-8"),
    ],
)
def test_what_is_no_event_is_skipped_and_counted(
    read: Read, content: str | bytes, count: int, warning: str
) -> None:
    """Tombstones, other topics, log lines and a cut end cost only themselves."""
    races, warnings = read(content)

    assert len(races["r"].rows()) == count
    assert len(warnings) == 1
    assert warning in warnings[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "there are no events of Racecast, one JSON object a line: the file is empty"),
        ("runId,lat\nr,5\n", 'skipped: 2 (race.ndjson line 1 "runId,lat"'),
        ('{"type": "FeatureCollection", "features": []}', "no runId; fields: type, features"),
        (
            TEXT + '{"runId": "r", "heartRate": 7}\n',
            "line 4: is not an event of the topics parkrun, passings",
        ),
        (LINES[0][:40] + "\n" + TEXT, "line 1: is not valid JSON, from column 41 on"),
        (in_lines({"topic": "parkrun", "payload": "AAEC"}), "payload is not JSON but 'AAEC'"),
        (in_lines({"topic": "parkrun", "payload": [1]}), "payload is not an event"),
        (in_lines({"resultTable": {}}), "is not the answer of Pinot to a query"),
        (gzip.compress(TEXT.encode())[:-12], "race.ndjson is damaged"),
        (TEXT + '{"runId": "r", "lat": NaN}', "line 4: is not valid JSON, from column 23 on"),
    ],
)
def test_other_files_are_explained(read: Read, content: str | bytes, words: str) -> None:
    """The message names the fault, with its line."""
    with pytest.raises(RecordingError) as caught:
        read(content)

    assert words in str(caught.value)


@pytest.mark.parametrize("begin", ["", "{\n", '[{"a":"'])
def test_lines_have_a_maximum_length(read: Read, monkeypatch: pytest.MonkeyPatch, begin: str) -> None:
    """A file without an end of line or object is rejected before it fills the memory."""
    monkeypatch.setattr(event_files, "MAX_LINE", 1000)

    assert len(read(LINES[0] + " " * (1000 - len(LINES[0])))[0]["r"].rows()) == 1
    with pytest.raises(RecordingError, match="line 1: is longer than"):
        read(begin + "a" * 1001)
