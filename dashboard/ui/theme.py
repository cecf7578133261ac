"""Chart fonts and colours, from the Okabe-Ito palette (as in static/map.css)."""

from typing import Any

import altair as alt

Chart = alt.Chart | alt.LayerChart | alt.FacetChart

BAND_COLOUR = "#56b4e9"
BAR_COLOUR = "#0072b2"
LINE_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#8d7500")

# Follows the screen, as the sizes of views.css do.
_WALL_TEXT = alt.ExprRef("max(11, min(windowSize()[0] / 107, windowSize()[1] / 60))")
ON_WALLS: dict[str, Any] = {
    "axis": alt.AxisConfig(labelBound=True, labelFontSize=_WALL_TEXT, titleFontSize=_WALL_TEXT),
    "legend": alt.LegendConfig(labelFontSize=_WALL_TEXT, labelLimit=0),
}
"""Configures a chart on a wall: `chart.configure(**ON_WALLS)`."""
