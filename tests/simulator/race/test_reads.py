"""Raw reads of chips, each compared with the passings and with the request."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.course.course import Course, Mat
from simulator.race.events import reads_until
from simulator.race.options import MAX_REPEATS
from simulator.race.race import BEFORE_THE_START, Race
from simulator.race.reads import (
    APART,
    KINDS,
    LINES,
    LINES_APART,
    NO_ONE,
    NUMBERS,
    PEAKS,
    REACH,
    REFERENCE_EVERY,
    SPACING,
    STRAY_READS,
    STRONG,
    Mats,
    Reads,
)
from stream.arrays import Mask
from tests.simulator.conftest import resolved

MakeRace = Callable[..., Race]
Pass = tuple[int, int, int]

LENIENT = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
FAULTS = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10_000),
        "competitors": st.integers(1, 12),
        "interval": st.sampled_from([1.0, 7.0, 12.5, 3600.0]),
        "read_repeats": st.integers(1, MAX_REPEATS),
        "missed_passes": st.sampled_from([0.0, 0.2, 1.0]),
        "missed_by_line": st.sampled_from([0.0, 0.3, 1.0]),
        "stray_reads": st.sampled_from([0.0, 0.5, 1.0]),
        "reader_skew": st.sampled_from([0.0, 3600.0]),
        "reader_drift": st.sampled_from([0.0, 1000.0]),
        "dns": st.floats(0, 0.3),
        "dnf": st.floats(0, 0.3),
        "wave_size": st.sampled_from([None, 3]),
    }
)


@pytest.fixture
def turning(straight: Course) -> Course:
    """The straight with a mat that is passed three times, twice within a few seconds."""
    mat = Mat("Turn", (0.0, 50.009), (1000.5, 1010.0, 1800.0))
    return replace(straight, mats=(mat,))


def joined(pieces: list[Reads]) -> Reads:
    """Return all reads of some pieces, by number."""
    found = Reads._make(np.concatenate(columns) for columns in zip(*pieces, strict=True))
    return found.take(np.lexsort((found.number, found.who)))


def all_of(race: Race) -> Reads:
    """Return all reads of a race."""
    return joined(list(Mats(race).reads(BEFORE_THE_START, np.inf)))


def is_of_a_pass(race: Race, reads: Reads) -> Mask:
    """Return which reads are of a pass: their numbers come before those of strays."""
    of_pass: Mask = (reads.who != NO_ONE) & (reads.number < LINES * len(race.points) * NUMBERS)
    return of_pass


def crossings(race: Race) -> dict[tuple[int, int], float]:
    """Return when each competitor passed each timing point with a mat."""
    found = race.passings(BEFORE_THE_START, race.duration + 1.0)
    rows = zip(found.who.tolist(), found.point.tolist(), found.elapsed.tolist(), strict=True)
    return {(who, point): elapsed for who, point, elapsed in rows if race.points[point].kind in KINDS}


def by_pass(race: Race, reads: Reads) -> dict[Pass, list[tuple[float, int]]]:
    """Return time and strength of the reads of each competitor, point and line."""
    found: defaultdict[Pass, list[tuple[float, int]]] = defaultdict(list)
    some = reads.take(is_of_a_pass(race, reads))
    columns = (some.who, some.number, some.elapsed, some.rssi)
    for who, number, elapsed, rssi in zip(*(column.tolist() for column in columns), strict=True):
        point, line = divmod(number // NUMBERS, LINES)
        found[who, point, line].append((elapsed, rssi))
    return found


@LENIENT
@given(options=FAULTS)
def test_every_read_of_a_pass_belongs_to_a_passing(make_race: MakeRace, options: dict[str, Any]) -> None:
    """A read that is no stray is near a passing; the strongest of a line is unique, strong and nearest."""
    race = make_race(**options)
    passings = crossings(race)
    for (who, point, line), some in by_pass(race, all_of(race)).items():
        crossed = passings[who, point] + LINES_APART * line
        assert len(some) < 2 * options["read_repeats"]
        assert all(abs(elapsed - crossed) <= REACH + 1e-9 for elapsed, _ in some)
        best = max(rssi for _, rssi in some)
        ((strongest, _),) = [read for read in some if read[1] == best]
        assert abs(strongest - crossed) <= SPACING / 2 + 1e-9
        assert PEAKS[0] <= best <= PEAKS[1]


@LENIENT
@given(options=FAULTS)
def test_strays_are_weak(make_race: MakeRace, options: dict[str, Any]) -> None:
    """Reads that belong to no passing are weaker than those that count, and there is only a share of them."""
    race = make_race(**options)
    reads = all_of(race)
    strays = reads.take(~is_of_a_pass(race, reads) & (reads.who != NO_ONE))

    assert (strays.rssi < STRONG).all()
    assert len(np.unique(strays.who)) == round(options["stray_reads"] * len(race.field))
    most = Counter((strays.number // NUMBERS + 100 * strays.who).tolist())
    assert all(times <= STRAY_READS for times in most.values())


@LENIENT
@given(options=FAULTS, part=st.integers(1, 5))
def test_ticks_and_parts_share_and_miss_no_read(
    make_race: MakeRace, options: dict[str, Any], part: int
) -> None:
    """Read by read and part by part, each is published once: at the first tick at or after it."""
    race = make_race(**options)
    whole = all_of(race)
    pieces = []
    for first in range(0, len(race.field), part):
        some = Mats(race.part(first, min(first + part, len(race.field))))
        before = BEFORE_THE_START
        for tick in range(some.last_tick + 1):
            for piece in some.reads(before, race.time_of(tick)):
                assert ((piece.elapsed > before) & (piece.elapsed <= race.time_of(tick))).all()
                assert (np.diff(piece.elapsed) >= 0).all()
                pieces.append(piece)
            before = race.time_of(tick)

    found = joined(pieces)
    for ours, theirs in zip(found, whole, strict=True):
        assert (ours == theirs).all()


def test_by_default_each_line_reads_each_pass_once(make_race: MakeRace) -> None:
    """Without options there are no faults: one read of each line, no strays, clocks that are right."""
    race = make_race(competitors=30, dns=0.1, dnf=0.1)
    reads = all_of(race)

    found = by_pass(race, reads)
    assert found.keys() == {(who, point, line) for who, point in crossings(race) for line in range(LINES)}
    assert all(len(some) == 1 for some in found.values())
    assert (reads.clock == reads.elapsed).all()
    assert (is_of_a_pass(race, reads) | (reads.who == NO_ONE)).all()


def test_missed_passes_have_no_read(make_race: MakeRace) -> None:
    """The shares of missed passes are those of the request: by both lines, and by each one independently."""
    race = make_race(competitors=20_000, missed_passes=0.1, missed_by_line=0.2)
    found = by_pass(race, all_of(race)).keys()
    every = len(crossings(race))
    lines = Counter((who, point) for who, point, _ in found)

    assert len(lines) / every == pytest.approx(0.9 * (1 - 0.2**2), abs=0.005)
    assert Counter(lines.values())[2] / every == pytest.approx(0.9 * 0.8**2, abs=0.005)


def test_repeats_have_the_mean_of_the_request(make_race: MakeRace) -> None:
    """The mean number of reads of a pass by a line is `read_repeats`; some of them are weak."""
    found = by_pass(race := make_race(competitors=5000, read_repeats=10), all_of(race))
    counts = [len(some) for some in found.values()]

    assert np.mean(counts) == pytest.approx(10, rel=0.01)
    assert (min(counts), max(counts)) == (1, 19)
    assert any(rssi < STRONG for some in found.values() for _, rssi in some)


@pytest.mark.parametrize(("option", "share"), [("missed_passes", 1.0), ("missed_by_line", 1.0)])
def test_all_passes_may_be_missed(make_race: MakeRace, option: str, share: float) -> None:
    """If everything is missed, only reference chips are read."""
    reads = all_of(make_race(**{option: share}))

    assert (reads.who == NO_ONE).all()


def test_a_mat_does_not_read_a_chip_again_at_once(turning: Course) -> None:
    """Two passes of one mat that are too close are read once; the mat reads the third one again."""
    race = Race(turning, resolved(competitors=20, read_repeats=3))
    turns = [nth for nth, point in enumerate(race.points) if point.name == "Turn"]
    found = by_pass(race, all_of(race))
    passings = crossings(race)

    assert len(turns) == 3
    for who in range(20):
        gap = passings[who, turns[1]] - passings[who, turns[0]]
        assert gap < APART
        assert [(who, turn, 0) in found for turn in turns] == [True, False, True]


def test_clocks_are_wrong_by_an_offset_and_a_drift(make_race: MakeRace) -> None:
    """Each reader's clock is off by a constant and a constant drift, within the limits of the request."""
    race = make_race(competitors=200, reader_skew=5.0, reader_drift=1000.0, interval=100.0)
    reads = all_of(race)
    offsets = set()
    for reader in range(LINES * len(Mats(race).mats)):
        some = reads.take(LINES * reads.mat + reads.line == reader)
        rate, offset = np.polyfit(some.elapsed, some.clock, 1)
        assert abs(rate - 1.0) <= 1e-3
        assert abs(offset) <= 5.0
        assert some.clock == pytest.approx(rate * some.elapsed + offset, abs=1e-6)
        offsets.add(round(float(offset), 3))
    assert len(offsets) == LINES * len(Mats(race).mats)


