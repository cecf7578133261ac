import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.analytics.recent import CHUNK_S, HOUR_S, REREAD_EVERY_S, SETTLES_WITHIN_S, Recent
from dashboard.analytics.stream import ARRIVALS, PACE_STEP_S
from tests.dashboard.analytics.streams import BEGIN
from tests.dashboard.events import position
from tests.dashboard.plain_stream import PlainStream

NOW = BEGIN + 10_000


def event(second: int, run: str = "one") -> dict[str, object]:
    """An event that arrived in a wall second."""
    return position(run, 1, rawTime=second - BEGIN, emittedAt=1000 * second, timestamp=1000 * second)


def rows(recent: Recent, now: float) -> list[tuple[object, ...]]:
    """What is known at a moment."""
    return sorted(recent.refresh(now).itertuples(index=False, name=None))


def fresh(stream: PlainStream, now: int) -> list[tuple[object, ...]]:
    """The whole hour in one query."""
    return sorted(stream.arrivals(now + 1 - HOUR_S, None)[list(ARRIVALS)].itertuples(index=False, name=None))


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 4000), st.sampled_from(("one", "two"))), max_size=40),
    st.lists(st.integers(1, 500), min_size=1, max_size=8),
)
def test_same_as_the_whole_hour(emitted: list[tuple[int, str]], steps: list[int]) -> None:
    """However it is followed, the cached hour equals that of one query."""
    stream = PlainStream()
    recent = Recent(stream.arrivals, clock=lambda: 0.0)
    now = NOW
    for step in steps:
        now += step
        stream.events = [event(NOW - 3600 + s, run) for s, run in emitted if NOW - 3600 + s <= now]
        assert rows(recent, now) == fresh(stream, now)
    assert recent.known_since == now + 1 - HOUR_S


def test_store_that_catches_up() -> None:
    """An event that appears after its minute was settled is found when that minute is queried again."""
    stream = PlainStream([event(NOW - second) for second in range(0, 600, 2)])
    recent = Recent(stream.arrivals)
    rows(recent, NOW)
    stream.events += [event(NOW - second) for second in range(1, 600, 2)]
    looks = range(0, REREAD_EVERY_S * (HOUR_S // CHUNK_S + 1), REREAD_EVERY_S)
    for later in looks:
        rows(recent, NOW + later)
    assert rows(recent, NOW + looks[-1]) == fresh(stream, NOW + looks[-1])


def test_only_the_newest_seconds_are_asked_for() -> None:
    """A second later only unsettled seconds are queried, and occasionally one more minute."""
    stream = PlainStream()
    recent = Recent(stream.arrivals, clock=lambda: 0.0)
    recent.refresh(NOW)
    stream.asked.clear()
    recent.refresh(NOW + 1)
    assert stream.asked == [("arrivals", NOW + 1 - SETTLES_WITHIN_S, None)]
    stream.asked.clear()
    recent.refresh(NOW + REREAD_EVERY_S)
    (_, (_, since, until)) = stream.asked
    assert 0 < until - since <= CHUNK_S


def test_past_is_read_within_the_patience() -> None:
    """If reading the past takes long, the available rows are shown, newest first, and the rest later."""
    stream = PlainStream([event(NOW - second) for second in range(3600)])
    seconds = iter(range(1_000_000))
    recent = Recent(stream.arrivals, clock=lambda: next(seconds) * 0.2)
    first = recent.refresh(NOW)
    assert recent.known_since > NOW - 600
    assert first["second"].min() == recent.known_since
    for _ in range(40):
        recent.refresh(NOW)
    assert rows(recent, NOW) == fresh(stream, NOW)


def test_no_viewer_for_an_hour() -> None:
    """After more than an hour without a query everything is read again."""
    stream = PlainStream([event(NOW), event(NOW + 3 * HOUR_S - 1800)])
    recent = Recent(stream.arrivals, clock=lambda: 0.0)
    rows(recent, NOW)
    assert rows(recent, NOW + 3 * HOUR_S) == fresh(stream, NOW + 3 * HOUR_S)


def test_memory_is_an_hours() -> None:
    """Rows older than an hour are dropped."""
    recent = Recent(lambda since, _: pd.DataFrame({"second": range(since, since + CHUNK_S)}))
    for now in range(NOW, NOW + 3 * HOUR_S, 45):
        assert recent.refresh(now)["second"].min() >= now + 1 - HOUR_S


def test_steps_are_asked_for_whole() -> None:
    """Rows that cover ten seconds are never queried in part."""
    stream = PlainStream()
    recent = Recent(stream.paces, PACE_STEP_S)
    for now in range(NOW, NOW + 300, 7):
        recent.refresh(now)
    assert all(since % PACE_STEP_S == 0 for _, since, _ in stream.asked)
    assert all(until is None or until % PACE_STEP_S == 0 for _, _, until in stream.asked)
