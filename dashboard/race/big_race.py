"""What is exact of a race that is shown by a sample: its first competitors, its finishers and its numbers."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dashboard.race import finish_list, leaderboard
from dashboard.race.finish_list import Results
from dashboard.race.finishers import ASK_AGAIN_S, Finishers
from dashboard.race.honours import NEWEST, Arrival, Honours, Leading, leading_honours
from dashboard.race.podiums import Ends
from dashboard.race.sample import LEADERS, LISTED, MOST_WHOLE
from dashboard.race.split_times import SplitTimes
from dashboard.race.standing import Figures, Standing
from dashboard.store.protocol import (
    ON_COURSE,
    OUT,
    Competitor,
    Course,
    Every,
    Positions,
    Race,
    Store,
    Tally,
)
from stream.arrays import Floats, Ints
from stream.parts import parts_of
from stream.results import Rank, since

UNSEEN_S = 120.0
"""Race seconds by which a finish may reach the store late, of a race in which only positions report them."""

_Span = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Exact:
    """What is exact of a race at one moment.

    Attributes:
        tally: its newest positions in numbers.
        first: the positions of its first competitors, in bib order: the finishers up to `LISTED`, and those
            who lead on the course.
        competitors: the start list's entries of these.
        crowds: number of competitors inside each geofence of the course.
        in_fences: competitors inside any of them.
    """

    tally: Tally
    first: Positions
    competitors: Mapping[int, Competitor]
    crowds: Mapping[str, int]
    in_fences: int


class BigRace:
    """Reads what is exact of one race.

    Args:
        store: where it is read.
        run_id: the race.
        sample: the competitors that show it.
        clock: monotonic seconds.

    Attributes:
        sample: the argument.
    """

    def __init__(self, store: Store, run_id: str, sample: Every, clock: Callable[[], float]) -> None:
        self._store = store
        self._run_id = run_id
        self.sample = sample
        self._clock = clock
        self._finishers = Finishers(store, run_id, clock)
        self._names = _Names(store, run_id, clock)
        self._with_passings: set[int] = set()  # first competitors whose passings have been read
        self._listed = SplitTimes()  # of the finish list
        self._is_list_final = False
        self._figures: deque[tuple[float, Figures]] = deque()  # with the moment, the oldest first

    def read(self, race: Race, course: Course | None, *, is_last: bool) -> Exact:
        """Read it; at the end of the race all finishers once more. Raises `StoreError`."""
        tally = self._store.tally(self._run_id)
        self._finishers.read(race, tally, again=is_last)
        winners, _ = self._finishers.in_order()
        front = self._store.front(self._run_id, max(LEADERS, LISTED - len(winners)))
        came_in = self._store.positions(self._run_id, winners[:LISTED].tolist())
        first = came_in.with_others(front)
        spans = {fence.name: _merged(fence.visits) for fence in course.fences} if course else {}
        counts = self._inside(spans)
        return Exact(
            tally=tally,
            first=first,
            competitors=self._names.of(first.competitor),
            crowds={name: sum(counts[span] for span in own) for name, own in spans.items()},
            in_fences=sum(counts[span] for span in _merged(span for own in spans.values() for span in own)),
        )

    def _inside(self, spans: Mapping[str, Sequence[_Span]]) -> Mapping[_Span, int]:
        """Number of competitors on the course within each span, and within those of all geofences."""
        own = [span for each in spans.values() for span in each]
        return {span: self._store.between(self._run_id, *span) for span in {*own, *_merged(own)}}

    def read_passings(self, first: Positions, splits: SplitTimes, after_ms: int | None) -> None:
        """Add the passings of the first competitors: of those who are new all, of the others new ones."""
        bibs = set(first.competitor.tolist())
        known = sorted(bibs & self._with_passings)
        unknown = sorted(bibs - self._with_passings)
        splits.add(self._store.passings(self._run_id, after_ms, known))
        splits.add(self._store.passings(self._run_id, None, unknown))
        self._with_passings |= bibs

    def exactly(
        self, standing: Standing, shown: Positions, exact: Exact, compared_with_s: float | None
    ) -> Standing:
        """A standing of those who are shown, with the places and figures of all.

        `compared_with_s` is the time over which the change of the figures is shown, in seconds; None for no
        change.
        """
        tally = exact.tally
        figures = Figures(
            on_course=tally.count(*ON_COURSE),
            finished=tally.count("finished"),
            out=tally.count(*OUT),
            in_fences=exact.in_fences,
        )
        order = standing.ranking.order
        places = self._places(shown, exact)
        return replace(
            standing,
            race_time=max(standing.race_time, tally.race_time),
            ranking=leaderboard.Ranking(order, places[order]),
            crowds=exact.crowds,
            figures=figures,
            change=None if compared_with_s is None else self._change(figures, compared_with_s),
        )

    def _places(self, shown: Positions, exact: Exact) -> Ints:
        """Places of those who are shown, shape (n,); `NO_PLACE` where it is not known."""
        places = np.where(shown.status == "finished", self._finishers.places(shown.competitor), 0)
        # By the positions that are shown: those of the sample were read a moment before the others.
        rows = np.searchsorted(shown.competitor, exact.first.competitor)
        leaders = rows[np.isin(shown.status[rows], ON_COURSE)]
        further = -shown.distance[leaders]
        ahead = np.searchsorted(np.sort(further), further, side="left")
        places[leaders] = exact.tally.count("finished") + ahead + 1
        return places

    def _change(self, figures: Figures, compared_with_s: float) -> Figures | None:
        """The change of the figures; None while they have not been known for that long."""
        now = self._clock()
        self._figures.append((now, figures))
        while len(self._figures) > 1 and self._figures[1][0] <= now - compared_with_s:
            self._figures.popleft()
        since, before = self._figures[0]
        if since > now - compared_with_s:
            return None
        return Figures(
            on_course=figures.on_course - before.on_course,
            finished=figures.finished - before.finished,
            out=figures.out - before.out,
            in_fences=figures.in_fences - before.in_fences,
        )

    def finish_places(self, bibs: Ints) -> Ints:
        """Places of finishers, shape (n,); 0 for all others."""
        return self._finishers.places(bibs)

    def results(self, tally: Tally, rank: Rank, *, is_final: bool) -> tuple[Results, Floats]:
        """The first finishers' results, at most `MOST_WHOLE`; and the times of all of them, rising.

        Raises `StoreError`.
        """
        in_order, times = self._finishers.in_order(rank)
        bibs = np.sort(in_order[:MOST_WHOLE])
        self._read_splits(bibs, is_final=is_final)
        n = len(bibs)
        positions = Positions(
            competitor=bibs,
            lon=np.zeros(n),
            lat=np.zeros(n),
            distance=np.full(n, tally.finish),
            status=np.full(n, "finished"),
            elapsed=self._finishers.elapsed(bibs),
            newest_emitted=tally.newest_emitted,
        )
        guns = self._finishers.guns(bibs)
        return finish_list.results(positions, self._listed, guns, rank), times

    def honours(
        self, race: Race, tally: Tally, sampled: Positions, known: Mapping[int, Competitor], late_by: float
    ) -> Honours:
        """What an announcer says of the finish, by gun time.

        Podiums are those of the first `LISTED` finishers. Raises `StoreError`.

        Args:
            race: the race.
            tally: its newest positions in numbers.
            sampled: the newest positions of the sample.
            known: the start list's entries of the first finishers, and others.
            late_by: race seconds by which the store may be behind the stream.
        """
        in_order, times = self._finishers.in_order()
        bibs = np.sort(in_order[:LISTED])
        leading = Leading(
            competitors=known,
            bib=bibs,
            guns=self._finishers.guns(bibs),
            finish=self._finishers.elapsed(bibs),
            has_all=len(in_order) <= LISTED,
            times=times,
        )
        newest = self._finishers.newest(NEWEST)
        names = self._store.competitors(self._run_id, newest.tolist()) if len(newest) else {}
        return leading_honours(
            race,
            leading,
            self._arrivals(newest, leading, names),
            names,
            self._others(race, tally, sampled, late_by),
        )

    def _arrivals(self, newest: Ints, leading: Leading, names: Mapping[int, Competitor]) -> list[Arrival]:
        """These finishers; the place in the category is known of the first finishers only."""
        times = since(leading.finish, leading.guns)
        categories = np.array(
            [
                known.category if (known := leading.competitors.get(bib)) else ""
                for bib in leading.bib.tolist()
            ]
        )
        elapsed = self._finishers.elapsed(newest)
        found = []
        for bib, place, at, time in zip(
            newest.tolist(),
            self._finishers.places(newest).tolist(),
            elapsed.tolist(),
            since(elapsed, self._finishers.guns(newest)).tolist(),
            strict=True,
        ):
            faster = categories[times < time]
            among = (
                int((faster == names[bib].category).sum()) + 1 if bib in names and place <= LISTED else None
            )
            found.append(Arrival(bib, place, among, time, at))
        return found

    def _others(self, race: Race, tally: Tally, sampled: Positions, late_by: float) -> Ends:
        """One for all who have not finished: with the last gun, known up to where all are known."""
        is_over = not tally.count("waiting", *ON_COURSE) and sum(tally.counts.values()) >= race.competitors
        unknown = np.full(0 if is_over else 1, np.nan)
        until = _settled(sampled, race.competitors, tally.race_time) - UNSEEN_S - late_by
        guns = np.full_like(unknown, self._finishers.last_gun())
        return Ends(guns, unknown, unknown, np.full_like(unknown, until))

    def names(self, bibs: Ints) -> Mapping[int, Competitor]:
        """The start list's entries of these competitors, as far as the store has them."""
        return self._names.of(bibs)

    def _read_splits(self, bibs: Ints, *, is_final: bool) -> None:
        """Read the passings of those whose finish is not there yet; at the end of the race, all once more."""
        if is_final and not self._is_list_final:
            self._listed = SplitTimes()
        self._is_list_final = is_final
        _, finishes = self._listed.matrix("finish", bibs)
        unknown = bibs[np.isnan(finishes).all(axis=1)]
        self._listed.add(self._store.passings(self._run_id, None, unknown.tolist()))


