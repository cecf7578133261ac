"""What is counted of deliveries, on a clock of the test's own."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from twisted.internet.task import Clock

from simulator.publishers.deliveries import Deliveries
from simulator.race.events import Entries, Positions, entries_of, positions_at
from simulator.race.race import Race
from tests.simulator.histograms import total, up_to


@pytest.fixture
def time() -> Clock:
    """A clock at 0."""
    return Clock()


@pytest.fixture
def deliveries(time: Clock) -> Deliveries:
    """Nothing taken yet."""
    return Deliveries(time.seconds)


@pytest.fixture
def entries(make_race: Callable[..., Race]) -> Entries:
    """A batch of 10 for `competitors`."""
    return next(entries_of(make_race(competitors=10), 10))


@pytest.fixture
def positions(make_race: Callable[..., Race]) -> Positions:
    """A batch of 10 for `parkrun`."""
    return next(positions_at(make_race(competitors=10), 0, 10))


def counted(deliveries: Deliveries) -> dict[str, int]:
    """Return what is delivered, by topic, where that is anything."""
    return {topic: count for topic, count in deliveries.delivered.items() if count}


def test_the_oldest_are_confirmed_first(
    deliveries: Deliveries, entries: Entries, positions: Positions
) -> None:
    """Of batches of several topics what is confirmed counts for the one that was handed over first."""
    deliveries.take(entries)
    deliveries.take(positions)
    deliveries.confirm(4)
    assert (counted(deliveries), deliveries.waiting) == ({"competitors": 4}, 16)
    deliveries.confirm(9)
    assert (counted(deliveries), deliveries.waiting) == ({"competitors": 10, "parkrun": 3}, 7)


def test_a_batch_takes_until_its_last_event_is_confirmed(
    deliveries: Deliveries, time: Clock, entries: Entries, positions: Positions
) -> None:
    """A batch's duration is from its taking to its last event's confirmation, and counts once."""
    deliveries.take(entries)
    time.advance(2)
    deliveries.take(positions)
    deliveries.confirm(9)
    assert total(deliveries.duration) == 0
    time.advance(1)
    deliveries.confirm(11)
    assert total(deliveries.duration) == 3 + 1
    assert up_to(deliveries.duration, 1) == 1
    assert up_to(deliveries.duration, 5) == 2


def test_what_is_delivered_never_becomes_less(deliveries: Deliveries, entries: Entries) -> None:
    """A publisher that seems to hold more for a moment takes nothing back: a counter may only rise."""
    deliveries.take(entries)
    assert deliveries.confirm_all_but(3)
    assert not deliveries.confirm_all_but(4)
    assert (counted(deliveries), deliveries.waiting) == ({"competitors": 7}, 3)


def test_more_waiting_than_was_taken_confirms_nothing(deliveries: Deliveries, entries: Entries) -> None:
    """What else a publisher holds, of its own, is not counted."""
    deliveries.take(entries)
    assert not deliveries.confirm_all_but(11)
    assert (counted(deliveries), deliveries.waiting) == ({}, 10)


def test_a_refused_batch_waits_no_longer(
    deliveries: Deliveries, entries: Entries, positions: Positions
) -> None:
    """A batch that is given back is an error of its topic, and neither waiting nor delivered."""
    deliveries.take(entries)
    deliveries.take(positions)
    deliveries.give_back()
    assert (deliveries.errors["competitors"], deliveries.waiting) == (1, 10)
    deliveries.confirm(10)
    assert (counted(deliveries), deliveries.waiting) == ({"parkrun": 10}, 0)


def test_an_empty_batch_is_delivered_at_once(deliveries: Deliveries, entries: Entries) -> None:
    """An empty batch before others is passed over."""
    deliveries.take(replace(entries, last=0))
    deliveries.take(entries)
    deliveries.confirm(10)
    assert (counted(deliveries), deliveries.waiting) == ({"competitors": 10}, 0)


def test_the_mean_is_right_whatever_the_order(time: Clock, entries: Entries) -> None:
    """Whichever event is confirmed when, all durations together are what all waited."""
    deliveries, one = Deliveries(time.seconds), replace(entries, last=1)
    waited = 0.0
    for confirmed in (0, 0, 2, 1, 0, 3):
        deliveries.take(one)
        time.advance(1)
        waited += deliveries.waiting
        deliveries.confirm(confirmed)
    assert deliveries.waiting == 0
    assert total(deliveries.duration) == waited
