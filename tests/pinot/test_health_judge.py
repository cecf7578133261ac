"""The judgement of the pipeline, on samples made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinot.health.judge import judge
from pinot.health.sample import Consumer, Failure, Kafka, Pinot, Races
from pinot.health.thresholds import (
    ABANDONED_AFTER_S,
    BUSY_PER_S,
    FRESH_AMBER_S,
    FRESH_RED_S,
    LAG_AMBER_S,
    LAG_RED_S,
    LATE_AMBER_S,
    LOG_AMBER_BYTES,
    STUCK_AFTER_S,
)
from tests.pinot.samples import NOW, embedded_sample, ends, race, sample, simulator, table, tables

if TYPE_CHECKING:
    from pinot.health.sample import Sample

A_LITTLE = 0.01
AWAY = Failure("It does not answer. Start it.")


def light(now: Sample, part: str, then: Sample | None = None) -> str:
    """The light of one part."""
    return judge(now, then)[part].light.value


def says(now: Sample, part: str, then: Sample | None = None) -> str:
    """The sentence of one part."""
    return judge(now, then)[part].sentence


def test_all_is_well() -> None:
    """A pipeline that is well has green lights alone, in the order in which the data goes."""
    found = judge(sample(), sample(ago=10))
    assert list(found) == ["Simulator", "Kafka", "Pinot", "End to end"]
    assert {verdict.light.value for verdict in found.values()} == {"green"}


def test_embedded_store_stands_in_for_two() -> None:
    """With the embedded store there is no Kafka and no Pinot to judge."""
    found = judge(embedded_sample(), None)
    assert list(found) == ["Simulator", "Embedded store", "End to end"]
    assert {verdict.light.value for verdict in found.values()} == {"green"}


@pytest.mark.parametrize(
    ("part", "field"),
    [("Simulator", "simulator"), ("Kafka", "kafka"), ("Pinot", "pinot"), ("End to end", "races")],
)
def test_part_that_is_away(part: str, field: str) -> None:
    """A part that can't be asked is red, with the probe's own sentence, and the others keep their lights."""
    away: dict[str, Any] = {field: AWAY}
    found = judge(sample(**away), None)
    assert found[part].light.value == "red"
    assert AWAY.sentence in found[part].sentence
    assert {name for name, verdict in found.items() if verdict.light.value == "red"} == {part}


def test_embedded_store_that_is_away() -> None:
    """So is a file that can't be read."""
    now = replace(embedded_sample(), embedded=AWAY)
    assert (light(now, "Embedded store"), says(now, "Embedded store")) == ("red", AWAY.sentence)


@pytest.mark.parametrize("period", [1.0, 60.0])
@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (0.0, "green"),
        (FRESH_AMBER_S - A_LITTLE, "green"),
        (FRESH_AMBER_S + A_LITTLE, "amber"),
        (FRESH_RED_S - A_LITTLE, "amber"),
        (FRESH_RED_S + A_LITTLE, "red"),
    ],
)
def test_freshness_is_judged_by_the_races_own_interval(period: float, late: float, expected: str) -> None:
    """A position may be as old as the time between two of them, and only what is beyond that counts."""
    assert light(sample(race(period=period, age=period + late)), "End to end") == expected


@given(
    st.lists(
        st.tuples(st.floats(0.01, 600), st.floats(0, 500)),
        min_size=1,
        max_size=6,
    )
)
def test_the_most_overdue_race_decides(races: list[tuple[float, float]]) -> None:
    """With several races under way the light is that of the one that is worst off, in whatever order."""
    told = [race(f"run{place}", period=period, age=age) for place, (period, age) in enumerate(races)]
    order = ["green", "amber", "red"]
    alone = max((light(sample(one), "End to end") for one in told), key=order.index)
    assert light(sample(*told), "End to end") == alone
    assert light(sample(*reversed(told)), "End to end") == alone


@given(st.floats(0, 1000), st.floats(0, 1000), st.floats(0.01, 600))
def test_older_is_never_better(age: float, more: float, period: float) -> None:
    """The older the newest position, the worse the light."""
    order = ["green", "amber", "red"]
    now, later = (light(sample(race(period=period, age=one)), "End to end") for one in (age, age + more))
    assert order.index(later) >= order.index(now)


def test_nothing_runs() -> None:
    """Without a race under way there is nothing to measure: grey, and no fault."""
    now = sample(races=Races((), NOW), simulator=simulator(running=0.0))
    assert light(now, "End to end") == "grey"
    assert "No race is under way" in says(now, "End to end")
    assert light(now, "Simulator") == "green"


