"""Forecasts: what always holds, what they learn from a race, and a small case with known numbers."""

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stream.arrays import Floats
from stream.forecasts import arrivals, between, habits
from stream.forecasts.earlier import EARLIER, Earlier
from stream.forecasts.forecast import LEVELS, Learned, arriving, expected, forecast, learn
from stream.forecasts.pacing import KM, Design, Moments, Prior, below, fit
from stream.forecasts.route import MOST, NEAREST, Route
from stream.forecasts.seen import Anchors, Seen

MARATHON = 42_195.0
TEN_KM = Route.of(10_000.0, np.arange(1.0, 10.0) * 1000.0)
HILLY = Route.of(
    10_000.0,
    np.arange(1.0, 10.0) * 1000.0,
    profile=(np.array([0.0, 3000.0, 6000.0, 10_000.0]), np.array([0.0, 150.0, 0.0, 100.0])),
)
UP_AND_DOWN = Route.of(
    10_000.0,
    np.arange(1.0, 10.0) * 1000.0,
    profile=(np.array([0.0, 1000.0, 3000.0, 6000.0, 10_000.0]), np.array([0.0, 0.0, 160.0, 0.0, 100.0])),
)


def runners(  # noqa: PLR0917 - what a field depends on
    route: Route,
    paces: Floats,
    noise: float = 0.04,
    drift: float | Floats = 0.0,
    hills: float = 0.0,
    seed: int = 1,
) -> Floats:
    """Return the times at all marks of competitors with these paces (s/km), shape (n, m + 1)."""
    chance = np.random.default_rng(seed)
    even = np.diff(route.even_at_marks(hills)) / 1000.0
    share = (route.marks[1:] + route.marks[:-1]) / 2 / route.distance - 0.5
    factor = np.exp(noise * chance.standard_normal((len(paces), len(even))) + np.multiply.outer(drift, share))
    return np.column_stack([np.zeros(len(paces)), np.cumsum(paces[:, None] * even * factor, axis=1)])


def seen_at(now: float, times: Floats, route: Route) -> Seen:
    """Return what is known of a field at a moment, with everyone's position then."""
    distance = np.array([np.interp(now, row, route.marks) for row in times])
    known = np.where(times <= now, times, np.nan)
    nothing = np.zeros(len(times))
    return Seen(now, nothing, known, distance, np.full(len(times), now), ~np.isnan(known[:, -1]))


PACES = np.linspace(200.0, 450.0, 120)
FIELD = runners(TEN_KM, PACES)


@st.composite
def known_fields(draw: st.DrawFn) -> Seen:
    """Draw what a reader may know of a field: with stops, unknown passings, silent trackers and dropouts."""
    n = draw(st.integers(1, 12))
    chance = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    times = runners(TEN_KM, chance.uniform(150.0, 900.0, n), noise=0.1, seed=int(chance.integers(1000)))
    times += chance.uniform(0.0, 300.0, (n, 1))
    for row in np.flatnonzero(chance.random(n) < 0.3).tolist():
        times[row, chance.integers(1, times.shape[1]) :] += chance.uniform(0.0, 3000.0)
    seen = seen_at(draw(st.floats(0.0, 9000.0)), times, TEN_KM)
    seen.times[chance.random(seen.times.shape) < draw(st.sampled_from((0.0, 0.2)))] = np.nan
    silent = chance.random(n) < 0.3
    seen.elapsed[silent] -= chance.uniform(0.0, 500.0)
    seen.distance[silent] *= 0.9
    seen.distance[chance.random(n) < 0.2] = np.nan
    seen.is_out[chance.random(n) < 0.1] = True
    return seen


@settings(max_examples=60, deadline=None)
@given(known_fields())
def test_forecasts_are_ordered_and_never_in_the_past(seen: Seen) -> None:
    """The interval contains the forecast and begins no earlier than now; the finish comes after the point."""
    found = forecast(TEN_KM, seen)

    for times in (found.there, found.finish):
        assert np.isfinite(times).all()
        assert (np.diff(times, axis=1) >= 0).all()
        assert (times >= seen.now).all()
    assert (found.finish >= found.there).all()
    assert found.gun == pytest.approx(found.finish - seen.guns[found.who][:, None])
    assert (found.chip <= found.finish).all()


