"""The set-up: topics, schemas, tables and courses in a cluster, created, changed or deleted.

It may import `stream`, and of the simulator the courses and how they get into Pinot.
"""