class _Names:
    """Entries of the start list, read as they are needed; those that are missing are retried."""

    def __init__(self, store: Store, run_id: str, clock: Callable[[], float]) -> None:
        self._store = store
        self._run_id = run_id
        self._clock = clock
        self._known: dict[int, Competitor] = {}
        self._missing: set[int] = set()
        self._retry_at = 0.0

    def of(self, bibs: Ints) -> Mapping[int, Competitor]:
        """Entries of these competitors; all others that are known too are left out."""
        wanted = bibs.tolist()
        unknown = set(wanted) - self._known.keys()
        if self._clock() < self._retry_at:
            unknown -= self._missing
        if unknown:
            self._known |= self._store.competitors(self._run_id, sorted(unknown))
            self._missing = {bib for bib in self._missing | unknown if bib not in self._known}
            self._retry_at = self._clock() + ASK_AGAIN_S
        return {bib: self._known[bib] for bib in wanted if bib in self._known}


def _settled(sampled: Positions, competitors: int, now: float) -> float:
    """Race seconds up to which all parts of a race are published, one of which may be behind the others.

    At least one of the pieces of the sample lies within each part: they are half as long.
    """
    pieces = np.array_split(np.arange(len(sampled)), 2 * len(parts_of(competitors)))
    newest = [now]
    for piece in pieces:
        reporting = sampled.elapsed[piece][np.isin(sampled.status[piece], ("waiting", *ON_COURSE))]
        if len(reporting):
            newest.append(float(reporting.max()))
    return min(newest)


def _merged(spans: Iterable[_Span]) -> list[_Span]:
    """The same spans without overlaps, rising."""
    merged: list[_Span] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged
