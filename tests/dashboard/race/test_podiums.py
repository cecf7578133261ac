"""Podiums: who is on them, and from when on they are certain."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.race import podiums
from dashboard.race.podiums import Ends, Known, Podium, ends_of, podium
from dashboard.race.split_times import SplitTimes
from dashboard.store import rows
from stream.arrays import Floats
from stream.results import Rank, wave_guns
from tests.dashboard.fakes import EMITTED, passings

DELAY = 60.0
"""Seconds between two waves."""
LATE_BY = 7.0
"""Seconds by which passings reach the store late, at most."""
EVER = 1e6


class Runner(NamedTuple):
    """The truth of a competitor, and how it reaches the store.

    Attributes:
        wave: 1 or 2.
        waits: seconds from the gun to the start line.
        runs: seconds from there to the finish, or to giving up.
        fate: finished, dnf, dns or dsq, whose verdict comes a minute after the finish.
        silent_after: race seconds of the tracker's last position.
        late: seconds by which its positions are late.
    """

    wave: int
    waits: int
    runs: int
    fate: str
    silent_after: int
    late: int

    @property
    def start(self) -> float:
        """Race seconds."""
        return (self.wave - 1) * DELAY + self.waits

    @property
    def end(self) -> float:
        """Race seconds of the finish, or of giving up."""
        return self.start + self.runs


RUNNERS = st.lists(
    st.builds(
        Runner,
        wave=st.integers(1, 2),
        waits=st.integers(0, 30),
        runs=st.integers(1, 90),
        fate=st.sampled_from(["finished"] * 6 + ["dnf", "dns", "dsq"]),
        silent_after=st.sampled_from([0, 50, 10_000]),
        late=st.sampled_from([0, 0, 20]),
    ),
    min_size=1,
    max_size=8,
)
MOMENTS = st.integers(0, 260)
RANKS: st.SearchStrategy[Rank] = st.sampled_from(["gun", "chip"])


def seen(runners: list[Runner], now: float, rank: Rank, *, faults: bool = True) -> Ends:
    """What the store has at a moment: with faults, trackers are late or silent, and passings are late."""
    positions, passed = [], []
    for bib, one in enumerate(runners, 1):
        reported = min(now - one.late, one.silent_after) if faults else now
        passings_until = now - (LATE_BY if faults and bib % 2 else 0.0)
        if (state := _state(one, reported)) is not None:
            positions.append((bib, 0.0, 51.0, 0.0, *state, EMITTED))
        elif one.fate in {"finished", "dsq", "dnf"} and one.end <= now - one.late:
            positions.append((bib, 0.0, 51.0, 0.0, *(_state(one, one.end) or ("", 0.0)), EMITTED))
        elif one.fate == "dns":
            positions.append((bib, 0.0, 51.0, 0.0, "dns", 0.0, EMITTED))
        passed += [(bib, kind, kind, 1, 0.0, time) for kind, time in _passings(one) if time <= passings_until]
    splits = SplitTimes()
    splits.add(passings(passed))
    known = Known(rows.positions(positions), splits, now - LATE_BY if faults else now)
    bibs, waves = np.arange(1, len(runners) + 1), np.array([one.wave for one in runners])
    return ends_of(bibs, wave_guns(waves, DELAY), known, rank)


def _state(one: Runner, at: float) -> tuple[str, float] | None:
    """Status and race seconds of a position; None if the tracker has not reported yet."""
    if at < 0:
        return None
    if one.fate == "dns":
        return "dns", 0.0
    if at < one.start:
        return "waiting", at
    if at < one.end:
        return "running", at
    verdict = one.fate == "dsq" and at >= one.end + 60
    return ("dnf" if one.fate == "dnf" else "dsq" if verdict else "finished"), one.end


def _passings(one: Runner) -> list[tuple[str, float]]:
    if one.fate == "dns":
        return []
    end = [("dnf" if one.fate == "dnf" else "finish", one.end)]
    return [("start", one.start), *end, *([("dsq", one.end + 60)] if one.fate == "dsq" else [])]


def everyone(ends: Ends) -> Podium:
    """The podium of all of them."""
    return podium(ends, np.arange(len(ends.zero)))


def steps(found: Podium) -> list[tuple[int, int, float]]:
    """Who is on it, with place and time."""
    return list(zip(found.rows.tolist(), found.place.tolist(), found.time.tolist(), strict=True))


def ends(*finish: float, until: float = 0.0) -> Ends:
    """Of one wave; NaN for those without a finish."""
    n = len(finish)
    return Ends(np.zeros(n), np.array(finish), np.full(n, np.nan), np.full(n, until))


@given(runners=RUNNERS, now=MOMENTS, rank=RANKS)
def test_decided_is_final(runners: list[Runner], now: int, rank: Rank) -> None:
    """A podium that is decided stays, whatever trackers do, unless one of its members is disqualified."""
    then = everyone(seen(runners, now, rank))
    if then.decided is None or any(runners[row].fate == "dsq" for row in then.rows.tolist()):
        return
    assert steps(everyone(seen(runners, EVER, rank))) == steps(then)


@given(runners=RUNNERS, now=MOMENTS, rank=RANKS)
def test_undecided_can_change(runners: list[Runner], now: int, rank: Rank) -> None:
    """A podium that is not decided can still change: one of the others could finish at this moment."""
    known = seen(runners, now, rank)
    then = everyone(known)
    if then.decided is not None or not known.is_open.any():
        return
    unstarted = known.is_open & np.isnan(known.zero)
    zero = np.where(unstarted, known.until, known.zero)
    finish = np.where(known.is_open, np.maximum(known.until, zero), known.finish)
    could = [
        everyone(
            replace(known, zero=zero, finish=np.where(np.arange(len(zero)) == row, finish, known.finish))
        )
        for row in np.flatnonzero(known.is_open).tolist()
    ]
    assert any(steps(one) != steps(then) for one in could)


@given(runners=RUNNERS, rank=RANKS)
def test_moment_of_the_decision(runners: list[Runner], rank: Rank) -> None:
    """The decision has the moment from which on it could be known, the same one ever after."""
    at = everyone(seen(runners, EVER, rank, faults=False)).decided
    finishers = [one for one in runners if one.fate == "finished"]
    assert (at is None) == (not finishers)
    if at is None:
        return
    for later in (0.5, 60.0, 500.0):
        assert everyone(seen(runners, at + later, rank, faults=False)).decided == at
    assert everyone(seen(runners, at - 0.5, rank, faults=False)).decided != at


@given(runners=RUNNERS, rank=RANKS)
def test_places_are_those_of_the_results(runners: list[Runner], rank: Rank) -> None:
    """Those with a time up to the third one's are on the podium, and equal times share a place."""
    known = seen(runners, EVER, rank)
    times = sorted(known.time[known.counts].tolist())
    found = steps(everyone(known))
    assert [time for *_, time in found] == [time for time in times if time <= times[:3][-1]]
    for row, place, time in found:
        assert (place, time) == (times.index(time) + 1, known.time[row])


