"""Pictures out of a race's past, for the replay and for trails: each is asked for once and then kept a while.

What a race was like at a tick is what everybody told at that tick. Who had finished by then tells nothing any
more: their places are those they have kept since.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np

from dashboard import leaderboard, picture
from dashboard.store import Positions

if TYPE_CHECKING:
    from dashboard.picture import Packed
    from dashboard.snapshots import Snapshots
    from dashboard.standing import Standing
    from dashboard.store import Race, Store

MAX_BYTES = 64 * 1024 * 1024
"""Of packed pictures that are kept; those that were asked for longest ago go first."""

ENDED = ("finished", "dnf")

ROUNDING = 1e-5
"""Of a tick: times come from browsers with six decimals."""

_Key = tuple[str, int, int, int]
"""A race's run id, start and seed, for another race may get its id; and a tick's race seconds."""


def raw_time_at(race: Race, time: float) -> int:
    """The whole race seconds that the events of the tick at or before `time` (race seconds) tell."""
    tick = math.floor(max(0.0, time) / race.interval + ROUNDING)
    # 100 ticks of 1.15 s are 114.99999999999999 s.
    return int(round(tick * race.interval, 6))


def end_of(race: Race, standing: Standing) -> float:
    """Race seconds of the newest tick: the one that shows the newest position or the last finish."""
    return math.ceil(standing.race_time / race.interval - ROUNDING) * race.interval


def at_tick(told: Positions, newest: Positions, raw_time: int) -> Positions:
    """Everybody at a tick: those who told a position then, and those who had finished or stopped by then."""
    ended = np.isin(newest.status, ENDED) & (newest.elapsed <= raw_time)
    rest = ended & ~np.isin(newest.competitor, told.competitor)
    bibs = np.concatenate([told.competitor, newest.competitor[rest]])
    order = np.argsort(bibs, kind="stable")

    def both(name: str) -> np.ndarray:
        return np.concatenate([getattr(told, name), getattr(newest, name)[rest]])[order]

    return Positions(
        competitor=bibs[order],
        lon=both("lon"),
        lat=both("lat"),
        distance=both("distance"),
        status=both("status"),
        elapsed=both("elapsed"),
        newest_emitted=told.newest_emitted,
    )


class History:
    """The past of the races in a store; any thread may ask.

    Args:
        store: where races are read.
        snapshots: how they stand now.
    """

    def __init__(self, store: Store, snapshots: Snapshots) -> None:
        self._store = store
        self._snapshots = snapshots
        self._kept: OrderedDict[_Key, Packed] = OrderedDict()
        self._bytes = 0
        # One question at a time: a replay must not keep the store from those who watch live.
        self._asking = threading.Lock()

    def picture(self, run_id: str, time: float) -> Packed:
        """The race at the tick at or before `time` race seconds.

        Raises `UnknownRaceError`, and `StoreError` if the store can't be read.
        """
        now = self._snapshots.get(run_id)
        end = end_of(now.race, now.standing)
        raw_time = raw_time_at(now.race, min(time, end))
        key = (run_id, now.race.start_time, now.race.seed, raw_time)
        with self._asking:
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return kept
            then = at_tick(self._store.positions_at(run_id, raw_time), now.positions, raw_time)
            packed = picture.encode_moment(then, leaderboard.rank(then), time=raw_time, end=end)
            if raw_time < end or now.is_final:
                self._keep(key, packed)  # a newest tick may still be on its way into the store
            return packed

    def _keep(self, key: _Key, packed: Packed) -> None:
        self._kept[key] = packed
        self._bytes += len(packed.body)
        while self._bytes > MAX_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest.body)
