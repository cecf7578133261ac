"""Figures from two samples, and the report as text and JSON."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinot.health import figures, words
from pinot.health.figures import OLDEST_S, WINDOW_S
from pinot.health.report import as_text, report
from pinot.health.sample import ALL_TOPICS, Defects, Failure, Pinot, Races, Sample, known
from stream.contract import TABLES
from tests.pinot.samples import NOW, embedded_sample, race, sample, simulator, table, tables


def test_rates_are_over_the_time_between_samples() -> None:
    """Message and tick rates are the differences divided by the seconds in between."""
    then = sample(ago=10, offset=100, simulator=simulator(ticks=50.0, taken=NOW - 10))
    now = sample(offset=150)
    assert figures.messages_per_second(now, then, "parkrun") == 2 * 50 / 10
    assert figures.messages_per_second(now, then, "races") == 50 / 10
    assert figures.counted_per_second(known(now.simulator), known(then.simulator), "ticks") == 5.0


@pytest.mark.parametrize(
    "then",
    [
        None,
        sample(ago=10, kafka=Failure("away"), simulator=Failure("away")),
        sample(ago=0.0),
        sample(ago=10, offset=200, simulator=simulator(ticks=200.0)),
    ],
    ids=["nothing before", "away before", "no time between", "restarted"],
)
def test_unknown_rates(then: Sample | None) -> None:
    """Without two samples, or after a restart in between, a rate is unknown, never 0."""
    now, former = sample(), known(then.simulator if then else None)
    assert figures.messages_per_second(now, then, "parkrun") is None
    assert figures.counted_per_second(known(now.simulator), former, "ticks") is None


def test_messages_of_a_topic_with_a_silent_partition() -> None:
    """A topic's message count is unknown while a partition has no leader."""
    assert figures.messages({0: 5, 1: 7}) == 12
    assert figures.messages({0: 5, 1: None}) is None
    assert figures.messages({}) is None


@given(st.lists(st.floats(0.01, 100), max_size=30, unique=True))
def test_former_sample(ages: list[float]) -> None:
    """A sample is compared with the newest that is old enough, else with the oldest, but no stale one."""
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
    """A partition's lag is its end offset minus the consumer's, if both are known, and at least 0."""
    consumers = {place: replace(table().consumers[0], offset=offset) for place, offset in read.items()}
    found = figures.lags(dict(end), table(consumers=consumers))
    assert found == {place: max(0, end[place] - read[place]) for place in end.keys() & read.keys()}


def test_rows_of_both_tables() -> None:
    """All topics and tables have a row, in order, with their known values."""
    found = report([sample(ago=10, offset=50), sample(offset=100, pinot=Pinot(tables(90), NOW))])
    assert [row.name for row in found.topics] == list(ALL_TOPICS)
    assert [row.name for row in found.tables] == list(TABLES)
    topics, rows = ({row.name: row.numbers for row in some} for some in (found.topics, found.tables))
    assert topics["parkrun"] == {"partitions": 2, "messages": 200, "per_second": 10.0, "lag": 20}
    assert topics["progress"] == {"partitions": 12, "messages": 1200, "per_second": 60.0, "lag": None}
    known = {"rows": 10, "size": 1000, "consuming": (2, 2), "fresh": 1.0}
    assert rows["parkrun"] == known | {"incomplete": None, "rowless": None}
    assert (rows["courses"]["consuming"], rows["courses"]["fresh"]) == ((0, 0), None)


def test_rows_while_both_are_unavailable() -> None:
    """Without Kafka and Pinot the rows remain, with unknown values."""
    now = sample(kafka=Failure("away"), pinot=Failure("away"))
    lines = as_text(report([now])).splitlines()
    cells = [line.split() for line in lines if line.startswith("parkrun")]
    assert cells == [["parkrun", *[words.UNKNOWN] * columns] for columns in (4, 6)]


