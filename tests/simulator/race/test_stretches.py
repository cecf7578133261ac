"""The index of marks finds what a plain search finds."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.race import field, stretches
from simulator.race.field import Field
from simulator.race.race import BEFORE_THE_START, Race
from tests.simulator.conftest import resolved
from tests.simulator.race.test_crowding import avenue

STEPS = st.lists(st.sampled_from([1e-6, 0.1, 1.0, 7.0, 1000.0]), min_size=2, max_size=300)


@given(st.lists(STEPS, min_size=1, max_size=4), st.lists(st.floats(0, 1), max_size=20))
def test_the_index_finds_the_last_mark_passed(many: list[list[float]], shares: list[float]) -> None:
    """However uneven the paces are, at the marks and between them, for some competitors or all."""
    marks = min(len(steps) for steps in many)
    moving = np.array([[0.0, *np.cumsum(steps[:marks])] for steps in many]).T.copy()
    index, last = stretches.of(moving), len(moving) - 2

    for who in range(len(many)):
        times = moving[:, who]
        moments = np.array([*times, *(share * times[-1] for share in shares)])
        columns = np.full(len(moments), who)
        found = index.take(columns).passed(moving, columns, moments)
        passed = np.searchsorted(times, moments, side="right") - 1
        assert found.tolist() == np.minimum(passed, last).tolist()


@pytest.fixture(name="queued", scope="module")
def _queued() -> Race:
    """A race with crowding whose field has an index."""
    return Race(avenue(5000, (0, 1.0)), resolved(crowding="flow", competitors=300, dns=0.1, dnf=0.1))


def test_a_field_with_many_marks_has_an_index(queued: Race) -> None:
    """Where there are more marks than a row by row search is good for; a field without crowding has none."""
    assert len(queued.field.marks) > field.MAX_MARKS + 1
    assert queued.field.index is not None
    assert queued.without_crowding().index is None


def test_the_index_takes_a_sixth_of_the_memory_of_the_field(queued: Race) -> None:
    """Its size does not depend on how long the race takes."""
    assert queued.field.index is not None
    assert queued.field.index.marks.nbytes <= queued.field.moving.nbytes / 6


def _bytes(race: Race) -> dict[str, Any]:
    moments = [0.0, 300.0, 1200.0, 2500.0, race.duration]
    who = np.arange(0, 300, 7)
    seen = [race.snapshot(moment) for moment in moments]
    seen += [race.part(40, 290).snapshot(moment) for moment in moments]
    seen += [race.snapshot(np.linspace(0.0, race.duration, len(who)), who)]
    passed = race.passings(BEFORE_THE_START, race.duration)
    columns = [column.tobytes() for some in (*seen, passed) for column in some]
    distances = [race.field.distance(moment).tobytes() for moment in moments]
    return {"columns": columns, "distances": distances}


def test_competitors_computed_in_blocks_are_where_they_are_all_at_once(
    queued: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit, in the whole race and in a part, with one moment for all and with one for each."""
    whole = _bytes(queued)
    monkeypatch.setattr(field, "AT_ONCE", 64)
    assert _bytes(queued) == whole


def test_with_and_without_an_index_competitors_are_in_the_same_place(queued: Race) -> None:
    """To the last bit."""
    plain = Field(**(vars(queued.field) | {"index": None}))
    for moment in np.linspace(0.0, queued.duration, 40).tolist():
        assert plain.distance(moment).tobytes() == queued.field.distance(moment).tobytes()
