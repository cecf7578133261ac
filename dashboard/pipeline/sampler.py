"""One look at the pipeline for all who watch it.

However many viewers there are, the parts are asked once every two seconds, and only while somebody watches:
by whoever finds the last report too old, in a thread of its own. Nobody waits for a part that doesn't answer.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from pinot.health.figures import OLDEST_S
from pinot.health.report import report

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future

    from pinot.health.report import Report
    from pinot.health.sample import Sample

EVERY_S = 1.9
"""Just under two seconds, so that a viewer who looks every two seconds always sets off a new sample."""

KEPT_S = 900.0
"""So far back the charts reach."""

MOST_KEPT = round(KEPT_S / EVERY_S)


class Sampler:
    """The newest reports; any thread may ask.

    Args:
        take: asks all parts; may take seconds.
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
        """Epoch seconds, by the clock that reports are taken by."""
        return self._clock()

    def look(self, patience_s: float = 0.0) -> tuple[Report, ...]:
        """The reports of the last `KEPT_S`, the newest last; a new one is begun if that is too old.

        Where there is none yet, it is waited for, but no longer than `patience_s`.
        """
        with self._lock:
            now, last = self._clock(), self._taking
            if (last is None or last.done()) and abs(now - self._begun) >= EVERY_S:
                self._begun = now
                self._taking = self._executor.submit(self._add)
            taking = self._taking
        if last is not None and last.done():
            last.result()  # raises, if taking it has failed in a way that nobody has thought of
        if not self._reports and taking is not None:
            wait([taking], patience_s)
        return tuple(one for one in self._reports.copy() if now - one.taken <= KEPT_S)

    def _add(self) -> None:
        self._samples.append(self._take())
        self._reports.append(report(tuple(self._samples)))
