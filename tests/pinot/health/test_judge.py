"""The verdicts on the pipeline, for hand-made samples."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinot.health.judge import judge
from pinot.health.sample import Consumer, Failure, Kafka, Pinot, Races, Sample
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

A_LITTLE = 0.01
PERIOD = 1800.0
AWAY = Failure("It does not answer. Start it.")


def light(now: Sample, part: str, then: Sample | None = None) -> str:
    """Return the light of one part."""
    return judge(now, then)[part].light.value


def says(now: Sample, part: str, then: Sample | None = None) -> str:
    """Return the sentence of one part."""
    return judge(now, then)[part].sentence


def test_all_is_well() -> None:
    """A healthy pipeline has only green lights, in the order of the data flow."""
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
def test_unavailable_part(part: str, field: str) -> None:
    """An unavailable part is red, with the probe's sentence; the others keep their lights."""
    away: dict[str, Any] = {field: AWAY}
    found = judge(sample(**away), None)
    assert found[part].light.value == "red"
    assert AWAY.sentence in found[part].sentence
    assert {name for name, verdict in found.items() if verdict.light.value == "red"} == {part}


def test_unreadable_embedded_store() -> None:
    """A file that cannot be read is red."""
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
    """Only the delay beyond the interval between two positions counts."""
    assert light(sample(race(period=period, age=period + late)), "End to end") == expected


@given(
    st.lists(
        st.tuples(st.floats(0.01, 600), st.floats(0, 500)),
        min_size=1,
        max_size=6,
    )
)
def test_the_most_overdue_race_decides(races: list[tuple[float, float]]) -> None:
    """With several races under way the light is that of the worst, in any order."""
    found = [race(f"run{place}", period=period, age=age) for place, (period, age) in enumerate(races)]
    order = ["green", "amber", "red"]
    alone = max((light(sample(one), "End to end") for one in found), key=order.index)
    assert light(sample(*found), "End to end") == alone
    assert light(sample(*reversed(found)), "End to end") == alone


@given(st.floats(0, 1000), st.floats(0, 1000), st.floats(0.01, 600))
def test_older_is_never_better(age: float, more: float, period: float) -> None:
    """The older the newest position, the worse the light."""
    order = ["green", "amber", "red"]
    now, later = (light(sample(race(period=period, age=one)), "End to end") for one in (age, age + more))
    assert order.index(later) >= order.index(now)


def test_nothing_runs() -> None:
    """Without a race under way there is nothing to measure: grey."""
    now = sample(races=Races((), NOW), simulator=simulator(running=0.0))
    assert light(now, "End to end") == "grey"
    assert "No race is under way" in says(now, "End to end")
    assert light(now, "Simulator") == "green"


def test_abandoned_race() -> None:
    """A race whose next tick is long overdue does not count as under way; shortly before it does."""
    since = ABANDONED_AFTER_S + PERIOD
    gone, silent = (
        race(age=since + less, noted=since + less, period=PERIOD) for less in (A_LITTLE, -A_LITTLE)
    )
    idle = simulator(running=0.0)
    assert light(sample(gone, simulator=idle), "End to end") == "grey"
    assert light(sample(silent, simulator=idle), "End to end") == "red"
    assert light(sample(gone, race("other"), simulator=idle), "End to end") == "green"


def test_race_missing_from_the_store() -> None:
    """Races of the simulator that are missing from the store are amber at first, then red."""
    nothing = sample(races=Races((), NOW))
    assert light(nothing, "End to end") == "amber"
    idle = sample(ago=10, simulator=simulator(running=0.0))
    assert light(nothing, "End to end", idle) == "amber"
    assert light(nothing, "End to end", sample(ago=10)) == "red"
    assert "running 1 race," in says(nothing, "End to end")


def test_race_is_quoted() -> None:
    """A run id, which may be any word, is quoted in the sentence."""
    assert 'position of race "track" is 100 s old' in says(sample(race("track", age=100.0)), "End to end")
    assert 'Race "track" has no position' in says(sample(race("track", age=None)), "End to end")


def test_race_before_its_first_position() -> None:
    """A race that has just started is amber until its first position."""
    assert light(sample(race(age=None)), "End to end") == "amber"
    assert light(sample(race(age=None), race("other")), "End to end") == "green"


@pytest.mark.parametrize(
    ("lag", "expected"), [(LATE_AMBER_S, "green"), (LATE_AMBER_S + A_LITTLE, "amber"), (100.0, "amber")]
)
def test_late_simulator(lag: float, expected: str) -> None:
    """Ticks that are more than a second late are amber."""
    assert light(sample(simulator=simulator(lag=lag)), "Simulator") == expected


def test_simulator_that_is_not_ready() -> None:
    """A simulator that is not ready is red, with its reason."""
    now = sample(simulator=simulator(reasons=("no broker answers at kafka:9092",)))
    assert light(now, "Simulator") == "red"
    assert "no broker answers at kafka:9092" in says(now, "Simulator")


@pytest.mark.parametrize("counter", ["late_ticks", "errors", "retries"])
def test_recent_problems(counter: str) -> None:
    """Late ticks, delivery errors and retries count only if they are recent."""
    now = sample(simulator=simulator(**{counter: 7.0}))
    before, after = (
        sample(ago=10, simulator=simulator(**{counter: count}, taken=NOW - 10)) for count in (5.0, 7.0)
    )
    assert light(now, "Simulator", before) == "amber"
    assert light(now, "Simulator", after) == "green"
    assert light(now, "Simulator") == "green"


