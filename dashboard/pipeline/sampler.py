"""One sample of the pipeline for all its viewers.

The components are queried once every two seconds, regardless of the number of viewers, and only while there
are viewers: the first request that finds the last report stale starts a new one in a separate thread. No
request waits for a component that doesn't respond.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait

from pinot.health.figures import OLDEST_S
from pinot.health.report import Report, report
from pinot.health.sample import Sample

EVERY_S = 1.9
"""Seconds; just under two, so that a viewer polling every two seconds always triggers a new sample."""

KEPT_S = 900.0
"""Time span of the charts, in seconds."""

MOST_KEPT = round(KEPT_S / EVERY_S)


class Sampler:
    """The newest reports; thread-safe.

    Args:
        take: queries all components; may take seconds.
        executor: runs it, one at a time.
        clock: epoch seconds.
    """

    def __init__(
        self,
        take: Callable[[], Sample],
        executor: Executor | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._take = take
        self._executor = executor or ThreadPoolExecutor(1, thread_name_prefix="pipeline")
        self._clock = clock
        self._lock = threading.Lock()
        self._samples: deque[Sample] = deque(maxlen=round(OLDEST_S / EVERY_S))
        self._reports: deque[Report] = deque(maxlen=MOST_KEPT)
        self._begun = -EVERY_S
        self._taking: Future[None] | None = None

    def now(self) -> float:
        """Epoch seconds, by the clock of the reports."""
        return self._clock()

    def look(self, patience_s: float = 0.0) -> tuple[Report, ...]:
        """The reports of the last `KEPT_S`, the newest last; starts a new one if that is stale.

        If there is none yet, waits for it for at most `patience_s`.
        """
        with self._lock:
            now, last = self._clock(), self._taking
            if (last is None or last.done()) and abs(now - self._begun) >= EVERY_S:
                self._begun = now
                self._taking = self._executor.submit(self._add)
            taking = self._taking
        if last is not None and last.done():
            last.result()  # raises unexpected errors of taking it
        if not self._reports and taking is not None:
            wait([taking], patience_s)
        return tuple(one for one in self._reports.copy() if now - one.taken <= KEPT_S)

    def _add(self) -> None:
        self._samples.append(self._take())
        self._reports.append(report(tuple(self._samples)))
