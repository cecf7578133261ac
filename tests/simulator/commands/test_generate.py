import io
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

import jsonschema_rs
import orjson
import pytest
from jsonschema_rs import Draft202012Validator

from simulator.commands.generate import generate
from simulator.commands.settings import EPOCH, GenerateSettings
from simulator.course.course import Course
from simulator.course.library import load_folder
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from stream.contract import read_event

GOLDEN = Path(__file__).parents[1] / "golden"
TOPICS = ["parkrun", "passings", "races", "competitors"]
REAL = {
    "pace-model": "marathon",
    "fatigue": "wall",
    "gradient": "true",
    "wave-size": "2",
    "wave-delay": "90",
    "start-flow": "0.5",
    "corrals": "true",
    "entrants": "drawn",
    "women": "0.5",
    "dnf": "0.34",
    "disqualified": "0.34",
    "walking": "0.34",
    "wrong-turn": "0.34",
    "gps-error": "2.5",
    "gps-noise": "0.5",
    "lost": "0.1",
    "lost-for": "200",
    "frozen": "0.2",
    "frozen-for": "400",
    "late": "0.2",
    "late-for": "700",
    "duplicates": "0.2",
    "clock-skew": "3",
    "dead-battery": "0.34",
    "ground-truth": "true",
}
"""Every option, each so that it can be seen in a race of three."""
CROWDED = [
    *("--course", "city-10k", "--topic", "passings", "--competitors", "40", "--seed", "42", "--dnf", "0.1"),
    *("--crowding", "flow", "--start-width", "0.5", "--width", "1", "--specific-flow", "10"),
    *("--jam-density", "0.5", "--wave-size", "20", "--wave-delay", "60", "--wrong-turn", "0.1"),
]
"""A race so narrow that a few are a crowd."""
LIMITED = [
    *("--course", "city-10k", "--topic", "passings", "--competitors", "40", "--seed", "42", "--dnf", "0.1"),
    *("--wave-size", "20", "--wave-delay", "300", "--how-many-get-stopped", "0.5", "--wrong-turn", "0.1"),
    *("--cut-offs", "5 km = 0:35:00; finish = 1:05:00", "--cut-offs-from", "wave"),
]
"""A race in which some are too late at 5 km, and some when the course closes."""
READ = [
    *("--course", "crystal-palace", "--topic", "reads", "--competitors", "3", "--seed", "42"),
    *("--interval", "300", "--dnf", "0.34", "--read-repeats", "3", "--missed-passes", "0.2"),
    *("--missed-by-line", "0.2", "--stray-reads", "0.67", "--reader-skew", "3", "--reader-drift", "100"),
]
"""The raw reads of a race with every fault of the mats."""
NAMES = ["city-10k", "crystal-palace", "hilly-half", "track-10000m"]


def lines(*flags: str) -> list[bytes]:
    """Return what `generate` writes."""
    out = io.BytesIO()
    generate(flags, out)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("kind", ["", "real."])
@pytest.mark.parametrize("course", NAMES)
def test_golden_races(course: str, kind: str, topic: str) -> None:
    """A race of three on each course, plain and with every option, equals its golden file, byte for byte.

    To write the golden files again, after an intended change of races:
    `python -m tests.simulator.golden`.
    """
    found = lines(*golden_flags(course, kind, topic))
    expected = (GOLDEN / f"{course}.{kind}{topic}.ndjson").read_bytes().splitlines()

    assert found == expected


def test_a_crowded_golden_race() -> None:
    """The passings of a race with crowding equal their golden file, byte for byte."""
    assert lines(*CROWDED) == (GOLDEN / "city-10k.crowded.passings.ndjson").read_bytes().splitlines()


def test_a_golden_race_with_cut_offs() -> None:
    """The passings of a race with cut-offs equal their golden file, byte for byte."""
    assert lines(*LIMITED) == (GOLDEN / "city-10k.limited.passings.ndjson").read_bytes().splitlines()


