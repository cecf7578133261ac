"""Reads times as receivers write them: the notations of ISO 8601 and those that can mean only one thing."""

import re
from datetime import date
from functools import lru_cache

_TIME = re.compile(
    r"([0-9]{4})(?:[-/]([0-9]{1,2})[-/]([0-9]{1,2})|([0-9]{2})([0-9]{2}))"
    r"(?:[Tt]|\s+)"
    r"(?:([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})|([0-9]{2}):?([0-9]{2})(?::?([0-9]{2}))?)"
    r"(?:[.,]([0-9]{1,12}))?\s*"
    r"([Zz]|UTC|GMT|([+-])([0-9]{1,2})(?::?([0-9]{2}))?)?(?:\[[\w/+-]{1,40}\])?",
    re.ASCII,
)
"""Year, month, day (twice), hour, minute, second (twice), fraction, zone, its sign and figures."""
_LONGEST = 100
"""Characters of a time."""
MAX_OFFSET = 15 * 3600
"""Seconds; zones lie from -12 to +14 hours."""
EPOCH = date(1970, 1, 1).toordinal()


def epoch(text: str) -> tuple[float, bool]:
    """Return epoch seconds, and whether the text names a zone: without one it is UTC, as in GPX.

    24:00:00 is the end of a day, and :60 a leap second, which counts as the next second.

    Raises:
        ValueError: it isn't a time, or can mean several.
    """
    text = text.strip()
    found = _TIME.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise ValueError
    year, month, day, month_2, day_2, *clock, fraction, zone, sign, hours, minutes = found.groups()
    hour, minute, second = (int(one or other or 0) for one, other in zip(clock[:3], clock[3:], strict=True))
    offset = 3600 * int(hours or 0) + 60 * int(minutes or 0)
    is_end_of_day = (hour, minute, second) == (24, 0, 0)
    if (hour > 23 and not is_end_of_day) or minute > 59 or second > 60 or offset > MAX_OFFSET:
        raise ValueError
    midnight = _midnight(int(year), int(month or month_2), int(day or day_2))
    seconds = midnight + 3600 * hour + 60 * minute + second + float(f"0.{fraction or 0}")
    return seconds + (offset if sign == "-" else -offset), zone is not None


@lru_cache(maxsize=64)
def _midnight(year: int, month: int, day: int) -> int:
    """Return the epoch seconds at which a day begins in UTC; raises ValueError if there is no such day."""
    return (date(year, month, day).toordinal() - EPOCH) * 86_400
