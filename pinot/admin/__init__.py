"""The set-up: creates, changes and deletes a cluster's topics, schemas, tables and courses.

It may import `stream`, and from the simulator the courses and the code that loads them into Pinot.
"""
