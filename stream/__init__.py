"""The contract between the three programs, and the connections that they share.

Here are the events with their fields, the topics, the states of a race, and the settings and clients of
Kafka and Pinot. This package imports none of the others.
"""