@settings(max_examples=60, deadline=None)
@given(
    st.floats(300.0, 1e6),
    st.lists(st.floats(0.0, 1.0), max_size=20),
    st.floats(0.0, 0.03),
    st.sampled_from((0.0, 0.05, 0.3)),
    st.floats(0.0, 1.1),
    st.integers(0, 1000),
)
@example(42_195.0, np.linspace(0.01, 0.99, 80).tolist(), 0.0, 0.0, 0.9, 1)
def test_every_course_has_forecasts(  # noqa: PLR0917 - what a race depends on
    distance: float, splits: list[float], hills: float, noise: float, share: float, seed: int
) -> None:
    """Whatever the distances of its splits, its hills and how even its runners are."""
    chance = np.random.default_rng(seed)
    at = np.linspace(0.0, distance, 30)
    profile = at, chance.normal(0.0, 1e-6 + hills * distance / 30, 30)
    route = Route.of(distance, np.array(splits) * distance, profile=profile)
    times = runners(route, chance.uniform(150.0, 900.0, 20), noise=noise, hills=1.0, seed=seed)
    now = share * float(np.median(times[:, -1]))
    sightings = between.Sightings.none().also(seen_at(0.6 * now, times, route))
    seen = seen_at(now, times, route)
    seen.distance[chance.random(20) < 0.3] = np.nan
    with np.errstate(divide="raise", invalid="raise"):
        found = forecast(route, seen, learn(route, seen, sightings))

    assert (np.diff(found.there) >= -1e-6).all()
    assert (np.diff(found.finish) >= -1e-6).all()
    assert np.isfinite(found.finish).all()
    assert set(np.flatnonzero((seen.distance > 0.0) & ~seen.is_out).tolist()) <= set(found.who.tolist())


@settings(max_examples=40, deadline=None)
@given(known_fields())
def test_competitors_who_are_not_on_the_course_get_no_forecast(seen: Seen) -> None:
    """Only those who have started, and have neither finished nor dropped out, are forecast."""
    who = set(forecast(TEN_KM, seen).who.tolist())
    has_left = ~np.isnan(seen.times[:, 1:]).all(axis=1) | ((seen.distance > 0) & (seen.elapsed > seen.starts))
    on_course = ~seen.is_out & np.isnan(seen.times[:, -1]) & (seen.starts < seen.now) & has_left

    assert who == set(np.flatnonzero(on_course).tolist())


@settings(max_examples=30, deadline=None)
@given(known_fields())
def test_the_field_at_once_is_each_competitor_alone(seen: Seen) -> None:
    """Given what the race has taught, a competitor's forecast doesn't depend on who else is asked for."""
    learned = learn(TEN_KM, seen)
    together = forecast(TEN_KM, seen, learned)

    for nth, who in enumerate(together.who.tolist()):
        alone = forecast(TEN_KM, seen.take(np.array([who])), learned)
        assert alone.finish[0] == pytest.approx(together.finish[nth], rel=1e-9)
        assert alone.there[0] == pytest.approx(together.there[nth], rel=1e-9)
        assert alone.point[0] == together.point[nth]


@settings(max_examples=30, deadline=None)
@given(known_fields(), st.integers(2, 40))
def test_arrivals_rise_with_the_distance(seen: Seen, parts: int) -> None:
    """The farther a place, the later the forecast of the arrival there."""
    clean = seen.clean()
    who = forecast(TEN_KM, seen).who
    some = clean.take(who)
    known = arrivals.Runners.of(TEN_KM, learn(TEN_KM, seen).habits, some)
    middle = np.full((len(who), 1), 0.5)
    places = known.anchors.distance + np.linspace(0.01, 1.0, parts)[:, None] * (
        TEN_KM.distance - known.anchors.distance
    )
    times = np.array([known.times(metres, middle, seen.now)[:, 0] for metres in places])

    assert (np.diff(times, axis=0) >= -1e-3).all()


@settings(max_examples=20, deadline=None)
@given(st.floats(300.0, 4000.0))
def test_what_happens_later_changes_nothing(now: float) -> None:
    """Passings and positions after the moment of the forecast are not used."""
    seen = seen_at(now, FIELD, TEN_KM)
    ahead = Seen(now, seen.guns, FIELD, seen.distance, seen.elapsed, seen.is_out)
    later = seen_at(now + 60.0, FIELD, TEN_KM)
    early = Seen(now, seen.guns, seen.times, later.distance, later.elapsed, seen.is_out)
    nowhere = np.full(len(FIELD), np.nan)
    none = Seen(now, seen.guns, seen.times, nowhere, nowhere, seen.is_out)

    assert forecast(TEN_KM, ahead).finish == pytest.approx(forecast(TEN_KM, seen).finish)
    assert forecast(TEN_KM, early).finish == pytest.approx(forecast(TEN_KM, none).finish)


