import math

import pytest

from dashboard.ui import formatting
from dashboard.ui.formatting import UNKNOWN


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
    ("seconds", "metres", "shown"),
    [
        (1500, 5000, "5:00"),
        (717.4, 4966.4, "2:24"),
        (299.7, 1000, "5:00"),
        (3600, 1000, "60:00"),
        (20, 49.9, UNKNOWN),
        (0, 0, UNKNOWN),
        (math.nan, 1000, UNKNOWN),
    ],
)
def test_pace(seconds: float, metres: float, shown: str) -> None:
    """A pace is min:sec per kilometre, and unknown over the first metres."""
    assert formatting.pace(seconds, metres) == shown


@pytest.mark.parametrize(
    ("metres", "shown"),
    [(0, "0.00"), (5, "0.01"), (4966.4, "4.97"), (9999.97, "10.00"), (21097.5, "21.10")],
)
def test_kilometres(metres: float, shown: str) -> None:
    """Kilometres have two decimals."""
    assert formatting.kilometres(metres) == shown


@pytest.mark.parametrize(
    ("share", "shown"), [(1.5, "+150%"), (-0.664, "\N{MINUS SIGN}66%"), (12.0, "+1,200%")]
)
def test_change(share: float, shown: str) -> None:
    """A change has the sign that the live page's figures have too."""
    assert formatting.change(share) == shown


def test_clock_in_viewers_zone() -> None:
    """Times of day are the viewer's, and UTC where the zone isn't known."""
    noon = 1_768_478_400_000
    assert formatting.clock(noon, "Europe/Berlin") == "13:00:00"
    assert formatting.clock(noon, None) == "12:00:00"
    assert formatting.clock(noon, "Nowhere/Nothing") == "12:00:00"
    assert formatting.day_and_clock(noon, "Asia/Tokyo") == "2026-01-15 21:00"
