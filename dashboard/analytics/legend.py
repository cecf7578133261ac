"""What the colours of the analytics page's charts mean.

A legend is text below its chart, not a part of it: there long names have room on a phone too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from dashboard.analytics.series import AVERAGED_OVER_S, OTHERS
from dashboard.ui.theme import BAR_COLOUR, LINE_COLOURS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


Kind = Literal["area", "faint", "line", "dashed"]


class Mark(NamedTuple):
    """What a colour means: a word, the colour as CSS has it, and how it is drawn."""

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
"""One for each of `series.MOST_SERIES`, the quiet one last."""
INK: Final = "currentColor"
"""What the page's text has, in either theme: charts are SVG, and that is CSS."""
AVERAGES: Final = tuple(Mark(what, INK, kind) for what, kind in zip(AVERAGED_OVER_S, _KINDS, strict=True))
PACES: Final = (Mark("Mean", LINE_COLOURS[0], "line"), Mark("Median", LINE_COLOURS[1], "line"))
WINDOWS: Final = (
    Mark("on time", BAR_COLOUR),
    Mark("late", "#d55e00"),
    Mark("still open", BAR_COLOUR, "faint"),
)
OPEN_OPACITY: Final = 0.45
"""Of windows that are open, and in page.css of what is faint: inside an outline that can be seen."""


def colours(who: Iterable[str], before: Mapping[str, str]) -> dict[str, str]:
    """A colour for each series; who had one `before` keeps it, and its place."""
    these = list(who)
    kept = {name: colour for name, colour in before.items() if name in these}
    free = [colour for colour in SERIES_COLOURS if colour not in kept.values()]
    for name in sorted(set(these) - kept.keys(), key=lambda name: (name == OTHERS, name)):
        kept[name] = free.pop(-1 if name == OTHERS else 0)
    return kept


def of_rates(labels: Mapping[str, str], shades: Mapping[str, str]) -> list[Mark]:
    """What the colours of the events' rates mean."""
    return [*(Mark(labels.get(who, who), colour) for who, colour in shades.items()), *AVERAGES]
