"""When a race's ticks are due: race time against wall time.

Race time at wall time w is (w - start) x speed, less the pauses. Tick k is race time k x interval. A schedule
is immutable: pausing or resuming returns a new one.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Schedule:
    """A race's schedule.

    Attributes:
        start: gun time, epoch seconds; each pause shifts it, so that race time continues where it stopped.
        speed: race seconds per second.
        interval: race seconds per tick.
        paused_at: when the race was paused, epoch seconds, or None while it runs.
    """

    start: float
    speed: float
    interval: float
    paused_at: float | None = None

    def race_time(self, now: float) -> float:
        """Return the race seconds since the gun at `now` (epoch seconds); negative before it."""
        return ((now if self.paused_at is None else self.paused_at) - self.start) * self.speed

    def due_at(self, tick: int) -> float | None:
        """Return when a tick is due, epoch seconds; None if it lies after an open-ended pause."""
        at = self.start + tick * self.interval / self.speed
        return None if self.paused_at is not None and at > self.paused_at else at

    def pause(self, now: float) -> "Schedule":
        """Pause the race time."""
        return self if self.paused_at is not None else replace(self, paused_at=now)

    def resume(self, now: float) -> "Schedule":
        """Resume the race time."""
        if self.paused_at is None:
            return self
        # Only the part of a pause after the scheduled gun time delays the race.
        stood = max(0.0, now - max(self.start, self.paused_at))
        return replace(self, start=self.start + stood, paused_at=None)
