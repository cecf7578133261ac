"""How simulators on one Kafka share the races: their consumer group, and the parts of a race.

A race is published in parts. The topic `progress` has how far each of them is delivered; the simulator that
is assigned a partition of it publishes the parts in that partition.
"""

from zlib import crc32

GROUP = "racecast-simulators"
"""The consumer group of all simulators."""
PART = 50_000
"""Most competitors in a part of a race."""


def parts_of(competitors: int) -> tuple[range, ...]:
    """Return the parts of a race: the indices of their competitors, in order."""
    return tuple(range(first, min(first + PART, competitors)) for first in range(0, competitors, PART))


def partition_of(run_id: str, part: int, partitions: int) -> int:
    """Return the partition of a part's progress; those of a race are in different ones."""
    return (crc32(run_id.encode()) + part) % partitions
