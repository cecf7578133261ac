"""What the analytics page asks of the events themselves, over all races.

`Stream` is the contract; `pinot_stream` and `sqlite_stream` keep it, and both are held to the same tests.
Wall time is when an event left the simulator (`emittedAt`), event time is what the tracker's clock said
(`timestamp`); both are counted here in whole seconds of the epoch. What came twice is counted twice, as far
as the store keeps it (SQLite doesn't), except in `panes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PACE_STEP_S: Final = 10
"""Paces are counted in steps of so many seconds of wall time."""

PACE_FROM_M: Final = 100
"""Metres below which nobody has a pace yet: the way to the line would count more than the run."""

FAR_S: Final = 10**12
"""Epoch seconds that nothing comes after."""

MAX_ROWS: Final = 1_000_000
"""Of one answer: Pinot wants a number."""

ARRIVALS: Final = {
    "run": "str",
    "course": "str",
    "second": "int64",
    "event_second": "int64",
    "events": "int64",
}
PACES: Final = {
    "run": "str",
    "course": "str",
    "second": "int64",
    "pace": "int64",
    "events": "int64",
    "seconds": "float64",
}
SEEN: Final = {
    "run": "str",
    "course": "str",
    "competitor": "int64",
    "events": "int64",
    "first": "float64",
    "last": "float64",
    "finished": "bool",
}
PANES: Final = {"event_second": "int64", "events": "int64"}
NEWEST: Final = {
    "run": "str",
    "competitor": "int64",
    "course": "str",
    "status": "str",
    "elapsed": "float64",
    "distance": "float64",
    "timestamp": "int64",
    "emitted_at": "int64",
}


class Stream(Protocol):
    """Asks for events; every method raises `StoreError` if the store can't be read."""

    def arrivals(self, since: int, until: int | None) -> pd.DataFrame:
        """Count what came in the wall seconds from `since` until before `until`, or until now.

        The columns are those of `ARRIVALS`: one row for each race, `second` of wall time and `event_second`.
        """
        ...

    def paces(self, since: int, until: int | None) -> pd.DataFrame:
        """The paces so far of who was running in these wall seconds, counted; the columns are `PACES`.

        One row for each race, step of `PACE_STEP_S` (`second` is its first) and `pace` in whole seconds per
        kilometre; `seconds` is the sum of the paces as they were.
        """
        ...

    def seen(self, since: int, until: int) -> pd.DataFrame:
        """Who told something in these wall seconds; the columns are `SEEN`.

        One row for each competitor of each race: events, the least and the most metres told, and whether the
        finish was among them.
        """
        ...

    def panes(self, run_id: str, since: int, until: int, emitted_since: int) -> pd.DataFrame:
        """The events of one race in the event seconds from `since` until before `until`, each counted once.

        Only what came at `emitted_since` (wall seconds) or later is looked at. The columns are `PANES`.
        """
        ...

    def newest(
        self, count: int, since: int, *, run_id: str | None, bib: int | None, course: str | None
    ) -> pd.DataFrame:
        """The newest `count` events since a wall second, newest first; of one race, bib or course if given.

        The columns are `NEWEST`: distance in metres, elapsed in seconds, times in epoch milliseconds.
        """
        ...


def table(rows: Sequence[Sequence[Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Rows of a database's answer as columns of the types that the contract names."""
    # Numbers that Pinot computes with are doubles, which hold seconds and milliseconds exactly.
    return pd.DataFrame(list(rows), columns=list(columns)).astype(dict(columns))
