import pytest

from dashboard.metrics import Metrics, measured
from dashboard.store.protocol import StoreError
from tests.dashboard.fakes import FakeStore, race

QUESTIONS: dict[str, tuple[object, ...]] = {
    "races": (),
    "race": ("run_1",),
    "course": ("hills",),
    "competitors": ("run_1",),
    "positions": ("run_1",),
    "positions_at": ("run_1", 20, 30),
    "passings": ("run_1", 5000),
    "count_passings": ("run_1",),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_answers_are_timed(question: str) -> None:
    """Calls and results are forwarded unchanged, counted and timed."""
    metrics, store, plain = Metrics(), FakeStore(known=[race()]), FakeStore(known=[race()])
    answer = getattr(measured(store, metrics), question)(*QUESTIONS[question])
    wanted = getattr(plain, question)(*QUESTIONS[question])
    exposed = metrics.exposition().decode()

    assert str(answer) == str(wanted)
    assert store.asked == plain.asked
    assert f'racecast_dashboard_store_duration_seconds_count{{question="{question}"}} 1.0' in exposed
    assert f'racecast_dashboard_store_errors_total{{question="{question}"}} 0.0' in exposed


@pytest.mark.parametrize("question", QUESTIONS)
def test_failures_are_counted(question: str) -> None:
    """A `StoreError` is passed on and counted."""
    metrics = Metrics()
    store = measured(FakeStore(failure=StoreError("The store is unavailable.")), metrics)
    with pytest.raises(StoreError, match="The store is unavailable"):
        getattr(store, question)(*QUESTIONS[question])

    assert (
        f'racecast_dashboard_store_errors_total{{question="{question}"}} 1.0' in metrics.exposition().decode()
    )