def test_a_field_before_the_start_has_no_forecasts() -> None:
    """Without a passing beyond the start there is nothing to forecast, and that is no error."""
    empty = np.empty(0)
    nobody = Seen(0.0, empty, np.empty((0, 11)), empty, empty, np.empty(0, np.bool_))
    found = forecast(TEN_KM, seen_at(0.0, FIELD, TEN_KM))

    assert len(found.who) == len(forecast(TEN_KM, nobody).who) == 0
    assert found.finish.shape == found.chip.shape == (0, len(LEVELS))


def test_chip_and_gun_times_count_from_their_starts() -> None:
    """The forecasts of gun and chip time differ by the time from the wave's gun to the own start."""
    times = FIELD[:1] + 130.0
    seen = seen_at(1500.0, times, TEN_KM)
    found = forecast(TEN_KM, Seen(1500.0, np.array([60.0]), *list(vars(seen).values())[2:]))

    assert found.gun == pytest.approx(found.finish - 60.0)
    assert found.chip == pytest.approx(found.finish - 130.0)


def test_an_even_field_is_forecast_at_constant_pace() -> None:
    """If the field does not slow down, forecasts come to agree with constant pace, with narrow intervals."""
    times = runners(TEN_KM, PACES, noise=0.0)
    seen = seen_at(2400.0, times, TEN_KM)
    found = forecast(TEN_KM, seen)

    assert found.finish[:, 1] == pytest.approx(times[found.who, -1], rel=0.02)
    assert (found.finish[:, 2] - found.finish[:, 0]).max() < 0.05 * times.max()


def test_the_slow_down_is_learned_from_those_ahead() -> None:
    """A field that slows down much more than usual is forecast to go on so."""
    times = runners(TEN_KM, PACES, drift=0.6)
    seen = seen_at(2400.0, times, TEN_KM)
    found = forecast(TEN_KM, seen)
    behind = seen.distance[found.who] < 7000.0
    who = found.who[behind]
    even = seen.now * TEN_KM.distance / seen.distance[who]
    errors = found.finish[behind, 1] - times[who, -1]

    assert learn(TEN_KM, seen).habits.prior.drift[0] > 0.3
    assert np.abs(errors).mean() < 0.4 * np.abs(even - times[who, -1]).mean()


@pytest.mark.parametrize("hills", [0.0, 1.0])
def test_the_effect_of_hills_is_learned(hills: float) -> None:
    """Forecasts find out whether this field is slowed down by the hills."""
    seen = seen_at(1500.0, runners(HILLY, PACES, hills=hills), HILLY)

    assert learn(HILLY, seen).habits.hills == pytest.approx(hills, abs=0.1)


def test_a_slow_stretch_of_the_course_is_learned() -> None:
    """Those behind are forecast to be slow where those ahead were, though the course is flat there."""
    times = runners(TEN_KM, PACES, noise=0.02)
    late = np.where(TEN_KM.marks >= 5000.0, 0.3 * PACES[:, None], 0.0)
    learned = learn(TEN_KM, seen_at(2100.0, times + late, TEN_KM))

    assert learned.habits.extra[4] == pytest.approx(np.log(1.3), abs=0.06)
    assert np.abs(np.delete(learned.habits.extra, 4)).max() < 0.06


def test_a_pause_does_not_slow_down_the_rest() -> None:
    """Ten minutes of pause are added to the finish once, and not to every kilometre to come."""
    paused = FIELD.copy()
    paused[60, 4:] += 600.0
    moment = float(paused[60, 6]) + 1.0
    one, other = (forecast(TEN_KM, seen_at(moment, times, TEN_KM)) for times in (FIELD, paused))
    before, after = (found.finish[found.who == 60, 1][0] for found in (one, other))

    assert after - before == pytest.approx(600.0, abs=0.04 * FIELD[60, -1])


def test_a_competitor_who_is_overdue_is_forecast_later_and_later() -> None:
    """Without news, the next passing is forecast after now, and the finish moves with it."""
    known = seen_at(float(FIELD[60, 5]), FIELD, TEN_KM)
    found = []
    for now in known.now + np.array([1.0, 400.0, 1200.0, 6000.0]):
        silent = Seen(float(now), *list(vars(known).values())[1:])
        one = forecast(TEN_KM, silent, learn(TEN_KM, known))
        found.append(np.append(one.there[one.who == 60], one.finish[one.who == 60]))

    assert (np.diff(found, axis=0) > 0).all()


def test_a_missing_passing_does_not_stop_forecasts() -> None:
    """A competitor without some passings is forecast about as with them."""
    seen = seen_at(1500.0, FIELD, TEN_KM)
    whole = forecast(TEN_KM, seen)
    seen.times[::2, 2] = np.nan
    found = forecast(TEN_KM, seen)

    assert found.finish[:, 1] == pytest.approx(whole.finish[:, 1], rel=0.05)


