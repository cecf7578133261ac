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

    After a whole tick the store is left alone until the next is due. Otherwise it is asked in short steps,
    which grow while nothing comes. All moments are seconds on the same clock.
    """

    def __init__(self) -> None:
        self._expected = -math.inf
        self._step = STEP_S  # while a tick is late
        self._rest = STEP_S  # while a part of one is
        self._failing = FAILING_S[0]

    def found(self, at: float, period: float) -> None:
        """Take note that a question at that moment returned a new tick; ticks come every `period`."""
        self._step, self._rest = STEP_S, STEP_S
        late = at - self._expected
        if late > period:
            self._expected = at
        elif late < STEP_S - EARLY_S:  # found by the first question: it may have been there for some time
            self._expected = at - EARLY_S
        else:
            self._expected += min(late, DRIFT_S)
        self._expected += period

    def pause(self, now: float, *, is_whole: bool = True) -> float:
        """The pause until the next question; `is_whole`: nothing is missing of the newest tick."""
        self._failing = FAILING_S[0]
        if (due := self._expected - EARLY_S - now) > 0:
            if is_whole:
                return min(due, WIDEST_S)
            pause, self._rest = self._rest, min(self._rest * WIDER, WIDEST_S)
            return min(pause, due)
        pause, self._step = self._step, min(self._step * WIDER, WIDEST_S)
        return pause

    def after_failure(self) -> float:
        """The pause after a question that the store could not answer."""
        pause, self._failing = self._failing, min(2 * self._failing, FAILING_S[1])
        return pause
