"""A race at one moment, with everything shown of it, and its results."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from dashboard.race import payload, results_payload, team_table
from dashboard.race.finish_list import Results
from dashboard.race.honours import Honours
from dashboard.race.payload import Sampled
from dashboard.race.sample import LISTED
from dashboard.race.standing import Standing
from dashboard.race.ticks import is_whole
from dashboard.store.protocol import Competitor, Course, Every, Positions, Race, Tally
from stream.arrays import Floats, Mask
from stream.race_states import ENDED
from stream.teams import Rules


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A race at one moment, with everything shown of it; expensive parts are computed once.

    `taken_at` is epoch seconds. `course` is None if the store doesn't have it, or if the race is run on a
    different line than the stored course of that name. `is_final`: the race is over and all its data has been
    read.

    With a `sample`, `positions` and `competitors` are those of its members and of the first competitors;
    `tally` has the numbers of all.
    """

    race: Race
    course: Course | None
    competitors: Mapping[int, Competitor]
    positions: Positions
    standing: Standing
    taken_at: float
    is_final: bool
    sample: Every | None = None
    tally: Tally | None = None

    @cached_property
    def packed(self) -> payload.Packed:
        """The browsers' payload."""
        return payload.encode(
            self.race,
            self.course,
            self.positions,
            self.standing,
            names=len(self.sampled_names),
            taken_at=self.taken_at,
            sampled=self._sampled,
        )

    @cached_property
    def is_whole(self) -> bool:
        """Whether it has the newest tick of all competitors who report."""
        return is_whole(self.sampled, self.race.interval)

    @cached_property
    def packed_names(self) -> payload.Packed:
        """The start list's payload; with a sample, that of its members."""
        return payload.encode_names(self.sampled_names)

    @cached_property
    def sampled(self) -> Positions:
        """The positions of the sample; without one, all of them."""
        return self.positions.take(self.is_sampled) if self.sample else self.positions

    @cached_property
    def is_sampled(self) -> Mask:
        """Which competitors are of the sample, shape (n,)."""
        bibs = self.positions.competitor
        return np.ones(len(bibs), np.bool_) if self.sample is None else self.sample.mask(bibs)

    @cached_property
    def sampled_names(self) -> Mapping[int, Competitor]:
        """The start list; with a sample, that of its members."""
        if self.sample is None:
            return self.competitors
        return {bib: who for bib, who in self.competitors.items() if bib in self.sample}

    @property
    def sample_in_words(self) -> str:
        """The size of the sample and its rule."""
        step = self.sample.step if self.sample else 1
        return f"{self.sample_size_in_words} competitors, those whose bib is a multiple of {step}"

    @property
    def sample_size_in_words(self) -> str:
        """How many the sample has; before the first tick, as many as there are among bibs without gaps."""
        step, of = self.sample.step if self.sample else 1, self.race.competitors
        return f"{len(self.sampled) or of // step:,} of {of:,}"

    @property
    def _sampled(self) -> Sampled | None:
        if self.sample is None:
            return None
        others = {bib: who for bib, who in self.competitors.items() if bib not in self.sample}
        return Sampled(self.is_sampled, LISTED, others)


class Honoured(NamedTuple):
    """What an announcer says of the finish, at the moment of a snapshot."""

    snapshot: Snapshot
    honours: Honours


@dataclass(frozen=True, eq=False)
class Field:
    """The results of all competitors, or of the sample, in the order of one of the two times."""

    snapshot: Snapshot
    results: Results


@dataclass(frozen=True, eq=False)
class Outcome:
    """The results of a snapshot, in the order of one of the two times.

    Attributes:
        snapshot: of which they are.
        results: those of the finish list: all competitors, or the first finishers of a race with a sample.
        field: those of all competitors, or of the sample.
        times: those that places go by of all finishers, in seconds, rising.
        competitors: the start list's entries of the finish list.
    """

    snapshot: Snapshot
    results: Results
    field: Results
    times: Floats
    competitors: Mapping[int, Competitor]

    @cached_property
    def packed(self) -> payload.Packed:
        """The browsers' payload; its version changes with all that the results page shows."""
        snapshot = self.snapshot
        return results_payload.encode(
            self.results,
            snapshot.race,
            names=len(snapshot.sampled_names),
            is_final=snapshot.is_final,
            finishers=(len(self.times), self.competitors) if snapshot.sample else None,
        )

    def teams(self, rules: Rules) -> payload.Packed | None:
        """The browsers' payload of the teams, computed once for each rules; None if not all are read."""
        if self.snapshot.sample is not None:
            return None
        if rules not in self._teams:
            is_over = self.snapshot.race.status in ENDED
            self._teams[rules] = team_table.encode(self.results, self.competitors, rules, is_over=is_over)
        return self._teams[rules]

    @cached_property
    def _teams(self) -> dict[Rules, payload.Packed]:
        return {}

    @cached_property
    def has_clubs(self) -> bool:
        """Whether the start list has clubs, as far as it is known."""
        return any(entry.club for entry in self.competitors.values())

    def count(self, status: str) -> int:
        """Number of competitors with a status, of all."""
        if self.snapshot.tally is not None:
            return self.snapshot.tally.count(status)
        return int((self.results.status == status).sum())
