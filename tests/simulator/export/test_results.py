"""The results against the race's own figures, and the files that they are given out as."""

import csv
import io
from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as given_by_hypothesis
from hypothesis import strategies as st

from simulator.course.course import Course, Mat
from simulator.course.library import load_folder
from simulator.export import result_files, results
from simulator.http.answers import ResultsAnswer
from simulator.race.race import BEFORE_THE_START, Race
from stream.results import Line, Rank
from tests.simulator.conftest import resolved

REAL: dict[str, Any] = {
    "competitors": 120,
    "entrants": "drawn",
    "dns": 0.05,
    "dnf": 0.1,
    "disqualified": 0.05,
    "wave_size": 50,
    "wave_delay": 90.0,
    "start_flow": 3.0,
    "how_many_get_stopped": 0.3,
}
MIDDLE = 600.0
COURSES = Path(__file__).parents[3] / "courses"
WILD = Path(__file__).parents[2] / "wild"
HOSTILE = [
    "=1+1",
    "@SUM(A1)",
    "+44",
    "-5",
    'A "B", C',
    "]]>",
    "<script>alert(1)</script>",
    "a;b'c",
    "שלום אبت",
    "&amp;",
]


@pytest.fixture
def race(make_race: Callable[..., Race]) -> Race:
    """Return a race in which everything happens."""
    return make_race(**REAL)


def given(race: Race, until: float, rank: Rank = "gun") -> list[dict[str, Any]]:
    """Return the lines of the JSON, which has to be what its model says."""
    text = b"".join(result_files.as_json(results.of(race, until, rank)))
    assert orjson.loads(text)["rank"] == rank
    ResultsAnswer.model_validate_json(text, strict=True)
    lines: list[dict[str, Any]] = orjson.loads(text)["results"]
    return lines


def table(race: Race, until: float) -> list[dict[str, str]]:
    """Return the CSV as a csv reader has it, strictly."""
    text = b"".join(result_files.as_csv(results.of(race, until))).decode("utf-8-sig")
    assert text.count("\r\n") == text.count("\n")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def end(race: Race) -> float:
    """Return the time of the last tick."""
    return race.time_of(race.last_tick)


def times_of(race: Race, until: float, kind: str) -> dict[int, list[tuple[str, float]]]:
    """Return from the race's own passings where each competitor was and when, by bib."""
    found: dict[int, list[tuple[str, float]]] = {}
    passings = race.passings(BEFORE_THE_START, until)
    for who, nth, elapsed in zip(
        passings.who.tolist(), passings.point.tolist(), passings.elapsed.tolist(), strict=True
    ):
        if race.points[nth].kind == kind:
            found.setdefault(int(race.entrants.bib[who]), []).append((race.points[nth].name, elapsed))
    return found


def ranked(lines: list[dict[str, Any]]) -> list[tuple[int | None, int | None]]:
    """Return the places and those in the category, counted one by one: how many are faster."""
    placed = [line for line in lines if line["status"] == "finished"]
    places: list[tuple[int | None, int | None]] = []
    for line in lines:
        faster = [other for other in placed if other["gun_time"] < line["gun_time"]] if line in placed else []
        among = sum(other["category"] == line["category"] for other in faster)
        places.append((len(faster) + 1, among + 1) if line in placed else (None, None))
    return places


@pytest.mark.parametrize("until", [0.0, 100.0, MIDDLE, 1e5])
def test_each_competitor_is_listed_once(race: Race, until: float) -> None:
    """At any moment there is one line for each competitor, with the entrant's own words."""
    lines = given(race, until)
    keys = ("bib", "name", "category", "club", "wave", "sex")

    assert sorted(tuple(line[key] for key in keys) for line in lines) == sorted(race.entrants.some(0, 120))


def test_equal_published_times_share_a_place(make_race: Callable[..., Race]) -> None:
    """Who has the same time to the millisecond has the same place, whatever lies behind that."""
    race = make_race(competitors=50, fastest=317.0, slowest=317.0)
    lines = given(race, end(race))

    assert len(set(race.field.end.tolist())) > 1  # they differ by what a sum of floats does
    assert len({line["gun_time"] for line in lines}) == 1
    assert {(line["place"], line["category_place"], line["behind"]) for line in lines} == {(1, 1, 0.0)}
    assert [line["bib"] for line in lines] == list(range(1, 51))


