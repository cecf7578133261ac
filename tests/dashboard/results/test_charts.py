from collections.abc import Mapping
from typing import Any

import pytest

from dashboard.race.finish_list import Results
from dashboard.results import charts
from dashboard.ui.theme import Chart
from dashboard.ui.viewer import KM, MILES, Unit
from tests.dashboard.race.test_finish_list import LENGTH, NOW, found

BAND, LINES = 0, 1


def spec(chart: Chart | None) -> dict[str, Any]:
    """The specification that the browser receives."""
    assert chart is not None
    return chart.to_dict()


def paces(results: Results, chosen: Mapping[str, int] | None = None, unit: Unit = KM) -> list[dict[str, Any]]:
    """The layers of the chart of paces, each with its rows as `rows`."""
    chart = spec(charts.pace(results, results, LENGTH, chosen or {}, unit))
    return [{**layer, "rows": chart["datasets"][layer["data"]["name"]]} for layer in chart["layer"]]


def test_pace_lines() -> None:
    """The field's median, the winner and the selected competitors each have a line of paces by split."""
    lines = paces(found(), {"1 Bo": 1})[LINES]["rows"]
    by_word: dict[str, list[tuple[float, float]]] = {}
    for row in lines:
        by_word.setdefault(row["who"], []).append((row["distance"], row["pace"]))
    assert by_word == {
        "Median": [(1.0, 400.0), (2.0, 396.0), (2.5, 398.5)],
        "Winner": [(1.0, 400.0), (2.0, 402.0), (2.5, 397.0)],
        "1 Bo": [(1.0, 400.0), (2.0, 390.0), (2.5, 400.0)],
    }


def test_pace_in_miles() -> None:
    """In miles, distances are miles and paces are per mile, and the axes say so."""
    lines = paces(found(), unit=MILES)[LINES]
    row = next(row for row in lines["rows"] if row["who"] == "Median")
    assert (row["distance"], row["pace"]) == pytest.approx((0.621371, 643.7376))
    axes = lines["encoding"]
    assert (axes["x"]["title"], axes["y"]["axis"]["title"]) == ("Mile", "min:sec per mile")


def test_pace_band() -> None:
    """The band is that of the middle eight in ten."""
    band = paces(found())[BAND]["rows"]
    assert [row["low"] for row in band] == pytest.approx([400.0, 391.2, 397.3])
    assert [row["high"] for row in band] == pytest.approx([560.0, 400.8, 399.7])


def test_faster_is_up() -> None:
    """Paces rise downwards, in min:sec, over the same span for lines and band."""
    first, second = (layer["encoding"]["y"] for layer in paces(found()))
    assert first["scale"] == second["scale"]
    assert first["scale"]["reverse"]
    assert first["axis"]["labelExpr"] == charts.MIN_SEC


def test_kilometres_are_plain_numbers() -> None:
    """Kilometres are written as they are said: no exponents (d3's "g" has 1e+1), no zeros at the end."""
    for layer in paces(found()):
        assert layer["encoding"]["x"]["axis"]["format"] == "~r"


def test_leader_before_the_first_finish() -> None:
    """Until the first finish, the first is the leader and not the winner."""
    lines = paces(found([(1, 1800.0, "running", 900.0), NOW[2]]))[LINES]["rows"]
    assert {row["who"] for row in lines} == {"Median", "Leader"}


def test_most_lines_have_colours_of_their_own() -> None:
    """However many are compared, no two lines have the same colour."""
    chosen = {bib: row for row, bib in enumerate("1534", 1)}
    scale = paces(found(), chosen)[LINES]["encoding"]["color"]["scale"]
    assert scale["domain"] == ["Median", "Winner", *chosen]
    assert len(set(scale["range"])) == len(scale["domain"])


@pytest.mark.parametrize(
    "word", ["datum['x']", "{{datum.x}}", "a.b[0]", "a:Q", "<img src=x onerror=alert(1)>"]
)
def test_words_are_data(word: str) -> None:
    """A compared competitor's name is a value of the data and no part of an expression, however spelt."""
    lines = paces(found(), {word: 1})[LINES]
    assert word in {row["who"] for row in lines["rows"]}
    assert lines["encoding"]["color"]["field"] == "who"


def test_finish_times() -> None:
    """Each bar says how many finished between two round times."""
    (bars,) = spec(charts.finish_times(found().time, "gun"))["datasets"].values()
    assert sum(bar["finishers"] for bar in bars) == 2
    assert (bars[0]["from"], bars[-1]["to"]) == (1000.0, 1011.0)


def test_nothing_to_draw() -> None:
    """Before the first split and the first finish there is no chart."""
    unstarted = found([(1, 10.0, "running", 5.0)], [])
    assert charts.pace(unstarted, unstarted, LENGTH, {}, KM) is None
    assert charts.finish_times(unstarted.time, "gun") is None
