"""Kafka and Pinot on this machine without Docker, for development and tests."""
