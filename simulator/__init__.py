"""The simulator: races run along courses and their events go to Kafka or SQLite."""

__version__ = "0.1.0"