def test_intervals_narrow_towards_the_finish() -> None:
    """The later in the race, the narrower the interval of the finish."""
    moments = FIELD[100, [2, 4, 6, 8, 9]] + 1.0
    widths = []
    for now in moments.tolist():
        found = forecast(TEN_KM, seen_at(now, FIELD, TEN_KM))
        low, _, high = found.finish[found.who == 100][0]
        widths.append(high - low)

    assert widths == sorted(widths, reverse=True)


def test_intervals_are_as_wide_as_past_errors() -> None:
    """Where forecasts of a race were off more often than the model thinks, its levels move outwards."""
    chance = np.random.default_rng(7)
    times = runners(TEN_KM, PACES, noise=0.02)
    # One stretch in six takes much longer: the model takes that for pauses, and its noise to be small.
    pauses = np.where(chance.random((len(times), 10)) < 1 / 6, 200.0, 0.0)
    times[:, 1:] += np.cumsum(pauses, axis=1)
    learned = learn(TEN_KM, seen_at(2700.0, times, TEN_KM))

    assert np.median(learned.near[1:, 2]) > 0.93
    mark, half = np.array([3, 3, 9]), np.array([0.0, 0.5, 1.0])
    near, far = learned.levels((0.1, 0.5, 0.9), mark, half)
    expected = learned.near[3], learned.between[3, 1], learned.between[9, 2]
    assert near == pytest.approx(np.array(expected))
    assert far[0] == pytest.approx(learned.far[3])


def test_levels_of_the_next_point_are_the_models_own_before_anything_happened() -> None:
    """Without past forecasts, levels stay what they are, at any place."""
    learned = learn(TEN_KM, seen_at(0.0, FIELD, TEN_KM))
    wanted = (0.05, 0.1, 0.5, 0.77, 0.9, 0.99)

    near, _ = learned.levels(wanted, np.array([0, 3, 9]), np.array([0.0, 0.3, 0.9]))

    assert near == pytest.approx(np.tile(wanted, (3, 1)))


def test_levels_of_the_finish_are_those_of_earlier_races_until_enough_have_finished() -> None:
    """Before the first finishers the table counts, at the share of the distance run; then this race's own."""
    earlier = Earlier(
        np.array([1e4]), np.array([0.2, 0.6]), np.array([[0.05, 0.25]]), np.array([[0.8, 0.96]])
    )
    at, half = np.array([1, 4, 4, 8]), np.array([0.0, 0.0, 0.5, 0.0])
    expected = [[0.05, 0.5, 0.8], [0.15, 0.5, 0.88], [0.175, 0.5, 0.9], [0.25, 0.5, 0.96]]
    begun = learn(TEN_KM, seen_at(float(FIELD[:, -1].min()) - 1.0, FIELD, TEN_KM), earlier=earlier)
    over = [learn(TEN_KM, seen_at(1e5, FIELD, TEN_KM), earlier=table) for table in (earlier, EARLIER)]

    assert begun.levels(LEVELS, at, half)[1] == pytest.approx(np.array(expected))
    assert over[0].far[4] == pytest.approx(over[1].far[4], abs=0.05)
    assert np.abs(over[0].far[4] - expected[1]).max() > 0.05


def test_earlier_races_count_as_much_as_they_are_like_this_one() -> None:
    """Between two lengths, and two shares of the distance, levels are in between; beyond, as the last."""
    low, high = np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([[0.9, 0.8], [0.7, 0.6]])
    earlier = Earlier(np.array([5_000.0, 20_000.0]), np.array([0.25, 0.75]), low, high)

    of_10_km = earlier.levels(10_000.0, np.array([0.0, 0.25, 0.5, 1.0]))

    assert of_10_km == pytest.approx(
        np.array([[0.2, 0.5, 0.8], [0.2, 0.5, 0.8], [0.25, 0.5, 0.75], [0.3, 0.5, 0.7]])
    )
    assert earlier.levels(3_000.0, np.array([0.25])) == pytest.approx(np.array([[0.1, 0.5, 0.9]]))
    assert earlier.levels(100_000.0, np.array([0.75])) == pytest.approx(np.array([[0.4, 0.5, 0.6]]))


def test_intervals_cover_the_finish_of_a_field_as_often_as_they_say() -> None:
    """Of forecasts in the middle of the race, about 80 % of the intervals contain the outcome."""
    inside = []
    for seed in range(4):
        chance = np.random.default_rng(seed)
        drift = chance.normal(0.13, 0.1, 300)
        times = runners(TEN_KM, chance.uniform(200.0, 450.0, 300), 0.05, drift, seed=seed)
        found = forecast(TEN_KM, seen_at(1800.0, times, TEN_KM))
        finish = times[found.who, -1]
        inside.append((found.finish[:, 0] <= finish) & (finish <= found.finish[:, 2]))

    assert 0.75 < np.concatenate(inside).mean() < 0.87


