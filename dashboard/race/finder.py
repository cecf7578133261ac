"""Finds competitors of a race that is shown by a sample: in the store, with their exact places."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dashboard.race import leaderboard, payload
from dashboard.race.payload import Packed
from dashboard.race.sample import FOUND
from dashboard.race.snapshot import Snapshot
from dashboard.race.snapshots import Snapshots
from dashboard.race.split_times import SplitTimes
from dashboard.race.standing import guns_of, stand
from dashboard.store.protocol import ON_COURSE, Positions, Store, Tally
from stream.arrays import Floats, Ints

MOST_BIBS = 20
"""Bibs in a search: as many as a link has favourites."""

MOST_LETTERS = 120
"""Of a text that is searched for, and of a timing point's label; no name is longer."""
MOST_DIGITS = 9
"""Of a bib."""

ROUNDING = 0.0005
"""Metres: distances are in whole millimetres, so only what is further than this is ahead."""


class Finder:
    """Searches the races of a store; thread-safe.

    Args:
        store: where races are read.
        snapshots: the races' current state.
    """

    def __init__(self, store: Store, snapshots: Snapshots) -> None:
        self._store = store
        self._snapshots = snapshots

    def payload(self, run_id: str, text: str, bibs: Sequence[int] = ()) -> Packed | None:
        """The competitors with a text as bib, or in name or club, and those with these bibs.

        At most `FOUND` by name or club, the first by bib, and the first `MOST_BIBS` of the bibs. None if the
        payload of the race has all competitors. Raises `UnknownRaceError`, and `StoreError` if the store
        cannot be read.
        """
        snapshot = self._snapshots.get(run_id)
        if snapshot.tally is None:
            return None
        named = list(self._store.find(run_id, text, FOUND + 1)) if text else []
        numbered = [int(text)] if text.isdecimal() and len(text) <= MOST_DIGITS else []
        wanted = {*numbered, *named[:FOUND], *bibs[:MOST_BIBS]}
        return self._found(snapshot, snapshot.tally, sorted(wanted), has_more=len(named) > FOUND)

    def _found(self, snapshot: Snapshot, tally: Tally, wanted: Sequence[int], *, has_more: bool) -> Packed:
        race = snapshot.race
        positions = self._store.positions(race.run_id, wanted)
        known = self._store.competitors(race.run_id, wanted)
        splits = SplitTimes()
        splits.add(self._store.passings(race.run_id, None, wanted))
        standing = stand(positions, splits, guns_of(race, known, positions.competitor), None)
        places = self._places(race.run_id, positions, tally)
        ranking = replace(standing.ranking, place=places[standing.ranking.order])
        gaps = _gaps(snapshot, positions, standing.guns)
        standing = replace(standing, ranking=ranking, gaps=gaps)
        return payload.encode_found(race, positions, standing, known, has_more=has_more)

    def _places(self, run_id: str, positions: Positions, tally: Tally) -> Ints:
        """Exact places, shape (n,): finishers are known, for all others those ahead are counted."""
        places = self._snapshots.finish_places(run_id, positions.competitor)
        places[positions.status != "finished"] = leaderboard.NO_PLACE
        for row in np.flatnonzero(np.isin(positions.status, ON_COURSE)).tolist():
            ahead = self._store.between(run_id, float(positions.distance[row]) + ROUNDING)
            places[row] = tally.count("finished") + ahead + 1
        return places


def _gaps(snapshot: Snapshot, positions: Positions, guns: Floats) -> Floats:
    """Seconds behind the head of the race, shape (n,), as for those in the snapshot."""
    both = positions.with_others(snapshot.positions)
    known = np.concatenate([snapshot.standing.guns, guns])
    bibs = np.concatenate([snapshot.positions.competitor, positions.competitor])
    order = np.argsort(bibs, kind="stable")
    own = known[order][np.searchsorted(bibs[order], both.competitor, side="right") - 1]
    found = leaderboard.gaps(both, own, leaderboard.rank(both, own), snapshot.standing.head)
    rows: Floats = found[np.searchsorted(both.competitor, positions.competitor)]
    return rows
