"""Windows of event time: how many events a race told in each second, ten seconds or minute of its own time.

A window is open until the watermark has passed its end. Then it is closed, but not past mending: an event
that comes late is counted in the window that it belongs to, and the window says how many such came. An event
that comes twice counts once.

Only the counts of the windows that are shown are kept, however long the stream is; and only those windows are
asked for in which something has come since they were last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from dashboard.analytics.watermark import NOTHING_YET, is_late

if TYPE_CHECKING:
    from collections.abc import Callable

    AskPanes = Callable[[int, int, int], pd.DataFrame]

SIZES_S: Final = (1, 10, 60)
SHOWN: Final = 60
"""Windows of a race that are shown, the newest."""


class Windows:
    """The newest windows of one race and one size.

    Args:
        size_s: seconds of event time.
        ask: asks for panes: (event second since, until, wall second that they came at or after).
    """

    def __init__(self, size_s: int, ask: AskPanes) -> None:
        self._size = size_s
        self._ask = ask
        self._kept: dict[int, tuple[int, int]] = {}

    def refresh(self, arrivals: pd.DataFrame, allowed_s: int, known_since: int) -> pd.DataFrame:
        """The windows now, oldest first: `start` (event second), `events`, `late`, `is_open`.

        Args:
            arrivals: the race's, counted as they came; at least one.
            allowed_s: the lateness that is allowed.
            known_since: the wall second from which on all arrivals are there. Windows of which some may have
                come before are left out.

        Raises what `ask` does.
        """
        came = self._came(arrivals, allowed_s)
        shown = came[came["window"] > max(came["window"].max() - SHOWN, self._cut_off(arrivals, known_since))]
        counts = self._count(shown)
        starts = shown["window"].to_numpy() * self._size
        watermark = int(arrivals["event_second"].max()) - allowed_s
        return pd.DataFrame(
            {
                "start": starts,
                "events": np.array([counts[number] for number in shown["window"].tolist()], np.int64),
                "late": shown["late"].to_numpy(),
                "is_open": starts + self._size > watermark,
            }
        )

    def _came(self, arrivals: pd.DataFrame, allowed_s: int) -> pd.DataFrame:
        """Of each window: messages, late ones, and the wall second of the first."""
        late = arrivals["events"].where(is_late(arrivals, allowed_s), 0)
        return (
            arrivals.assign(late=late, window=arrivals["event_second"] // self._size)
            .groupby("window", sort=True, as_index=False)
            .agg(messages=("events", "sum"), late=("late", "sum"), first=("second", "min"))
        )

    def _cut_off(self, arrivals: pd.DataFrame, known_since: int) -> int:
        """The newest window of which some may have come before all arrivals are known."""
        first = arrivals["second"].min()
        if first > known_since + self._size:
            return NOTHING_YET
        return int(arrivals.loc[arrivals["second"] == first, "event_second"].max()) // self._size

    def _count(self, shown: pd.DataFrame) -> dict[int, int]:
        """The events of each window; asks for those in which something has come since."""
        messages: dict[int, int] = dict(
            zip(shown["window"].tolist(), shown["messages"].tolist(), strict=True)
        )
        self._kept = {number: kept for number, kept in self._kept.items() if number in messages}
        changed = [n for n, count in messages.items() if n not in self._kept or self._kept[n][0] != count]
        if changed:
            # Those between the first and the last with them: one question instead of many.
            asked = shown[shown["window"].between(min(changed), max(changed))]
            since, until = min(changed) * self._size, (max(changed) + 1) * self._size
            panes = self._ask(since, until, int(asked["first"].min()))
            counts = panes.groupby(panes["event_second"] // self._size)["events"].sum()
            for number in asked["window"].tolist():
                self._kept[number] = (messages[number], int(counts.get(number, 0)))
        return {number: events for number, (_, events) in self._kept.items()}
