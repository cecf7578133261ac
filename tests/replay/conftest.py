"""Courses, shared with the tests of the simulator."""

from tests.simulator.conftest import library, make_race, straight

__all__ = ["library", "make_race", "straight"]