def test_race_left_over_by_a_simulator_that_is_gone() -> None:
    """A race of which nothing was heard for long doesn't count as under way; shortly before it does."""
    gone, silent = (
        race(age=ABANDONED_AFTER_S + less, noted=ABANDONED_AFTER_S + less) for less in (A_LITTLE, -A_LITTLE)
    )
    idle = simulator(running=0.0)
    assert light(sample(gone, simulator=idle), "End to end") == "grey"
    assert light(sample(silent, simulator=idle), "End to end") == "red"
    assert light(sample(gone, race("other"), simulator=idle), "End to end") == "green"


def test_race_that_the_store_knows_nothing_of() -> None:
    """Races that the simulator tells and the store doesn't have are waited for a moment, and then a fault."""
    nothing = sample(races=Races((), NOW))
    assert light(nothing, "End to end") == "amber"
    idle = sample(ago=10, simulator=simulator(running=0.0))
    assert light(nothing, "End to end", idle) == "amber"
    assert light(nothing, "End to end", sample(ago=10)) == "red"
    assert "tells 1 race," in says(nothing, "End to end")


def test_race_is_quoted() -> None:
    """A run id, which may be any word, is told apart from the sentence that it is in."""
    assert 'position of race "track" is 100 s old' in says(sample(race("track", age=100.0)), "End to end")
    assert 'Race "track" has told no position' in says(sample(race("track", age=None)), "End to end")


def test_race_before_its_first_position() -> None:
    """A race that has just begun is amber until its first position is there."""
    assert light(sample(race(age=None)), "End to end") == "amber"
    assert light(sample(race(age=None), race("other")), "End to end") == "green"


@pytest.mark.parametrize(
    ("lag", "expected"), [(LATE_AMBER_S, "green"), (LATE_AMBER_S + A_LITTLE, "amber"), (100.0, "amber")]
)
def test_late_simulator(lag: float, expected: str) -> None:
    """Ticks that are more than a second late are amber."""
    assert light(sample(simulator=simulator(lag=lag)), "Simulator") == expected


def test_simulator_that_is_not_ready() -> None:
    """What the simulator calls not ready is red, in its own words."""
    now = sample(simulator=simulator(reasons=("no broker answers at kafka:9092",)))
    assert light(now, "Simulator") == "red"
    assert "no broker answers at kafka:9092" in says(now, "Simulator")


@pytest.mark.parametrize("counter", ["late_ticks", "errors", "retries"])
def test_what_went_wrong_just_now(counter: str) -> None:
    """Late ticks, delivery errors and retries count if they are new, not for ever."""
    now = sample(simulator=simulator(**{counter: 7.0}))
    before, after = (
        sample(ago=10, simulator=simulator(**{counter: count}, taken=NOW - 10)) for count in (5.0, 7.0)
    )
    assert light(now, "Simulator", before) == "amber"
    assert light(now, "Simulator", after) == "green"
    assert light(now, "Simulator") == "green"


def test_simulator_started_anew() -> None:
    """Counters that begin again from nothing are no fault."""
    before = sample(ago=10, simulator=simulator(errors=9.0, retries=9.0, ticks=900.0, taken=NOW - 10))
    assert light(sample(), "Simulator", before) == "green"


def test_missing_topic_and_leaderless_partition() -> None:
    """A topic that is missing, or a partition without a leader, is red, and named."""
    missing = ends()
    del missing["passings"]
    now = sample(kafka=Kafka(missing, NOW))
    assert light(now, "Kafka") == "red"
    assert "no topic passings. Run python -m pinot setup" in says(now, "Kafka")
    now = sample(kafka=Kafka(ends(races={0: None}), NOW))
    assert light(now, "Kafka") == "red"
    assert "races" in says(now, "Kafka")


def test_missing_table() -> None:
    """A table that is missing is red, with what makes it."""
    there = tables()
    del there["races"], there["courses"]
    now = sample(pinot=Pinot(there, NOW))
    assert light(now, "Pinot") == "red"
    assert says(now, "Pinot") == "Pinot has no table races and courses. Run python -m pinot setup."


@pytest.mark.parametrize(
    ("wrong", "expected", "word"),
    [
        ({"rows": None, "trouble": "no server has it yet"}, "red", "no server has it yet"),
        ({"failed": ("parkrun__0__0__x",)}, "red", "/segments/parkrun_REALTIME/parkrun__0__0__x/reset"),
        ({"failed": ("a", "b", "c")}, "red", "Segment a and 2 more"),
        ({"absent": ("parkrun__0__0__x",)}, "amber", "isn't loaded"),
        ({"absent": ("a",), "failed": ("b",)}, "red", "Segment b"),
    ],
)
def test_table_that_is_not_whole(wrong: dict[str, Any], expected: str, word: str) -> None:
    """Segments that failed and tables that can't be asked are red, what is still loading amber."""
    now = sample(pinot=Pinot(tables(parkrun=table(**wrong)), NOW))
    assert light(now, "Pinot") == expected
    assert word in says(now, "Pinot")