def test_decided_when_all_others_are_too_late() -> None:
    """With one on the course, the podium is decided as soon as that one has run for longer than the third."""
    field = ends(600.0, 700.0, 800.0, np.nan, until=800.0)
    assert everyone(field).decided is None
    assert everyone(replace(field, until=np.full(4, 800.001))).decided == 800.0


def test_later_wave() -> None:
    """By gun time, a wave that has started later can still win as long after its gun."""
    field = replace(ends(600.0, 700.0, 800.0, np.nan, until=1099.0), zero=np.array([0.0, 0.0, 0.0, 300.0]))
    assert everyone(field).decided is None
    assert everyone(replace(field, until=np.full(4, 1101.0))).decided == 1100.0


def test_yet_to_start_by_chip_time() -> None:
    """By chip time, one who has not crossed the start line can still win at any time, until that is a DNS."""
    field = replace(ends(600.0, 700.0, 800.0, np.nan, until=1e5), zero=np.array([0.0, 0.0, 0.0, np.nan]))
    assert everyone(field).decided is None
    assert everyone(replace(field, out=np.array([np.nan] * 3 + [2e4]))).decided == 2e4


def test_fewer_than_three() -> None:
    """A group of two is decided when both have finished or stopped; one without finishers never is."""
    assert everyone(ends(600.0, np.nan, until=1e5)).decided is None
    assert everyone(ends(600.0, 650.0)).decided == 650.0
    assert steps(everyone(ends(600.0, 650.0))) == [(0, 1, 600.0), (1, 2, 650.0)]
    nothing = everyone(replace(ends(np.nan), out=np.array([0.0])))
    assert (nothing.decided, len(nothing.rows)) == (None, 0)


