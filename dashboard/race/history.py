"""Snapshots of a race's past for the replay and for trails, cached for a while.

The snapshot at a tick consists of the positions emitted for that tick in race time, whenever they arrived and
whatever a tracker's own clock said. Finishers emit no more positions and keep their places. A competitor
whose position was lost by the tracker stays at the previous one.
"""

import math
import threading
from collections import OrderedDict
from dataclasses import replace

import numpy as np

from dashboard.race import leaderboard, payload
from dashboard.race.payload import Packed
from dashboard.race.snapshot import Snapshot
from dashboard.race.snapshots import Snapshots
from dashboard.race.standing import end_of, raw_time_at
from dashboard.store.protocol import OUT, Positions, Store
from stream.arrays import Floats

MAX_BYTES = 64 * 1024 * 1024
"""Maximum size of all cached payloads; the least recently requested is evicted."""

LOOK_BACK_TICKS = 30
"""How many seconds to look back for trackers that were silent at a tick; most gaps are short."""

LOOK_BACK_ROWS = 300_000
"""Maximum positions scanned for longer gaps, a third of a second's work: 300 ticks of 1,000 competitors."""

MAX_MOMENTS = 16
"""Moments kept to continue from: a replay requests one after the other."""

ENDED = ("finished", *OUT)

_Key = tuple[str, int, int, int]
"""A race's run id, start and seed, as another race may reuse its id; and a tick's race seconds."""


def ended_by(newest: Positions, verdicts: Floats, raw_time: int) -> Positions:
    """Competitors who had finished or stopped by a tick, as they were then.

    `verdicts` are the race seconds of disqualifications, in the order of `newest`: until then the competitor
    counts as a finisher.
    """
    pending = replace(newest, status=np.where(verdicts > raw_time, "finished", newest.status))
    return pending.take(np.isin(newest.status, ENDED) & (newest.elapsed <= raw_time))


def _has_all(some: Positions, required: Positions) -> bool:
    return bool(np.isin(required.competitor, some.competitor).all())


class History:
    """The past of the races in a store; thread-safe.

    Args:
        store: where races are read.
        snapshots: the races' current state.
    """

    def __init__(self, store: Store, snapshots: Snapshots) -> None:
        self._store = store
        self._snapshots = snapshots
        self._kept: OrderedDict[_Key, Packed] = OrderedDict()
        self._bytes = 0
        self._moments: OrderedDict[_Key, Positions] = OrderedDict()
        # One query at a time: a replay must not slow the store down for live viewers.
        self._asking = threading.Lock()

    def payload(self, run_id: str, time: float) -> Packed:
        """The race at the tick at or before `time` race seconds.

        Raises `UnknownRaceError`, and `StoreError` if the store cannot be read.
        """
        now = self._snapshots.get(run_id)
        end = end_of(now.race, now.standing)
        raw_time = raw_time_at(now.race, min(time, end))
        key = (run_id, now.race.start_time, now.race.seed, raw_time)
        with self._asking:
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return kept
            then = self._at(key, now)
            rows = np.searchsorted(now.positions.competitor, then.competitor)
            moments = now.standing.guns[rows], now.standing.starts[rows]
            ranking = leaderboard.rank(then, moments[0])
            if now.sample is not None:
                ranking = replace(ranking, place=np.full(len(then), leaderboard.NO_PLACE))
            status = now.race.status if raw_time >= end else "running"
            packed = payload.encode_moment(
                then,
                ranking,
                moments,
                time=raw_time,
                end=end,
                status=status,
                cut_offs=now.race.cut_offs,
            )
            if raw_time < end or now.is_final:
                self._keep(key, packed)  # the newest tick may not have reached the store yet
            return packed

    def _at(self, key: _Key, now: Snapshot) -> Positions:
        """All positions at a tick; if the race is shown by a sample, those of the sample."""
        run_id, *_, raw_time = key
        newest, some = now.sampled, now.sample
        ended = ended_by(newest, now.standing.verdicts[now.is_sampled], raw_time)
        then = self._store.positions_at(run_id, raw_time, some=some).with_others(ended)
        if not _has_all(then, newest):
            look_back = math.ceil(LOOK_BACK_TICKS * now.race.interval)
            earlier_ticks = self._store.positions_at(run_id, raw_time, min(raw_time, look_back), some)
            then = then.with_others(earlier_ticks)
            earlier = self._moment(key, look_back)
            if earlier is None and not _has_all(then, newest):
                look_back = round(LOOK_BACK_ROWS / len(newest) * now.race.interval)
                earlier = self._store.positions_at(run_id, raw_time, min(raw_time, look_back), some)
            then = then if earlier is None else then.with_others(earlier)
        then = then.take(np.isin(then.competitor, newest.competitor))
        self._moments[key] = then
        if len(self._moments) > MAX_MOMENTS:
            self._moments.popitem(last=False)
        return then

    def _moment(self, key: _Key, look_back: int) -> Positions | None:
        """The newest cached moment of a race before this one, unless it is too far back."""
        *race, raw_time = key
        found = [
            (time, moment)
            for (*other, time), moment in self._moments.items()
            if other == race and 0 < raw_time - time <= look_back
        ]
        return max(found, key=lambda one: one[0])[1] if found else None

    def _keep(self, key: _Key, packed: Packed) -> None:
        self._kept[key] = packed
        self._bytes += len(packed.body)
        while self._bytes > MAX_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest.body)
