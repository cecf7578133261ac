"""When a race's ticks are due: race time against wall time.

Race time at wall time w is (w - start) x speed, less the pauses. Tick k is race time k x interval. A pure
value: a pause or a resumption makes a new one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Schedule:
    """How a race's time runs.

    Attributes:
        start: when the gun goes, epoch seconds; each pause moves it, so that race time goes on where it was.
        speed: race seconds per second.
        interval: race seconds per tick.
        paused_at: when the race time was stopped, epoch seconds, or None while it runs.
    """

    start: float
    speed: float
    interval: float
    paused_at: float | None = None

    def race_time(self, now: float) -> float:
        """Return the race seconds since the gun at `now` (epoch seconds); negative before it."""
        return ((now if self.paused_at is None else self.paused_at) - self.start) * self.speed

    def due_at(self, tick: int) -> float | None:
        """Return when a tick is due, epoch seconds; None if it lies behind a pause without an end."""
        at = self.start + tick * self.interval / self.speed
        return None if self.paused_at is not None and at > self.paused_at else at

    def pause(self, now: float) -> Schedule:
        """Stop the race time."""
        return self if self.paused_at is not None else replace(self, paused_at=now)

    def resume(self, now: float) -> Schedule:
        """Let the race time go on from where it was stopped."""
        if self.paused_at is None:
            return self
        # A race paused before its gun starts late only by what lay behind the gun's time.
        stood = max(0.0, now - max(self.start, self.paused_at))
        return replace(self, start=self.start + stood, paused_at=None)
