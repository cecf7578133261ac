"""Results of the torture tests: each is one row of a table in benchmarks/README.md."""

from dataclasses import dataclass, field
from math import nan


@dataclass(frozen=True)
class FaultResult:
    """Effect of a fault on the events of a race.

    Attributes:
        name: the fault and the store.
        repetitions: number of times the fault was injected.
        expected: number of events that the core computes: positions, passings and competitors.
        found: number of expected events in the store.
        unexpected: number of events in the store that the core does not compute.
        out_of_order: in a topic, positions that arrive after a later position of the same competitor; in a
            store of newest positions, competitors whose newest position is not their last.
        recovery_times: for each repetition, seconds from the end of the fault until all due events are
            delivered.
        memory_growth: MiB by which the simulator grew during the faults; NaN if not measured.
    """

    name: str
    repetitions: int
    expected: int
    found: int
    unexpected: int
    out_of_order: int
    recovery_times: list[float] = field(default_factory=list)
    memory_growth: float = nan

    @property
    def lost(self) -> int:
        """Number of expected events that are missing."""
        return self.expected - self.found

    @property
    def passed(self) -> bool:
        """Whether no event was lost, unexpected or out of order."""
        return self.expected > 0 and (self.lost, self.unexpected, self.out_of_order) == (0, 0, 0)


@dataclass(frozen=True)
class InputResult:
    """How the system handled hostile input.

    Attributes:
        name: the kind of input.
        inputs: number of inputs.
        accepted: number of accepted inputs.
        rejected: number of inputs that were rejected with an error that gives the reason.
        failures: a description of each other case: a crash, a 5xx, an invalid input that was accepted, or an
            exceeded time or memory limit.
        slowest: seconds for the slowest input.
        peak_memory: MiB that one input used at its peak, above the process's memory before; NaN if not
            measured.
    """

    name: str
    inputs: int
    accepted: int
    rejected: int
    failures: list[str]
    slowest: float
    peak_memory: float = nan

    @property
    def passed(self) -> bool:
        """Whether every input was accepted or rejected."""
        return not self.failures and self.inputs == self.accepted + self.rejected > 0
