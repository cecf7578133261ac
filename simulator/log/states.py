"""How the records of a race make its state: pure functions, the same for each store.

All simulators read the records in one order. A record counts if it continues the one before; all others
are ignored, whichever simulator wrote them. So all simulators agree, and a suspended one that resumes does no
harm.
"""

from dataclasses import replace
from math import floor

from simulator.log.schedule import Schedule
from simulator.race.events import RaceRecord
from stream.race_states import TRANSITIONS, Step


def counts(known: RaceRecord | None, record: RaceRecord) -> bool:
    """Return whether a record changes the state of its race, which is `known`; None if it has none yet.

    The first record creates a race. A later one is newer, is of the same request, and takes one step at most.
    """
    if known is None:
        return True
    is_possible = record.status == known.status or record.status in TRANSITIONS[known.status].values()
    return is_possible and record.updated_at > known.updated_at and record.request == known.request


def changed(record: RaceRecord, step: Step | None, now_ms: int) -> RaceRecord:
    """Return the record of a race after a step; without one, a newer record of the same state.

    The time of a pause is added to `clock_start`, that of a current one up to `updated_at`: so the two say
    all about the race's clock.
    """
    updated_at = _after(record, now_ms)
    start = clock_of(record).resume(updated_at / 1000).start
    status = TRANSITIONS[record.status][step] if step else record.status
    return replace(record, status=status, updated_at=updated_at, clock_start=round(start * 1000))


def resumed(record: RaceRecord, now_ms: int) -> Step:
    """Return the step that resumes a paused race: its gun may not have been yet."""
    running = changed(record, "resume", now_ms)
    return "reschedule" if running.clock_start > running.updated_at else "resume"


def moved_on(record: RaceRecord, race_time: float, now_ms: int) -> RaceRecord:
    """Return the newer record of a race that stands, with its clock at `race_time` (race seconds)."""
    updated_at = _after(record, now_ms)
    clock_start = floor(updated_at - 1000 * race_time / record.speed)
    return replace(record, updated_at=updated_at, clock_start=clock_start)


def _after(record: RaceRecord, now_ms: int) -> int:
    """Return the time of a newer record: stores go by it, even within one millisecond."""
    return max(now_ms, record.updated_at + 1)


def clock_of(record: RaceRecord, interval: float = 1.0) -> Schedule:
    """Return when the ticks of a race are due, `interval` race seconds each."""
    paused_at = record.updated_at / 1000 if record.status == "paused" else None
    return Schedule(record.clock_start / 1000, record.speed, interval, paused_at)
