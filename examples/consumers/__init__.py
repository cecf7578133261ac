"""Consumers of the stream that docs/check-your-pipeline.md explains, and `check.py`, which grades them."""
