import json
import re
import tomllib
from collections.abc import Callable

import pandas as pd
import pytest

from dashboard.analytics import charts
from dashboard.analytics.activity import Rates
from dashboard.analytics.palette import Palette
from dashboard.ui.theme import Chart
from dashboard.ui.viewer import KM
from tests.dashboard.events import ROOT
from tests.dashboard.fakes import VIEWER


def rates(*who: str) -> Chart:
    """A chart of these series, each with as many events as its place."""
    events = pd.DataFrame({"second": 100, "who": list(who), "events": range(len(who))})
    averages = pd.DataFrame({"second": [100], "what": ["1 min average"], "rate": [0.5 * len(who)]})
    return charts.rates(Rates(events, averages, 1, Palette().colours(who)), {}, VIEWER, per_s=1)


def bars(*who: str) -> Chart:
    """A bar for each."""
    return charts.bars(pd.DataFrame({"club": list(who), "count": range(len(who))}), "club")


def bands(*who: str) -> Chart:
    """A band for each."""
    return charts.pace_bands(pd.DataFrame({"band": [30 * len(one) for one in who], "count": 1}), KM)


def windows(*who: str) -> Chart:
    """A window for each."""
    late = [len(one) for one in who]
    return charts.windows(
        pd.DataFrame({"start": late, "events": 9, "late": late, "is_open": False}), 10, VIEWER
    )


def paces(*who: str) -> Chart:
    """A pace for each."""
    return charts.paces(
        pd.DataFrame({"second": 100, "what": "Mean", "pace": [300.0 + len(one) for one in who]}), VIEWER
    )


@pytest.mark.parametrize("drawn", [rates, bars, bands, windows, paces])
def test_nothing_of_the_rows_is_in_the_chart(drawn: Callable[..., Chart]) -> None:
    """Whatever the data, a chart is the same but for its rows: a browser keeps it."""
    one, other = (specification(drawn(*who)) for who in (["ann", "bea"], ["constructor", "y", "zoe"]))
    assert one == other


def specification(drawn: Chart) -> str:
    """A chart without its rows."""
    whole = drawn.to_dict()
    del whole["datasets"]
    return re.sub(r"data-[0-9a-f]+", "data", json.dumps(whole))


def test_steps_are_drawn_over_their_width() -> None:
    """The newest step reaches to its end, like all others, and there the average of that moment is."""
    events = pd.DataFrame({"second": [60, 120] * 2, "who": ["a", "a", "b", "b"], "events": [6, 12, 18, 24]})
    averages = pd.DataFrame({"second": [180], "what": ["1 min average"], "rate": [0.6]})
    found = Rates(events, averages, 60, Palette().colours(["a", "b"]))
    whole = charts.rates(found, {}, VIEWER, per_s=60).to_dict()
    area, line = (whole["datasets"][layer["data"]["name"]] for layer in whole["layer"])
    drawn: dict[str, list[tuple[str, float]]] = {}
    for row in area:
        drawn.setdefault(row["who"], []).append((row["time"][14:19], row["rate"]))
    assert drawn == {
        "a": [("01:00", 6), ("02:00", 12), ("03:00", 12)],
        "b": [("01:00", 18), ("02:00", 24), ("03:00", 24)],
    }
    assert [(row["time"][14:19], row["rate"]) for row in line] == [("03:00", 36)]


def test_windows_can_be_seen() -> None:
    """Windows that are open have an outline; it and the areas stand out against either background, 3 to 1."""
    found = pd.DataFrame({"start": [0, 10], "events": 9, "late": [2, 0], "is_open": [False, True]})
    spec = charts.windows(found, 10, VIEWER).to_dict()
    rows = spec["datasets"][spec["data"]["name"]]
    assert [(row["open"], row["high"] - row["low"]) for row in rows] == [(False, 7), (True, 9), (False, 2)]
    assert spec["encoding"]["stroke"] == spec["encoding"]["fill"]
    assert spec["encoding"]["strokeOpacity"]["condition"] == {"test": "datum.open", "value": 1.0}
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    for scheme in ("light", "dark"):
        for mark in charts.WINDOWS:
            assert contrast(mark.colour, theme[scheme]["backgroundColor"]) >= 3


def contrast(one: str, other: str) -> float:
    """How much two colours differ in brightness (WCAG 2, contrast ratio)."""

    def brightness(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, brighter = sorted((brightness(one), brightness(other)))
    return (brighter + 0.05) / (darker + 0.05)


def test_bars_say_their_numbers() -> None:
    """A tooltip shows all of a bar's name, and its number."""
    (rows,) = bars("Harriers", "Striders").to_dict()["datasets"].values()
    assert [row["word"] for row in rows] == ["Harriers: 0", "Striders: 1"]


def test_lines_break_where_nothing_ran() -> None:
    """Where no competitor ran for longer than usual, the pace's lines have a row without a value."""
    seconds = [100, 110, 120, 190, 200]
    table = pd.concat(
        pd.DataFrame({"second": seconds, "what": what, "pace": 300.0}) for what in ("Mean", "Median")
    )
    (rows,) = charts.paces(table, VIEWER).to_dict()["datasets"].values()
    mean = [(row["time"][14:19], row["pace"] is not None) for row in rows if row["what"] == "Mean"]
    assert [time for time, is_there in mean if not is_there] == ["02:01"]
    assert len(mean) == 6