def test_reference_chips_are_read_every_ten_minutes(make_race: MakeRace) -> None:
    """Each reader reads its reference chip from ten minutes before the gun on, until the end."""
    race = make_race(competitors=2)
    reads = all_of(race)
    references = reads.take(reads.who == NO_ONE)
    expected = np.arange(-REFERENCE_EVERY, race.time_of(race.last_tick) + 1, REFERENCE_EVERY).tolist()

    for reader in range(LINES * len(Mats(race).mats)):
        some = references.take(LINES * references.mat + references.line == reader)
        assert sorted(some.elapsed.tolist()) == expected
    assert len(expected) >= 2


def test_each_read_has_an_id_of_its_own(make_race: MakeRace) -> None:
    """No two reads have the same event id, and none shows whether it is a stray."""
    race = make_race(competitors=300, read_repeats=10, stray_reads=1.0)
    mats = Mats(race)
    rows = [
        row
        for tick in range(mats.last_tick + 1)
        for batch in reads_until(mats, tick, 7)
        for row in batch.rows()
    ]

    assert len({row[1] for row in rows}) == len(rows)
    assert {len(str(row[1])) for row in rows} == {len("race-1-") + 16}


def test_an_option_changes_nothing_else(make_race: MakeRace) -> None:
    """Strays and clocks leave the reads of passes as they are, and no option changes a passing."""
    plain = make_race(competitors=50, read_repeats=4)
    wild = make_race(competitors=50, read_repeats=4, stray_reads=1.0, reader_skew=9.0, missed_by_line=0.1)
    known, found = by_pass(plain, all_of(plain)), by_pass(wild, all_of(wild))

    assert found.items() < known.items()
    assert crossings(plain) == crossings(wild)
    assert plain.last_tick == wild.last_tick
