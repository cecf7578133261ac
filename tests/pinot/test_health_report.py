"""What two samples say together, and how it is shown to a terminal and to programs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinot.health import figures, terminal, words
from pinot.health.figures import OLDEST_S, WINDOW_S
from pinot.health.incomplete import Defects
from pinot.health.report import report
from pinot.health.sample import Failure, Kafka, Pinot, Races, Simulator
from stream.contract import TABLES
from stream.topics import read_topics
from tests.pinot.samples import NOW, embedded_sample, ends, race, sample, simulator, table, tables

if TYPE_CHECKING:
    from pinot.health.sample import Sample


def test_rates_are_over_the_time_between_the_looks() -> None:
    """Messages and ticks a second are what came in between, by the seconds that it took."""
    then = sample(ago=10, offset=100, simulator=simulator(ticks=50.0, taken=NOW - 10))
    now = sample(offset=150)
    assert isinstance(now.simulator, Simulator)
    assert figures.messages_per_second(now, then, "parkrun") == 2 * 50 / 10
    assert figures.messages_per_second(now, then, "races") == 50 / 10
    assert figures.counted_per_second(now.simulator, then.simulator, "ticks") == 5.0


@pytest.mark.parametrize(
    "then",
    [
        None,
        sample(ago=10, kafka=Failure("away"), simulator=Failure("away")),
        sample(ago=0.0),
        sample(ago=10, offset=200, simulator=simulator(ticks=200.0)),
    ],
    ids=["nothing before", "away before", "no time between", "begun anew"],
)
def test_rates_that_nobody_knows(then: Sample | None) -> None:
    """Without two looks, or when counting has begun anew in between, there is no rate: unknown, never 0."""
    now = sample()
    assert isinstance(now.simulator, Simulator)
    assert figures.messages_per_second(now, then, "parkrun") is None
    assert figures.counted_per_second(now.simulator, then.simulator if then else None, "ticks") is None


def test_messages_of_a_topic_with_a_silent_partition() -> None:
    """What a topic has in all isn't known while one of its partitions has no leader."""
    assert figures.messages(Kafka(ends(parkrun={0: 5, 1: 7}), NOW), "parkrun") == 12
    assert figures.messages(Kafka(ends(parkrun={0: 5, 1: None}), NOW), "parkrun") is None
    assert figures.messages(Kafka({}, NOW), "parkrun") is None


@given(st.lists(st.floats(0.01, 100), max_size=30, unique=True))
def test_former_sample(ages: list[float]) -> None:
    """A sample is compared with the newest that is old enough, else with the oldest; not a stale one."""
    now = sample()
    found = figures.before([sample(ago=age) for age in ages], now)
    fresh = [age for age in ages if NOW - OLDEST_S <= NOW - age < NOW]
    old = [age for age in fresh if NOW - age <= NOW - WINDOW_S]
    expected = min(old) if old else max(fresh, default=None)
    assert (found is None) is (expected is None)
    if found is not None and expected is not None:
        assert found.taken == NOW - expected


@given(
    st.dictionaries(st.integers(0, 5), st.integers(0, 10**9), max_size=6),
    st.dictionaries(st.integers(0, 5), st.integers(0, 10**9), max_size=6),
)
def test_lag_is_never_less_than_nothing(end: dict[int, int], read: dict[int, int]) -> None:
    """A partition's lag is its end less what is read, where both are known, and at least 0."""
    consumers = {place: replace(table().consumers[0], offset=offset) for place, offset in read.items()}
    found = figures.lags(Kafka({"parkrun": dict(end)}, NOW), "parkrun", table(consumers=consumers))
    assert found == {place: max(0, end[place] - read[place]) for place in end.keys() & read.keys()}


def test_rows_of_both_tables() -> None:
    """Topics and tables are all there, in their order, with what is known of each."""
    now = sample(offset=100, pinot=Pinot(tables(90), NOW))
    topics = {row.name: row for row in figures.topic_rows(now, sample(ago=10, offset=50))}
    assert list(topics) == list(read_topics())
    parkrun = topics["parkrun"]
    assert (parkrun.partitions, parkrun.messages, parkrun.per_second, parkrun.lag) == (2, 200, 10.0, 20)
    rows = {row.name: row for row in figures.table_rows(now)}
    assert list(rows) == list(TABLES)
    assert (rows["parkrun"].rows, rows["parkrun"].consuming, rows["parkrun"].fresh) == (10, (2, 2), 1.0)
    assert (rows["courses"].consuming, rows["courses"].fresh) == ((0, 0), None)


