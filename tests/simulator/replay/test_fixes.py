import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.replay.fixes import MAX_JUMPS, MIN_SHIFTED, Recorded, longest_rise, usable
from simulator.replay.readers import Fix, Written
from simulator.replay.recording import RecordingError
from stream.arrays import Floats

BEGIN = 1_746_349_200.0
"""2025-05-04 09:00:00."""
COUNT = 200


def run() -> Floats:
    """Return a run of 200 fixes, one a second: time, longitude and latitude, shape (200, 3)."""
    nth = np.arange(COUNT)
    return np.column_stack([BEGIN + nth, np.full(COUNT, -3.2), 50.1 + nth * 3e-5])


def sieved(rows: Floats) -> tuple[Recorded, list[str]]:
    """Return what is left of rows, which begin on line 10, and the warnings."""
    fixes = [
        Fix(10 + nth, when, lon, lat, "", has_zone=True) for nth, (when, lon, lat) in enumerate(rows.tolist())
    ]
    warnings: list[str] = []
    return usable(Written("Ann", "a.gpx", 9, fixes), warnings), warnings


@pytest.mark.parametrize(
    "moment",
    [0.0, 2.0**31 - 1, -62_135_596_800.0, BEGIN - 7168 * 86_400, BEGIN - 86_400, BEGIN - 7200, BEGIN + 3600],
)
@pytest.mark.parametrize("which", [slice(0, 1), slice(0, 5), slice(90, 91), slice(90, 95), slice(-1, None)])
def test_a_wrong_time_costs_that_fix_only(moment: float, which: slice) -> None:
    """Whatever the time and wherever the fixes are, all others remain, and one warning names the lines."""
    rows = run()
    rows[which, 0] = moment + np.arange(COUNT)[which]
    track, warnings = sieved(rows)
    others = np.delete(run(), np.arange(COUNT)[which], axis=0)

    assert track.time.tolist() == others[:, 0].tolist()
    first, *_, last = [10 + nth for nth in range(COUNT)[which]] * 2
    lines = f"line {first}" if first == last else f"5 fixes from line {first} to {last}"
    assert len(warnings) == 1
    assert warnings[0].startswith(f"a.gpx, {lines} (Ann): left out: ")


@pytest.mark.parametrize("seconds", [12.0, 37.0, 3600.0, 86_400.0, BEGIN])
@pytest.mark.parametrize("at", [MIN_SHIFTED, 60, 150, COUNT - MIN_SHIFTED])
def test_a_clock_that_is_set_back_is_corrected(seconds: float, at: int) -> None:
    """The fixes on the shorter side are shifted, none is lost, and the warning names the line."""
    rows = run()
    rows[at:, 0] -= seconds
    track, warnings = sieved(rows)

    assert np.diff(track.time).tolist() == [1.0] * (COUNT - 1)
    assert track.time[0] == (BEGIN if at > COUNT / 2 else BEGIN - seconds)
    side = "from there on" if at > COUNT / 2 else "before"
    assert len(warnings) == 1
    assert warnings[0].startswith(f"a.gpx, line {10 + at} (Ann): the clock was set back by ")
    assert warnings[0].endswith(f": times {side} corrected")


@pytest.mark.parametrize("at", [MIN_SHIFTED - 1, COUNT - MIN_SHIFTED + 1])
def test_a_few_fixes_of_another_clock_are_left_out(at: int) -> None:
    """Nothing else says when they were."""
    rows = run()
    rows[at:, 0] -= 3600
    track, warnings = sieved(rows)

    assert len(track.time) == COUNT - MIN_SHIFTED + 1
    assert "left out" in warnings[0]


@pytest.mark.parametrize(("east", "north"), [(0.01, 0.0), (3.2, -50.0), (180.0, 0.0)])
@pytest.mark.parametrize("which", [slice(0, 1), slice(0, 5), slice(90, 91), slice(90, 95), slice(-1, None)])
def test_a_jump_costs_that_fix_only(east: float, north: float, which: slice) -> None:
    """Places that can't be reached in time are left out, with a warning that names one."""
    rows = run()
    rows[which, 1:] += east, north
    track, warnings = sieved(rows)

    assert track.time.tolist() == np.delete(run(), np.arange(COUNT)[which], axis=0)[:, 0].tolist()
    assert len(warnings) == 1
    assert "that can't be reached in time" in warnings[0]


