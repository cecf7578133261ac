"""Event-time windows: events of a race per second, ten seconds or minute of event time.

A window is open until the watermark passes its end. A late event is still counted in the window it belongs
to, and the window counts its late events. Duplicates count once.

Memory holds only the counts of the shown windows, regardless of the stream's length. Only windows that have
received events since the last query are queried again.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from dashboard.analytics.watermark import NOTHING_YET, with_late

AskPanes = Callable[[int, int, int], pd.DataFrame]

SIZES_S = (1, 10, 60)
SHOWN = 60
"""Number of windows shown per race, the newest."""


class Windows:
    """The newest windows of one race and one size.

    Args:
        size_s: seconds of event time.
        ask: queries panes: (event second since, until, minimum wall second of arrival).
    """

    def __init__(self, size_s: int, ask: AskPanes) -> None:
        self._size = size_s
        self._ask = ask
        self._kept: dict[int, tuple[int, int]] = {}

    def refresh(self, arrivals: pd.DataFrame, allowed_s: int, known_since: int) -> pd.DataFrame:
        """The windows now, oldest first: `start` (event second), `events`, `late`, `is_open`.

        Args:
            arrivals: the race's counted arrivals; at least one.
            allowed_s: the allowed lateness.
            known_since: the wall second from which all arrivals are known. Windows that may have earlier ones
                are left out.

        Raises what `ask` does.
        """
        found = self._by_window(arrivals, allowed_s)
        oldest = max(found["window"].max() - SHOWN, self._cut_off(arrivals, known_since))
        shown = found[found["window"] > oldest]
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

    def _by_window(self, arrivals: pd.DataFrame, allowed_s: int) -> pd.DataFrame:
        """Messages, late messages, and the wall second of the first, by window."""
        return (
            with_late(arrivals, allowed_s)
            .assign(window=arrivals["event_second"] // self._size)
            .groupby("window", sort=True, as_index=False)
            .agg(messages=("events", "sum"), late=("late", "sum"), first=("second", "min"))
        )

    def _cut_off(self, arrivals: pd.DataFrame, known_since: int) -> int:
        """The newest window that may have arrivals from before the known ones."""
        first = arrivals["second"].min()
        if first > known_since + self._size:
            return NOTHING_YET
        return int(arrivals.loc[arrivals["second"] == first, "event_second"].max()) // self._size

    def _count(self, shown: pd.DataFrame) -> dict[int, int]:
        """The events of each window; queries those with arrivals since the last query."""
        messages: dict[int, int] = dict(
            zip(shown["window"].tolist(), shown["messages"].tolist(), strict=True)
        )
        self._kept = {number: kept for number, kept in self._kept.items() if number in messages}
        changed = [n for n, count in messages.items() if n not in self._kept or self._kept[n][0] != count]
        if changed:
            # One query for the whole range between the first and the last of them.
            asked = shown[shown["window"].between(min(changed), max(changed))]
            since, until = min(changed) * self._size, (max(changed) + 1) * self._size
            panes = self._ask(since, until, int(asked["first"].min()))
            counts = panes.groupby(panes["event_second"] // self._size)["events"].sum()
            for number in asked["window"].tolist():
                self._kept[number] = (messages[number], int(counts.get(number, 0)))
        return {number: events for number, (_, events) in self._kept.items()}
