import math
from dataclasses import replace

import pytest

from dashboard.ui import formatting
from dashboard.ui.formatting import UNKNOWN
from dashboard.ui.viewer import KM, MILES, Viewer

MORNING = 1_768_464_309_078
"""Epoch milliseconds of 2026-01-15, 08:05:09.078 UTC."""


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0:00:00"),
        (59.999, "0:00:59"),
        (60, "0:01:00"),
        (3599.9, "0:59:59"),
        (3600, "1:00:00"),
        (36_000.5, "10:00:00"),
        (360_000, "100:00:00"),
        (math.nan, UNKNOWN),
        (math.inf, UNKNOWN),
        (-1, UNKNOWN),
    ],
)
def test_race_time(seconds: float, shown: str) -> None:
    """Race times are h:mm:ss, truncated to completed seconds."""
    assert formatting.race_time(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0:00:00"),
        (3000.5, "0:50:01"),
        (3000.0004, "0:50:00"),  # floating-point error, not a time
        (7784.3, "2:09:45"),  # the example in the rules of World Athletics
        (59.9996, "0:01:00"),
        (math.nan, UNKNOWN),
        (-1.0, UNKNOWN),
    ],
)
def test_official_time(seconds: float, shown: str) -> None:
    """The official time is rounded up to the whole second."""
    assert formatting.official_time(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, ""),
        (2.963, "+0:02"),
        (794.973 - 791.973, "+0:03"),  # a bit less, as computers have it
        (3599.999, "+59:59"),
        (math.nan, UNKNOWN),
    ],
)
def test_gap(seconds: float, shown: str) -> None:
    """A gap is in completed seconds; less than a millisecond is no time."""
    assert formatting.gap(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "metres", "shown", "per_mile"),
    [
        (1500, 5000, "5:00", "8:03"),
        (717.4, 4966.4, "2:24", "3:52"),
        (299.7, 1000, "5:00", "8:02"),
        (3600, 1000, "60:00", "96:34"),
        (20, 49.9, UNKNOWN, UNKNOWN),
        (0, 0, UNKNOWN, UNKNOWN),
        (math.nan, 1000, UNKNOWN, UNKNOWN),
    ],
)
def test_pace(seconds: float, metres: float, shown: str, per_mile: str) -> None:
    """A pace is min:sec per kilometre or mile, and unknown over the first metres."""
    assert formatting.pace(seconds, metres, KM) == shown
    assert formatting.pace(seconds, metres, MILES) == per_mile


@pytest.mark.parametrize(
    ("metres", "shown", "in_miles"),
    [
        (0, "0.00 km", "0.00 mi"),
        (5, "0.01 km", "0.00 mi"),
        (4966.4, "4.97 km", "3.09 mi"),
        (9999.97, "10.00 km", "6.21 mi"),
        (21097.5, "21.10 km", "13.11 mi"),
    ],
)
def test_distance(metres: float, shown: str, in_miles: str) -> None:
    """Distances have two decimals and their unit."""
    assert formatting.distance(metres, KM) == shown
    assert formatting.distance(metres, MILES) == in_miles


def test_counted() -> None:
    """A number of things has their name in the singular or plural."""
    names = ("runner", "runners")
    assert [formatting.counted(count, *names) for count in (0, 1, 1200)] == [
        "0 runners",
        "1 runner",
        "1,200 runners",
    ]


def test_altitude() -> None:
    """Beside miles, altitudes are in feet."""
    assert formatting.altitude(1234.4, KM) == "1,234 m"
    assert formatting.altitude(1234.4, MILES) == "4,050 ft"


@pytest.mark.parametrize(
    ("name", "metres", "shown", "in_miles"),
    [
        ("5 km", 5000.0, "5 km", "3.11 mi"),
        ("100 km", 100_000.0, "100 km", "62.14 mi"),
        ("Bridge", 5000.0, "Bridge", "Bridge"),
        ("5 km", 5060.0, "5 km", "5 km"),  # the course's own name of a mat
    ],
)
def test_timing_point(name: str, metres: float, shown: str, in_miles: str) -> None:
    """Splits at whole kilometres are named by their distance; all others keep their names."""
    assert formatting.point(name, metres, KM) == shown
    assert formatting.point(name, metres, MILES) == in_miles


@pytest.mark.parametrize(
    ("share", "shown"), [(1.5, "+150%"), (-0.664, "\N{MINUS SIGN}66%"), (12.0, "+1,200%")]
)
def test_change(share: float, shown: str) -> None:
    """A change has the sign that the live page's figures have too."""
    assert formatting.change(share) == shown


@pytest.mark.parametrize(
    ("locale", "zone", "clock", "moment"),
    [
        ("en-US", "America/New_York", "3:05:09 AM", "Jan 15, 2026, 3:05 AM"),
        ("en-GB", "Europe/London", "08:05:09", "15 Jan 2026, 08:05"),
        ("de-DE", "Europe/Berlin", "09:05:09", "15.01.2026, 09:05"),
        ("fr-FR", "Europe/Paris", "09:05:09", "15 janv. 2026, 09:05"),
        ("ja-JP", "Asia/Tokyo", "17:05:09", "2026/01/15 17:05"),
        ("en-IN", "Asia/Kolkata", "1:35:09 PM", "15 Jan 2026, 1:35 PM"),
        (None, None, "08:05:09", "15 Jan 2026, 08:05"),
        ("xx-YY", "Nowhere/Nothing", "08:05:09", "15 Jan 2026, 08:05"),
    ],
)
def test_times_of_day(locale: str | None, zone: str | None, clock: str, moment: str) -> None:
    """Dates and times of day are as the viewer's locale writes them, in the viewer's zone."""
    viewer = Viewer.of(locale, zone)
    assert formatting.clock(MORNING, viewer).replace("\N{NARROW NO-BREAK SPACE}", " ") == clock
    assert formatting.day_and_clock(MORNING, viewer).replace("\N{NARROW NO-BREAK SPACE}", " ") == moment


def test_chosen_clock() -> None:
    """The viewer may choose the other clock; axes of charts follow."""
    viewer = Viewer.of("de-DE", "Asia/Tokyo")
    assert formatting.axis_clock(viewer) == "%H:%M"
    assert formatting.exact_clock(MORNING, viewer) == "17:05:09.078"
    other = replace(viewer, clock="12-hour")
    assert formatting.axis_clock(other, seconds=True) == "%-I:%M:%S %p"
    assert formatting.exact_clock(MORNING, other) == "5:05:09.078\N{NARROW NO-BREAK SPACE}PM"


@pytest.mark.parametrize(
    ("locale", "order"), [("en-US", "MM/DD/YYYY"), ("en-GB", "DD/MM/YYYY"), ("sv-SE", "YYYY/MM/DD")]
)
def test_order_of_a_date(locale: str, order: str) -> None:
    """Dates are entered in the order of the viewer's locale."""
    assert formatting.date_order(Viewer.of(locale, None)) == order
