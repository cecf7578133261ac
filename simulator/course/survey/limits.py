"""How big a course may be, and from where on something in a file is a mistake. Metres unless said otherwise.

`course.MAX_DISTANCE`, laps included, is the one limit that stands elsewhere: it is the course's own.
"""

from __future__ import annotations

import re

MAX_SHORT_NAME = 64
SHORT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
MAX_NAME = 120
"""Characters in the name of a course, a geofence or a timing point."""

MAX_POINTS = 100_000
"""Points in the line."""
MAX_FILE_POINTS = 110_000
"""Points in all lines, geofences and markers of a file: more are refused before they have cost much."""
MAX_ELEMENT_POINTS = 60_000
"""Points of GPX and of gx:Tracks in a file: each is an element of its own, and costs several times more."""
MAX_SHAPES = 10_000
"""Lines, rings and markers of a file."""
MIN_DISTANCE = 10.0
"""The line's length: what is shorter is a slip of the mouse."""
MAX_LAPS = 1000
MIN_STEP = 0.001
"""A point nearer than this to the one before it is the same point."""

ALTITUDES = (-500.0, 9000.0)
"""Land lies between -430 and 8,849; the voids of elevation models (-9999, -32768) don't."""

MAX_MARKERS = 50
"""Markers of the start and the finish: one of each is used, and each is looked for along the whole line."""
MARKER_NEAR = 25.0
"""A marker within this of the line's end stands at it: the width of a road and a GPS fix's error."""
MARKER_FAR = 1000.0
"""A marker further than this from the line belongs to something else."""
SWAPPED_FAR = 100_000.0
SWAPPED_NEAR = 10_000.0
"""Lat and lon of a line are swapped if it is further than FAR from all else in its file, but nearer than NEAR
with the two exchanged."""

MAX_FENCES = 100
MAX_FENCE_POINTS = 10_000
"""Points in all geofences together."""
MAX_FENCE_PASSES = 10_000
"""How often a course touches the edges of its geofences, all laps: a line in zigzag may do so everywhere."""
MAX_REPAIR_POINTS = 2000
MAX_CROSSINGS = 100
"""In a geofence that crosses itself: 2,000 points can cross 40,000 times, and cost 15 s and a gigabyte."""
MIN_FENCE_AREA = 1.0
"""Square metres."""
MIN_PART = 0.01
"""Share of its area from which on a part of a geofence that crossed itself is kept."""

MAX_MATS = 100
MAT_FAR = 100.0
"""A timing point further than this from the line belongs to something else."""
MAX_MAT_PASSES = 10_000
"""How often a course comes by its timing points, all laps: a line that goes to and fro does so for ever."""

MAX_WARNINGS = 50