@pytest.mark.parametrize("until", [MIDDLE, 1e5])
def test_times_are_those_of_the_passings(race: Race, until: float) -> None:
    """Gun time counts from the own wave's gun to the finish, chip time from the own start; so do splits."""
    starts, splits, finishes = (times_of(race, until, kind) for kind in ("start", "split", "finish"))
    snapshot = race.snapshot(until)
    lines = given(race, until)

    assert finishes
    for line in lines:
        who, gun = line["bib"] - 1, 90.0 * (line["wave"] - 1)
        (finish,) = [seconds for _, seconds in finishes.get(line["bib"], [("", None)])]
        assert line["gun_time"] == (None if finish is None else pytest.approx(finish - gun, abs=0.0006))
        own = [round(seconds, 3) - gun for _, seconds in starts.get(line["bib"], [])]  # as it is published
        assert line["chip_time"] == (None if finish is None else pytest.approx(line["gun_time"] - own[0]))
        assert [(split["point"], split["elapsed"]) for split in line["splits"]] == [
            (name, pytest.approx(seconds - gun, abs=0.0006)) for name, seconds in splits.get(line["bib"], [])
        ]
        assert all(
            split["elapsed"] - split["chip"] == pytest.approx(own[0], abs=1e-6) for split in line["splits"]
        )
        assert line["distance"] == pytest.approx(snapshot.distance[who], abs=0.0006)


def test_splits_add_up_to_the_finish(race: Race) -> None:
    """A finisher has every split, they rise, and what lies between them makes up the chip time."""
    finished = [line for line in given(race, end(race)) if line["status"] == "finished"]

    for line in finished:
        marks = [0.0, *(split["chip"] for split in line["splits"]), line["chip_time"]]
        assert [split["distance"] for split in line["splits"]] == [1000.0, 2000.0]
        assert (np.diff(marks) > 0).all()
        assert np.diff(marks).sum() == pytest.approx(line["chip_time"])
        assert line["pace"] == pytest.approx(line["chip_time"] / 2.5, abs=0.1)


@pytest.mark.parametrize("until", [MIDDLE, 1e5])
def test_places_go_by_gun_time(race: Race, until: float) -> None:
    """A place is how many finishers have a shorter gun time, and one; chip time doesn't count."""
    lines = given(race, until)
    finished = [line for line in lines if line["status"] == "finished"]
    by_chip = sorted(finished, key=lambda line: line["chip_time"])

    assert [(line["place"], line["category_place"]) for line in lines] == ranked(lines)
    assert [line["behind"] for line in finished] == [
        pytest.approx(line["gun_time"] - finished[0]["gun_time"], abs=0.0011) for line in finished
    ]
    assert all(line["behind"] is None for line in lines if line["status"] != "finished")
    assert by_chip != finished


@pytest.mark.parametrize("rank", ["gun", "chip"])
def test_places_go_by_the_chosen_time(race: Race, rank: Rank) -> None:
    """A place, a gap and the official time come from the time that was chosen; the other times stay."""
    lines = given(race, end(race), rank)
    by_gun = {line["bib"]: line for line in given(race, end(race))}
    finished = [line for line in lines if line["status"] == "finished"]
    times = [line[f"{rank}_time"] for line in finished]

    assert [line["place"] for line in finished] == [
        1 + sum(other < time for other in times) for time in times
    ]
    assert [line["behind"] for line in finished] == pytest.approx([time - times[0] for time in times])
    assert [line["official_time"] for line in finished] == [ceil(time) for time in times]
    for line in lines:
        for field in ("gun_time", "chip_time", "splits", "distance", "pace", "status"):
            assert line[field] == by_gun[line["bib"]][field]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given_by_hypothesis(
    delay=st.floats(0, 500),
    size=st.integers(1, 12),
    flow=st.none() | st.floats(0.1, 20),
    rank=st.sampled_from(["gun", "chip"]),
)
def test_times_fit_together(
    make_race: Callable[..., Race], delay: float, size: int, flow: float | None, rank: Rank
) -> None:
    """Chip time is at most gun time; the official time is the exact one or less than a second more."""
    race = make_race(competitors=12, wave_delay=delay, wave_size=size, start_flow=flow)
    lines = given(race, end(race), rank)
    clock = dict(zip(race.entrants.bib.tolist(), race.field.end.tolist(), strict=True))

    assert [line["status"] for line in lines] == ["finished"] * 12
    for line in lines:
        exact = line[f"{rank}_time"]
        assert line["chip_time"] <= line["gun_time"]
        assert exact <= line["official_time"] < exact + 1
        assert line["gun_time"] + delay * (line["wave"] - 1) == pytest.approx(clock[line["bib"]], abs=0.0011)
    order = [(line[f"{rank}_time"], line["bib"]) for line in lines]
    assert order == sorted(order)


