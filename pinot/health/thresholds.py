"""The numbers that decide which light a part has, each with its reason. README.md has them too."""

from __future__ import annotations

FRESH_AMBER_S = 5.0
"""By so much a race's next position may be late: the way through Kafka and Pinot takes a fraction of a
second, and ticks are told on time or said to be late."""
FRESH_RED_S = 20.0
"""Later than a stall or a broker's restart explains: whoever watches sees a race that stands still."""

ABANDONED_AFTER_S = 600.0
"""A race that says it runs and of which nothing was heard so long is left over by a simulator that is gone:
one that tells races notes each of them every few seconds."""

BUSY_PER_S = 2000.0
"""Pinot's lag is judged in seconds of its topic's messages, but of no fewer a second than this: it has read
and shown ten thousand a second without lag, so a few hundred in a quiet topic are nothing."""
LAG_AMBER_S = 5.0
"""Seconds behind: more than the batches of one tick, which come at once."""
LAG_RED_S = 30.0
"""So far behind, the live page shows another race than the one that is run."""
STUCK_AFTER_S = 3.0
"""A consumer that has something to read reads it within a second (`stream.kafka.fetch.timeout.millis`)."""

LATE_AMBER_S = 1.0
"""The simulator itself calls a tick late from here on. What it calls not ready (`/readyz`: 5 s) is red."""

LOG_AMBER_BYTES = 256_000_000
"""SQLite writes its log back at about 4 MB. One that has grown so much can't be written back: somebody reads
without end, or the disk is too slow."""
