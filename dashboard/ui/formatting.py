"""Numbers in the formats runners use, and addresses without their credentials."""

import math
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

UNKNOWN = "\N{EN DASH}"

SECONDS_PER_HOUR = 3600

TIME_DECIMALS = 3
"""Stores have times in milliseconds. Anything below that is floating-point error, as in 5.1 - 2.1; dropping
it makes a truncated time the same wherever it is shown.
"""

MIN_PACE_DISTANCE_M = 50.0
"""Minimum distance in metres for a pace; below it, rounding and the start dominate."""


def race_time(seconds: float) -> str:
    """h:mm:ss in whole seconds, truncated like a finish clock."""
    if not math.isfinite(seconds) or seconds < 0:
        return UNKNOWN
    minutes, second = divmod(_whole(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}"


def duration(seconds: float) -> str:
    """m:ss below one hour, else h:mm:ss; whole seconds, truncated."""
    if not math.isfinite(seconds) or seconds < 0:
        return UNKNOWN
    if _whole(seconds) >= SECONDS_PER_HOUR:
        return race_time(seconds)
    minute, second = divmod(_whole(seconds), 60)
    return f"{minute}:{second:02}"


def _whole(seconds: float) -> int:
    """Completed whole seconds."""
    return int(round(seconds, TIME_DECIMALS))


def gap(seconds: float) -> str:
    """Gap to the leader as +m:ss; empty without a gap."""
    if not math.isfinite(seconds):
        return UNKNOWN
    return "" if seconds <= 0 else f"+{duration(seconds)}"


def pace(seconds: float, metres: float) -> str:
    """min:sec per kilometre, rounded to the second; a dash over the first metres."""
    if not (math.isfinite(seconds) and metres >= MIN_PACE_DISTANCE_M):
        return UNKNOWN
    minutes, second = divmod(round(seconds / metres * 1000), 60)
    return f"{minutes}:{second:02}"


def kilometres(metres: float) -> str:
    """Kilometres with two decimals, without the unit."""
    return f"{metres / 1000:.2f}"


def change(share: float) -> str:
    """A relative change in whole per cent with its sign, using a true minus sign."""
    return f"{share:+,.0%}".replace("-", "\N{MINUS SIGN}")


def clock(epoch_ms: float, zone: str | None) -> str:
    """The time of day in the viewer's zone (an IANA name; UTC if unknown)."""
    return f"{_local(epoch_ms, zone):%H:%M:%S}"


def day_and_clock(epoch_ms: float, zone: str | None) -> str:
    """Date and time of day in the viewer's zone."""
    return f"{_local(epoch_ms, zone):%Y-%m-%d %H:%M}"


def known_zone(zone: str | None) -> str:
    """The zone's IANA name if it is known, else UTC."""
    try:
        return ZoneInfo(zone or "UTC").key
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"


def _local(epoch_ms: float, zone: str | None) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, ZoneInfo(known_zone(zone)))
