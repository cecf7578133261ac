"""The entrants of some races and their results, for the bars of the analytics page. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard.analytics.stream import table
from dashboard.race import finish_list
from dashboard.race.finish_list import Results
from dashboard.race.snapshot import Outcome, Snapshot
from dashboard.store.protocol import Competitor
from dashboard.ui.viewer import Unit

PACE_BAND_S = 30
"""Width of a pace band in seconds per kilometre or mile."""

UNKNOWN = "not known"
NO_CLUB = "no club"


PEOPLE = {"course": "str", "category": "str", "club": "str", "finished": "bool", "pace": "float64"}
STAYS = {"course": "str", "category": "str", "fence": "str", "seconds": "float64"}


@dataclass(frozen=True, eq=False)
class Entrants:
    """The competitors of some races.

    Attributes:
        people: one row each: `course` (its short name), `category`, `club`, `finished`, `pace` (chip
            time over the course, seconds per kilometre; NaN unless finished).
        stays: one row per completed geofence visit: `course`, `category`, `fence`, `seconds`.
        sampled: courses (short names) of races that are too large: of these, they have a sample.
    """

    people: pd.DataFrame
    stays: pd.DataFrame
    sampled: frozenset[str] = frozenset()

    @classmethod
    def of(cls, races: Iterable[Outcome]) -> "Entrants":
        """The entrants of these races."""
        known = list(races)
        parts = [(_people(one.snapshot, one.field), _stays(one.snapshot, one.field)) for one in known]
        sampled = frozenset(one.snapshot.race.course for one in known if one.snapshot.sample is not None)
        if not parts:
            return cls(table([], PEOPLE), table([], STAYS))
        people, stays = (pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True))
        return cls(people, stays, sampled)

    def only(self, course: str | None, category: str | None) -> "Entrants":
        """The entrants on one course, of one category."""
        tables = []
        for rows in (self.people, self.stays):
            here = rows if course is None else rows[rows["course"] == course]
            tables.append(here if category is None else here[here["category"] == category])
        people, stays = tables
        return Entrants(people, stays, self.sampled if course is None else self.sampled & {course})

    @property
    def categories(self) -> list[str]:
        """The categories, by name."""
        return sorted(self.people["category"].unique())


def _people(snapshot: Snapshot, found: Results) -> pd.DataFrame:
    bibs = found.bib.tolist()
    known = snapshot.competitors
    length = snapshot.course.distance if snapshot.course else np.nan
    return pd.DataFrame(
        {
            "course": snapshot.race.course,
            "category": [_category(known, bib) for bib in bibs],
            "club": [who.club if (who := known.get(bib)) and who.club else NO_CLUB for bib in bibs],
            "finished": found.finished,
            "pace": found.chip / length * 1000,
        }
    ).astype(PEOPLE)


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
    ).astype(STAYS)


def _category(known: Mapping[int, Competitor], bib: int) -> str:
    who = known.get(bib)
    return who.category if who and who.category else UNKNOWN


def count_by(people: pd.DataFrame, what: str) -> pd.DataFrame:
    """Frequencies: columns `what` and `count`, the most frequent first, then by name."""
    found = people.groupby(what, sort=True).size().sort_values(ascending=False, kind="stable")
    return found.rename("count").reset_index()


def pace_bands(people: pd.DataFrame, unit: Unit) -> pd.DataFrame:
    """Finishers per pace band: `band` (its start in seconds per `unit`), `count`, the fastest first.

    Empty bands between the first and the last have 0.
    """
    counts, starts = finish_list.histogram(unit.pace(people["pace"].dropna().to_numpy()), PACE_BAND_S)
    return pd.DataFrame({"band": starts, "count": counts})


def fence_times(stays: pd.DataFrame) -> pd.DataFrame:
    """Time in each geofence, of all competitors, the longest first: `fence`, `seconds`."""
    found = stays.groupby("fence", sort=True)["seconds"].sum()
    return found.sort_values(ascending=False, kind="stable").reset_index()