def waves_of(case: str) -> dict[int, dict[str, Any]]:
    """Return the results of a start list among the wild cases, by bib: two waves, a minute apart."""
    listed = (WILD / case / "tie.csv").read_text()
    course = load_folder(COURSES).courses["city-10k"]
    race = Race(course, resolved(start_list=listed, wave_delay=60.0))
    return {line["bib"]: line for line in given(race, end(race))}


def test_a_wave_is_timed_from_its_own_gun() -> None:
    """Bib 6 of the second wave runs 3,000.5 s, officially 3,001: the minute until its gun does not count."""
    found = waves_of("92-results-of-waves")

    assert [found[bib]["gun_time"] for bib in range(1, 7)] == [2700.0, 3000.0, 3000.0, 3300.0, 2600.0, 3000.5]
    assert [found[bib]["chip_time"] for bib in (5, 6)] == [2600.0, 3000.5]
    assert [found[bib]["official_time"] for bib in range(1, 7)] == [2700, 3000, 3000, 3300, 2600, 3001]
    assert [found[bib]["behind"] for bib in (5, 1, 6)] == [0.0, 100.0, 400.5]


def test_equal_times_share_a_place_and_the_next_is_skipped() -> None:
    """Bibs 2 and 3 tie: places 1, 2, 3, 3, 5, 6, and each has a place of its own in its category."""
    found = waves_of("90-results-ties")

    assert [found[bib]["place"] for bib in (5, 1, 2, 3, 6, 4)] == [1, 2, 3, 3, 5, 6]
    assert [found[bib]["category_place"] for bib in (5, 1, 2, 3, 6, 4)] == [1, 2, 1, 3, 4, 2]


def test_an_official_tie_is_no_tie(make_race: Callable[..., Race]) -> None:
    """Two who cross the line within the same second have one official time, but a place each."""
    race = make_race(competitors=2)
    race.field.end[:] = 900.2, 900.7
    first, second = given(race, 1000.0)

    assert (first["official_time"], second["official_time"]) == (901, 901)
    assert (first["place"], second["place"]) == (1, 2)


@pytest.mark.parametrize("until", [100.0, MIDDLE, 1e5])
def test_lines_are_in_order(race: Race, until: float) -> None:
    """Finishers by place, the others on the course by distance, then dsq, dnf and dns; then by bib."""
    groups = {"finished": 0, "running": 1, "paused": 1, "waiting": 1, "dsq": 2, "dnf": 3, "dns": 4}
    lines = given(race, until)

    def key(line: dict[str, Any]) -> tuple[float, ...]:
        group = groups[line["status"]]
        return group, (line["place"] or 0) if group == 0 else -line["distance"] * (group == 1), line["bib"]

    assert lines == sorted(lines, key=key)
    assert len({line["status"] for line in lines}) > 3


def test_disqualified_competitors_take_no_place(race: Race) -> None:
    """Until the verdict they have a place; then they keep their times, and those behind them move up."""
    who = int(np.argmin(race.field.disqualified_at))
    verdict, bib = float(race.field.disqualified_at[who]), who + 1
    before, after = ({line["bib"]: line for line in given(race, time)} for time in (verdict - 0.001, verdict))
    behind = [
        line
        for line in before.values()
        if line["status"] == "finished" and line["gun_time"] > before[bib]["gun_time"]
    ]

    assert (before[bib]["status"], after[bib]["status"]) == ("finished", "dsq")
    assert before[bib]["place"]
    assert after[bib]["place"] is after[bib]["category_place"] is after[bib]["behind"] is None
    assert [after[bib][key] for key in ("gun_time", "chip_time", "pace", "splits")] == [
        before[bib][key] for key in ("gun_time", "chip_time", "pace", "splits")
    ]
    assert behind
    assert [after[line["bib"]]["place"] for line in behind] == [line["place"] - 1 for line in behind]


def test_the_very_same_time_is_the_same_place(make_race: Callable[..., Race]) -> None:
    """Two with one gun time share a place and stand by bib; the next one has the place after both."""
    race = make_race(competitors=6)
    order = np.argsort(race.field.end)
    for nth, time in enumerate((800.0, 900.0, 900.0004, 900.001, 950.0, 950.0)):
        race.field.end[order[nth]] = time
    found = given(race, 1000.0)

    assert [line["place"] for line in found] == [1, 2, 2, 4, 5, 5]
    assert [line["category_place"] for line in found] == [1, 2, 2, 4, 5, 5]
    assert [line["gun_time"] for line in found] == [800.0, 900.0, 900.0, 900.001, 950.0, 950.0]
    assert found[1]["bib"] < found[2]["bib"]
    assert found[4]["bib"] < found[5]["bib"]


