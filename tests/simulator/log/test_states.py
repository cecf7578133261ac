"""What makes the state of a race of the records in a log, in any order and from any writers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.log.states import changed, clock_of, counts, resumed
from simulator.race.events import RaceRecord
from stream.race_states import ENDED, TRANSITIONS, RaceState, Step

GUN_MS = 1_767_258_000_000
CREATED = RaceRecord(
    "race-1", "Race", "straight", GUN_MS, "scheduled", 3, 2.0, 7, GUN_MS - 60_000, '{"seed":7}', GUN_MS, -1.0
)
STEPS: tuple[Step, ...] = ("start", "pause", "resume", "reschedule", "cancel", "finish")


def fold(records: list[RaceRecord]) -> RaceRecord | None:
    """The state that a reader of these records ends with."""
    state: RaceRecord | None = None
    for record in records:
        if counts(state, record):
            state = record
    return state


@st.composite
def logs(draw: st.DrawFn) -> list[RaceRecord]:
    """Records of writers who know the newest state, or an older one."""
    records = [CREATED]
    now = CREATED.updated_at
    for _ in range(draw(st.integers(0, 12))):
        now += draw(st.integers(0, 30_000))
        known = draw(st.sampled_from(records))
        steps = list(TRANSITIONS[known.status])
        if steps:
            records.append(changed(known, draw(st.sampled_from(steps)), now))
    return records


@given(logs())
def test_an_ended_race_stays_ended(records: list[RaceRecord]) -> None:
    """After a final state no record changes the state, however new it is."""
    state: RaceRecord | None = None
    for record in records:
        before, state = state, record if counts(state, record) else state
        if before is not None and before.status in ENDED:
            assert state is not None
            assert state.status == before.status


@given(logs())
def test_a_state_never_gets_older(records: list[RaceRecord]) -> None:
    """`updatedAt` rises with each record that counts: the store, which goes by it, has the same state."""
    state: RaceRecord | None = None
    for record in records:
        if counts(state, record):
            assert state is None or record.updated_at > state.updated_at
            state = record


@given(logs(), st.integers(0, 12))
def test_a_log_that_is_read_again_from_a_state_gives_the_same(records: list[RaceRecord], kept: int) -> None:
    """Repeated records change nothing: a simulator may read some of them twice."""
    assert fold([*records, *records[:kept]]) == fold(records)


def test_the_first_request_with_a_run_id_wins() -> None:
    """A later record of another request changes nothing, even if it is newer."""
    other = replace(CREATED, request='{"seed":8}', seed=8, updated_at=CREATED.updated_at + 1)
    assert fold([CREATED, other]) == CREATED
    assert fold([CREATED, other, changed(other, "cancel", other.updated_at + 1)]) == CREATED


@given(st.integers(-60_000, 600_000), st.integers(0, 600_000))
def test_race_time_stands_while_a_race_is_paused(paused_after: int, paused_for: int) -> None:
    """Race time goes on where it stood; a pause before the gun doesn't move the gun."""
    before = replace(CREATED, status="running")
    paused = changed(before, "pause", GUN_MS + paused_after)
    now_ms = paused.updated_at + paused_for
    again = changed(paused, resumed(paused, now_ms), now_ms)
    stood = clock_of(before).race_time(paused.updated_at / 1000)
    then = clock_of(again).race_time(again.updated_at / 1000)

    assert clock_of(paused).race_time(again.updated_at / 1000) == pytest.approx(stood, abs=0.01)
    if stood >= 0:
        assert then == pytest.approx(stood, abs=0.01)
    elif then < 0:
        assert again.clock_start == GUN_MS
        assert again.status == "scheduled"


@pytest.mark.parametrize("status", [state for state in TRANSITIONS if state not in ENDED])
def test_a_state_can_be_written_again(status: RaceState) -> None:
    """The same state with a newer time counts, and its clock goes on as before."""
    state = replace(CREATED, status=status)
    again = changed(state, None, state.updated_at + 5000)

    assert counts(state, again)
    assert again.status == status
    for seconds in (0.0, 90.0):
        now = GUN_MS / 1000 + seconds
        before, after = clock_of(state).race_time(now), clock_of(again).race_time(now)
        assert max(0.0, after) == pytest.approx(max(0.0, before), abs=0.01)


@pytest.mark.parametrize("step", STEPS)
def test_only_possible_steps_count(step: Step) -> None:
    """A step counts in the states of the table, and in no others."""
    for status, steps in TRANSITIONS.items():
        state = replace(CREATED, status=status)
        target = next((to for known in TRANSITIONS.values() for name, to in known.items() if name == step))
        record = replace(state, status=target, updated_at=state.updated_at + 1)
        assert counts(state, record) == (target in steps.values() or target == status)
