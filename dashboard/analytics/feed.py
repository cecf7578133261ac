"""The newest events as a table: what is unusual about one is marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from dashboard import formatting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pandas.io.formats.style import Styler

LATE: Final = "late"
MARKS: Final = {
    LATE: "background-color: rgb(213 94 0 / 28%)",
    "paused": "background-color: rgb(230 159 0 / 26%)",
    "finished": "background-color: rgb(0 158 115 / 24%)",
    "dnf": "background-color: rgb(128 128 128 / 28%)",
    "dsq": "background-color: rgb(128 128 128 / 28%)",
    "dns": "background-color: rgb(128 128 128 / 28%)",
}
"""How rows look, by the event's status, or because it came late. The word is in the table too."""


def table(events: pd.DataFrame, labels: Mapping[str, str], zone: str | None) -> pd.DataFrame:
    """The columns as they are shown, of events as `Activity.newest` has them, in their order."""
    emitted = events["emitted_at"].tolist()
    elapsed, distance = events["elapsed"].tolist(), events["distance"].tolist()
    late = events["late"].tolist()
    return pd.DataFrame(
        {
            "Sent": [f"{formatting.clock(ms, zone)}.{ms % 1000:03}" for ms in emitted],
            "Race": [labels.get(run, run) for run in events["run"].tolist()],
            "Bib": events["competitor"],
            "Status": events["status"],
            "Race time": [formatting.race_time(seconds) for seconds in elapsed],
            "Distance": [f"{formatting.kilometres(metres)} km" for metres in distance],
            "Pace": [formatting.pace(s, metres) for s, metres in zip(elapsed, distance, strict=True)],
            "Event time": [formatting.clock(ms, zone) for ms in events["timestamp"].tolist()],
            "Came": [LATE if is_late else "in time" for is_late in late],
        }
    )


def marked(shown: pd.DataFrame) -> Styler:
    """The table with its unusual rows marked."""
    return shown.style.apply(_mark, axis=1)


def _mark(row: pd.Series) -> list[str]:
    key = LATE if row["Came"] == LATE else str(row["Status"])
    return [MARKS.get(key, "")] * len(row)
