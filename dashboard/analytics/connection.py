"""The pages' connection to the stream: an `st.connection` with answers cached for all viewers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

import streamlit as st
from streamlit.connections import BaseConnection

from dashboard import context
from dashboard.analytics.activity import Activity
from dashboard.analytics.entrants import Entrants
from dashboard.race.snapshots import Snapshots, UnknownRaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from dashboard.analytics.activity import Rates
    from dashboard.analytics.figures import Figures
    from dashboard.race.finish_list import Results
    from dashboard.race.snapshots import Snapshot

NAME: Final = "racecast"

LIVES_S: Final = 0.9
"""Seconds an answer is cached; a viewer polling every second always gets a new one."""
ENTRANTS_LIVE_S: Final = 4.5
FIGURES_PER_SPAN: Final = 60
"""Figures of longer spans are computed less often: a minute's every second, those of five minutes every five.
"""
MOST_RACES: Final = 20
"""Maximum number of races whose entrants are counted, the most recently active first."""
KEPT: Final = 64
"""Cached answers of each kind."""


P = ParamSpec("P")
T = TypeVar("T")


def _shared(*, ttl: float) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Cache answers for this many seconds, for all viewers."""
    kept: Callable[[Callable[P, T]], Callable[P, T]] = st.cache_data(
        ttl=ttl, max_entries=KEPT, show_spinner=False, hash_funcs={Activity: id}
    )
    return kept


class StreamConnection(BaseConnection[Activity]):
    """`st.connection(NAME, StreamConnection)`; every query raises `StoreError` if the store cannot be read.

    Address and credentials are the dashboard's settings, of which `.streamlit/secrets.toml` is one source.
    """

    def _connect(self, **_: Any) -> Activity:
        return context.get(Activity)

    @property
    def allowed_lateness_s(self) -> int:
        """Seconds that an event's time may be behind the newest of its race."""
        return self._instance.allowed_lateness_s

    def until(self) -> int:
        """The newest second (epoch) up to which the data is complete."""
        return self._instance.until()

    def figures(self, span_s: int, course: str | None) -> tuple[int, Figures, Figures]:
        """The second (epoch) at which the figures end; those of `span_s` seconds, and of as many before."""
        until = self._instance.until(max(1, span_s // FIGURES_PER_SPAN))
        return until, *_figures(self._instance, span_s, until, course)

    def rates(self, by: str, span_s: int, step_s: int, course: str | None) -> Rates:
        """Events in steps of the last `span_s` seconds, by `run` or by `course`."""
        return _rates(self._instance, by, span_s, step_s, course)

    def paces(self, course: str | None) -> pd.DataFrame:
        """Mean and median pace over the last hour."""
        return _paces(self._instance, course)

    def progress(self, course: str | None) -> pd.DataFrame:
        """Progress and late events of each race of the last hour."""
        return _progress(self._instance, course)

    def windows(self, run_id: str, size_s: int) -> pd.DataFrame | None:
        """The newest windows of a race; None without events in the last hour."""
        return _windows(self._instance, run_id, size_s)

    def newest(self, count: int, run_id: str | None, bib: int | None, course: str | None) -> pd.DataFrame:
        """The newest events."""
        return _newest(self._instance, count, run_id, bib, course)

    def entrants(self) -> Entrants:
        """The entrants of the races with events in the last hour."""
        runs = self.progress(None)["run"].tolist()[:MOST_RACES]
        return _entrants(tuple(runs))


@_shared(ttl=FIGURES_PER_SPAN)
def _figures(activity: Activity, span_s: int, until: int, course: str | None) -> tuple[Figures, Figures]:
    return activity.figures(span_s, until, course)


@_shared(ttl=LIVES_S)
def _rates(activity: Activity, by: str, span_s: int, step_s: int, course: str | None) -> Rates:
    return activity.rates(by, span_s, step_s, course)


@_shared(ttl=LIVES_S)
def _paces(activity: Activity, course: str | None) -> pd.DataFrame:
    return activity.paces(course)


@_shared(ttl=LIVES_S)
def _progress(activity: Activity, course: str | None) -> pd.DataFrame:
    return activity.progress(course)


@_shared(ttl=LIVES_S)
def _windows(activity: Activity, run_id: str, size_s: int) -> pd.DataFrame | None:
    return activity.windows(run_id, size_s)


@_shared(ttl=LIVES_S)
def _newest(
    activity: Activity, count: int, run_id: str | None, bib: int | None, course: str | None
) -> pd.DataFrame:
    return activity.newest(count, run_id, bib, course)


@_shared(ttl=ENTRANTS_LIVE_S)
def _entrants(runs: tuple[str, ...]) -> Entrants:
    return Entrants.of(_results(runs))


def _results(runs: tuple[str, ...]) -> Iterator[tuple[Snapshot, Results]]:
    for run_id in runs:
        try:
            yield context.get(Snapshots).results(run_id)
        except UnknownRaceError:
            continue  # its positions can arrive before its own row