def test_disqualified_later() -> None:
    """When one on the podium is disqualified, the next one moves up, and the decision is as new as that."""
    field = ends(600.0, 700.0, 800.0, 900.0)
    assert (everyone(field).decided, everyone(field).rows.tolist()) == (800.0, [0, 1, 2])
    found = everyone(replace(field, out=np.array([np.nan, 1500.0, np.nan, np.nan])))
    assert (found.decided, found.rows.tolist(), found.place.tolist()) == (1500.0, [0, 2, 3], [1, 2, 3])
    # Of one who was not among the first, it changes nothing.
    assert everyone(replace(field, out=np.array([np.nan] * 3 + [1500.0]))).decided == 800.0


def test_equal_times() -> None:
    """Equal times share a step, so a podium can have more than three competitors."""
    assert steps(everyone(ends(600.0, 700.0, 700.0, 700.0, 701.0))) == [
        (0, 1, 600.0),
        *((row, 2, 700.0) for row in (1, 2, 3)),
    ]


def test_end_of_the_race() -> None:
    """After the end of the race, those without an end will not finish: a recording may leave some open."""
    field = ends(600.0, np.nan, until=650.0)
    assert everyone(field.closed(5000.0)).decided == 5000.0


@pytest.mark.parametrize("rank", ["gun", "chip"])
def test_silent_tracker(rank: Rank) -> None:
    """A finish known only from the mat counts, and one on the course without a tracker is not waited for."""
    runners = [Runner(1, 0, 40 + nth, "finished", 10_000, 20) for nth in range(3)]
    silent = Runner(1, 0, 90, "finished", 10, 0)
    found = everyone(seen([*runners, silent], 42 + LATE_BY + 1, rank))
    assert (found.rows.tolist(), found.decided) == ([0, 1, 2], 42.0)


def test_finish_on_its_way() -> None:
    """Without a tracker's report, a finish may not have arrived yet: as long, nothing is decided."""
    silent = Runner(1, 0, 41, "finished", 10, 0)  # its passings are late
    runners = [silent, *(Runner(1, 0, 40 + nth, "finished", 10_000, 0) for nth in range(3))]
    before = everyone(seen(runners, 46, "gun"))
    assert (before.rows.tolist(), before.decided) == ([1, 2, 3], None)
    after = everyone(seen(runners, 50, "gun"))
    assert (after.rows.tolist(), after.decided) == ([1, 0, 2], 41.0)


def test_group_is_the_only_one_that_matters() -> None:
    """Those of other groups don't delay a decision, and have no place in it."""
    field: Floats = np.array([600.0, 610.0, 700.0, np.nan])
    found = podium(ends(*field.tolist()), np.array([1, 2]))
    assert (found.rows.tolist(), found.place.tolist(), found.decided) == ([1, 2], [1, 2], 700.0)
    assert podiums.STEPS == 3
