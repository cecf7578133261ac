"""Density, flow and delay of a race, section by section and minute by minute."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from simulator.race.crowd_figures import SPECIFIC_FLOW
from simulator.race.crowding import density
from simulator.race.crowding.density import Density, Level
from simulator.race.race import Race
from tests.simulator.race.test_crowding import FIELDS, NARROW, avenue, crowded, some, widths


def measured(race: Race) -> Density:
    """Return how crowded a race is."""
    return density.measured(race.without_crowding(), race.field, race.cells)


@given(widths, FIELDS)
@some
def test_nothing_is_lost_or_counted_twice(steps: list[tuple[float, float]], fields: Any) -> None:
    """The minutes add up to the time that competitors run and to what they lose."""
    race = crowded(avenue(600, *steps), **fields)
    found, field = measured(race), race.field
    assert field.lost is not None
    starts = np.isfinite(field.start)

    assert found.runners.sum() * 60 == pytest.approx(field.until_moving[starts].sum(), abs=0.01)
    assert found.lost.sum() == pytest.approx(field.lost.on_course.sum(), abs=0.01)
    assert found.waiting.sum() * 60 == pytest.approx(field.lost.at_start.sum(), abs=0.01)
    assert found.started.sum() == starts.sum()


@given(widths, FIELDS)
@some
def test_density_times_speed_is_flow(steps: list[tuple[float, float]], fields: Any) -> None:
    """No flow is above capacity, no speed above that without crowding, and no density without a width."""
    race = crowded(avenue(600, *steps), **fields)
    found = measured(race)

    assert (found.ratio <= 1 + 1e-9).all()
    assert (found.density[np.isinf(found.width)] == 0).all()
    known = np.isfinite(found.width)
    run = found.flow[known] * (found.width * (found.last - found.first))[known, None]
    assert run.sum() <= race.field.until.sum() + 0.01


def test_a_steady_stream_has_the_density_of_its_speed() -> None:
    """Two runners per second at 4 m/s on 2 m are 60 per minute and metre, and a quarter per square metre."""
    race = crowded(avenue(600, (0, 2.0)), competitors=1000, start_flow=2, fastest=250, slowest=250)
    found = measured(race)
    steady = found.density[2:-2, 4:7]

    assert steady == pytest.approx(0.25, rel=0.01)
    assert found.flow[2:-2, 4:7] == pytest.approx(60, rel=0.01)
    assert found.ratio[2:-2, 4:7] == pytest.approx(1, abs=1e-6)


def test_a_queue_has_the_density_of_its_flow() -> None:
    """In front of a bottleneck a queue is as dense as the discharge allows, and no denser than a jam."""
    race = crowded(avenue(600, *NARROW), competitors=3000, fastest=250, slowest=350)
    found = measured(race)
    queue = int(np.searchsorted(found.first, 399)) - 1
    minutes = np.flatnonzero(found.density[queue] > 1.5)[3:-3]
    flow = SPECIFIC_FLOW / 4

    assert len(minutes) > 5
    assert np.median(found.flow[queue, minutes]) == pytest.approx(flow, rel=0.03)
    wave = race.cells.length[queue] / race.cells.lag[queue]
    assert np.median(found.density[queue, minutes]) == pytest.approx(3.0 - flow / 60 / wave, rel=0.05)
    assert found.density.max() < 3.1


def test_pauses_are_not_in_the_density() -> None:
    """Those who stand aside do not count in the section."""
    course = avenue(600, (0, 5.0))
    plain = crowded(course, competitors=50, start_flow=1)
    astray = crowded(course, competitors=50, start_flow=1, wrong_turn=0.5)

    assert measured(astray).runners.sum() == pytest.approx(measured(plain).runners.sum(), rel=1e-3)


def test_warnings_name_place_time_and_source() -> None:
    """Each run of sections above a level is one warning, with its minutes and its peak."""
    found = measured(crowded(avenue(600, *NARROW), competitors=1500, fastest=250, slowest=350))
    dense, fast = Level("density", 1.2, "a source"), Level("flow", 120.0, "another")
    warned = density.warnings(found, [dense, fast])

    assert {(one.quantity, one.level, one.source) for one in warned} == {dense, fast}
    assert [one.first for one in warned] == sorted(one.first for one in warned)
    (queue,) = [one for one in warned if one.quantity == "density"]
    start, narrow = (one for one in warned if one.quantity == "flow")
    assert start.first == 0.0
    assert start.since <= 1
    assert queue.last == 400.0
    assert 390 > queue.at > 300
    assert queue.since <= queue.minute < queue.until
    assert queue.peak == found.density.max()
    assert (narrow.first, narrow.last) == (400.0, 500.0)
    assert narrow.peak <= SPECIFIC_FLOW + 1


def test_an_empty_course_has_no_warnings() -> None:
    """Without anyone on the course there is nothing to warn of."""
    found = measured(crowded(avenue(600, *NARROW), competitors=5, dns=1.0))

    assert density.warnings(found, [Level("density", 0.1, "")]) == []
    assert found.runners.sum() == 0
