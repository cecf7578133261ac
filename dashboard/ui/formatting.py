"""Numbers as runners read them, and addresses as they may be shown to anybody."""

from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

UNKNOWN = "\N{EN DASH}"

SECONDS_PER_HOUR = 3600

TIME_DECIMALS = 3
"""Times are told in milliseconds, as the stores have them: what is less is an error of computing, as in
5.1 - 2.1. So, cut to whole seconds, a time is the same wherever it is shown."""

MIN_PACE_DISTANCE_M = 50.0
"""Over less than this a pace says more about rounding and the start than about running."""


def race_time(seconds: float) -> str:
    """h:mm:ss, whole seconds as on the clock at the finish line (never rounded up)."""
    if not math.isfinite(seconds) or seconds < 0:
        return UNKNOWN
    minutes, second = divmod(_whole(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}"


def duration(seconds: float) -> str:
    """m:ss of what lasts less than an hour, else h:mm:ss; whole seconds, never rounded up."""
    if not math.isfinite(seconds) or seconds < 0:
        return UNKNOWN
    if _whole(seconds) >= SECONDS_PER_HOUR:
        return race_time(seconds)
    minute, second = divmod(_whole(seconds), 60)
    return f"{minute}:{second:02}"


def _whole(seconds: float) -> int:
    """The seconds that are over."""
    return int(round(seconds, TIME_DECIMALS))


def gap(seconds: float) -> str:
    """How far behind somebody is: +m:ss, nothing for who isn't."""
    if not math.isfinite(seconds):
        return UNKNOWN
    return "" if seconds <= 0 else f"+{duration(seconds)}"


def pace(seconds: float, metres: float) -> str:
    """min:sec per kilometre, rounded to the second; unknown over the first metres."""
    if not (math.isfinite(seconds) and metres >= MIN_PACE_DISTANCE_M):
        return UNKNOWN
    minutes, second = divmod(round(seconds / metres * 1000), 60)
    return f"{minutes}:{second:02}"


def kilometres(metres: float) -> str:
    """Kilometres with two decimals, without the unit."""
    return f"{metres / 1000:.2f}"


def change(share: float) -> str:
    """A relative change in whole per cent, with its sign: a minus and no hyphen."""
    return f"{share:+,.0%}".replace("-", "\N{MINUS SIGN}")


def clock(epoch_ms: float, zone: str | None) -> str:
    """The time of day in the viewer's zone (an IANA name; UTC if it isn't known)."""
    return f"{_local(epoch_ms, zone):%H:%M:%S}"


def day_and_clock(epoch_ms: float, zone: str | None) -> str:
    """Day and time of day in the viewer's zone."""
    return f"{_local(epoch_ms, zone):%Y-%m-%d %H:%M}"


def known_zone(zone: str | None) -> str:
    """The IANA name of a zone that is known; UTC for any other."""
    try:
        return ZoneInfo(zone or "UTC").key
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"


def _local(epoch_ms: float, zone: str | None) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, ZoneInfo(known_zone(zone)))
