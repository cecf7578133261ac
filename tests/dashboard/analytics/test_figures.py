from hypothesis import given

from dashboard.analytics.activity import Activity
from tests.dashboard.analytics import recomputed
from tests.dashboard.analytics.streams import BEGIN, streams
from tests.dashboard.events import Event, position
from tests.dashboard.plain_stream import PlainStream

SPAN_S = 60


@given(streams())
def test_figures(events: list[Event]) -> None:
    """Each figure of a span, and of the one before, is what counting event by event gives."""
    activity = Activity(PlainStream(events), 10)
    until = BEGIN + 130
    found = activity.figures(SPAN_S, until)
    assert found == (
        recomputed.figures(events, until, SPAN_S),
        recomputed.figures(events, until - SPAN_S, SPAN_S),
    )


@given(streams())
def test_figures_of_one_course(events: list[Event]) -> None:
    """The figures of one course are those of its events."""
    now, _ = Activity(PlainStream(events), 10).figures(SPAN_S, BEGIN + 130, "course-two")
    assert now == recomputed.figures(events, BEGIN + 130, SPAN_S, "course-two")


def test_late_news_takes_nothing_back() -> None:
    """A competitor with positions only behind the furthest known before has run nothing in the span."""
    emitted = [(30, 900.0), (90, 400.0)]
    events = [
        position("one", 1, rawTime=second, distance=metres, emittedAt=1000 * (BEGIN + second))
        for second, metres in emitted
    ]
    now, before = Activity(PlainStream(events), 10).figures(SPAN_S, BEGIN + 120)
    assert (now.metres, before.metres) == (0.0, 0.0)
