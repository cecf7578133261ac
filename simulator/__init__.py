"""The simulator: runs races along courses and publishes their events to Kafka or SQLite."""

__version__ = "0.1.0"
