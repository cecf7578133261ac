"""The parts of a race: together they have the events of the whole, each once."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.course.course import Course
from simulator.publishers.encode import encode
from simulator.race.events import RaceSource, Streamed, entries_of, passings_until, positions_at
from simulator.race.race import Race
from stream.parts import PART, partition_of, parts_of
from tests.simulator.conftest import resolved

FAULTS = {
    "late": 0.2,
    "late_for": 60.0,
    "lost": 0.1,
    "frozen": 0.1,
    "duplicates": 0.2,
    "gps_error": 5.0,
    "gps_noise": 1.0,
    "clock_skew": 2.0,
    "dnf": 0.2,
    "dns": 0.1,
    "disqualified": 0.1,
    "wrong_turn": 0.2,
    "how_many_get_stopped": 0.3,
}

CROWDED = {**FAULTS, "crowding": "flow", "width": 0.5, "specific_flow": 10, "jam_density": 0.5}


def events(source: RaceSource) -> Counter[bytes]:
    """All events of a source but its records."""
    batches = [*entries_of(source, 7)]
    found = Counter(value for batch in batches for value in encode(batch).values)
    for tick in range(source.last_tick + 1):
        of_tick: list[Streamed] = [*passings_until(source, tick, 7), *positions_at(source, tick, 7)]
        found.update(value for batch in of_tick for value in encode(batch).values)
    return found


@pytest.mark.parametrize("options", [{}, FAULTS, CROWDED], ids=["plain", "with faults", "crowded"])
def test_parts_have_the_events_of_the_whole(straight: Course, options: dict[str, Any]) -> None:
    """Cut anywhere, the parts have each event of the race once, with the same numbers."""
    race = Race(straight, resolved(competitors=23, interval=20, **options))
    whole = events(race)
    assert sum(whole.values()) > 100
    for cuts in ([0, 23], [0, 1, 23], [0, 7, 8, 20, 23]):
        parts = [race.part(first, last) for first, last in pairwise(cuts)]
        together: Counter[bytes] = Counter()
        for part in parts:
            together += events(part)
        assert together == whole
    assert events(race) == whole


@given(st.integers(1, 1_000_000))
def test_a_race_is_cut_into_ranges(competitors: int) -> None:
    """Each competitor is in one part, and no part is too large."""
    parts = parts_of(competitors)
    assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])]
    assert parts[-1].stop == competitors
    assert max(len(part) for part in parts) <= PART


@given(st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True), st.integers(1, 24))
def test_the_parts_of_a_race_are_in_different_partitions(run_id: str, partitions: int) -> None:
    """A large race is spread over as many partitions as there are."""
    numbers = [partition_of(run_id, part, partitions) for part in range(partitions)]
    assert sorted(numbers) == list(range(partitions))