def test_restarted_simulator() -> None:
    """Counters that restart from 0 are no problem."""
    before = sample(ago=10, simulator=simulator(errors=9.0, retries=9.0, ticks=900.0, taken=NOW - 10))
    assert light(sample(), "Simulator", before) == "green"


def test_missing_topic_and_leaderless_partition() -> None:
    """A missing topic or a partition without a leader is red, and named."""
    missing = ends()
    del missing["passings"]
    now = sample(kafka=Kafka(missing, NOW))
    assert light(now, "Kafka") == "red"
    assert "no topic passings. Run python -m pinot setup" in says(now, "Kafka")
    now = sample(kafka=Kafka(ends(races={0: None}), NOW))
    assert light(now, "Kafka") == "red"
    assert "races" in says(now, "Kafka")


def test_missing_table() -> None:
    """A missing table is red, with the remedy."""
    there = tables()
    del there["races"], there["courses"]
    now = sample(pinot=Pinot(there, NOW))
    assert light(now, "Pinot") == "red"
    assert says(now, "Pinot") == "Pinot has no table races and courses. Run python -m pinot setup."


@pytest.mark.parametrize(
    ("wrong", "expected", "word"),
    [
        ({"rows": None, "trouble": "no server serves it yet"}, "red", "no server serves it yet"),
        ({"failed": ("parkrun__0__0__x",)}, "red", "/segments/parkrun_REALTIME/parkrun__0__0__x/reset"),
        ({"failed": ("a", "b", "c")}, "red", "Segment a and 2 more"),
        ({"absent": ("parkrun__0__0__x",)}, "amber", "is not loaded"),
        ({"absent": ("a",), "failed": ("b",)}, "red", "Segment b"),
    ],
)
def test_incomplete_table(wrong: dict[str, Any], expected: str, word: str) -> None:
    """Failed segments and tables that cannot be queried are red, loading segments amber."""
    now = sample(pinot=Pinot(tables(parkrun=table(**wrong)), NOW))
    assert light(now, "Pinot") == expected
    assert word in says(now, "Pinot")


@pytest.mark.parametrize("state", ["NOT_CONSUMING", ""])
def test_partition_without_consumer(state: str) -> None:
    """A partition without an active consumer is red, and so is one unknown to Pinot."""
    consumers = {0: Consumer(state, 100), 1: Consumer("CONSUMING", 100)}
    now = sample(pinot=Pinot(tables(parkrun=table(consumers=consumers)), NOW))
    assert light(now, "Pinot") == "red"
    sentence = "Table parkrun does not consume partition 0 of its topic. POST /tables/parkrun_REALTIME/resume"
    assert says(now, "Pinot").startswith(sentence)
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
def test_lag_is_judged_by_the_message_rate(rate: float, far: float, expected: str) -> None:
    """The allowed lag grows with the message rate, and a few hundred messages are always allowed."""
    came, behind = round(rate * 10), round(max(BUSY_PER_S, rate) * far)
    end = 10_000_000
    now = sample(
        kafka=Kafka(ends(end, competitors={0: end}), NOW),
        pinot=Pinot(tables(end, competitors=table(consumers={0: Consumer("CONSUMING", end - behind)})), NOW),
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
def test_stuck_consumer(span: float, read: int, waiting: int, expected: str) -> None:
    """A consumer that makes no progress with messages waiting in both samples is amber."""
    then = sample(ago=span, kafka=Kafka(ends(100 + waiting), NOW - span))
    now = sample(kafka=Kafka(ends(100 + waiting), NOW), pinot=Pinot(tables(100 + read), NOW))
    assert light(now, "Pinot", then) == expected


def test_recreated_topic() -> None:
    """A consumer beyond its topic's end would wait indefinitely: red, and only a reset helps."""
    now = sample(offset=100, kafka=Kafka(ends(3), NOW))
    assert light(now, "Pinot", sample(ago=10, offset=100)) == "red"
    assert "python -m pinot reset" in says(now, "Pinot", sample(ago=10, offset=100))


def test_consumer_slightly_ahead() -> None:
    """Kafka and Pinot are probed at about the same time: a consumer may be slightly ahead."""
    now = sample(offset=100, pinot=Pinot(tables(105), NOW))
    assert light(now, "Pinot", sample(ago=10, offset=90)) == "green"


@pytest.mark.parametrize(("size", "expected"), [(LOG_AMBER_BYTES, "green"), (LOG_AMBER_BYTES + 1, "amber")])
def test_log_of_the_embedded_store(size: int, expected: str) -> None:
    """A write-ahead log that is not checkpointed is amber."""
    assert light(embedded_sample(log_size=size), "Embedded store") == expected


@given(st.data())
def test_every_sentence_is_one_and_says_what_to_do(data: st.DataObject) -> None:
    """Whatever is unavailable, each part has a sentence; unless green, it also says what to do."""
    parts = {"simulator", "group", "races", "kafka", "pinot"}
    away: dict[str, Any] = dict.fromkeys(data.draw(st.sets(st.sampled_from(sorted(parts)))), AWAY)
    then = data.draw(st.sampled_from([None, sample(ago=10), sample(ago=10, **away)]))
    for verdict in judge(sample(**away), then).values():
        assert verdict.sentence.endswith(".")
        assert "\n" not in verdict.sentence
        assert verdict.light.value in {"green", "grey"} or verdict.sentence.count(". ") >= 1
