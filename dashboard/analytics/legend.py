"""Legends of the analytics page's charts.

A legend is text below its chart, not a part of it: long names have room there, on a phone too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from dashboard.analytics.series import AVERAGED_OVER_S, OTHERS
from dashboard.ui.theme import BAR_COLOUR, LINE_COLOURS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


Kind = Literal["area", "faint", "line", "dashed"]


class Mark(NamedTuple):
    """A legend entry: a label, its CSS colour, and the kind of mark."""

    word: str
    colour: str
    kind: Kind = "area"


_KINDS: Final[tuple[Kind, ...]] = ("line", "dashed")
SERIES_COLOURS: Final = (
    "#56b4e9",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#0072b2",
    "#d55e00",
    "#8d7500",
    "#999999",
)
"""One colour for each of `series.MOST_SERIES`, the muted one last."""
INK: Final = "currentColor"
"""The page's text colour in either theme: charts are SVG, so CSS applies."""
AVERAGES: Final = tuple(Mark(what, INK, kind) for what, kind in zip(AVERAGED_OVER_S, _KINDS, strict=True))
PACES: Final = (Mark("Mean", LINE_COLOURS[0], "line"), Mark("Median", LINE_COLOURS[1], "line"))
WINDOWS: Final = (
    Mark("on time", BAR_COLOUR),
    Mark("late", "#d55e00"),
    Mark("still open", BAR_COLOUR, "faint"),
)
OPEN_OPACITY: Final = 0.45
"""Opacity of open windows, also in page.css: inside a visible outline."""


def colours(who: Iterable[str], before: Mapping[str, str]) -> dict[str, str]:
    """A colour for each series; series with one in `before` keep it, and their place."""
    these = list(who)
    kept = {name: colour for name, colour in before.items() if name in these}
    free = [colour for colour in SERIES_COLOURS if colour not in kept.values()]
    for name in sorted(set(these) - kept.keys(), key=lambda name: (name == OTHERS, name)):
        kept[name] = free.pop(-1 if name == OTHERS else 0)
    return kept


def of_rates(labels: Mapping[str, str], shades: Mapping[str, str]) -> list[Mark]:
    """The legend of the event rates."""
    return [*(Mark(labels.get(who, who), colour) for who, colour in shades.items()), *AVERAGES]
