"""The contract between the three programs, and what they share.

Events and their fields, topics, race states, and the settings and clients for Kafka and Pinot. This package
imports none of the others.
"""
