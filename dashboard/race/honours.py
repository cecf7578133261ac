"""What an announcer says of the finish: who has just finished, and the podiums that are decided. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from dashboard.race import podiums
from dashboard.race.podiums import Ends, Known, Rows
from dashboard.race.standing import guns_of
from dashboard.store.protocol import Competitor, Race
from stream.arrays import Floats, Ints
from stream.results import Rank

NEWEST = 12
"""Finishers listed, the newest first."""
MOST_PODIUMS = 60
"""Podiums listed, the newest first. More categories than that fit on no board."""

Kind = Literal["all", "sex", "category"]


class Group(NamedTuple):
    """Competitors who have a podium of their own: all, those of a sex, or those of a category."""

    kind: Kind
    name: str
    members: Rows


@dataclass(frozen=True, eq=False)
class Roster:
    """The start list by columns; n competitors in bib order.

    Attributes:
        competitors: the start list.
        bib: shape (n,).
        guns: seconds from the first gun to that of each one's wave, shape (n,).
        category: the category of each as a number, shape (n,); those without one share a number.
        groups: those with a podium; members are indices of the n.
    """

    competitors: Mapping[int, Competitor]
    bib: Ints
    guns: Floats
    category: Ints
    groups: Sequence[Group]

    @classmethod
    def of(cls, race: Race, competitors: Mapping[int, Competitor]) -> "Roster":
        """The start list of a race, as far as it is there."""
        bib = np.sort(np.fromiter(competitors, np.int64, len(competitors)))
        known = [competitors[one] for one in bib.tolist()]
        sexes, sex = _numbered([one.sex for one in known])
        categories, category = _numbered([one.category for one in known])
        overall = [Group("sex", name, rows) for name, rows in _by_number(sexes, sex) if name]
        if not overall:
            overall = [Group("all", "", np.arange(len(bib)))]
        by_category = [Group("category", name, rows) for name, rows in _by_number(categories, category)]
        groups = [*overall, *(group for group in by_category if group.name)]
        return cls(competitors, bib, guns_of(race, competitors, bib), category, groups)


class Arrival(NamedTuple):
    """A finisher.

    Attributes:
        bib: number.
        place: among all.
        category_place: within the category; None if it is not known.
        time: the time that places go by, in seconds.
        at: race seconds of the finish.
    """

    bib: int
    place: int
    category_place: int | None
    time: float
    at: float


class Step(NamedTuple):
    """One on a podium: bib, place in the group, and the time that places go by in seconds."""

    bib: int
    place: int
    time: float


class Decided(NamedTuple):
    """A podium that is certain.

    Attributes:
        kind, name: its group.
        of: number of competitors in the group; None if it is not known.
        at: race seconds at which it was decided.
        steps: the first three; more if some have equal times, fewer if there are no more.
    """

    kind: Kind
    name: str
    of: int | None
    at: float
    steps: Sequence[Step]


@dataclass(frozen=True, eq=False)
class Honours:
    """What is said of the finish at one moment.

    Attributes:
        rank: the time that places go by.
        newest: the last `NEWEST` finishers, the newest first.
        decided: the decided podiums, the newest first, at most `MOST_PODIUMS`.
        undecided: number of groups whose podium can still change, or is still empty.
        times: those that places go by of all finishers, in seconds, rising.
        competitors: the start list's entries of all who are named here.
    """

    rank: Rank
    newest: Sequence[Arrival]
    decided: Sequence[Decided]
    undecided: int
    times: Floats
    competitors: Mapping[int, Competitor]


def honours(roster: Roster, known: Known, rank: Rank, *, is_whole: bool, over_at: float | None) -> Honours:
    """Compute them for a race of which every competitor is known.

    Args:
        roster: the start list.
        known: what the store has.
        rank: the time that places go by.
        is_whole: whether the start list is complete; while it is not, nothing is decided.
        over_at: race seconds of the end of a race from which nothing more will come; None before.
    """
    ends = podiums.ends_of(roster.bib, roster.guns, known, rank)
    if over_at is not None:
        ends = ends.closed(over_at)
    newest = _newest(ends, roster)
    groups = roster.groups if is_whole else ()
    decided = sorted(_decided(ends, roster.bib, groups), key=_age)
    said = _named([*(one.bib for one in newest), *_bibs(decided)], roster.competitors)
    undecided = _undecided(ends, roster.groups, decided)
    times = np.sort(ends.time[ends.counts])
    return Honours(rank, newest, decided[:MOST_PODIUMS], undecided, times, said)


class Leading(NamedTuple):
    """The first finishers of a race in which only these are known one by one.

    Attributes:
        competitors: their start list's entries, by bib.
        bib: rising, shape (k,).
        guns: seconds from the first gun to that of each one's wave, shape (k,).
        finish: race seconds, shape (k,).
        has_all: whether these are all finishers so far.
        times: gun times of all finishers, in seconds, rising.
    """

    competitors: Mapping[int, Competitor]
    bib: Ints
    guns: Floats
    finish: Floats
    has_all: bool
    times: Floats


def leading_honours(
    race: Race, leading: Leading, newest: Sequence[Arrival], names: Mapping[int, Competitor], others: Ends
) -> Honours:
    """Compute them by gun time for a race of which only the first finishers are known one by one.

    A group's podium is known if three of the group are among the first finishers. All others may be of any
    group.

    Args:
        race: the race.
        leading: its first finishers.
        newest: its newest finishers.
        names: the start list's entries of these.
        others: the ends of those of the rest who can still finish first, or nothing.
    """
    roster = Roster.of(race, {bib: leading.competitors[bib] for bib in _known(leading)})
    rows = np.searchsorted(leading.bib, roster.bib)
    n, rest = len(rows), len(others.zero)
    none = np.full(n, np.nan)
    ends = Ends(
        np.concatenate([leading.guns[rows], others.zero]),
        np.concatenate([leading.finish[rows], others.finish]),
        np.concatenate([none, others.out]),
        np.concatenate([none, others.until]),
    )
    ghosts = np.arange(n, n + rest)
    groups = [
        Group(kind, name, np.concatenate([members, ghosts]))
        for kind, name, members in roster.groups
        if len(members) >= podiums.STEPS or leading.has_all
    ]
    bibs = np.concatenate([roster.bib, np.zeros(rest, np.int64)])
    decided = sorted((one._replace(of=None) for one in _decided(ends, bibs, groups)), key=_age)
    said = {**names, **_named(_bibs(decided), leading.competitors)}
    undecided = _undecided(ends, groups, decided)
    return Honours("gun", newest, decided[:MOST_PODIUMS], undecided, leading.times, said)


def _known(leading: Leading) -> list[int]:
    return [bib for bib in leading.bib.tolist() if bib in leading.competitors]


def _newest(ends: Ends, roster: Roster) -> list[Arrival]:
    counts = np.flatnonzero(ends.counts)
    times, category = ends.time[counts], roster.category[counts]
    last = np.lexsort((-roster.bib[counts], ends.finish[counts]))[::-1][:NEWEST]
    return [
        Arrival(
            bib=int(roster.bib[counts[nth]]),
            place=int((times < times[nth]).sum()) + 1,
            category_place=int((times[category == category[nth]] < times[nth]).sum()) + 1,
            time=float(times[nth]),
            at=float(ends.finish[counts[nth]]),
        )
        for nth in last.tolist()
    ]


def _decided(ends: Ends, bibs: Ints, groups: Sequence[Group]) -> list[Decided]:
    found = []
    for kind, name, members in groups:
        rows, place, time, at = podiums.podium(ends, members)
        if at is not None:
            steps = map(Step, bibs[rows].tolist(), place.tolist(), time.tolist())
            found.append(Decided(kind, name, len(members), at, tuple(steps)))
    return found


def _undecided(ends: Ends, groups: Sequence[Group], decided: Sequence[Decided]) -> int:
    known = {(one.kind, one.name) for one in decided}
    is_open = ends.is_open
    return sum((kind, name) not in known and bool(is_open[rows].any()) for kind, name, rows in groups)


def _age(decided: Decided) -> tuple[float, bool, str]:
    """The newest first; of those of one moment the sexes, then by name."""
    return -decided.at, decided.kind == "category", decided.name


def _bibs(decided: Sequence[Decided]) -> list[int]:
    return [step.bib for one in decided[:MOST_PODIUMS] for step in one.steps]


def _named(bibs: Sequence[int], competitors: Mapping[int, Competitor]) -> Mapping[int, Competitor]:
    return {bib: competitors[bib] for bib in bibs if bib in competitors}


def _numbered(names: Sequence[str]) -> tuple[Sequence[str], Ints]:
    """The different names, and the number of each."""
    numbers: dict[str, int] = {}
    column = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
    return list(numbers), column


def _by_number(names: Sequence[str], numbers: Ints) -> list[tuple[str, Rows]]:
    """The indices of each number, by its name."""
    order = np.argsort(numbers, kind="stable")
    bounds = np.searchsorted(numbers[order], np.arange(len(names) + 1))
    return [(name, order[bounds[nth] : bounds[nth + 1]]) for nth, name in enumerate(names)]
