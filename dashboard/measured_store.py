"""A store whose answers are timed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboard.metrics import Metrics
    from dashboard.store import Competitor, Course, Passings, Positions, Race, Store


class MeasuredStore:
    """Hands every question on to `store`, and tells `metrics` of it."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._asking = metrics.asking

    def races(self) -> Sequence[Race]:
        """The newest races."""
        with self._asking("races"):
            return self._store.races()

    def race(self, run_id: str) -> Race | None:
        """One race, or None."""
        with self._asking("race"):
            return self._store.race(run_id)

    def course(self, short_name: str) -> Course | None:
        """One course, or None."""
        with self._asking("course"):
            return self._store.course(short_name)

    def competitors(self, run_id: str) -> Mapping[int, Competitor]:
        """The competitors of a race by bib number."""
        with self._asking("competitors"):
            return self._store.competitors(run_id)

    def positions(self, run_id: str) -> Positions:
        """The newest position of each competitor."""
        with self._asking("positions"):
            return self._store.positions(run_id)

    def positions_at(self, run_id: str, raw_time: int, look_back: int = 0) -> Positions:
        """What each competitor told of a second of race time, or of those before."""
        with self._asking("positions_at"):
            return self._store.positions_at(run_id, raw_time, look_back)

    def passings(self, run_id: str, after_ms: int | None = None) -> Passings:
        """The passings of a race, or those after a moment."""
        with self._asking("passings"):
            return self._store.passings(run_id, after_ms)
