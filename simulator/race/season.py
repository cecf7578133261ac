"""A season: races on one course, at regular dates, with athletes who come back.

A pool of athletes is drawn once. Each has a bib, name, category, club and ability for the whole season, and a
share of the races in which to take part. So consumers see the same athletes again, in other forms. A pure
function of the seed.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from simulator.course.course import Course
from simulator.race import chance
from simulator.race.chance import Stream
from simulator.race.race import Race
from simulator.race.request import MAX_SEED, RaceRequest
from simulator.race.start_list import FASTEST, MAX_ROWS, SLOWEST
from stream.arrays import Floats, Ints

FORM = 0.03
"""Half of the range of an athlete's pace from race to race, as a share."""
COLUMNS = ("bib", "name", "gender", "category", "club", "pace")
MAX_RACES = 520
"""Maximum number of races of a season: ten years of Saturdays."""
MAX_ATHLETES = MAX_ROWS


@dataclass(frozen=True)
class Season:
    """A season.

    Attributes:
        request: the races' course, options and number of competitors, with the season's seed.
        athletes: the number in the pool, at least that of the competitors.
        races: the number of races.
        first: gun time of the first one.
        every: time between two.
    """

    request: RaceRequest
    athletes: int
    races: int
    first: datetime
    every: timedelta

    def requests(self, course: Course) -> Iterator[RaceRequest]:
        """Yield the races, each with its start list; the run id is the course's short name and the date."""
        rows, pace = self._pool(course)
        for nth in range(self.races):
            start = self.first + nth * self.every
            who = self._takes_part(nth)
            changed = {
                "run_id": f"{course.short_name[:48]}-{start:%Y%m%d-%H%M}",
                "name": f"{self.request.name or course.long_name}, {start:%Y-%m-%d}",
                "seed": (self._seed + nth) % MAX_SEED,
                "start_at": start,
                "start_list": _as_csv(rows, who, pace[who] * self._form(nth)[who]),
                "competitors": len(who),
                "interval": self.request.tick,
            }
            yield self.request.model_copy(update=changed)

    @property
    def _seed(self) -> int:
        return self.request.seed or 0

    def _pool(self, course: Course) -> tuple[list[tuple[str, ...]], Floats]:
        """Return bib, name, sex, category and club of the athletes, and their paces (s/km), shape (n,)."""
        drawn = RaceRequest(
            course=self.request.course,
            competitors=self.athletes,
            entrants="drawn",
            **self.request.model_dump(include={"pace_model", "fastest", "slowest", "women"}),
        )
        pool = Race(course, drawn.resolved(run_id="pool", name="pool", seed=self._seed, start_at=self.first))
        people = pool.entrants.some(0, self.athletes)
        rows: list[tuple[str, ...]] = [
            (str(who.bib), who.name, who.sex, who.category, who.club) for who in people
        ]
        pace: Floats = pool.field.moving[-1] / pool.field.marks[-1] * 1000.0
        return rows, pace

    def _takes_part(self, nth: int) -> Ints:
        """Return the athletes of a race, shape (k,): regular ones come often, others seldom."""
        regularity = chance.uniform(self._seed, Stream.REGULARITY, self.athletes)
        lots = self._lots(Stream.ATTENDANCE, nth)
        chosen = np.argsort(lots ** (0.2 + regularity), kind="stable")[: self.request.competitors]
        return np.sort(chosen)

    def _form(self, nth: int) -> Floats:
        form: Floats = 1.0 + FORM * (2.0 * self._lots(Stream.FORM, nth) - 1.0)
        return form

    def _lots(self, stream: Stream, nth: int) -> Floats:
        """Return a number in [0, 1) of each athlete for a race, shape (n,)."""
        return chance.uniform(self._seed, stream, self.athletes, skipped=nth * self.athletes)


def _as_csv(rows: list[tuple[str, ...]], who: Ints, pace: Floats) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    paces = np.clip(np.round(pace, 1), FASTEST, SLOWEST).tolist()
    table.writerows((*rows[nth], f"{one:g}") for nth, one in zip(who.tolist(), paces, strict=True))
    return text.getvalue()