def test_the_wall_is_expected_on_a_marathon_only() -> None:
    """Before the start, a quarter of a marathon's field is expected to hit the wall, and none on 10 km."""
    marathon = Route.of(MARATHON, np.arange(1.0, 43.0) * 1000.0)
    share = {
        route: habits.Habits.published(route).prior.share[1 + len(habits.WALKS) :].sum()
        for route in (marathon, TEN_KM)
    }

    assert share[marathon] == pytest.approx(0.236)
    assert share[TEN_KM] == 0


def test_a_runner_who_has_hit_the_wall_is_forecast_to_stay_slow() -> None:
    """After three slow kilometres at 33 km, the rest is forecast at the slower pace."""
    marathon = Route.of(MARATHON, np.arange(1.0, 43.0) * 1000.0)
    times = runners(marathon, np.linspace(240.0, 420.0, 60), noise=0.03, drift=0.05)
    stretches = np.diff(times[30])
    stretches[30:] *= 1.4
    times[30, 1:] = np.cumsum(stretches)
    found = forecast(marathon, seen_at(float(times[30, 33]) + 1.0, times, marathon))
    forecast_of = found.finish[found.who == 30][0]

    assert forecast_of[1] == pytest.approx(times[30, -1], rel=0.02)


def test_the_regression_is_the_one_of_a_textbook() -> None:
    """The vectorised posterior of each case equals Bayesian linear regression with dense matrices."""
    chance = np.random.default_rng(3)
    prior = Prior(
        breaks=np.array([0.3, 0.7, 1.0]),
        share=np.array([0.1, 0.2, 0.7]),
        drift=np.array([0.0, 0.05, 0.1]),
        drift_spread=np.array([0.05, 0.1, 0.2]),
        slowdown=np.array([0.3, 0.4, 0.5]),
        slowdown_spread=np.array([0.1, 0.2, 0.3]),
        noise=0.05,
        aligned=0.6,
    )
    shares = np.linspace(0.0, 0.8, 9)
    design = Design.of(shares[:-1], shares[1:], prior.breaks)
    weights, paces = chance.uniform(50.0, 400.0, (4, 8)), chance.normal(-1.0, 0.1, (4, 8))
    weights[1, 3:] = 0.0
    found = fit(Moments.of(design, weights, paces), prior)

    for who in range(4):
        evidence = []
        for case in range(3):
            terms = np.column_stack([np.ones(8), design.middle, design.after[:, case]])
            centre = np.array([np.log(0.36), prior.drift[case], prior.slowdown[case]])
            before = np.diag([0.4, prior.drift_spread[case], prior.slowdown_spread[case]]) ** 2
            precision = terms.T @ np.diag(weights[who]) @ terms + np.linalg.inv(before)
            right = terms.T @ (weights[who] * paces[who]) + np.linalg.solve(before, centre)
            mean, covariance = np.linalg.solve(precision, right), np.linalg.inv(precision)
            posterior = found.level[who, case], found.drift[who, case], found.slowdown[who, case]
            assert posterior == pytest.approx(mean)
            assert found.ds[who, case] == pytest.approx(covariance[1, 2])
            assert found.ll[who, case] == pytest.approx(covariance[0, 0])
            # The density of the paces with all three numbers integrated out.
            some = weights[who] > 0
            whole = terms[some] @ before @ terms[some].T + np.diag(1 / weights[who][some])
            rest = paces[who][some] - terms[some] @ centre
            evidence.append(
                np.log(prior.share[case])
                - (rest @ np.linalg.solve(whole, rest) + np.linalg.slogdet(whole)[1]) / 2
            )
        weight = np.exp(np.array(evidence) - max(evidence))
        assert found.weight[who] == pytest.approx(weight / weight.sum())


CELL = 10.0
"""Metres of even ground in which the exact covariances are computed."""


