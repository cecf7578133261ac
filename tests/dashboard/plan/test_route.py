"""The course of a plan on a map."""

from itertools import pairwise

import numpy as np
import pytest

from dashboard.plan import figures, route
from dashboard.ui.viewer import KM
from tests.dashboard.plan.planned import plan

EAST = np.array([[0.0, 0.0], [0.018, 0.0]])
"""A line of about 2 km along the equator."""


def test_a_piece_ends_where_the_width_or_the_colour_changes() -> None:
    """The pieces follow each other without a gap, each with its thickness, colour and words."""
    rows = route.pieces(plan(), EAST, 1, KM)
    classes = figures.classes(1.2)
    pieces = [rows[rows["piece"] == nth] for nth in range(4)]

    assert set(rows["piece"]) == {0, 1, 2, 3}
    assert [piece["colour"].iloc[0] for piece in pieces] == [
        classes[0].colour,
        classes[5].colour,
        classes[1].colour,
        route.UNKNOWN,
    ]
    assert [piece["thick"].iloc[0] for piece in pieces] == [12.0, 9.0, 9.0, 3.0]
    assert [piece["word"].iloc[0] for piece in pieces] == [
        "6 m wide from 0.00 to 0.50 km, 0.00/m² at most",
        "4 m wide from 0.50 to 1.00 km, 1.90/m² at most",
        "4 m wide from 1.00 to 1.50 km, 0.60/m² at most",
        "no width is known from 1.50 to 2.00 km",
    ]
    for before, after in pairwise(pieces):
        assert before["x"].iloc[-1] == after["x"].iloc[0]


def test_the_map_is_in_metres_from_the_start() -> None:
    """Degrees become metres of the same scale to the east and to the north."""
    line = np.array([[-0.07, 51.42], [-0.07, 51.429], [-0.07 + 0.009 / np.cos(np.radians(51.4245)), 51.429]])
    rows = route.pieces(plan(), line, 1, KM)

    assert (rows["x"].iloc[0], rows["y"].iloc[0]) == (0.0, 0.0)
    assert rows["x"].max() == pytest.approx(rows["y"].max(), rel=0.001)
    assert rows["y"].max() == pytest.approx(1000.0, rel=0.002)


def test_of_several_laps_the_densest_counts() -> None:
    """A lap is drawn once, with the highest density of all laps at each place."""
    rows = route.pieces(plan(), EAST, 2, KM)

    assert [words.rpartition(", ")[2] for words in dict.fromkeys(rows["word"])] == [
        "0.60/m² at most",
        "1.90/m² at most",
    ]


def test_a_long_course_is_drawn_in_few_steps() -> None:
    """However long a course is, the map has a largest number of places."""
    edges = np.linspace(0.0, 100_000.0, 1001)
    long = plan(first=edges[:-1], last=edges[1:], width=np.full(1000, 5.0), density=np.full((1000, 6), 0.1))

    assert len(route.pieces(long, EAST, 1, KM)) == route.MAX_STEPS + 1
