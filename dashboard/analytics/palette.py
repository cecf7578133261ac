"""The colours of series: each keeps its own, on every chart and for all viewers, while the dashboard runs."""

import threading
from collections import OrderedDict
from collections.abc import Collection

from dashboard.analytics.series import OTHERS

COLOURS = (
    *("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#0072b2", "#d55e00", "#8d7500"),
    *("#2b7fb0", "#a36f00", "#00694c", "#9a4a77", "#004c77", "#943f00", "#5c4c00"),
    *("#8acbf0", "#f0bc4d", "#4dbb9d", "#dba1c1", "#4d9cc9", "#e28e4d", "#af9e4d"),
)
"""The Okabe-Ito palette, then its darker and its lighter shades."""
OTHERS_COLOUR = "#999999"
MOST_KEPT = 1000
"""Maximum number of series remembered; the one not seen for longest is forgotten."""


class Palette:
    """Colours in the order of first appearance; thread-safe.

    A new series gets the colour whose series has not been seen for longest: two series have the same colour
    only if there are more of them at a time than colours.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, int] = OrderedDict()  # indices of colours, the last seen at the end
        self._numbers: dict[str, int] = {}  # order of first appearance
        self._appeared = 0

    def colours(self, series: Collection[str]) -> dict[str, str]:
        """The colour of each series, in the order of first appearance; that of all others comes last."""
        with self._lock:
            named = sorted(set(series) - {OTHERS})
            for name in named:
                if name in self._kept:
                    self._kept.move_to_end(name)
            for name in named:
                if name not in self._kept:
                    self._add(name)
            named.sort(key=self._numbers.__getitem__)
            found = {name: COLOURS[self._kept[name]] for name in named}
        return found | ({OTHERS: OTHERS_COLOUR} if OTHERS in series else {})

    def _add(self, name: str) -> None:
        last_seen = dict.fromkeys(range(len(COLOURS)), -1)
        last_seen.update((colour, place) for place, colour in enumerate(self._kept.values()))
        self._kept[name] = min(last_seen, key=lambda colour: last_seen[colour])
        self._numbers[name] = self._appeared
        self._appeared += 1
        if len(self._kept) > MOST_KEPT:
            oldest, _ = self._kept.popitem(last=False)
            del self._numbers[oldest]