def pieces_in_common(first: Floats, last: Floats, aligned: float) -> Floats:
    """Return the covariance of the noise at two places, in variances of a piece."""
    same = np.floor(first / KM) == np.floor(last / KM)
    # Pieces that begin anywhere have less and less in common with the distance.
    common = np.maximum(1.0 - np.abs(first - last) / KM, 0.0)
    covariance: Floats = aligned * same + (1.0 - aligned) * common
    return covariance


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.0, 1.0),
    st.floats(0.0, 0.9),
    st.lists(st.integers(10, 150), min_size=5, max_size=5),
)
def test_the_rest_of_the_way_follows_the_pace_so_far_as_in_a_textbook(
    aligned: float, rough: float, lengths: list[int]
) -> None:
    """It is the regression on the stretch before and on the part since the mark, with dense matrices."""
    prior = replace(habits.Habits.published(TEN_KM).prior, aligned=aligned)
    before, since, at, until, end = (np.array([metres]) for metres in np.cumsum(lengths) * CELL)
    rest = between.Rest.of(prior, rough, between.Places(before, since, at, end), until)
    middles = np.arange(CELL / 2, end[0], CELL)
    covariance = (1.0 - rough) * prior.noise**2 * pieces_in_common(*np.meshgrid(middles, middles), aligned)
    # What varies within the stretch is as much over all of it as the pieces are.
    within = prior.noise_over(since, end)[0] * (end - since)[0]
    covariance += np.eye(len(middles)) * rough * within / CELL
    parts = np.array(
        [
            ((middles > first) & (middles < last)) / ((last - first) / CELL)
            for first, last in ((since, at), (before, since), (at, until))
        ]
    )
    found = parts @ covariance @ parts.T
    known, common, variance = found[:2, :2] * (1.0 + between.LEAST * np.eye(2)), found[:2, 2], found[2, 2]
    lasts = np.linalg.solve(known, common)

    assert rest.done == pytest.approx(found[0, 0], rel=0.02)
    assert (rest.lasts[0], rest.earlier_lasts[0]) == pytest.approx(lasts, abs=0.02)
    assert rest.variance == pytest.approx(max(variance - lasts @ common, 0.0), abs=0.02 * prior.noise**2)


def test_at_a_mark_only_the_stretch_before_says_something_of_the_next() -> None:
    """Where pieces end at the marks, it says nothing; elsewhere, as much as they have in common."""
    prior = replace(habits.Habits.published(TEN_KM).prior, aligned=1.0)
    before, since, end = np.array([0.0, 500.0]), np.array([1000.0, 1500.0]), np.array([2000.0, 2500.0])
    rest = between.Rest.of(prior, 0.0, between.Places(before, since, since, end), end)

    assert rest.done.tolist() == [np.inf, np.inf]
    assert rest.lasts.tolist() == [0.0, 0.0]
    # Half of each stretch is of the same piece, and each varies half as much as a piece.
    assert rest.earlier_lasts == pytest.approx([0.0, 0.5], abs=0.01)
    assert rest.variance / prior.noise**2 == pytest.approx([1.0, 0.5 - 0.5 * 0.25], abs=0.01)


