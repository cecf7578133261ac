"""Where events go: Kafka, with courses sent to Pinot's controller, or one SQLite file.

`publisher` is what the engine expects of both. It may import `simulator.race` and what is below it.
"""
