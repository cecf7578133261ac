"""Thresholds for the lights, each with its reason. docs/operations.md lists them too."""

FRESH_AMBER_S = 5.0
"""Allowed delay of a race's next position: Kafka and Pinot take a fraction of a second, and late ticks are
reported by the simulator itself."""
FRESH_RED_S = 20.0
"""Longer than a stall or a broker restart takes: viewers see the race stand still."""

ABANDONED_AFTER_S = 600.0
"""A running race without any event for this long, counted from when its next tick was due, was abandoned by
simulators that no longer run: a live one publishes positions at each tick, and writes the race's row again
after two minutes."""

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

RECORDED_WITHIN_S = 6.0
"""Within this time, and a tick more, there is a record of progress of what a healthy simulator has published:
it looks once a second whether a part's last record is 5 s old, but at ticks only."""
PART_AMBER_S = 5.0
"""A part that is this late beyond `RECORDED_WITHIN_S` would make its simulator report not ready; handing it
over to another simulator takes less than 2 s."""
PART_RED_S = 20.0
"""After a crash the next owner is found when the session has ended, 6 s later, and its first record comes 6 s
after that: a part that is later than this is not being taken over."""
UNOWNED_AFTER_S = 3.0
"""While partitions change hands, some have no owner for a fraction of a second."""
UNSETTLED_AFTER_S = 10.0
"""A simulator that gives parts away delivers them first, which takes 4 s at most; then Kafka assigns them."""

LOG_AMBER_BYTES = 256_000_000
"""SQLite checkpoints its log at about 4 MB. If it grows this far, checkpoints fail: a reader keeps a
transaction open, or the disk is too slow."""
