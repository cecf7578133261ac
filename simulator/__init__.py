"""The simulator: races run along courses and their events go to Kafka or SQLite."""
