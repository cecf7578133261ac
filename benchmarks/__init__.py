"""Benchmarks: `make bench`. README.md in this folder has the results and the method."""
