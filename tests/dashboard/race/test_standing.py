import numpy as np
import pytest

from dashboard.race import standing
from dashboard.race.split_times import SplitTimes
from dashboard.race.standing import Figures, Standing
from dashboard.store import rows
from dashboard.store.protocol import Competitor, Positions
from tests.dashboard.fakes import at, passings, race


def stand(positions: Positions, splits: SplitTimes, before: float | None) -> Standing:
    """The standing of a race with one gun for all."""
    return standing.stand(positions, splits, np.zeros(len(positions)), before)


def test_figures() -> None:
    """The figures count competitors on the course, finishers and those inside a geofence, each once."""
    splits = SplitTimes()
    splits.add(passings([(bib, "enter", fence, 1, 10.0, 5.0) for bib in (1, 2) for fence in ("N", "S")]))
    found = stand(
        at((1, 3000.0, "running", 900.0), (2, 2000.0, "paused", 900.0), (3, 5000.0, "finished", 850.0)),
        splits,
        None,
    )
    assert found.figures == Figures(on_course=2, finished=1, out=0, in_fences=2)
    assert found.change is None
    assert found.race_time == 900.0


def test_before_the_first_tick() -> None:
    """Before the first position all figures are 0 and there is no time."""
    found = stand(rows.positions([]), SplitTimes(), None)
    assert found.figures == Figures(0, 0, 0, 0)
    assert found.race_time == 0.0


def test_change_since_a_moment() -> None:
    """Changes are counted from the passings since then."""
    splits = SplitTimes()
    splits.add(passings([(bib, "start", "Start", 1, 0.0, 0.0) for bib in (1, 2, 3)]))
    splits.add(passings([(1, "enter", "N", 1, 10.0, 90.0), (2, "enter", "N", 1, 10.0, 110.0)]))
    splits.add(passings([(1, "exit", "N", 1, 20.0, 120.0), (3, "enter", "N", 1, 10.0, 130.0)]))
    splits.add(passings([(1, "finish", "Finish", 1, 900.0, 150.0)]))
    now = at((1, 900.0, "finished", 150.0), (2, 800.0, "running", 160.0), (3, 700.0, "running", 160.0))
    found = stand(now, splits, 100.0)
    assert found.change == Figures(on_course=-1, finished=1, out=0, in_fences=1)


def test_who_is_counted() -> None:
    """Competitors who have started and not ended are on the course; disqualified ones have not finished."""
    found = stand(
        at(
            (1, 0.0, "waiting", 90.0),
            (2, 10.0, "running", 90.0),
            (3, 0.0, "dns", 0.0),
            (4, 5.0, "dnf", 50.0),
            (5, 900.0, "dsq", 80.0),
            (6, 900.0, "finished", 85.0),
        ),
        SplitTimes(),
        None,
    )
    assert found.figures == Figures(on_course=1, finished=1, out=3, in_fences=0)


def test_verdict_changes_the_figures() -> None:
    """A verdict reduces the finishers by one, and changes nothing on the course."""
    splits = SplitTimes()
    splits.add(passings([(bib, "start", "Start", 1, 0.0, 0.0) for bib in (1, 2, 3)]))
    splits.add(passings([(bib, "finish", "Finish", 1, 900.0, 80.0 + bib) for bib in (1, 2)]))
    splits.add(passings([(1, "dsq", "DSQ", 1, 900.0, 150.0), (3, "dnf", "DNF", 1, 500.0, 160.0)]))
    now = at((1, 900.0, "dsq", 81.0), (2, 900.0, "finished", 82.0), (3, 500.0, "dnf", 160.0))
    found = stand(now, splits, 100.0)
    assert found.change == Figures(on_course=-1, finished=-1, out=2, in_fences=0)
    assert stand(now.take(now.status == "dsq"), splits, None).race_time == 150.0


def test_start_behind_others() -> None:
    """A last split is timed from the own start; the gap to the head is from the gun, as places are."""
    splits = SplitTimes()
    splits.add(passings([(1, "start", "Start", 1, 0.0, 0.0), (2, "start", "Start", 1, 0.0, 120.0)]))
    splits.add(passings([(1, "split", "1 km", 1, 1000.0, 300.0), (2, "split", "1 km", 1, 1000.0, 400.0)]))
    now = at((1, 1100.0, "running", 420.0), (2, 1000.0, "running", 420.0), (3, 0.0, "waiting", 420.0))
    found = stand(now, splits, None)
    assert found.starts.tolist() == [0.0, 120.0, 0.0]
    assert found.split_seconds[:2].tolist() == [300.0, 280.0]
    assert found.gaps[:2].tolist() == [0.0, 120.0]
    assert np.isnan(found.gaps[2])


def test_start_in_waves() -> None:
    """Each wave is timed from its own gun: places and gaps are those of the times since then."""
    splits = SplitTimes()
    splits.add(passings([(1, "start", "Start", 1, 0.0, 0.0), (2, "start", "Start", 1, 0.0, 63.0)]))
    splits.add(passings([(1, "split", "1 km", 1, 1000.0, 300.0), (2, "split", "1 km", 1, 1000.0, 340.0)]))
    splits.add(passings([(bib, "finish", "Finish", 1, 2000.0, 550.0 + 50 * bib) for bib in (1, 2)]))
    now = at((1, 2000.0, "finished", 600.0), (2, 2000.0, "finished", 650.0), (3, 1000.0, "running", 660.0))
    waves = {1: Competitor("A", "M", 1), 2: Competitor("B", "M", 2), 3: Competitor("C", "M", 3)}
    guns = standing.guns_of(race(wave_delay=60.0), waves, now.competitor)
    found = standing.stand(now, splits, guns, None)

    assert guns.tolist() == [0.0, 60.0, 120.0]
    assert now.competitor[found.ranking.order].tolist() == [2, 1, 3]
    assert found.ranking.place.tolist() == [1, 2, 3]
    assert found.gaps.tolist() == [10.0, 0.0, 540.0 - 280.0]
    assert found.starts.tolist() == [0.0, 63.0, 120.0]  # the start of bib 3 isn't known yet


def test_gap_to_the_head() -> None:
    """A gap is the time since the head of the race was at the competitor's position; finishers' is exact."""
    splits = SplitTimes()
    splits.add(passings([(1, "start", "Start", 1, 0.0, 0.0), (1, "split", "1 km", 1, 1000.0, 200.0)]))
    splits.add(passings([(1, "finish", "Finish", 1, 2000.0, 420.0)]))
    now = at((1, 2000.0, "finished", 420.0), (2, 1500.0, "running", 500.0), (3, 2000.0, "finished", 421.5))
    assert pytest.approx([0.0, 500.0 - 310.0, 1.5]) == stand(now, splits, None).gaps.tolist()


def test_gap_while_the_leader_runs() -> None:
    """Until the first finish, the leader's position is the end of the head's curve."""
    splits = SplitTimes()
    splits.add(passings([(1, "start", "Start", 1, 0.0, 0.0)]))
    now = at((1, 800.0, "running", 200.0), (2, 400.0, "running", 200.0), (3, 100.0, "dnf", 30.0))
    gaps = stand(now, splits, None).gaps.tolist()
    assert gaps[:2] == [0.0, 100.0]
    assert gaps[2] != gaps[2]  # NaN
