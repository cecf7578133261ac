"""The course of a plan on a map: as thick as it is wide, in the colour of its highest density. Pure."""

from itertools import pairwise

import numpy as np
import pandas as pd

from dashboard.plan import figures
from dashboard.plan.plan import Plan
from dashboard.store.course_shape import METRES_PER_DEGREE
from dashboard.ui.viewer import Unit
from stream.arrays import Floats

MAX_STEPS = 400
"""Maximum number of steps, of equal length, in which the course is drawn."""
STEP = 25.0
"""Metres of a step at least."""
THIN_PX, THICK_PX = 3.0, 12.0
"""Thickness of the narrowest line, and of the widest place; a course of unlimited width is thin."""
UNKNOWN = "#808080"
"""Colour where the width is unlimited, so that there is no density."""


def pieces(plan: Plan, line: Floats, laps: int, unit: Unit) -> pd.DataFrame:
    """The rows of the map: places along the course, with the piece that each belongs to.

    A piece has one thickness, one colour, and words with its highest density. Where two meet, the place is in
    both. Places are metres to the east and north of the start.

    Args:
        plan: the plan.
        line: degrees lon, lat of one lap, shape (k, 2).
        laps: of several laps, the densest counts at each place.
        unit: the viewer's.
    """
    lap = float(plan.last[-1]) / laps
    ends = np.linspace(0.0, lap, max(2, min(MAX_STEPS, round(lap / STEP)) + 1))
    middle = (ends[:-1] + ends[1:]) / 2.0
    section = np.array([[figures.at(plan, metres + nth * lap) for metres in middle] for nth in range(laps)])
    peaks, width = plan.density.max(axis=1)[section].max(axis=0), plan.width[section[0]]
    classes = figures.classes(plan.level("density").above)
    kind = np.searchsorted([one.high for one in classes], peaks, side="left")
    begins = np.flatnonzero(np.append(True, (kind[1:] != kind[:-1]) | (width[1:] != width[:-1])))
    widest = width[np.isfinite(width)].max(initial=1.0)
    east, north = _along(line, ends / lap)
    tables = []
    for nth, (first, last) in enumerate(pairwise([*begins.tolist(), len(middle)])):
        wide, along = float(width[first]), slice(first, last + 1)
        where = f"from {ends[first] / unit.metres:.2f} to {ends[last] / unit.metres:.2f} {unit.symbol}"
        look = {"thick": THIN_PX, "colour": UNKNOWN, "word": f"no width is known {where}"}
        if np.isfinite(wide):
            highest = figures.amount(float(peaks[first:last].max()), "density")
            look = {
                "thick": THIN_PX + (THICK_PX - THIN_PX) * wide / widest,
                "colour": classes[kind[first]].colour,
                "word": f"{wide:g} m wide {where}, {highest} at most",
            }
        place = {"x": east[along], "y": north[along], "step": np.arange(first, last + 1)}
        tables.append(pd.DataFrame({"piece": nth, **place, **look}))
    return pd.concat(tables, ignore_index=True)


def _along(line: Floats, shares: Floats) -> tuple[Floats, Floats]:
    """Metres to the east and north of the line's first point at shares of its length, shape (n,) each."""
    lon, lat = line.T
    east = (lon - lon[0]) * METRES_PER_DEGREE * np.cos(np.radians(lat.mean()))
    north = (lat - lat[0]) * METRES_PER_DEGREE
    run = np.append(0.0, np.cumsum(np.hypot(np.diff(east), np.diff(north))))
    return np.interp(shares * run[-1], run, east), np.interp(shares * run[-1], run, north)
