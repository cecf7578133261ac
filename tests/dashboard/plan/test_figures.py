"""Figures of a plan, as text and as the rows of its charts."""

import numpy as np
import pytest

from dashboard.plan import figures
from dashboard.plan.plan import Warned
from dashboard.ui.viewer import KM, MILES
from tests.dashboard.plan.planned import plan


def test_peak_is_the_densest_place_and_minute() -> None:
    """The peak has its value, the middle of its section and its minute."""
    assert figures.peak(plan()) == (1.9, 750.0, 3)
    assert figures.peak(plan(), "flow").value == pytest.approx(114.0)


def test_tiles_have_the_figures_in_short() -> None:
    """The tiles have the peak, the losses of those who start, the queue, the last start and the times."""
    assert figures.tiles(plan(), KM) == [
        ("Peak density", "1.90/m²", "at 0.75 km, 3 min"),
        ("Median loss", "0:48", "0:10 at the start line"),
        ("Largest loss", "1:40", "of 3 runners"),
        ("Longest queue", "12", "at the line, 1 min"),
        ("Last start", "1:30", "after the first gun"),
        ("Median chip time", "0:03:40", "gun time 0:03:45"),
    ]


def test_tiles_without_a_finisher_and_without_a_width() -> None:
    """What does not exist is a dash, and a course without widths has no peak."""
    empty = plan(density=np.zeros((4, 6)), chip_time=np.full(4, np.nan), gun_time=np.full(4, np.nan))
    tiles = {label: (value, note) for label, value, note in figures.tiles(empty, KM)}

    assert tiles["Peak density"] == ("0.00/m²", "no width is known")
    assert tiles["Median chip time"] == ("\N{EN DASH}", "gun time \N{EN DASH}")


def test_places_are_in_the_viewer_s_unit() -> None:
    """A place is called by its distance, the first metres are the start."""
    assert figures.place(1234.0, KM) == "at 1.23 km"
    assert figures.place(1609.344, MILES) == "at 1 mi"
    assert figures.place(49.0, MILES) == "at the start"


def test_the_level_is_where_blue_ends() -> None:
    """Four classes lie below the level and three above; the last has no upper limit."""
    classes = figures.classes(1.2)

    assert [one.high <= 1.2 for one in classes] == [True] * 4 + [False] * 3
    assert all(one.colour.startswith("rgba(47") for one in classes[:4])
    assert not any(one.colour.startswith("rgba(47") for one in classes[4:])
    assert [one.words for one in classes[3:]] == [
        "0.90 to 1.20",
        "1.20 to 1.60",
        "1.60 to 2.40",
        "over 2.40/m²",
    ]


def test_heat_has_a_rectangle_for_each_place_and_minute() -> None:
    """Each density has its place in the viewer's unit, its minute, its colour and its words."""
    rows = figures.heat(plan(), KM)
    classes = figures.classes(1.2)

    assert rows[["from", "to", "since", "until"]].to_numpy().tolist() == [
        [0.5, 1.0, 2, 3],
        [0.5, 1.0, 3, 4],
        [1.0, 1.5, 4, 5],
    ]
    assert rows["colour"].tolist() == [classes[4].colour, classes[5].colour, classes[1].colour]
    assert rows["word"].tolist()[1] == "1.90/m² at 0.5 km, 3 min"


def test_a_density_at_the_level_is_not_above_it() -> None:
    """At the level itself the colour is still blue."""
    density = np.zeros((4, 6))
    density[0, 0], density[0, 1] = 1.2, 1.2001

    below, above = figures.heat(plan(density=density), KM)["colour"]
    assert below == figures.classes(1.2)[3].colour
    assert above == figures.classes(1.2)[4].colour


def test_a_large_plan_is_drawn_in_few_rectangles() -> None:
    """Of several places and minutes in a rectangle the densest counts, so no warning is lost."""
    density = np.full((1000, 700), 0.1)
    density[501, 333] = 2.0
    edges = np.linspace(0.0, 50_000.0, 1001)
    large = plan(first=edges[:-1], last=edges[1:], width=np.full(1000, 5.0), density=density)
    rows = figures.heat(large, KM)
    (densest,) = rows[rows["colour"] == figures.classes(1.2)[5].colour].to_dict("records")

    assert len(rows) <= figures.MAX_COLUMNS * figures.MAX_ROWS
    assert densest["from"] <= 25.05 < densest["to"]
    assert densest["since"] <= 333 < densest["until"]
    assert rows["to"].max() == 50.0
    assert rows["until"].max() == 700


def test_widths_are_where_the_course_is_limited() -> None:
    """Sections of one width are one row, and unlimited ones none."""
    rows = figures.widths(plan(), MILES)

    assert rows["width"].tolist() == [6.0, 4.0]
    assert rows["to"].tolist() == pytest.approx([500 / 1609.344, 1500 / 1609.344])
    assert rows["word"].tolist()[0] == "6 m wide from 0.00 to 0.31 mi"
    assert not len(figures.widths(plan(width=np.full(4, np.inf)), KM))


def test_starts_are_counted_by_wave_and_minute() -> None:
    """Each wave has a row for each minute in which it crosses the line."""
    rows = figures.starts(plan())

    assert rows[["wave", "minute", "runners"]].to_numpy().tolist() == [[1, 0, 2], [2, 1, 1]]
    assert rows["word"].tolist() == ["Wave 1: 2 runners in minute 0", "Wave 2: 1 runner in minute 1"]


def test_the_worst_section_comes_first() -> None:
    """The sections are ordered by how far they exceed their level, each with both peaks."""
    first, second = figures.worst(plan(), KM)

    assert first == ("0.50 to 1.00 km", "2 to 4 min", "1.90/m²", "114/min/m", "density 1.20/m²")
    assert second.level == "flow 102/min/m"


def test_the_table_has_a_largest_number_of_rows() -> None:
    """Of many warnings the table has the worst."""
    many = [Warned("density", 1.2, 500.0, 1000.0, 2, 4)] * figures.MAX_WORST
    mild = Warned("density", 0.5, 1000.0, 1500.0, 4, 5)

    assert len(figures.worst(plan(warnings=[mild, *many]), KM)) == figures.MAX_WORST
    assert "1.00 to 1.50 km" not in {row.place for row in figures.worst(plan(warnings=[mild, *many]), KM)}


def test_levels_have_their_sources() -> None:
    """Each level says where it comes from."""
    assert list(figures.sources(plan())) == ["1.20/m²: the densest.", "102/min/m: the fastest."]