@pytest.mark.parametrize("anywhere", [False, True])
def test_where_pieces_begin_is_learned(*, anywhere: bool) -> None:
    """If the pace changes at each kilometre of even ground, forecasts know it; if anywhere, that."""
    chance = np.random.default_rng(6)
    n, even = 300, UP_AND_DOWN.even_at_marks(1.0)
    begins = chance.uniform(0.0, KM, n) if anywhere else np.zeros(n)
    pieces = chance.normal(0.0, 0.05, (n, 20))
    grid = np.arange(0.0, even[-1] + 1.0, 10.0)
    nth = ((grid[:-1] + 5.0 + begins[:, None]) // KM).astype(int)
    paces = chance.uniform(200.0, 450.0, (n, 1)) / KM * np.exp(np.take_along_axis(pieces, nth, axis=1))
    times = np.hstack([np.zeros((n, 1)), np.cumsum(10.0 * paces, axis=1)])
    marks = np.array([np.interp(even, grid, row) for row in times])
    learned = habits.learn(UP_AND_DOWN, seen_at(9000.0, marks, UP_AND_DOWN))

    assert (learned.prior.aligned > 0.9) != anywhere
    assert (learned.prior.aligned < 0.4) == anywhere
    assert learned.prior.noise == pytest.approx(0.05, rel=0.08)


def test_hills_are_not_overrated_while_only_the_fast_have_run_them() -> None:
    """Those ahead were lucky in the first stretch, too: the second one doesn't look harder for that."""
    found = []
    for seed in range(20):
        times = runners(
            UP_AND_DOWN,
            np.linspace(220.0, 450.0, 200),
            noise=0.06,
            drift=np.full(200, 0.13),
            hills=1.0,
            seed=seed,
        )
        then = float(np.quantile(times[:, 2], 0.2))
        found.append(habits.learn(UP_AND_DOWN, seen_at(then, times, UP_AND_DOWN)).hills)

    assert np.mean(found) == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("pieces", [1, 25])
def test_how_even_pace_is_between_marks_is_learned_from_positions(pieces: int) -> None:
    """If kilometres are even, the pace since the mark lasts to the next; if they are rough, it doesn't."""
    marks = np.linspace(0.0, 10_000.0, 10 * pieces + 1)
    whole = runners(Route(marks, marks, marks, np.zeros(len(marks) - 1)), PACES, 0.04 * pieces**0.5)
    times, sightings, seen = whole[:, ::pieces], between.Sightings.none(), seen_at(0.0, FIELD, TEN_KM)
    for now in range(60, 2700, 60):
        seen = seen_at(float(now), times, TEN_KM)
        seen.distance[:] = [np.interp(now, row, marks) for row in whole]
        sightings = sightings.also(seen)
    learned = learn(TEN_KM, seen, sightings)
    found = forecast(TEN_KM, seen, learned)
    half = (seen.distance[found.who] % 1000.0 > 300.0) & (seen.distance[found.who] > 2000.0)
    width = (found.there[:, 2] - found.there[:, 0])[half] / (found.there[:, 1] - seen.now)[half]

    assert (learned.habits.rough < 0.1) == (pieces == 1)
    assert (np.median(width) < 0.03) == (pieces == 1)


def test_sightings_are_few_and_of_the_past() -> None:
    """Of a large field some are remembered, a position every half minute, and at most a fixed number."""
    n = 3 * between.FEWER
    nothing, is_out = np.zeros(n), np.arange(n) >= n // 2
    sightings = between.Sightings.none()
    for now in np.arange(100.0, 2000.0, 10.0).tolist():
        elapsed = np.where(np.arange(n) % 2, now, now + 5.0)
        seen = Seen(now, nothing, np.zeros((n, 11)), np.full(n, now), elapsed, is_out)
        sightings = sightings.also(seen)

    assert len(sightings.who) == len(range(100, 2000, 30)) * between.FEWER // 4
    assert (sightings.elapsed <= sightings.until).all()
    assert (sightings.who % 6 == 3).all()
    for now in np.arange(2000.0, 9000.0, 30.0).tolist():
        later = Seen(now, nothing, np.zeros((n, 11)), np.full(n, now), np.full(n, now), is_out)
        sightings = sightings.also(later)
    assert len(sightings.who) == between.MOST_SIGHTINGS
    assert sightings.until == sightings.elapsed[-1]


def test_the_normal_distribution_is_close() -> None:
    """The approximation of the distribution function is exact to 2e-4."""
    scores = np.linspace(-8.0, 8.0, 321)

    assert below(scores) == pytest.approx([NormalDist().cdf(score) for score in scores.tolist()], abs=2e-4)


def test_marks_are_apart() -> None:
    """Splits too near to others, to the start or beyond the finish are no marks; points stay."""
    metres = [100.0, 1000.0, 1000.0 + NEAREST / 2, 2000.0, 5000.0, 6000.0]
    route = Route.of(5000.0, metres, metres)

    assert route.marks.tolist() == [0.0, 1000.0, 2000.0, 5000.0]
    assert route.points.tolist() == [100.0, 1000.0, 1150.0, 2000.0, 5000.0]
    assert route.next_points(np.array([0.0, 1000.0, 4999.0, 5000.0])).tolist() == [0, 2, 4, 4]


def test_a_long_course_has_few_marks() -> None:
    """Of a thousand splits, some are marks, evenly spread; each is a point to forecast."""
    route = Route.of(1_000_000.0, np.arange(1.0, 1000.0) * 1000.0)

    assert len(route.marks) == MOST + 2
    assert np.diff(route.marks).max() < 17_000
    assert len(route.points) == 1000


def test_a_position_ahead_of_its_passing_is_taken_to_the_mark() -> None:
    """While a passing is late, a position beyond the mark counts as being there, not as being further."""
    seen = seen_at(1000.0, FIELD[:1], TEN_KM)
    seen.times[0, 2:] = np.nan
    anchors = Anchors.of(seen.clean(), TEN_KM)

    assert (anchors.mark[0], anchors.distance[0]) == (1, 2000.0)


def test_a_small_case_has_known_numbers() -> None:
    """Three runners at 1,000 s: a fast, an even and a tiring one."""
    route = Route.of(5000.0, [1000.0, 2000.0, 3000.0, 4000.0])
    times = np.array(
        [
            [0.0, 200.0, 401.0, 600.0, 802.0, np.nan],
            [5.0, 305.0, 604.0, 906.0, np.nan, np.nan],
            [9.0, 340.0, 700.0, np.nan, np.nan, np.nan],
        ]
    )
    seen = Seen(
        1000.0,
        np.zeros(3),
        times,
        np.array([4970.0, 3310.0, 2790.0]),
        np.array([1000.0, 1000.0, 995.0]),
        np.zeros(3, np.bool_),
    )
    found = forecast(route, seen)
    learned: Learned = learn(route, seen)

    assert found.point.tolist() == [4, 3, 2]
    assert np.round(found.there, 1).tolist() == GOLDEN_THERE
    assert np.round(found.finish, 1).tolist() == GOLDEN_FINISH
    assert learned.habits.prior.noise == pytest.approx(GOLDEN_NOISE, abs=1e-4)


GOLDEN_THERE = [[1004.9, 1006.2, 1007.7], [1198.0, 1213.0, 1229.2], [1066.3, 1073.2, 1080.9]]
GOLDEN_FINISH = [[1004.9, 1006.2, 1007.7], [1500.4, 1530.5, 1575.0], [1794.0, 1843.2, 1921.0]]
GOLDEN_NOISE = 0.0549


@settings(max_examples=40, deadline=None)
@given(known_fields(), st.lists(st.floats(1.0, 10_000.0), min_size=1, max_size=6))
def test_expected_arrivals(seen: Seen, places: list[float]) -> None:
    """Arrivals at any places rise with the distance, contain the forecasts, and leave out what is passed."""
    learned = learn(TEN_KM, seen)
    found = forecast(TEN_KM, seen, learned)
    metres = np.array([*places, 10_000.0])
    who, times = expected(TEN_KM, seen, learned, metres)
    anchors = Anchors.of(seen.clean().take(who), TEN_KM)

    assert who.tolist() == found.who.tolist()
    assert (np.isnan(times[:, :, 1]) == (anchors.distance[:, None] >= metres)).all()
    order = np.argsort(metres, kind="stable")
    steps = np.diff(times[:, order], axis=1)
    assert (steps[~np.isnan(steps)] >= 0).all()
    assert (times[:, -1] >= found.finish - 1e-6).all()
    alone = expected(TEN_KM, seen, learned, metres[-1:])[1]
    assert (alone[:, 0] <= found.finish + 1e-6).all()
    for nth in range(len(who)):
        there = TEN_KM.points[found.point[nth]]
        at_next = expected(TEN_KM, seen, learned, np.array([there]))[1]
        assert at_next[nth, 0] == pytest.approx(found.there[nth])


@settings(max_examples=40, deadline=None)
@given(known_fields(), st.floats(0.0, 3000.0))
def test_arriving_until_a_moment(seen: Seen, seconds: float) -> None:
    """Those who are expected at a point until a moment are all whose arrival there is before it, by time."""
    learned = learn(TEN_KM, seen)
    found = forecast(TEN_KM, seen, learned)
    until = seen.now + seconds
    who, point, time = arriving(TEN_KM, seen, learned, found, until)
    times = expected(TEN_KM, seen, learned, TEN_KM.points)[1][:, :, 1]

    assert (np.diff(time) >= 0).all()
    assert (time <= until).all()
    rows = np.searchsorted(found.who, who)
    assert time == pytest.approx(times[rows, point], rel=1e-6)
    assert len(who) == (times <= until).sum()


def test_no_one_arrives_where_no_one_runs() -> None:
    """Without anyone on the course there is no arrival."""
    seen = seen_at(0.0, FIELD, TEN_KM)
    learned = learn(TEN_KM, seen)
    assert len(arriving(TEN_KM, seen, learned, forecast(TEN_KM, seen, learned), 300.0)[0]) == 0
    assert expected(TEN_KM, seen, learned, np.array([5000.0]))[1].shape == (0, 1, 3)


@pytest.mark.parametrize(("interval", "every"), [(1.0, 30), (10.0, 3), (40.0, 1), (1.15, 27)])
def test_which_ticks_are_remembered(interval: float, every: int) -> None:
    """Ticks 30 s apart or more; when there are more than twenty, every second one of the same is left out."""
    assert between.remembered(29.0, interval) == []
    assert between.remembered(every * interval, interval) == []
    all_of_them = between.remembered((every * 20 + 1) * interval, interval)
    assert all_of_them == list(range(every, every * 20 + 1, every))
    fewer = between.remembered((every * 21 + 1) * interval, interval)
    assert fewer == all_of_them[1::2]
    assert len(between.remembered(50_000.0, interval)) <= between.MOST_TICKS


@pytest.mark.parametrize(
    ("competitors", "step"), [(0, 1), (1, 1), (600, 1), (601, 2), (10_000, 17), (50_000, 89)]
)
def test_whose_positions_are_remembered(competitors: int, step: int) -> None:
    """Those whose bib is a multiple of a prime: of 600 at most, or of all."""
    assert between.chosen(competitors) == step
