"""Limits of courses, in metres unless noted otherwise.

`course.MAX_DISTANCE` is the only other limit.
"""

import re

from simulator.course.drawing import CourseError

MAX_SHORT_NAME = 64
SHORT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
MAX_NAME = 120
"""Maximum length of a course's, geofence's or timing point's name, characters."""

MAX_POINTS = 100_000
"""Maximum points in the line."""
MAX_FILE_POINTS = 110_000
"""Maximum points in all lines, geofences and markers: files with more are rejected early."""
MAX_ELEMENT_POINTS = 60_000
"""Maximum points of GPX and gx:Tracks: each is an element, which costs several times more."""
MAX_SHAPES = 10_000
"""Maximum lines, rings and markers of a file."""
MIN_DISTANCE = 10.0
"""Minimum length of a line: shorter ones are slips of the mouse."""
MAX_LAPS = 1000
MIN_STEP = 0.001
"""Points nearer than this to the previous one are duplicates."""

ALTITUDES = (-500.0, 9000.0)
"""Range of altitudes: land lies between -430 and 8,849, unlike the voids of elevation models (-9999)."""

MAX_MARKERS = 50
"""Maximum start and finish markers: one of each is used, and each is compared with the whole line."""
MARKER_NEAR = 25.0
"""A marker this near to the line's end is at it: the width of a road plus a GPS error."""
MARKER_FAR = 1000.0
"""Markers further than this from the line are unrelated to it."""
SWAPPED_FAR = 100_000.0
SWAPPED_NEAR = 10_000.0
"""Lat and lon of a line are swapped if it is further than FAR from everything else in its file, but nearer
than NEAR with the two exchanged."""

MAX_FENCES = 100
MAX_FENCE_POINTS = 10_000
"""Maximum points in all geofences together."""
MAX_FENCE_PASSES = 10_000
"""Maximum crossings of geofence edges, all laps: a zigzag line may cross everywhere."""
MAX_REPAIR_POINTS = 2000
MAX_CROSSINGS = 100
"""Maximum crossings within a geofence: 2,000 points can cross 40,000 times, and cost 15 s and 1 GB."""
MIN_FENCE_AREA = 1.0
"""Minimum area of a geofence, square metres."""
MIN_PART = 0.01
"""Minimum share of the area for keeping a part of a geofence that crossed itself."""

MAX_MATS = 100
MAT_FAR = 100.0
"""Timing points further than this from the line are unrelated to it."""
MAX_MAT_PASSES = 10_000
"""Maximum passes of all timing points, all laps: a line that goes back and forth has many."""

MAX_WARNINGS = 50


def check_number(number: int, most: int, what: str) -> None:
    """Raise CourseError if there are too many of something."""
    if number > most:
        raise CourseError(f"there are {number:,} {what}, and {most:,} are allowed")
