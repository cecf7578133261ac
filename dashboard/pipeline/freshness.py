"""The age of the newest position that queries return, sampled by the server all the time.

A thread asks the store once a second, with or without viewers. Memory holds one hour of samples. While no
race runs there is nothing to measure, and no age that grows.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from typing import NamedTuple

import numpy as np

from pinot.health import figures
from pinot.health.sample import Failure, Races

EVERY_S = 1.0
"""Seconds between two samples on average."""
GOLDEN = 0.618033988749895
"""The golden ratio's fraction: its multiples cover a second more evenly than random moments."""
RETRY_S = 5.0
"""Seconds until the next sample if the store is unavailable."""
SPANS_MIN = (1, 15, 60)
KEPT_S = 60.0 * max(SPANS_MIN)
MOST_KEPT = round(KEPT_S / EVERY_S)
SHARES = (50, 95, 99)

_log = logging.getLogger(__name__)


class Age(NamedTuple):
    """A sample: epoch seconds, and the age in seconds of the newest position; None while no race runs."""

    taken: float
    seconds: float | None


class Span(NamedTuple):
    """The percentiles `SHARES` of the ages of the last `minutes`, and how many seconds of them are measured.

    The percentiles are None if no second is.
    """

    minutes: int
    percentiles: tuple[float | None, ...]
    measured_s: float


class Freshness:
    """The ages of the last hour; thread-safe.

    Args:
        ask: queries the running races; may take seconds.
        note: called with each age.
        clock: epoch seconds.
    """

    def __init__(
        self,
        ask: Callable[[], Races | Failure],
        note: Callable[[float], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ask = ask
        self._note = note
        self._clock = clock
        self._ages: deque[Age] = deque(maxlen=MOST_KEPT)
        self._since = clock()

    def start(self) -> None:
        """Sample from now on, in a thread that ends with the process."""
        threading.Thread(target=self._follow, name="freshness", daemon=True).start()

    def _follow(self) -> None:
        for number in count():
            begun = time.monotonic()
            due = begun + (pause(number) if self.sample() else RETRY_S)
            time.sleep(max(0.0, due - time.monotonic()))

    def sample(self) -> bool:
        """Take a sample; returns whether the store could be asked."""
        try:
            races = self._ask()
        except Exception:  # noqa: BLE001 - it is in the log, and the thread goes on
            _log.exception("The age of the newest position could not be measured")
            return False
        if isinstance(races, Failure):
            return False
        race = figures.worst(races)
        age = None if race is None else figures.age(race, races.taken)
        self._ages.append(Age(races.taken, age))
        if age is not None:
            self._note(age)
        return True

    def ages(self, span_s: float = KEPT_S) -> tuple[Age, ...]:
        """The samples of the last `span_s` seconds, the newest last."""
        now = self._clock()
        # A clock that was set back leaves samples of the future behind.
        return tuple(age for age in self._ages.copy() if now - span_s < age.taken <= now)

    def sampled_s(self) -> float:
        """For how many of the last seconds, at most an hour, there could be samples."""
        return min(KEPT_S, max(0.0, self._clock() - self._since))

    def spans(self) -> tuple[Span, ...]:
        """The percentiles of each span."""
        return tuple(span(minutes, self.ages(60.0 * minutes)) for minutes in SPANS_MIN)


def pause(number: int) -> float:
    """Seconds from this sample to the next.

    Ticks come every second, too. Samples in step with them would all see positions of the same age.
    """
    return EVERY_S * (1 + (number + 1) * GOLDEN % 1 - number * GOLDEN % 1)


def span(minutes: int, ages: Sequence[Age]) -> Span:
    """The percentiles of these ages; each of them is one that was measured."""
    known = [age.seconds for age in ages if age.seconds is not None]
    if not known:
        return Span(minutes, (None,) * len(SHARES), 0.0)
    found = np.percentile(known, SHARES, method="higher").tolist()
    return Span(minutes, tuple(found), min(60.0 * minutes, len(known) * EVERY_S))
