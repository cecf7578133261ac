"""Counts the defects of Pinot's tables periodically: each count scans every table."""

from __future__ import annotations

import time
from threading import Lock, Thread
from typing import TYPE_CHECKING

from pinot.health.asking import NO_ANSWER, NOT_PINOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinot.health.incomplete import Defects

EVERY_S = 30.0
PATIENCE_S = 1.0
"""Maximum wait for a count that was just started; a slower one is returned by a later call."""


class DefectsProbe:
    """Runs `count` in its own thread. `clock` returns monotonic seconds."""

    def __init__(
        self, count: Callable[[], Mapping[str, Defects]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._count = count
        self._clock = clock
        self._lock = Lock()
        self._counting: Thread | None = None
        self._begun = 0.0
        self._found: Mapping[str, Defects] | None = None

    def __call__(self) -> Mapping[str, Defects] | None:
        """Return the last count by table; None if there is none or it failed."""
        with self._lock:
            if self._counting is None or self._is_due(self._counting):
                self._begun = self._clock()
                # A daemon, so that exiting does not wait for a Pinot that hangs.
                self._counting = Thread(target=self._look, name="defects", daemon=True)
                self._counting.start()
                self._counting.join(PATIENCE_S)
            return self._found

    def _is_due(self, last: Thread) -> bool:
        return not last.is_alive() and self._clock() - self._begun >= EVERY_S

    def _look(self) -> None:
        try:
            self._found = self._count()
        except (*NO_ANSWER, *NOT_PINOT):
            self._found = None  # Pinot's own probe reports why
