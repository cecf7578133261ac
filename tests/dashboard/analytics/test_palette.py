"""The colours of series."""

from dashboard.analytics.palette import COLOURS, MOST_KEPT, OTHERS_COLOUR, Palette
from dashboard.analytics.series import MOST_SERIES, OTHERS


def test_a_series_keeps_its_colour() -> None:
    """A series keeps its colour whatever series come and go, also when it was away; no two have the same."""
    palette = Palette()
    first = palette.colours(["b", "c"])
    second = palette.colours([OTHERS, "c", "b", "a"])
    third = palette.colours(["a", "d"])
    assert {name: second[name] for name in first} == first
    assert third["a"] == second["a"]
    assert palette.colours(["b"])["b"] == first["b"]
    assert len({*second.values(), *third.values()}) == 5


def test_order() -> None:
    """Series are stacked in the order of their first appearance; all others come last, in grey."""
    palette = Palette()
    palette.colours(["m"])
    assert list(palette.colours(["a", OTHERS, "z", "m"])) == ["m", "a", "z", OTHERS]
    assert palette.colours([OTHERS]) == {OTHERS: OTHERS_COLOUR}


def test_as_many_colours_as_series() -> None:
    """The series of a chart differ in colour, however many have come before."""
    palette = Palette()
    names = [f"r{number:03}" for number in range(200)]
    for newest in range(MOST_SERIES, len(names)):
        shown = names[newest - MOST_SERIES : newest]
        assert len(set(palette.colours(shown).values())) == MOST_SERIES
    assert len(set(COLOURS)) == len(COLOURS)


def test_memory_is_bounded() -> None:
    """Of very many series, those not seen for longest are forgotten."""
    palette = Palette()
    for number in range(2 * MOST_KEPT):
        palette.colours(["kept", f"r{number}"])
    assert len(palette._kept) == len(palette._numbers) == MOST_KEPT
    assert palette.colours(["kept"])["kept"] == COLOURS[0]
