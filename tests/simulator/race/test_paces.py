"""Paces over 100,000 competitors are those of their sources."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.course.course import Course
from simulator.race import field, paces
from simulator.race.paces import Effort
from simulator.race.race import BEFORE_THE_START, Race
from simulator.race.request import RaceRequest
from stream import running
from tests.simulator.conftest import START

MakeRace = Callable[..., Race]

MANY = 100_000
MARATHON, PARKRUN = 42_195.0, 5_000.0


def drawn(distance: float, **options: Any) -> field.Field:
    """Draw 100,000 competitors."""
    return field.draw(distance, [], RaceRequest(course="c", competitors=MANY, seed=11, **options))


def of_a_sex(many: field.Field, numbers: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return the numbers of the men and those of the women."""
    return [numbers[~many.women], numbers[many.women]]


def difference_of_halves(many: field.Field) -> NDArray[np.float64]:
    """Return how much longer the second half takes, as a share of the whole."""
    everyone = np.arange(len(many))
    half = many.elapsed(everyone, np.full(len(many), many.marks[-1] / 2))
    return (many.end - 2 * half) / many.end


def test_parkrun_times_are_as_published() -> None:
    """Mean and standard deviation of 5 km are those of the source, within 2 %."""
    times = drawn(PARKRUN, pace_model="parkrun").end

    assert times.mean() == pytest.approx(paces.PARKRUN_MEAN, rel=0.02)
    assert times.std() == pytest.approx(paces.PARKRUN_DEVIATION, rel=0.02)
    # The fastest parkrun there has been took 13:44.
    assert times.min() > 13 * 60 + 30


def test_marathon_times_are_as_published() -> None:
    """Mean, median and percentiles of a marathon are those of the source, within 2 %."""
    times = drawn(MARATHON, pace_model="marathon").end
    published = {1: 10_220, 5: 11_651, 10: 12_515, 20: 13_618, 50: paces.MARATHON_MEDIAN}

    assert times.mean() == pytest.approx(paces.MARATHON_MEAN, rel=0.02)
    for share, seconds in published.items():
        assert np.percentile(times, share) == pytest.approx(seconds, rel=0.02)


def test_marathon_times_bunch_before_round_ones() -> None:
    """The fullest five minutes are those before 4:00; before each half hour more come in than after it."""
    times = drawn(MARATHON, pace_model="marathon").end
    counts = np.histogram(times, bins=np.arange(0, 8 * 3600, 300))[0]

    assert counts.argmax() == 4 * 12 - 1
    for half_hour in range(6, 11):
        assert counts[6 * half_hour - 1] > 1.2 * counts[6 * half_hour]


def test_only_some_are_moved_before_a_round_time() -> None:
    """A time just behind a full hour is mirrored before it or stays; others stay."""
    late = np.array([4 * 3600 + 100.0])
    chances = np.linspace(0, 1, 1001)
    found = {paces.bunched(late, np.array([chance]))[0] for chance in chances.tolist()}

    assert found == {4 * 3600 - 100.0, 4 * 3600 + 100.0}
    assert paces.bunched(np.array([4 * 3600 + 301.0]), np.zeros(1)) == 4 * 3600 + 301
    assert paces.bunched(np.array([4 * 3600 - 1.0]), np.zeros(1)) == 4 * 3600 - 1


@pytest.mark.parametrize(
    ("model", "middle"), [("normal", 300.0), ("lognormal", math.sqrt(200 * 400)), ("uniform", 300.0)]
)
def test_paces_lie_about_the_middle(model: str, middle: float) -> None:
    """The median is the middle of fastest and slowest, and all paces are between them."""
    pace = drawn(10_000, pace_model=model, fastest=200, slowest=400).end / 10

    assert np.median(pace) == pytest.approx(middle, rel=0.01)
    assert pace.min() >= 200 - 1e-6
    assert pace.max() <= 400 + 1e-6


def test_normal_paces_spread_by_a_sixth() -> None:
    """Fastest and slowest are three standard deviations away, of the pace or of its logarithm."""
    normal = drawn(10_000, pace_model="normal", fastest=200, slowest=400).end / 10
    logarithm = np.log(drawn(10_000, pace_model="lognormal", fastest=200, slowest=400).end / 10)

    # What is cut off at three makes the deviation 1.3 % smaller.
    assert normal.std() == pytest.approx(200 / 6 * 0.9866, rel=0.01)
    assert logarithm.std() == pytest.approx(math.log(2) / 6 * 0.9866, rel=0.01)


@pytest.mark.parametrize("distance", [MARATHON, 10_000.0, 2_500.0])
def test_the_second_half_is_longer_as_published(distance: float) -> None:
    """Mean and deviation of the difference of the halves are those of the source for men and for women."""
    many = drawn(distance, fatigue="split")
    men, women = of_a_sex(many, difference_of_halves(many))

    for found, published in ((men, running.MEN), (women, running.WOMEN)):
        assert found.mean() == pytest.approx(published.mean, rel=0.02)
        assert found.std() == pytest.approx(published.deviation, rel=0.02)


def test_slower_runners_slow_down_more() -> None:
    """Pace and positive split go together."""
    many = drawn(MARATHON, fatigue="split")
    slow = many.end > np.median(many.end)
    difference = difference_of_halves(many)

    assert difference[slow].mean() > difference[~slow].mean() + 0.01


def test_fatigue_leaves_finish_times_as_they_were() -> None:
    """Who slows down has run faster before: the average is one's own pace."""
    plain, tired = drawn(MARATHON).end, drawn(MARATHON, fatigue="wall").end

    assert tired == pytest.approx(plain, rel=1e-9)


