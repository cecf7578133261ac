"""The pages' connection to the stream: an `st.connection` with answers cached for all viewers."""

from collections.abc import Callable, Iterator
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st
from streamlit.connections import BaseConnection

from dashboard import context
from dashboard.analytics.activity import Activity
from dashboard.analytics.entrants import Entrants
from dashboard.analytics.figures import Figures
from dashboard.race.snapshot import Outcome
from dashboard.race.snapshots import Snapshots, UnknownRaceError

NAME = "racecast"

LIVES_S = 0.9
"""Seconds an answer is cached; a viewer polling every second always gets a new one."""
ENTRANTS_LIVE_S = 4.5
FIGURES_PER_SPAN = 60
"""Figures of longer spans are computed less often: those of a minute every second, of five every five."""
MOST_RACES = 20
"""Maximum number of races whose entrants are counted, the most recently active first."""
KEPT = 400
"""Maximum number of cached answers."""

P = ParamSpec("P")
T = TypeVar("T")


class StreamConnection(BaseConnection[Activity]):
    """`st.connection(NAME, StreamConnection)`; every query raises `StoreError` if the store cannot be read.

    Address and credentials are the dashboard's settings, of which `.streamlit/secrets.toml` is one source.
    """

    def _connect(self, **_: Any) -> Activity:
        return context.get(Activity)

    @property
    def activity(self) -> Activity:
        """The stream's data, without this cache."""
        return self._instance

    def ask(self, query: Callable[Concatenate[Activity, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a method of `Activity` returns, at most `LIVES_S` old."""
        answer: T = _ask(self.activity, query.__name__, args, kwargs)
        return answer

    def figures(self, span_s: int, course: str | None) -> tuple[int, Figures, Figures]:
        """The second (epoch) at which the figures end; those of `span_s` seconds, and of as many before."""
        until = self.activity.until(max(1, span_s // FIGURES_PER_SPAN))
        return until, *_figures(self.activity, span_s, until, course)

    def entrants(self) -> Entrants:
        """The entrants of the races with events in the last hour."""
        runs = self.ask(Activity.progress)["run"].tolist()[:MOST_RACES]
        return _entrants(tuple(runs))


def _shared(*, ttl: float) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Cache answers for this many seconds, for all viewers."""
    kept: Callable[[Callable[P, T]], Callable[P, T]] = st.cache_data(
        ttl=ttl, max_entries=KEPT, show_spinner=False, hash_funcs={Activity: id}
    )
    return kept


@_shared(ttl=LIVES_S)
def _ask(activity: Activity, query: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return getattr(activity, query)(*args, **kwargs)


@_shared(ttl=FIGURES_PER_SPAN)
def _figures(activity: Activity, span_s: int, until: int, course: str | None) -> tuple[Figures, Figures]:
    return activity.figures(span_s, until, course)


@_shared(ttl=ENTRANTS_LIVE_S)
def _entrants(runs: tuple[str, ...]) -> Entrants:
    return Entrants.of(_results(runs))


def _results(runs: tuple[str, ...]) -> Iterator[Outcome]:
    for run_id in runs:
        try:
            yield context.get(Snapshots).results(run_id)
        except UnknownRaceError:
            continue  # its positions can arrive before its own row
