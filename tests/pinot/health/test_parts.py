"""The simulators of a group and their parts of races: lags, verdicts and figures, for hand-made samples."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinot.health.judge import judge
from pinot.health.parts import lag, parts_under_way
from pinot.health.report import as_text, report
from pinot.health.sample import Failure, Races, Sample
from pinot.health.thresholds import (
    PART_AMBER_S,
    PART_RED_S,
    RECORDED_WITHIN_S,
    UNOWNED_AFTER_S,
    UNSETTLED_AFTER_S,
)
from simulator.engine import engine
from simulator.http import routes
from stream.parts import PART, partition_of
from tests.pinot.samples import (
    BEGAN,
    NOW,
    PARTITIONS,
    embedded_sample,
    group,
    member,
    race,
    sample,
    simulator,
)

A_LITTLE = 0.01
AWAY = Failure("It does not answer. Start it.")
RUN = partition_of("run", 0, PARTITIONS["progress"])
"""The partition of the race in the samples."""
OTHERS = sorted(set(range(PARTITIONS["progress"])) - {RUN})
IDLE = Races((), NOW)


def light(now: Sample, then: Sample | None = None) -> str:
    """Return the light of the simulators."""
    return judge(now, then)["Simulator"].light.value


def says(now: Sample, then: Sample | None = None) -> str:
    """Return the sentence on the simulators."""
    return judge(now, then)["Simulator"].sentence


def twice(seconds: float, *races: Any, **other: Any) -> tuple[Sample, Sample]:
    """Return two samples of the same group, the newer one first."""
    kinds = {name: other.pop(name) for name in ("races", "simulator") if name in other}
    found = races or (race(),)
    now, then = (
        sample(*found, ago=ago, **kinds, group=group(*found, taken=NOW - ago, **other))
        for ago in (0.0, seconds)
    )
    return now, then


def test_limits_are_those_of_the_simulator() -> None:
    """Records of progress come as often as the engine writes them; `/readyz` has the same limit for amber."""
    assert RECORDED_WITHIN_S == engine.CHECK + engine.LOOK
    assert PART_AMBER_S == routes.LATE


@pytest.mark.parametrize(("period", "speed"), [(1.0, 1.0), (30.0, 2.0), (0.5, 100.0), (3600.0, 1.0)])
def test_what_has_no_record_yet_is_not_late(period: float, speed: float) -> None:
    """Of a healthy race, two ticks and the time between two records have no record; more is late."""
    one = race(period=period, speed=speed)
    healthy = 2 * period + RECORDED_WITHIN_S

    def at(behind: float) -> float:
        return lag(one, (NOW - BEGAN - behind) * speed, NOW)

    assert at(0.0) == 0.0
    assert at(healthy - A_LITTLE) == 0.0
    assert at(healthy + 7.5) == pytest.approx(7.5)


def test_a_part_without_a_record_counts_from_the_gun() -> None:
    """Until its first record, a part has published nothing since the gun."""
    one = race()
    assert lag(one, None, BEGAN + RECORDED_WITHIN_S + one.period) == 0.0
    assert lag(one, None, BEGAN + RECORDED_WITHIN_S + one.period + 3.0) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (0.0, "green"),
        (PART_AMBER_S - A_LITTLE, "green"),
        (PART_AMBER_S + A_LITTLE, "amber"),
        (PART_RED_S - A_LITTLE, "amber"),
        (PART_RED_S + A_LITTLE, "red"),
    ],
)
def test_late_part(late: float, expected: str) -> None:
    """A late part is amber, later red; the sentence names the simulator that publishes it."""
    one = race(period=10.0)
    now = sample(one, group=group(one, behind={"run": 20.0 + RECORDED_WITHIN_S + late}))
    assert light(now) == expected
    owner = "one" if RUN < 6 else "two"
    assert (expected == "green") is not (f"Simulator {owner} is " in says(now) and 'race "run"' in says(now))


def test_the_latest_part_is_named() -> None:
    """A large race has parts at several simulators; the latest part of all races is named."""
    large = race("large", competitors=PART + 1)
    found = group(large, race("small"), behind={"small": 15.0})
    assert found.delivered is not None
    delivered = {**found.delivered, ("large", 1): found.delivered["large", 1] - 30.0}
    now = sample(large, race("small"), group=group(delivered=delivered))
    assert 'late with part 1 of race "large".' in says(now)


def test_part_without_an_owner() -> None:
    """A partition with parts and without an owner in two samples is red; race and partition are named."""
    now, then = twice(UNOWNED_AFTER_S, members=(member("one", *OTHERS),))
    assert light(now, then) == "red"
    assert f'No simulator publishes race "run": partition {RUN} of progress is unassigned.' in says(now, then)
    assert "Restart a simulator" in says(now, then)


def test_several_parts_without_an_owner() -> None:
    """Of several parts one is named, and all their partitions."""
    races = race("large", competitors=3 * PART), race("run")
    now, then = twice(UNOWNED_AFTER_S, *races, members=(member("one"),))
    assert says(now, then).startswith(
        'No simulator publishes part 0 of race "large" and 3 more parts: partitions 0,'
    )


def test_partitions_that_change_hands() -> None:
    """A partition without an owner in one sample only, or in two in quick succession, is about to get one."""
    now, then = twice(UNOWNED_AFTER_S, members=(member("one", *OTHERS),))
    well = sample(ago=UNOWNED_AFTER_S)
    assert light(now, well) == light(sample(), then) == light(now) == "green"
    now, soon = twice(UNOWNED_AFTER_S - A_LITTLE, members=(member("one", *OTHERS),))
    assert light(now, soon) == "green"


def test_partition_without_an_owner_and_without_races() -> None:
    """A partition without an owner is amber, too, if no race needs it yet."""
    now, then = twice(UNOWNED_AFTER_S, members=(member("one", *OTHERS),), races=IDLE)
    assert light(now, then) == "amber"
    assert f"New races may not be published: partition {RUN} of progress is unassigned." in says(now, then)


def test_group_without_members() -> None:
    """Races under way that no simulator publishes are red at once; without races, nothing is missing."""
    assert light(sample(group=group(members=()))) == "red"
    assert (
        'No simulator publishes race "run": the group racecast-simulators has no members. Start one'
        in says(sample(group=group(members=())))
    )
    idle = sample(group=group(members=()), races=IDLE, simulator=simulator(running=0.0))
    assert light(idle) == "green"


def test_replays_have_no_simulator() -> None:
    """A replay is published by a process of its own: the group has no part of it."""
    replay = race("replay", is_replay=True)
    now, then = twice(UNOWNED_AFTER_S, replay, members=(), delivered={})
    assert parts_under_way(now) == ()
    assert light(now, then) == "green"


@pytest.mark.parametrize(
    ("seconds", "expected"), [(UNSETTLED_AFTER_S, "amber"), (UNSETTLED_AFTER_S - A_LITTLE, "green")]
)
def test_distribution_that_does_not_end(seconds: float, expected: str) -> None:
    """While Kafka distributes the partitions, none has an owner; that is amber if it lasts."""
    bare = member("one"), member("two")
    now, then = twice(seconds, members=bare, settled=False)
    assert light(now, then) == expected
    assert light(now, sample(ago=seconds)) == light(sample(), then) == "green"


def test_group_that_cannot_be_read() -> None:
    """If only the group cannot be read, that is amber; if Kafka does not answer, its own light says so."""
    assert light(sample(group=AWAY)) == "amber"
    assert says(sample(group=AWAY)) == AWAY.sentence
    assert light(sample(group=AWAY, kafka=AWAY)) == "green"


def test_the_simulator_of_the_api_comes_first() -> None:
    """If it is not ready, its reason is shown, however late the parts of others are."""
    now = sample(
        simulator=simulator(reasons=("no broker answers",)), group=group(race(), behind={"run": 500.0})
    )
    assert "no broker answers" in says(now)


@given(
    st.floats(0.01, 3600),
    st.floats(0.1, 1000),
    st.none() | st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
)
def test_lag_grows_with_time_only(
    period: float, speed: float, delivered: float | None, waited: float, more: float
) -> None:
    """Without a new record a lag never shrinks and grows by a second per second at most."""
    one = race(period=period, speed=speed)
    now, later = (lag(one, delivered, BEGAN + seconds) for seconds in (waited, waited + more))
    assert 0.0 <= now <= later <= now + more + 1e-3


def test_rows_of_the_simulators() -> None:
    """Each simulator has a row: its partitions, and parts, competitors and lag of the races under way."""
    races = race("large", competitors=2 * PART), race("run")
    found = report([sample(*races, group=group(*races, behind={"run": 12.0}))])
    rows = {row.name: row.numbers for row in found.simulators}
    assert list(rows) == ["one", "two"]
    assert {row["partitions"] for row in rows.values()} == {6}
    assert sum(row["parts"] for row in rows.values()) == 3
    assert sum(row["competitors"] for row in rows.values()) == 2 * PART + 100
    assert max(row["lag_seconds"] or 0.0 for row in rows.values()) == pytest.approx(
        12.0 - 2.0 - RECORDED_WITHIN_S
    )
    numbers = found.parts[0].numbers
    assert (numbers["simulators"], numbers["unowned_parts"]) == (2, (0, 3))
    assert json.loads(json.dumps(found.as_json()))["simulators"]["one"]["host"] == "10.0.0.7"
    lines = as_text(found).splitlines()
    assert lines[-3].split() == ["simulator", "host", "partitions", "parts", "competitors", "lag"]
    assert lines[-2].split()[:3] == ["one", "10.0.0.7", "6"]


def test_progress_that_could_not_be_read() -> None:
    """Without the records of progress nothing is said about lags."""
    now = sample(group=group(delivered=None))
    assert light(now) == "green"
    rows = [row.numbers for row in report([now]).simulators]
    assert sum(row["parts"] for row in rows) == 1
    assert {row["lag_seconds"] for row in rows} == {None}


def test_parts_without_an_owner_are_counted() -> None:
    """The simulators' part has the number of parts without an owner."""
    found = report([sample(group=group(members=(member("one", *OTHERS),)))])
    assert found.parts[0].numbers["unowned_parts"] == (1, 1)
    assert found.simulators[0].numbers == {
        "host": "10.0.0.7",
        "partitions": len(OTHERS),
        "parts": 0,
        "competitors": 0,
        "lag_seconds": None,
    }


def test_shares_are_unknown_while_they_are_distributed() -> None:
    """While partitions are distributed, or the races are unknown, so are shares: never 0."""
    unsettled = report([sample(group=group(members=(member("one"),), settled=False))])
    assert set(unsettled.simulators[0].numbers.values()) == {"10.0.0.7", None}
    assert unsettled.parts[0].numbers["unowned_parts"] is None
    unknown = report([sample(races=AWAY)])
    assert unknown.simulators[0].numbers["partitions"] == 6
    assert unknown.simulators[0].numbers["parts"] is None
    assert unknown.parts[0].numbers["unowned_parts"] is None


@pytest.mark.parametrize("found", [sample(group=AWAY), embedded_sample()])
def test_no_rows_without_a_group(found: Sample) -> None:
    """Without an answer, and with the embedded store, there are no rows."""
    assert report([found]).simulators == ()
    assert ("simulators" in report([found]).parts[0].numbers) is (found.group is not None)
