"""The entrants of some races and their results, for the bars of the analytics page. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dashboard.race.finish_list import Results
    from dashboard.race.snapshots import Snapshot
    from dashboard.store.protocol import Competitor

PACE_BAND_S: Final = 30
"""Width of a pace band in seconds per kilometre."""

UNKNOWN: Final = "not known"
NO_CLUB: Final = "no club"


@dataclass(frozen=True, eq=False)
class Entrants:
    """The competitors of some races.

    Attributes:
        people: one row each: `run`, `course` (its short name), `category`, `club`, `finished`, `pace` (chip
            time over the course, seconds per kilometre; NaN unless finished).
        stays: one row per completed geofence visit: `course`, `category`, `fence`, `seconds`.
    """

    people: pd.DataFrame
    stays: pd.DataFrame

    @classmethod
    def of(cls, races: Iterable[tuple[Snapshot, Results]]) -> Entrants:
        """The entrants of these races."""
        parts = [(_people(snapshot, found), _stays(snapshot, found)) for snapshot, found in races]
        if not parts:
            return cls(_NOBODY, _NO_STAYS)
        people, stays = (pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True))
        return cls(people, stays)

    def only(self, course: str | None, category: str | None) -> Entrants:
        """The entrants on one course, of one category."""
        tables = []
        for rows in (self.people, self.stays):
            here = rows if course is None else rows[rows["course"] == course]
            tables.append(here if category is None else here[here["category"] == category])
        return Entrants(*tables)

    @property
    def courses(self) -> list[str]:
        """The courses, by name."""
        return sorted(self.people["course"].unique())

    @property
    def categories(self) -> list[str]:
        """The categories, by name."""
        return sorted(self.people["category"].unique())


_NOBODY: Final = pd.DataFrame(
    {
        "run": pd.Series(dtype="str"),
        "course": pd.Series(dtype="str"),
        "category": pd.Series(dtype="str"),
        "club": pd.Series(dtype="str"),
        "finished": pd.Series(dtype="bool"),
        "pace": pd.Series(dtype="float64"),
    }
)
_NO_STAYS: Final = pd.DataFrame(
    {
        "course": pd.Series(dtype="str"),
        "category": pd.Series(dtype="str"),
        "fence": pd.Series(dtype="str"),
        "seconds": pd.Series(dtype="float64"),
    }
)


def _people(snapshot: Snapshot, found: Results) -> pd.DataFrame:
    bibs = found.bib.tolist()
    known = snapshot.competitors
    length = snapshot.course.distance if snapshot.course else np.nan
    return pd.DataFrame(
        {
            "run": snapshot.race.run_id,
            "course": snapshot.race.course,
            "category": [_category(known, bib) for bib in bibs],
            "club": [who.club if (who := known.get(bib)) and who.club else NO_CLUB for bib in bibs],
            "finished": found.finished,
            "pace": found.chip / length * 1000,
        }
    ).astype(_NOBODY.dtypes.to_dict())


def _stays(snapshot: Snapshot, found: Results) -> pd.DataFrame:
    visits = found.visits
    ended = ~np.isnan(visits.left)
    return pd.DataFrame(
        {
            "course": snapshot.race.course,
            "category": [_category(snapshot.competitors, bib) for bib in visits.bib[ended].tolist()],
            "fence": visits.fence[ended],
            "seconds": (visits.left - visits.entered)[ended],
        }
    ).astype(_NO_STAYS.dtypes.to_dict())


def _category(known: Mapping[int, Competitor], bib: int) -> str:
    who = known.get(bib)
    return who.category if who and who.category else UNKNOWN


def count_by(people: pd.DataFrame, what: str) -> pd.DataFrame:
    """Frequencies: columns `what` and `count`, the most frequent first, then by name."""
    found = people.groupby(what, sort=True).size().sort_values(ascending=False, kind="stable")
    return found.rename("count").reset_index()


def pace_bands(people: pd.DataFrame) -> pd.DataFrame:
    """Finishers per pace band: `band` (its start in seconds per kilometre), `count`, the fastest first.

    Empty bands between the first and the last have 0.
    """
    paces = people["pace"].to_numpy()
    number = np.floor(paces[~np.isnan(paces)] / PACE_BAND_S).astype(np.int64)
    if not len(number):
        return pd.DataFrame({"band": np.empty(0, np.int64), "count": np.empty(0, np.int64)})
    counts = np.bincount(number - number.min())
    return pd.DataFrame({"band": (number.min() + np.arange(len(counts))) * PACE_BAND_S, "count": counts})


def fence_times(stays: pd.DataFrame) -> pd.DataFrame:
    """Time in each geofence, the longest first: `fence`, `seconds` (total), `visits`, `median`."""
    found = stays.groupby("fence", as_index=False, sort=True).agg(
        seconds=("seconds", "sum"), visits=("seconds", "size"), median=("seconds", "median")
    )
    return found.sort_values("seconds", ascending=False, kind="stable", ignore_index=True)