def test_golden_reads() -> None:
    """The raw reads of a race with every fault of the mats equal their golden file, byte for byte."""
    assert lines(*READ) == (GOLDEN / "crystal-palace.faulty.reads.ndjson").read_bytes().splitlines()


def test_raw_reads_are_valid_events() -> None:
    """Each read is valid by its JSON Schema, and so are the schema's examples; only references have times."""
    schema = read_event("reads")
    jsonschema_rs.meta.validate(schema)
    valid = Draft202012Validator(schema)
    reads = [orjson.loads(line) for line in lines(*READ)]

    assert all(valid.is_valid(read) for read in [*reads, *schema["examples"]])
    assert all(("elapsed" in read) == (read["competitorId"] == 0) for read in reads)
    assert {name for read in reads for name in read} == set(schema["properties"])
    assert {read["kind"] for read in reads} == set(schema["properties"]["kind"]["enum"])
    assert {read["antenna"] for read in reads} == set(schema["properties"]["antenna"]["enum"])


def test_reads_are_in_the_order_of_ticks() -> None:
    """With a short interval, reads are in the order of time, except within a tick."""
    flags = [*READ, "--interval", "1", "--reader-skew", "0", "--reader-drift", "0"]
    times = [orjson.loads(line)["timestamp"] for line in lines(*flags)]
    ticks = [max(0, -(-(time - 1_767_258_000_000) // 1000)) for time in times]

    assert ticks == sorted(ticks)


def test_faults_of_the_mats_change_no_topic() -> None:
    """Raw reads are a view of the race: positions and passings stay the same, byte for byte."""
    faults = READ[READ.index("--read-repeats") :]
    for topic in ("parkrun", "passings", "competitors"):
        plain = golden_flags("crystal-palace", "", topic)
        assert lines(*plain) == lines(*plain, *faults)


def test_the_course_of_a_race() -> None:
    """The topic courses is the row of the table, with the course's short name as the key."""
    ((key, text),) = (
        line.split(b"\t") for line in lines("--course", "city-10k", "--topic", "courses", "--keys")
    )
    row = orjson.loads(text)

    assert key == b"city-10k"
    assert Draft202012Validator(read_event("courses")).is_valid(row)
    assert row["distance"] == 10_000.0


def test_a_race_with_cut_offs_publishes_them() -> None:
    """The race's record has the limits by distance; without cut-offs it has no such field."""
    flags = ["races" if flag == "passings" else flag for flag in LIMITED]
    record = orjson.loads(lines(*flags)[0])

    assert orjson.loads(record["cutOffs"]) == [
        {"name": "5 km", "point": "5 km", "lap": 1, "distance": 5000.0, "limit": 2100.0},
        {"name": "finish", "point": "Finish", "lap": 1, "distance": 10000.0, "limit": 3900.0},
    ]
    assert record["cutOffsFrom"] == "wave"
    plain = orjson.loads(lines("--course", "city-10k", "--topic", "races")[0])
    assert {"cutOffs", "cutOffsFrom"}.isdisjoint(plain)


@pytest.mark.parametrize(
    ("cut_offs", "reason"),
    [
        ("5 km = 40:00", "--cut-offs must be names of timing points with times, .* '40:00' is not a time"),
        ("Bridge = 0:40:00", "--cut-offs must name timing points of the course, not 'Bridge'; they are 1 km"),
    ],
)
def test_cut_offs_that_can_not_be_used(cut_offs: str, reason: str) -> None:
    """A flag with limits that can't be read, or that don't fit the course, ends with the reason."""
    with pytest.raises(SystemExit, match=reason):
        lines("--course", "city-10k", "--cut-offs", cut_offs)


def golden_flags(course: str, kind: str, topic: str) -> list[str]:
    """Return the flags of the golden race on a course."""
    flags = ["--course", course, "--topic", topic, "--competitors", "3", "--seed", "42"]
    flags += ["--how-many-get-stopped", "0.67", "--interval", "300"]
    if kind:
        flags += chain.from_iterable((f"--{name}", value) for name, value in REAL.items())
    return flags


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Two runs of the same command write the same bytes."""
    flags = ("--course", "crystal-palace", "--competitors", "20", "--seed", "5", "--interval", "30")

    assert lines(*flags) == lines(*flags)
    assert lines(*flags) != lines(*flags[:-3], "6", *flags[-2:])


def test_no_tick_is_missing(library: Mapping[str, Course]) -> None:
    """Each competitor has every tick from the gun to the finish, in order and without duplicates."""
    found = [
        orjson.loads(line)
        for line in lines("--course", "crystal-palace", "--competitors", "10", "--interval", "20")
    ]
    request = RaceRequest(course="crystal-palace", competitors=10, interval=20.0)
    race = Race(library["crystal-palace"], request.resolved(run_id="r", name="n", seed=0, start_at=EPOCH))
    for bib in range(1, 11):
        events = [event for event in found if event["competitorId"] == bib]
        ticks = range(int(-(-race.finish_times[bib - 1] // 20)) + 1)
        assert [event["rawTime"] for event in events] == [tick * 20 for tick in ticks]
        assert [event["status"] for event in events].count("finished") == 1
        assert events[-1]["elapsed"] == round(float(race.finish_times[bib - 1]), 3)


def test_keys_come_before_a_tab() -> None:
    """With --keys each line is key, tab and event, as `kcat -P -K` reads it."""
    flags = ("--course", "crystal-palace", "--competitors", "2", "--topic", "competitors", "--keys")
    found = [line.split(b"\t") for line in lines(*flags)]

    assert [key for key, _ in found] == [b"crystal-palace:1", b"crystal-palace:2"]
    assert orjson.loads(found[0][1])["competitorId"] == 1


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--course", "nowhere"], "There is no course nowhere"),
        (["--course", "crystal-palace", "--competitors", "0"], "--competitors must be at least 1"),
        (["--course", "crystal-palace", "--fastest", "600"], "--slowest must be at least the fastest pace"),
        (["--course", "crystal-palace", "--min-pause", "x"], "--min-pause must be a number"),
        (["--course", "crystal-palace", "--courses", "/nowhere"], "/nowhere can't be read"),
        (["--course", "crystal-palace", "--gradient", "maybe"], "--gradient must be true or false"),
        (
            ["--course", "crystal-palace", "--start-at", "1969-12-31T23:59:59Z"],
            "--start-at must be in the years",
        ),
        (
            ["--course", "crystal-palace", "--start-at", "9999-01-01T00:00:00Z"],
            "--start-at must be in the years",
        ),
    ],
)
def test_invalid_races_are_rejected(flags: list[str], words: str) -> None:
    """Flags that describe no valid race end the command with a message."""
    with pytest.raises(SystemExit, match=words):
        lines(*flags)


def test_a_start_list_is_a_file(tmp_path: Path) -> None:
    """The flag names the file; an unreadable or invalid one is reported."""
    file = tmp_path / "list.csv"
    file.write_text("bib,name\n70,Zoë\n5,Bob\n", "utf-8")
    flags = ["--course", "crystal-palace", "--topic", "competitors", "--start-list"]
    entries = [orjson.loads(line) for line in lines(*flags, str(file))]

    assert [(one["competitorId"], one["name"]) for one in entries] == [(70, "Zoë"), (5, "Bob")]
    with pytest.raises(SystemExit, match=r"nowhere can't be read: No such file or directory$"):
        lines(*flags, "nowhere")
    (tmp_path / "words").write_bytes("name\nЖинн".encode("cp1251"))
    with pytest.raises(SystemExit, match="words is text in an encoding that can't be recognised: save it as"):
        lines(*flags, str(tmp_path / "words"))
    file.write_text("bib\nx", "utf-8")
    with pytest.raises(SystemExit, match="--start-list is invalid in line 2"):
        lines(*flags, str(file))


def test_warnings_about_a_start_list_go_to_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The assumed encoding, and what is not used; standard output has only events."""
    file = tmp_path / "list.csv"
    file.write_bytes("Startnr;Name;E-Mail\n70;Jürgen;a@b\n".encode("cp1252"))
    (entry,) = lines("--course", "crystal-palace", "--topic", "competitors", "--start-list", str(file))
    said = capsys.readouterr().err

    assert orjson.loads(entry)["name"] == "Jürgen"
    assert said.count("was read as Windows-1252") == 1
    assert 'such as "Jürgen" in line 2' in said
    assert 'start list: Unused columns: "E-Mail"' in said
    file.write_text("bib,expected time\n7,0:00:09\n")
    with pytest.raises(SystemExit, match="--start-list is invalid for bib 7: the expected time of 9 s"):
        lines("--course", "crystal-palace", "--start-list", str(file))


def test_every_option_has_a_flag_with_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    """--help shows each option, and only real defaults."""
    with pytest.raises(SystemExit):
        lines("--help")
    text = capsys.readouterr().out

    left_out = RaceRequest.model_fields.keys() - GenerateSettings.model_fields.keys()
    assert left_out == {"points", "speed"}
    assert all(f"--{name.replace('_', '-')} " in text for name in RaceRequest.model_fields.keys() - left_out)
    assert not any(words in text for words in ("Undefined", "null", "factory", "(default: )"))


@pytest.mark.parametrize("year", ["1970-01-01T00:00:00Z", "9998-12-31T23:59:59Z"])
def test_the_first_and_the_last_year_are_allowed(year: str) -> None:
    """A race in the first or last allowed year has valid timestamps."""
    flags = ["--course", "crystal-palace", "--competitors", "1", "--topic", "passings", "--start-at", year]
    assert all(0 <= orjson.loads(line)["timestamp"] < 253_402_300_800_000 for line in lines(*flags))


def test_defaults_are_those_of_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Where a field differs from the API's, the help has this command's default and description."""
    plain = lines("--course", "crystal-palace", "--topic", "races")
    flags = {"run-id": "crystal-palace", "seed": "0", "interval": "1", "start-at": "2026-01-01T09:00:00Z"}
    said = [f"--{name}={value}" for name, value in flags.items()]
    with pytest.raises(SystemExit):
        lines("--help")
    text = " ".join(capsys.readouterr().out.split())

    assert lines("--course", "crystal-palace", "--topic", "races", *said) == plain
    for words in (
        "(default: 0)",
        "(default: 1.0)",
        "Default: the course's short name.",
        f"(default: {EPOCH})",
    ):
        assert words in text
    for words in ("409", "Default: now", "max(1, speed)", "`points`"):
        assert words not in text


def test_all_shipped_courses_have_golden_races() -> None:
    """Each shipped course has its golden files."""
    assert sorted(load_folder(Path("courses")).courses) == NAMES


def test_a_course_by_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--course` accepts a file's path; corrections made to the file go to standard error."""
    text = (Path("courses") / "crystal-palace.kml").read_text()
    file = tmp_path / "My park.kml"
    file.write_text(text.replace("<Polygon>", "<Polygon><outerBoundaryIs/>", 1))
    by_path = [orjson.loads(line) for line in lines("--course", str(file), "--competitors", "1")]

    assert {event["course"] for event in by_path} == {"My-park"}
    assert capsys.readouterr().err.startswith(f"{file}: ")


@pytest.mark.parametrize("by_path", [True, False])
def test_a_course_that_cannot_be_read(by_path: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter
    """The message says why a file is not a valid course, by path and by short name."""
    file = tmp_path / "broken.kml"
    file.write_text("<kml>")
    wanted = ["--course", str(file)] if by_path else ["--course", "broken", "--courses", str(tmp_path)]
    with pytest.raises(SystemExit, match=r"broken\.kml.*line 1"):
        lines(*wanted)