def test_all_wait_before_the_gun(race: Race) -> None:
    """Before the first tick is published there are no places and no DNS; afterwards there are."""
    before, at_the_gun = given(race, -1.0), given(race, 0.0)

    assert {line["status"] for line in before} == {"waiting"}
    assert [line["bib"] for line in before] == list(range(1, 121))
    assert all(line["place"] is line["pace"] is line["gun_time"] is None for line in before)
    assert [line["status"] for line in at_the_gun].count("dns") == 6


@pytest.mark.parametrize("until", [-1.0, MIDDLE, 1e5])
def test_csv_says_the_same_as_json(race: Race, until: float) -> None:
    """Each cell of the CSV read back is what the JSON has, an empty cell where that has null."""
    lines, rows = given(race, until), table(race, until)
    fields = list(Line._fields)

    assert list(rows[0]) == [*fields, "1 km", "2 km"]
    for line, row in zip(lines, rows, strict=True):
        for field in fields:
            value = line[field]
            if isinstance(value, float):
                assert float(row[field]) == value
            else:
                assert row[field] == ("" if value is None else str(value))
        found = {name: float(row[name]) for name in ("1 km", "2 km") if row[name]}
        assert found == {split["point"]: split["elapsed"] for split in line["splits"]}


def test_hostile_words_are_only_words(make_race: Callable[..., Race]) -> None:
    """Names come back as they were typed; those that a spreadsheet would run have an apostrophe in front."""
    out = io.StringIO()
    csv.writer(out).writerows([["name", "category", "club"], *([name] * 3 for name in HOSTILE)])
    race = make_race(start_list=out.getvalue())
    lines = sorted(given(race, 1e5), key=lambda line: line["bib"])
    rows = sorted(table(race, 1e5), key=lambda row: int(row["bib"]))
    safe = [f"'{name}" if name[0] in "=@+-" else name for name in HOSTILE]

    for field in ("name", "category", "club"):
        assert [line[field] for line in lines] == HOSTILE
        assert [row[field] for row in rows] == safe


def test_no_two_columns_are_called_alike() -> None:
    """Mats called as a column, as another one's second pass or as a formula have columns of their own."""
    names = ["bib", "Bridge", "Bridge (2)", "=A1", "'=A1", "place"]
    mats = [
        Mat(name, (0.0, 50.0), (100.0 + 50 * nth, *([900.0] if name == "Bridge" else [])))
        for nth, name in enumerate(names)
    ]
    course = Course.measured(
        short_name="mats",
        long_name="Mats",
        lon=np.array([0.0, 0.0]),
        lat=np.array([50.0, 50.014]),
        mats=mats,
    )
    race = Race(course, resolved(competitors=3))
    (row, *_), (line, *_) = table(race, 1e5), given(race, 1e5)
    columns = list(row)[len(Line._fields) :]

    assert columns == [
        "bib (split)",
        "Bridge",
        "Bridge (2)",
        "'=A1",
        "'=A1 (split)",
        "place (split)",
        "Bridge (2) (split)",
        "1 km",
    ]
    assert [float(row[column]) for column in columns] == [split["elapsed"] for split in line["splits"]]
    assert [(split["point"], split["lap"]) for split in line["splits"]][-3:] == [
        ("place", 1),
        ("Bridge", 2),
        ("1 km", 1),
    ]


def test_a_short_course_has_no_splits() -> None:
    """On a course without timing points between start and finish the lists of splits are empty."""
    course = Course.measured(
        short_name="short", long_name="Short", lon=np.array([0.0, 0.0]), lat=np.array([50.0, 50.004])
    )
    race = Race(course, resolved(competitors=2))

    assert [(line["place"], line["splits"]) for line in given(race, 1e4)] == [(1, []), (2, [])]
    assert [list(row) for row in table(race, 1e4)] == [list(Line._fields)] * 2


def test_many_are_given_in_pieces(make_race: Callable[..., Race], monkeypatch: pytest.MonkeyPatch) -> None:
    """However the lines are divided, the files are the same."""
    race = make_race(competitors=50)
    whole = [b"".join(form.write(results.of(race, MIDDLE))) for form in result_files.FORMATS]
    monkeypatch.setattr(results, "CELLS", 100)
    pieces = [list(form.write(results.of(race, MIDDLE))) for form in result_files.FORMATS]

    assert [b"".join(some) for some in pieces] == whole
    assert [len(some) for some in pieces] == [12, 11]
    assert all(piece for some in pieces for piece in some)