def test_the_wall_is_hit_as_published() -> None:
    """Share, slowdown and length of the wall are those of the source, within 2 %."""
    lots = np.random.default_rng(1).random((3, MANY))
    women = np.arange(MANY) % 2 == 0
    slowdown, length = paces.wall(women, lots[0], lots[1], lots[2], MARATHON)
    for sex, share, slower, metres in (
        (~women, running.WALL_SHARE_MEN, running.WALL_SLOWDOWN_MEN, running.WALL_LENGTH_MEN),
        (women, running.WALL_SHARE_WOMEN, running.WALL_SLOWDOWN_WOMEN, running.WALL_LENGTH_WOMEN),
    ):
        hit = sex & (slowdown > 0)
        assert hit.sum() / sex.sum() == pytest.approx(share, rel=0.02)
        assert slowdown[hit].mean() == pytest.approx(slower, rel=0.02)
        assert length[hit].mean() == pytest.approx(metres, rel=0.02)


def slowed_down(fatigue: str) -> list[float]:
    """Return the shares of men and women whose last 5 km of a marathon are a good fifth slower."""
    many = drawn(MARATHON, fatigue=fatigue)
    everyone = np.arange(MANY)
    before = many.elapsed(everyone, np.full(MANY, 20_000.0)) / 20.0
    last = (many.end - many.elapsed(everyone, np.full(MANY, 37_195.0))) / 5.0
    return [float((sex > 1.22).mean()) for sex in of_a_sex(many, last / before)]


def test_the_wall_is_in_the_race() -> None:
    """In a marathon as many as published slow down by a quarter or more, besides those who do so anyway."""
    shares = (running.WALL_SHARE_MEN, running.WALL_SHARE_WOMEN)
    for found, anyway, share in zip(slowed_down("wall"), slowed_down("split"), shares, strict=True):
        assert found == pytest.approx(share + (1 - share) * anyway, abs=0.02)


def test_no_wall_in_a_short_race() -> None:
    """Below 30 km the wall is a positive split."""
    wall, split = drawn(29_999, fatigue="wall"), drawn(29_999, fatigue="split")

    assert wall.moving.tobytes() == split.moving.tobytes()
    assert drawn(30_000, fatigue="wall").moving.tobytes() != drawn(30_000, fatigue="split").moving.tobytes()


def test_running_costs_what_was_measured() -> None:
    """The polynomial is the source's: its values at a few gradients, and none beyond the steepest."""
    gradients = np.array([0.0, 0.1, 0.45, -0.2, -0.45])
    i = gradients
    plainly = 155.4 * i**5 - 30.4 * i**4 - 43.3 * i**3 + 46.3 * i**2 + 19.5 * i + 3.6

    assert running.cost_of_running(gradients) == pytest.approx(plainly)
    assert running.cost_of_running(np.array([0.9, -0.9])) == pytest.approx(plainly[[2, 4]])


def slope(gradient: float, laps: int = 1) -> Course:
    """Return a course of about 1,000 m with one gradient all along."""
    lat = np.array([50.0, 50.00899])
    return Course.measured(
        short_name="slope",
        long_name="Slope",
        lon=np.zeros(2),
        lat=lat,
        alt=np.array([0.0, 1000.0 * gradient]),
        laps=laps,
    )


@pytest.mark.parametrize("gradient", [-0.1, 0.0, 0.1, 0.3])
def test_a_slope_takes_as_much_longer_as_it_costs(gradient: float) -> None:
    """A course of one gradient takes its cost over that of flat ground times as long."""
    course = slope(gradient)
    times = [Race(course, request(gradient=on)).finish_times for on in (False, True)]
    cost = running.cost_of_running(np.array([gradient, 0.0]))

    assert times[1] / times[0] == pytest.approx(np.full(20, cost[0] / cost[1]), rel=1e-3)


def request(**options: Any) -> RaceRequest:
    """Return a resolved request."""
    return RaceRequest(course="slope", competitors=20, **options).resolved(
        run_id="r", name="n", seed=1, start_at=START
    )


def test_effort_is_there_and_back(library: Mapping[str, Course]) -> None:
    """Metres of flat ground lead back to the metres of the course, over all laps."""
    for course in (library["hilly-half"], slope(0.1, laps=3)):
        effort = Effort.of(course)
        assert effort is not None
        metres = np.linspace(0.0, course.distance, 5000)
        assert effort.to_course(effort.to_flat(metres)) == pytest.approx(metres, abs=1e-6)
        assert (np.diff(effort.flat) > 0).all()


def test_a_course_without_altitude_has_no_hills(make_race: MakeRace) -> None:
    """Gradient asked for where there is no altitude changes nothing."""
    hilly, plain = make_race(gradient=True), make_race()

    assert hilly.finish_times.tobytes() == plain.finish_times.tobytes()


def test_passings_agree_with_positions_in_the_hills(library: Mapping[str, Course]) -> None:
    """At the moment of a passing its competitor is at the timing point, hills or not."""
    hilly = request(gradient=True, fatigue="split", how_many_get_stopped=0.5, wrong_turn=0.5)
    race = Race(library["hilly-half"], hilly.model_copy(update={"course": "hilly-half"}))
    passings = race.passings(BEFORE_THE_START, race.duration)
    there = race.snapshot(passings.elapsed, passings.who)

    assert there.distance == pytest.approx(passings.distance, abs=1e-5)
