"""Streams of events for tests: races whose events come in time, late, twice and out of order."""

from collections.abc import Sequence
from itertools import chain

from hypothesis import strategies as st

from tests.dashboard.events import Event, position

BEGIN = 1_790_000_000
"""Epoch seconds at which the streams begin."""

LONGEST_S = 120


@st.composite
def streams(draw: st.DrawFn, runs: Sequence[str] = ("one", "two")) -> list[Event]:
    """Events of some races in order of arrival: some late, some twice, some by other clocks."""
    drawn = draw(
        st.lists(
            st.tuples(
                st.sampled_from(runs),
                st.integers(1, 4),  # bib
                st.integers(0, LONGEST_S),  # race second
                st.one_of(st.just(0), st.integers(0, 90)),  # seconds late
                st.booleans(),  # comes twice
                st.sampled_from(("running", "running", "paused", "finished")),
            ),
            max_size=60,
        )
    )
    skew = draw(st.lists(st.integers(-3000, 3000), min_size=4, max_size=4))
    events: dict[tuple[str, int, int], list[Event]] = {}
    for run, bib, second, late, twice, status in drawn:
        # A competitor has one event per second.
        same = events.setdefault((run, bib, second), [])
        if not same:
            emitted = 1000 * (BEGIN + second + late) + 100 * bib
            event = position(
                run,
                bib,
                rawTime=second,
                timestamp=1000 * (BEGIN + second) + skew[bib - 1],
                distance=second * (2.0 + bib),
                elapsed=float(second),
                emittedAt=emitted,
                course=f"course-{run}",
                status=status,
            )
            same += [event, {**event, "emittedAt": emitted + 7000}][: 1 + twice]
    return sorted(chain.from_iterable(events.values()), key=lambda event: int(event["emittedAt"]))


def once(events: Sequence[Event]) -> list[Event]:
    """The events as the embedded store keeps them: only the first of duplicates."""
    kept: dict[str, Event] = {}
    for event in events:
        kept.setdefault(event["eventId"], event)
    return list(kept.values())
