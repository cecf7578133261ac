"""Thresholds for the lights, each with its reason. docs/operations.md lists them too."""

FRESH_AMBER_S = 5.0
"""Allowed delay of a race's next position: Kafka and Pinot take a fraction of a second, and late ticks are
reported by the simulator itself."""
FRESH_RED_S = 20.0
"""Longer than a stall or a broker restart takes: viewers see the race stand still."""

ABANDONED_AFTER_S = 600.0
"""A running race without any event for this long was abandoned by a simulator that no longer runs: a live one
writes each race's row every two minutes."""

BUSY_PER_S = 2000.0
"""Pinot's lag is judged in seconds at the topic's message rate, but at least at this rate: Pinot has kept up
with ten thousand a second, so a few hundred messages in a quiet topic do not matter."""
LAG_AMBER_S = 5.0
"""More than the batches of one tick, which arrive together."""
LAG_RED_S = 30.0
"""With this lag the live page is too old to be useful."""
STUCK_AFTER_S = 3.0
"""A consumer fetches available messages within a second (`stream.kafka.fetch.timeout.millis`)."""

LATE_AMBER_S = 1.0
"""The simulator counts a tick as late from here on. When it reports not ready (`/readyz`: 5 s), it is red."""

LOG_AMBER_BYTES = 256_000_000
"""SQLite checkpoints its log at about 4 MB. If it grows this far, checkpoints fail: a reader keeps a
transaction open, or the disk is too slow."""