def test_rows_while_both_are_away() -> None:
    """With Kafka and Pinot away the rows stay where they are, and say that nothing is known."""
    now = sample(kafka=Failure("away"), pinot=Failure("away"))
    lines = terminal.text(report([now])).splitlines()
    cells = [line.split() for line in lines if line.startswith("parkrun")]
    assert cells == [["parkrun", *[words.UNKNOWN] * columns] for columns in (4, 6)]


def test_text_for_a_terminal() -> None:
    """Each part is a line with its light as a word and its sentence; the tables' columns are aligned."""
    lines = terminal.text(report([sample(ago=10), sample()])).splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["green"] * 4
    assert lines[0].startswith("green  Simulator   The simulator tells 1 race")
    topics = lines[lines.index("") + 1 :][: len(read_topics()) + 1]
    assert {len(line) for line in topics} == {len(topics[0])}


def test_report_for_programs() -> None:
    """JSON has the same lights and sentences, and figures as plain numbers, null for what isn't known."""
    found = report([sample(ago=10, offset=50), sample(simulator=Failure("Away. Start it."))])
    told = json.loads(json.dumps(found.as_json()))
    assert told["parts"]["Simulator"]["light"] == "red"
    assert told["parts"]["Simulator"]["sentence"] == "Away. Start it."
    assert told["parts"]["Simulator"]["lag_seconds"] is None
    assert told["parts"]["End to end"]["age_seconds"] == 0.5
    assert told["topics"]["parkrun"] == {"partitions": 2, "messages": 200, "per_second": 10.0, "lag": 0}
    assert told["tables"]["parkrun"]["consuming"] == [2, 2]


def test_defects_are_counted_by_table_and_in_all() -> None:
    """What came incomplete or is in no row is told of each table, and added up as far as it is known."""
    found = report([sample(defects={"parkrun": Defects(2, 3), "races": Defects(1, None)})])
    rows = {row.name: (row.incomplete, row.rowless) for row in found.tables}
    assert (rows["parkrun"], rows["races"], rows["courses"]) == ((2, 3), (1, None), (None, None))
    (part,) = [part for part in found.parts if part.name == "Pinot"]
    told = {figure.key: figure.value for figure in part.figures}
    assert (told["incomplete"], told["rowless"]) == (3, 3)
    assert part.verdict.light.value == "green"


def test_figures_of_the_embedded_store() -> None:
    """The embedded store has the sizes of its files and the age of its newest position, and no tables."""
    found = report([embedded_sample()])
    (part,) = [part for part in found.parts if part.name == "Embedded store"]
    assert [figure.text for figure in part.figures] == ["1.5 MB", "4.0 MB", "0.5 s"]
    assert (found.topics, found.tables) == ((), ())


@pytest.mark.parametrize("found", [sample(), embedded_sample()])
def test_figures_have_names_of_their_own(found: Sample) -> None:
    """No two figures that are on the page at once are called the same."""
    labels = [figure.label for part in report([found]).parts for figure in part.figures]
    assert len(set(labels)) == len(labels)


def test_races_left_over_are_counted() -> None:
    """The end-to-end part tells races that are under way from those that were left over."""
    gone = race("gone", age=9000, noted=9000)
    found = report([sample(race(age=3.0), gone)])
    figures_of = {figure.key: figure.value for figure in found.parts[-1].figures}
    assert figures_of == {"age_seconds": 3.0, "expected_seconds": 1.0, "races": 1, "left_over": 1}
    assert found.freshness == 3.0
    assert report([sample(races=Races((), NOW))]).freshness is None


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (None, "\N{EN DASH}"),
        (-1.0, "0 s"),
        (0.25, "0.25 s"),
        (0.1, "0.1 s"),
        (1.04, "1.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (119.0, "119 s"),
        (120.0, "2 min"),
        (7199.0, "120 min"),
        (7200.0, "2 h"),
    ],
)
def test_spans_of_time(span: float | None, text: str) -> None:
    """A span is told no finer than it matters."""
    assert words.seconds(span) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "\N{EN DASH}"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (52_670, "52.7 kB"),
        (2.5e12, "2500.0 GB"),
    ],
)
def test_sizes(size: float | None, text: str) -> None:
    """Bytes are told in units of a thousand."""
    assert words.size(size) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [(None, "\N{EN DASH}"), (0.0, "0/s"), (0.4, "0.4/s"), (9.94, "9.9/s"), (1234.5, "1,234/s")],
)
def test_rates(rate: float | None, text: str) -> None:
    """A rate has a decimal where it is small."""
    assert words.per_second(rate) == text
