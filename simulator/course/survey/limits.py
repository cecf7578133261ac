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
MAX_ELEMENT_POINTS = 90_000
"""Maximum points of GPX and gx:Tracks, a day at one per second: each is an element, which costs more."""
MAX_SHAPES = 10_000
"""Maximum lines, rings and markers of a file."""
MIN_DISTANCE = 10.0
"""Minimum length of a line: shorter ones are slips of the mouse."""
MAX_LAPS = 1000
MIN_STEP = 0.001
"""Points nearer than this to the previous one are duplicates."""

MEET = 25.0
"""Ends of lines this near to each other meet: the width of a road plus a GPS error."""
MIN_MEET = 1.0
"""Minimum distance within which the ends of very short lines meet."""
SAME = 0.5
"""Distances that differ by less count as equal when pairs of ends are compared."""
NEAR = 100.0
"""Separate lines in the file's order may be this far apart, but not more than `MAX_GAPS` of their length."""
CLOSED_MORE = 4.0
"""A line is closed if its ends meet and it is longer than this many times `MEET`."""
MAX_PARTS = 50
"""Maximum parts of a path that don't meet and can be put in order."""
MAX_COMPARED = 2_000_000
"""Maximum lines times points, and lines squared, for a search for copies: thousands of lines are pieces."""
MAX_OVERLAPS = 1000
"""Maximum lines among which overlaps are looked for."""
COPY_MORE = 1.2
"""A line along another one is a copy of a part of it if that one is longer by this factor."""
ROUNDABOUT = 250.0
"""Maximum circumference of a closed line of which only the part between two lines that end on it is run."""
MAX_ROUNDABOUTS = 100
"""Maximum closed lines of that size; files with more have another meaning."""
MIN_SHARE = 0.25
"""Minimum share of all lines that a course has if the rest doesn't meet it, unless it is a loop."""
ROUTE_MORE = 2.0
"""A route is the course, rather than the tracks in its file, if it is longer than these by this factor."""
ROUTE_STEP = 300.0
"""A route with points further apart than this hardly follows the road."""
MAX_GAPS = 0.05
"""Maximum share of a path's length in gaps between its pieces, and of a course left out as branches."""

ZERO = 0.001
"""Maximum degrees of the latitude and longitude of a receiver without a position."""
ZERO_FAR = 20_000.0
"""If any point is nearer than this to latitude 0, longitude 0, the course may pass there."""
MAX_IMPOSSIBLE = 10
"""Maximum points off the globe that are left out of a line; they are at most `MAX_GAPS` of its points."""
JUMP = 60.0
JUMP_MORE = 5.0
"""A jump is a step longer than `JUMP` and than `JUMP_MORE` times three fifths of the steps."""
JUMP_STEPS = 4
"""Minimum number of steps of a line in which jumps can be recognised."""
JUMP_POINTS = 10
"""Maximum number of points between a jump and the jump back, or the end of the line."""
JUMP_ASIDE = 0.5
"""A jump leads back if it ends this near to where it began, as a share of its length."""
JUMP_AT_END = 1000.0
"""Minimum length of a jump before which, or after which, a few points at an end of the line are left out."""
JUMP_CERTAIN = 30.0
"""A jump there and back is an error if it is this many times as long as every other step."""
JUMP_CERTAIN_OF_MORE = 300.0
"""The same for a jump to several places, or longer than the rest of the line, if it was recorded."""
RECORDED = 300
"""A line with more steps than this may have been recorded."""
JUMP_ABSURD = 20_000.0
"""Steps longer than this are errors if they are also unusual for their line."""
STUCK = 1.0
"""Points nearer to each other than this are at one place."""
STRAIGHT_MORE = 8.0
"""A straight part is mentioned if it is this many times as long as the longest usual step."""
STRAIGHT = 500.0
STRAIGHT_SHARE = 0.2
"""If such parts are more than this share of the line, only those longer than `STRAIGHT` are mentioned."""

ALTITUDES = (-500.0, 9000.0)
"""Range of altitudes: land lies between -430 and 8,849, unlike the voids of elevation models (-9999)."""
FALSE_ZERO = 10.0
CLIFF_OF_ZERO = 0.1
"""Altitudes of 0 mean "unknown" if a neighbour is this much higher or lower, and this steep."""
AT_SEA = 0.9
"""Altitudes of 0 are the sea's if they are more than this share."""
SPIKE = 50.0
"""Minimum difference, besides a gradient of 100 %, that makes an altitude impossible."""
SPIKE_POINTS = 7
"""Points on each side with which an altitude is compared."""
CLIFF = 20.0
"""A step that rises or falls more than this, and more than 100 %, is mentioned: barometers are set again."""

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
PROJECTED = 1000.0
"""Coordinates above this are no degrees."""

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

MAX_WIDTHS = 100
WIDTHS = (0.5, 1000.0)
"""Range of a course's width: less is no way through, and more doesn't limit anyone."""
WIDTH_FAR = 100.0
"""Widths further than this from the line are unrelated to it."""

MAX_WARNINGS = 50


def check_number(number: int, most: int, what: str) -> None:
    """Raise CourseError if there are too many of something."""
    if number > most:
        raise CourseError(f"there are {number:,} {what}, and {most:,} are allowed")
