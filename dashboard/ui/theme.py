"""Chart fonts and colours, from the Okabe-Ito palette (as in static/map.css)."""

import altair as alt

Chart = alt.Chart | alt.LayerChart | alt.FacetChart

BAND_COLOUR = "#56b4e9"
BAR_COLOUR = "#0072b2"
LINE_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#8d7500")