@pytest.mark.parametrize("state", ["NOT_CONSUMING", ""])
def test_partition_that_nobody_reads(state: str) -> None:
    """A partition without a consumer that consumes is red, and so is one that Pinot doesn't know."""
    consumers = {0: Consumer(state, 100, NOW), 1: Consumer("CONSUMING", 100, NOW)}
    now = sample(pinot=Pinot(tables(parkrun=table(consumers=consumers)), NOW))
    assert light(now, "Pinot") == "red"
    assert "doesn't read partition 0 of its topic. POST /tables/parkrun_REALTIME/resume" in says(now, "Pinot")
    more = sample(kafka=Kafka(ends(parkrun=dict.fromkeys(range(3), 100)), NOW))
    assert "partition 2" in says(more, "Pinot")


@pytest.mark.parametrize(
    ("far", "expected"),
    [
        (LAG_AMBER_S, "green"),
        (LAG_AMBER_S + A_LITTLE, "amber"),
        (LAG_RED_S, "amber"),
        (LAG_RED_S + A_LITTLE, "red"),
    ],
)
@pytest.mark.parametrize("rate", [0.0, BUSY_PER_S / 2, BUSY_PER_S, 10 * BUSY_PER_S])
def test_lag_is_judged_by_how_much_comes(rate: float, far: float, expected: str) -> None:
    """How far Pinot may be behind grows with what comes, and a few hundred messages never are too much."""
    came, behind = round(rate * 10), round(max(BUSY_PER_S, rate) * far)
    end = 10_000_000
    now = sample(
        kafka=Kafka(ends(end, competitors={0: end}), NOW),
        pinot=Pinot(
            tables(end, competitors=table(consumers={0: Consumer("CONSUMING", end - behind, NOW)})), NOW
        ),
    )
    then = sample(
        ago=10,
        kafka=Kafka(ends(end, competitors={0: end - came}), NOW - 10),
        pinot=Pinot(tables(end, competitors=table(1, 1)), NOW - 10),
    )
    assert light(now, "Pinot", then) == expected


@pytest.mark.parametrize(
    ("span", "read", "waiting", "expected"),
    [
        (STUCK_AFTER_S, 0, 5, "amber"),
        (STUCK_AFTER_S - A_LITTLE, 0, 5, "green"),
        (STUCK_AFTER_S, 1, 5, "green"),
        (STUCK_AFTER_S, 0, 0, "green"),
    ],
)
def test_consumer_that_stands_still(span: float, read: int, waiting: int, expected: str) -> None:
    """A consumer that reads nothing though something waited at both looks is amber; one at the end isn't."""
    then = sample(ago=span, kafka=Kafka(ends(100 + waiting), NOW - span))
    now = sample(kafka=Kafka(ends(100 + waiting), NOW), pinot=Pinot(tables(100 + read), NOW))
    assert light(now, "Pinot", then) == expected


def test_topic_made_anew_below_a_table() -> None:
    """A consumer that was beyond its topic's end waits for ever: red, and only a reset helps."""
    now = sample(offset=100, kafka=Kafka(ends(3), NOW))
    assert light(now, "Pinot", sample(ago=10, offset=100)) == "red"
    assert "python -m pinot reset" in says(now, "Pinot", sample(ago=10, offset=100))


def test_message_that_is_read_before_it_is_counted() -> None:
    """Kafka and Pinot are asked at about the same time: to be a little ahead is no fault."""
    now = sample(offset=100, pinot=Pinot(tables(105), NOW))
    assert light(now, "Pinot", sample(ago=10, offset=90)) == "green"


@pytest.mark.parametrize(("size", "expected"), [(LOG_AMBER_BYTES, "green"), (LOG_AMBER_BYTES + 1, "amber")])
def test_log_of_the_embedded_store(size: int, expected: str) -> None:
    """A write-ahead log that isn't written back is amber."""
    assert light(embedded_sample(log_size=size), "Embedded store") == expected


@given(st.data())
def test_every_sentence_is_one_and_says_what_to_do(data: st.DataObject) -> None:
    """Whatever is away, each part has a sentence, and one that isn't green says what to do besides."""
    parts = {"simulator", "races", "kafka", "pinot"}
    away: dict[str, Any] = dict.fromkeys(data.draw(st.sets(st.sampled_from(sorted(parts)))), AWAY)
    then = data.draw(st.sampled_from([None, sample(ago=10), sample(ago=10, **away)]))
    for verdict in judge(sample(**away), then).values():
        assert verdict.sentence.endswith(".")
        assert "\n" not in verdict.sentence
        assert verdict.light.value in {"green", "grey"} or verdict.sentence.count(". ") >= 1