def test_a_receiver_that_catches_up_loses_a_few_fixes() -> None:
    """After a jump of 300 m that lasts, the fixes count from when they can be reached."""
    rows = run()
    rows[100:, 2] += 300 / 111_195
    track, _ = sieved(rows)

    assert 180 < len(track.time) < COUNT
    assert track.time[-1] == BEGIN + COUNT - 1


@pytest.mark.parametrize("order", ["shuffled", "reversed", "halves"])
def test_an_order_other_than_that_of_the_times_is_corrected(order: str) -> None:
    """Nothing is lost if the way in the order of the times is no longer."""
    orders = {
        "shuffled": np.random.default_rng(1).permutation(COUNT),
        "reversed": np.arange(COUNT)[::-1],
        "halves": np.roll(np.arange(COUNT), COUNT // 2),
    }
    track, warnings = sieved(run()[orders[order]])

    assert track.time.tolist() == run()[:, 0].tolist()
    assert warnings == ["a.gpx, line 9 (Ann): its fixes aren't in the order of their times: sorted"]


def test_repeated_fixes_are_left_out() -> None:
    """A receiver that starts again and writes old places again costs nothing."""
    track, warnings = sieved(np.concatenate([run()[:100], run()[50:]]))

    assert track.time.tolist() == run()[:, 0].tolist()
    assert "50 fixes from line 110 to 159 (Ann): left out: the time of the fix before" in warnings[1]


def test_of_two_runs_in_one_track_the_longer_counts() -> None:
    """Runs of different days are separated by 12 hours without a fix."""
    rows = np.concatenate([run()[:50] - [7 * 86_400, 0, 0], run()])
    track, warnings = sieved(rows)

    assert len(track.time) == COUNT
    when = "they are from 2025-04-27 09:00:00 on, the rest from 2025-05-04 09:00:00"
    where = "a.gpx, 50 fixes from line 10 to 59 (Ann)"
    assert warnings == [f"{where}: left out: {when}: a wrong clock, or another run"]


def test_pauses_and_slow_steps_within_a_track_remain() -> None:
    """An hour's pause in the middle costs nothing; nor do 11 hours."""
    for pause in (3600.0, 11 * 3600.0):
        rows = run()
        rows[100:, 0] += pause
        track, warnings = sieved(rows)
        assert (len(track.time), warnings) == (COUNT, [])


def test_a_track_that_jumps_all_the_time_is_refused() -> None:
    """Up to the limit of jumps one of two places is chosen; beyond it the track is useless."""
    for jumps, is_valid in ((MAX_JUMPS, True), (MAX_JUMPS + 2, False)):
        count = jumps + 1
        rows = np.column_stack([np.arange(count) + BEGIN, np.zeros(count), 50.0 + np.arange(count) % 2])
        if is_valid:
            assert len(sieved(rows)[0].time) == count // 2 + 1
        else:
            with pytest.raises(
                RecordingError, match=f"a.gpx, line 9 .Ann.: .* more than {MAX_JUMPS:,} times"
            ):
                sieved(rows)


def test_a_track_needs_two_usable_fixes() -> None:
    """One is not enough, nor are two at the same time."""
    with pytest.raises(RecordingError, match="fewer than two of its 2 fixes can be used"):
        sieved(run()[[0, 0]])


@given(st.lists(st.integers(0, 50), max_size=40))
def test_the_longest_rise_is_the_longest(values: list[int]) -> None:
    """It rises strictly, in the order of the list, and none is longer."""
    found = longest_rise(np.array(values, float))
    lengths: list[int] = []
    for nth, value in enumerate(values):
        before = [lengths[at] for at in range(nth) if values[at] < value]
        lengths.append(1 + max(before, default=0))

    assert len(found) == max(lengths, default=0)
    assert (np.diff(found) > 0).all()
    assert (np.diff(np.array(values)[found]) > 0).all()


@given(
    st.lists(
        st.tuples(st.floats(-7e10, 3e11), st.floats(-180, 180), st.floats(-90, 90)), min_size=1, max_size=40
    )
)
def test_whatever_comes_the_rest_is_consistent(rows: list[tuple[float, float, float]]) -> None:
    """Times rise, and are less than half a day apart; or the track is refused."""
    try:
        track, _ = sieved(np.array(rows))
    except RecordingError:
        return
    assert (np.diff(track.time) > 0).all()
    assert (np.diff(track.time) <= 12 * 3600).all()
