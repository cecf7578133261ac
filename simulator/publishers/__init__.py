"""Destinations of events: Kafka, with courses sent to Pinot's controller, or one SQLite file.

`publisher` is their common interface. It may import `simulator.race` and what is below it.
"""
