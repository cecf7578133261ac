"""The results of a race up to a moment, as a pure function; and the query for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from simulator.race.events import STATUS_NAMES
from simulator.race.race import Race, Snapshot, Status
from stream.arrays import Floats, Ints, Texts
from stream.courses import TimingPoint
from stream.results import Line, Rank, Standings, Times, lines, rounded, since, stand, wave_guns

CELLS = 20_000
"""Maximum number of values computed together."""


class ResultsQuery(BaseModel):
    """The choices of `GET /races/{run_id}/results`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    rank: Rank = Field(
        default="gun",
        description="The time that places and official times go by: gun time counts from the gun of the own "
        "wave, chip time from crossing the start line.",
    )


class Lines(NamedTuple):
    """A part of the results: k competitors with s splits each.

    Attributes:
        lines: k of them.
        elapsed: k lists of s times, seconds from the own wave's gun; None at splits not reached.
        chip: likewise, from the own start.
        cut_offs: k names of the cut-offs that have stopped them, empty for all others; None in a race
            without cut-offs.
    """

    lines: list[Line]
    elapsed: list[list[float | None]]
    chip: list[list[float | None]]
    cut_offs: list[str] | None


@dataclass(frozen=True, eq=False)
class Results:
    """The results of n competitors; create with `of`.

    Attributes:
        race: the race.
        until: race seconds of the results.
        rank: the time that places go by.
        splits: the timing points that have a split, by distance.
        snapshot: the competitors' state.
        status: their statuses, shape (n,).
        times: theirs, shape (n,): of finishers those at the finish.
        standings: their order and places.
        stopped: the index of the cut-off that has stopped each, shape (n,); None in a race without.
    """

    race: Race
    until: float
    rank: Rank
    splits: tuple[TimingPoint, ...]
    snapshot: Snapshot
    status: Texts
    times: Times
    standings: Standings
    stopped: Ints | None

    def lines(self) -> Iterator[Lines]:
        """Yield the lines in order, in parts."""
        size = max(1, CELLS // (len(Line._fields) + len(self.splits)))
        order = self.standings.order
        for first in range(0, len(order), size):
            yield self._lines(order[first : first + size])

    def _lines(self, who: Ints) -> Lines:
        distance = self.snapshot.distance[who]
        found = lines(
            who,
            self.standings,
            list(self.race.entrants.of(who)),
            (self.status[who], Times(*(times[who] for times in self.times)), distance),
        )
        elapsed, start = self._splits(who, distance), self.race.field.start[who]
        moments = _guns(self.race)[who], np.where(np.isfinite(start), start, 0.0)
        gun, chip = (_rows(since(elapsed, moment[:, None])) for moment in moments)
        return Lines(found, gun, chip, self._names_of_cut_offs(who))

    def _names_of_cut_offs(self, who: Ints) -> list[str] | None:
        limits = self.race.cut_offs
        return None if limits is None or self.stopped is None else limits.names(self.stopped[who])

    def _splits(self, who: Ints, distance: Floats) -> Floats:
        """Return the seconds from the first gun to each split, shape (k, s), for metres run (k,)."""
        places = np.array([point.distance for point in self.splits])
        reached, point = np.nonzero(places <= distance[:, None])
        elapsed = np.full((len(who), len(places)), np.nan)
        elapsed[reached, point] = self.race.field.elapsed(who[reached], places[point])
        return elapsed


def of(race: Race, until: float, rank: Rank = "gun") -> Results:
    """Return the results `until` race seconds after the first gun; negative before the first tick."""
    snapshot = race.snapshot(until)
    if until < 0:
        # DNS is published at the gun.
        snapshot.status[:] = Status.WAITING
    status, bib = np.array(STATUS_NAMES)[snapshot.status], race.entrants.bib
    categories = race.entrants.categories()
    guns, limits = _guns(race), race.cut_offs
    times = Times(*(since(snapshot.elapsed, moment) for moment in (guns, race.field.start)))
    return Results(
        race=race,
        until=until,
        rank=rank,
        splits=tuple(point for point in race.course.timing_points if point.kind == "split"),
        snapshot=snapshot,
        status=status,
        times=times,
        standings=stand(bib, status, getattr(times, rank), snapshot.distance, categories),
        stopped=limits.reached(status, snapshot.distance, snapshot.elapsed, guns) if limits else None,
    )


def _guns(race: Race) -> Floats:
    """Return the seconds from the first gun to each competitor's, shape (n,)."""
    return wave_guns(race.field.wave, race.request.wave_delay)


def _rows(matrix: Floats) -> list[list[float | None]]:
    """Return a matrix row by row, rounded, None for NaN."""
    numbers, width = rounded(matrix.ravel()), matrix.shape[1]
    return [numbers[nth * width : (nth + 1) * width] for nth in range(len(matrix))]