def test_text_for_a_terminal() -> None:
    """Each part is a line with its light and sentence; the tables' columns are aligned."""
    lines = as_text(report([sample(ago=10), sample()])).splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["green"] * 4
    assert lines[0].startswith("green  Simulator   The simulator is running 1 race")
    topics = lines[lines.index("") + 1 :][: len(ALL_TOPICS) + 1]
    assert {len(line) for line in topics} == {len(topics[0])}


def test_report_for_programs() -> None:
    """JSON has the same lights and sentences, and figures as numbers, null if unknown."""
    found = report([sample(ago=10, offset=50), sample(simulator=Failure("Away. Start it."))])
    printed = json.loads(json.dumps(found.as_json()))
    assert printed["parts"]["Simulator"]["light"] == "red"
    assert printed["parts"]["Simulator"]["sentence"] == "Away. Start it."
    assert printed["parts"]["Simulator"]["lag_seconds"] is None
    assert printed["parts"]["End to end"]["age_seconds"] == 0.5
    assert printed["topics"]["parkrun"] == {"partitions": 2, "messages": 200, "per_second": 10.0, "lag": 0}
    assert printed["tables"]["parkrun"]["consuming"] == [2, 2]


def test_defects_are_counted_by_table_and_in_all() -> None:
    """Incomplete rows and messages without a row are reported by table, and summed where known."""
    found = report([sample(defects={"parkrun": Defects(2, 3), "races": Defects(1, None)})])
    rows = {row.name: (row.numbers["incomplete"], row.numbers["rowless"]) for row in found.tables}
    assert (rows["parkrun"], rows["races"], rows["courses"]) == ((2, 3), (1, None), (None, None))
    (part,) = [part for part in found.parts if part.name == "Pinot"]
    figures_of = {figure.key: figure.value for figure in part.figures}
    assert (figures_of["incomplete"], figures_of["rowless"]) == (3, 3)
    assert part.verdict.light.value == "green"


def test_figures_of_the_embedded_store() -> None:
    """The embedded store has file sizes and the age of its newest position, but no tables."""
    found = report([embedded_sample()])
    (part,) = [part for part in found.parts if part.name == "Embedded store"]
    assert [figure.text for figure in part.figures] == ["1.5 MB", "4.0 MB", "0.5 s"]
    assert (found.topics, found.tables, found.simulators) == ((), (), ())


@pytest.mark.parametrize("found", [sample(), embedded_sample()])
def test_labels_are_unique(found: Sample) -> None:
    """No two figures on the page have the same label."""
    labels = [figure.label for part in report([found]).parts for figure in part.figures]
    assert len(set(labels)) == len(labels)


def test_abandoned_races_are_counted() -> None:
    """The end-to-end part counts races under way and abandoned races separately."""
    gone = race("gone", age=9000, noted=9000)
    found = report([sample(race(age=3.0), gone)])
    figures_of = {figure.key: figure.value for figure in found.parts[-1].figures}
    assert figures_of == {"age_seconds": 3.0, "expected_seconds": 1.0, "races": 1, "left_over": 1}
    assert found.parts[-1].numbers["age_seconds"] == 3.0
    assert report([sample(races=Races((), NOW))]).parts[-1].numbers["age_seconds"] is None


@pytest.mark.parametrize(
    ("span", "text"),
    [
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
def test_spans_of_time(span: float, text: str) -> None:
    """A duration has a suitable unit and precision."""
    assert words.seconds(span) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (52_670, "52.7 kB"),
        (2.5e12, "2500.0 GB"),
    ],
)
def test_sizes(size: float, text: str) -> None:
    """Bytes are shown in powers of 1000."""
    assert words.size(size) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0.0, "0/s"), (0.4, "0.4/s"), (9.94, "9.9/s"), (1234.5, "1,234/s")],
)
def test_rates(rate: float, text: str) -> None:
    """A small rate has a decimal."""
    assert words.per_second(rate) == text
