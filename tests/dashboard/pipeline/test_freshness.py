"""Sampling the age of the newest position."""

import numpy as np
import pytest

from dashboard.pipeline.freshness import EVERY_S, KEPT_S, MOST_KEPT, Freshness, pause
from pinot.health.sample import Failure, Races
from tests.pinot.samples import NOW, race


class Store:
    """What is asked for running races, and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = NOW
        self.ages: list[float | None] = [0.5]
        self.failure: Failure | None = None
        self.noted: list[float] = []
        self.freshness = Freshness(self.races, self.noted.append, lambda: self.now)

    def races(self) -> Races | Failure:
        """The running races, with newest positions of these ages."""
        if self.failure is not None:
            return self.failure
        elapsed = self.now - NOW
        running = (
            race(str(nth), age=None if age is None else age - elapsed, noted=-elapsed)
            for nth, age in enumerate(self.ages)
        )
        return Races(tuple(running), self.now)

    def sample(self, *ages: float) -> None:
        """Sample these ages, one a second."""
        for age in ages:
            self.now += EVERY_S
            self.ages = [age]
            assert self.freshness.sample()


@pytest.fixture
def store() -> Store:
    """A store with one running race."""
    return Store()


def test_percentiles_of_each_span(store: Store) -> None:
    """Each span has the percentiles of its own samples, each of which was measured."""
    store.sample(*[9.0] * 840, *(number / 10 for number in range(1, 61)))
    one, quarter, hour = store.freshness.spans()
    assert one.percentiles == pytest.approx((3.1, 5.8, 6.0))
    assert quarter.percentiles == pytest.approx((9.0, 9.0, 9.0))
    assert [span.measured_s for span in (one, quarter, hour)] == [60, 900, 900]
    assert store.freshness.sampled_s() == 900
    assert store.noted[-3:] == pytest.approx([5.8, 5.9, 6.0])


def test_no_race_is_no_age(store: Store) -> None:
    """While no race runs, or none has a position, nothing is measured, and nothing grows."""
    store.sample(0.5)
    store.ages = []
    store.freshness.sample()
    store.ages = [None]
    store.freshness.sample()
    assert [age.seconds for age in store.freshness.ages()] == [pytest.approx(0.5), None, None]
    assert store.freshness.spans()[0].measured_s == 1
    store.now += 90
    assert store.freshness.spans()[0].percentiles == (None, None, None)
    assert len(store.noted) == 1


def test_most_overdue_race_counts(store: Store) -> None:
    """Of several races, the age is that of the most overdue one, as on its card."""
    store.ages = [0.5, 7.0, None]
    store.freshness.sample()
    assert store.noted == pytest.approx([7.0])


def test_samples_are_not_in_step_with_ticks() -> None:
    """There is a sample each second on average, at evenly spread moments between ticks a second apart."""
    moments = np.cumsum([pause(number) for number in range(60)])
    assert moments[-1] == pytest.approx(60, abs=1)
    assert np.diff(np.sort(moments % 1.0)).max() < 0.04


def test_store_unavailable(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """While the store is unavailable there are no samples."""
    store.failure = Failure("It is unavailable. Start it.")
    assert not store.freshness.sample()

    def fail() -> Races:
        raise ZeroDivisionError

    broken = Freshness(fail, clock=lambda: store.now)
    assert not broken.sample()
    assert "ZeroDivisionError" in caplog.text
    assert store.freshness.ages() == broken.ages() == ()


def test_memory_is_bounded(store: Store) -> None:
    """The samples of an hour are kept, and no more."""
    store.sample(*[0.5] * (MOST_KEPT + 100))
    assert len(store.freshness._ages) == MOST_KEPT
    assert store.freshness.sampled_s() == KEPT_S
    assert store.freshness.spans()[-1].measured_s == KEPT_S


def test_clock_set_back(store: Store) -> None:
    """Samples of what is now the future do not count."""
    store.sample(0.5, 0.5)
    store.now -= 1800
    assert store.freshness.ages() == ()
