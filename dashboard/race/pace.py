"""When to ask the store for a race's next tick."""

import math

EARLY_S = 0.06
"""Seconds before the next tick is expected at which asking begins."""
STEP_S = 0.02
"""Seconds between the first questions for a tick."""
WIDER = 1.5
"""Factor by which the step grows with every question in vain."""
WIDEST_S = 1.0
"""Longest pause in seconds: a state such as a pause is noticed even if no ticks come."""
FAILING_S = (1.0, 5.0)
"""First and longest pause in seconds while the store cannot be read; it doubles."""
DRIFT_S = 0.01
"""Seconds per tick by which the expectation moves later: after one late tick the next may be on time."""


class Pace:
    """The pauses between the questions about one race, aligned with its ticks.

    After a tick the store is left alone until the next is due. Then it is asked in short steps, which grow
    while the tick is late. All moments are seconds on the same clock.
    """

    def __init__(self) -> None:
        self._expected = -math.inf
        self._step = STEP_S
        self._failing = FAILING_S[0]

    def after_news(self, found: float, now: float, period: float) -> float:
        """The pause after a question that began at `found` and returned a tick; ticks come every `period`."""
        self._step, self._failing = STEP_S, FAILING_S[0]
        late = found - self._expected
        if late > period:
            self._expected = found
        elif late < STEP_S - EARLY_S:  # found by the first question: it may have been there for some time
            self._expected = found - EARLY_S
        else:
            self._expected += min(late, DRIFT_S)
        self._expected += period
        return self._until_due(now) or STEP_S

    def after_nothing(self, now: float) -> float:
        """The pause after a question that returned nothing new."""
        self._failing = FAILING_S[0]
        if (pause := self._until_due(now)) > 0:
            return pause
        step, self._step = self._step, min(self._step * WIDER, WIDEST_S)
        return step

    def after_failure(self) -> float:
        """The pause after a question that the store could not answer."""
        pause, self._failing = self._failing, min(2 * self._failing, FAILING_S[1])
        return pause

    def _until_due(self, now: float) -> float:
        return min(max(0.0, self._expected - EARLY_S - now), WIDEST_S)
