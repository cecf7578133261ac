"""Paces and times, as people and spreadsheets write them."""

import math
import re
from typing import NamedTuple

from simulator.race.start_list.limits import FASTEST, SLOWEST, quoted
from simulator.race.start_list.words import plain

METRES = {"km": 1000.0, "mi": 1609.344}
_PER = re.compile(
    r"\s*(?:min(?:s|utes?|uten|\.)?)?\s*(?:/|per|pro|par|a|por|al|p/)\s*"
    r"(?:(?P<km>km|k|kilomet(?:er|re)s?|kilometro)|(?P<mi>mi|mile|miles|milla|mille|meile|miglio|mijl))\.?$"
)
"""The unit of a pace behind its number."""
_PACE_UNIT = re.compile(
    r"(?P<kmh>km/h|kmh|kph|km/u)|(?P<mph>mph|mi/h|miles/h)|(?P<mi>\b(?:mi|miles?)\b)|(?P<km>\bkm\b|kilomet)|"
    r"(?P<other>\b[0-9]+ ?m\b)"
)
_TIME_UNIT = re.compile(
    r"[(\[]\s*(?:in )?(?:(?P<h>h|hrs?|hours?|stunden|std|heures?|horas?|ore)|"
    r"(?P<m>min|mins|minutes?|minuten|minutos)|(?P<s>s|secs?|seconds?|sek|sekunden))\.?\s*[)\]]"
)
"""Units in the name of a column."""
_SPEEDS = {"kmh": " km/h", "mph": " mph"}
_TIMES = {"h": 3600.0, "m": 60.0, "s": 1.0}
_SPEED = re.compile(r"([0-9]{1,3}(?:[.,][0-9]{1,6})?)\s*(?:(km/h|kmh|kph|km/u)|mph|mi/h|miles/h)$")
_DATE = re.compile(
    r"(?:1899-12-3[01]|1900-01-0[01]|(?:30/12|31/12|12/30|12/31)/1899|0?1/0?[01]/(?:19)?00)[ t]+"
)
"""The day on which spreadsheets count from zero, in front of a time."""
_CLOCK = re.compile(
    r"(?:(?P<h>[0-9]{1,3}):(?=[0-9]{1,2}:))?(?P<m>[0-9]{1,3}):(?P<s>[0-5][0-9])(?P<f>[.,][0-9]{1,9})?"
    r"(?:\s*(?P<half>[ap])\.?m\.?|\s*min\.?)?"
)
_HOURS = re.compile(r"([0-9]{1,2}):([0-5][0-9])\s*(?:hours?|hrs?|h|std|uhr)\b\.?")
_UNITS = re.compile(
    r"(?:(?P<h>[0-9]{1,2})\s*(?:h|hrs?|hours?|std|heures?|horas?|ore|uur|tim)\.?\s*:?\s*)?"
    r"(?:(?P<m>[0-9]{1,3})\s*(?:['\u2032\u2019\u00b4]|m|mins?|minutes?|minuten|mn|$)\.?\s*)?"
    r"(?:(?P<s>[0-9]{1,5}(?:[.,][0-9]{1,9})?)\s*(?:[\"\u2033\u201d]|''|\u00b4\u00b4|s|secs?|seconds?|sek|$)\.?)?"
)
_NUMBER = re.compile(r"[0-9]{1,6}(?:[.,][0-9]{1,17})?(?:e-0?[1-9])?")
_ABOUT = re.compile(
    r"(?:[~\u2248<>]|ca?\.|circa|approx(?:\.|imately)?|about|around|roughly|sub|under|below|over|etwa|ungefähr|"
    r"unter|environ|env\.|moins de|unos|circa|ongeveer|cirka)[\s-]*(?=[0-9])"
)
"""What people write in front of an estimate."""
_RANGE = re.compile(
    r"([0-9][0-9:.h']*)([^-\u2013\u2014]*?)\s*(?:-|\u2013|\u2014|to|bis|à|a)\s*([0-9][0-9:.h']*)(.*)"
)
"""Two times, each perhaps with a unit."""
MAX_RANGE = 40
"""Maximum length of a range, characters."""
_TWO_DECIMALS = re.compile(r"([0-9]{1,2})[.,]([0-5][0-9])")
_MINUTES = (2.0, 30.0)
"""Numbers in this range are minutes per kilometre or mile; those from `FASTEST` on are seconds."""
_NO_TIME = {"?", "unknown", "unsure", "not sure", "no idea", "don't know", "dont know", "na"}
"""What people write who expect no time."""
_DAY_DECIMALS = 5
"""Least number of decimals in which a spreadsheet writes a time as the fraction of a day."""
RULE = f"must be seconds per kilometre or minutes:seconds, from {FASTEST:.0f} to {SLOWEST:.0f} seconds, not "


class Expected(NamedTuple):
    """An expected time: seconds; `is_loose` if they may also be 60 or 3600 times as many.

    `3:45` is hours and minutes for a marathon, minutes and seconds for a kilometre: the distance decides.
    """

    seconds: float
    is_loose: bool


def pace(cell: str, unit: str, *, is_vague: bool, is_pointed: bool) -> tuple[float, str]:
    """Return seconds per kilometre, and what was assumed; raises ValueError.

    Args:
        cell: not empty.
        unit: that of the column, as `pace_unit` returns it, if the cell names none.
        is_vague: nothing says that this is the unit.
        is_pointed: all paces of the column are written as 5.30, which may be 5:30 or 5.3 minutes.
    """
    words = _ABOUT.sub("", plain(cell).lower(), count=1)
    if unit in _SPEEDS and _NUMBER.fullmatch(words):
        words += _SPEEDS[unit]
    if (speed := _SPEED.fullmatch(words)) is not None and (number := float(speed[1].replace(",", "."))):
        return _within(3600 / number * (1 if speed[2] else 1000 / METRES["mi"]), cell), ""
    if (per := _PER.search(words)) is not None:
        unit, is_vague = "km" if per["km"] else "mi", False
        words = words[: per.start()]
    if unit == "other":
        raise ValueError(
            f"must be per kilometre or mile, not {quoted(cell)} for the distance in the column's name"
        )
    seconds, assumed = _of_pace(words.strip(), cell, is_pointed=is_pointed)
    if is_vague and not assumed:
        assumed = "has no unit and was read per kilometre: for miles, write /mi behind it"
    return _within(seconds * 1000 / METRES.get(unit, METRES["km"]), cell), assumed


def _of_pace(words: str, cell: str, *, is_pointed: bool) -> tuple[float, str]:
    if (seconds := _clock(words)) is not None:
        if seconds > SLOWEST and words.count(":") == 2:
            raise ValueError(_too_slow(cell, seconds))
        return seconds, ""
    if _NUMBER.fullmatch(words) is None:
        raise ValueError(RULE + quoted(cell))
    if is_pointed and _TWO_DECIMALS.fullmatch(words):
        raise ValueError(f"{quoted(cell)} could be minutes and seconds or a fraction of minutes: write 5:30")
    number = float(words.replace(",", "."))
    if _is_day(words, number):
        return number * 86_400, "is a fraction of a day, as spreadsheets count time"
    if _MINUTES[0] <= number < _MINUTES[1]:
        return number * 60, "is below 60 and was read as minutes"
    return number, ""


def _too_slow(cell: str, seconds: float) -> str:
    """Explain a pace of hours: minutes that a spreadsheet took for hours, or a finish time."""
    hours, minutes = divmod(round(seconds) // 60, 60)
    return (
        f"{quoted(cell)} is {hours} hours {minutes} minutes per kilometre or mile: if a spreadsheet made "
        f"hours of minutes, write 0:{hours:02}:{minutes:02}; if it is a finish time, name the column "
        '"expected time"'
    )


def _within(seconds: float, cell: str) -> float:
    if not FASTEST <= seconds <= SLOWEST:
        raise ValueError(RULE + quoted(cell))
    return seconds


def are_pointed(cells: set[str]) -> bool:
    """Return whether all paces are written as 5.30, so that none shows what the decimals are."""
    own = [words for cell in cells if (words := plain(cell))]
    return bool(own) and all(_TWO_DECIMALS.fullmatch(words) for words in own)


def pace_unit(head: str) -> str:
    """Return the unit in the name of a column of paces: `km`, `mi`, `kmh`, `mph`, `other` or ""."""
    found = _PACE_UNIT.search(plain(head).lower())
    return found.lastgroup or "" if found else ""


def time_unit(head: str) -> float:
    """Return the seconds of the unit in brackets in the name of a column of times; 0 if there is none."""
    found = _TIME_UNIT.search(plain(head).lower())
    return _TIMES[found.lastgroup or "s"] if found else 0.0


def time(cell: str, unit: float) -> tuple[Expected, str]:
    """Return an expected time of a cell that isn't empty, and what was assumed; raises ValueError.

    `unit` is that of numbers in the column, in seconds; 0 if it is unknown.
    """
    words = _ABOUT.sub("", plain(cell).lower(), count=1)
    if unit and _NUMBER.fullmatch(words) and not _TWO_DECIMALS.fullmatch(words):
        return Expected(float(words.replace(",", ".")) * unit or math.nan, is_loose=False), ""
    if _clock(words) is None and not _NUMBER.fullmatch(words) and (between := _range(words)):
        return _middle(between, cell), "is a range and was read as its middle"
    return _time(words, cell)


def _range(words: str) -> re.Match[str] | None:
    # Longer texts would take the expression too long.
    return _RANGE.fullmatch(words) if len(words) <= MAX_RANGE else None


def _middle(between: re.Match[str], cell: str) -> Expected:
    one, _ = _time(between[1] + (between[2] or between[4]), cell)
    other, _ = _time(between[3] + between[4], cell)
    # Farther apart, the first has another unit than the second.
    if not one.seconds <= other.seconds <= 3 * one.seconds:
        raise ValueError(f"must be a time such as 1:45:30, not {quoted(cell)}")
    return Expected((one.seconds + other.seconds) / 2, is_loose=one.is_loose and other.is_loose)


def _time(words: str, cell: str) -> tuple[Expected, str]:
    if (seconds := _clock(words)) is not None and seconds > 0:
        return Expected(seconds, is_loose=words.count(":") == 1), ""
    if words in _NO_TIME or seconds == 0 or not words.strip("0"):
        return Expected(math.nan, is_loose=False), "was read as no time"
    if _NUMBER.fullmatch(words) is None:
        raise ValueError(f"must be a time such as 1:45:30, not {quoted(cell)}")
    if _TWO_DECIMALS.fullmatch(words) and not words.endswith("00"):
        raise ValueError(f"{quoted(cell)} could be minutes and seconds or a fraction of minutes: write 45:30")
    number = float(words.replace(",", "."))
    if _is_day(words, number):
        return Expected(number * 86_400, is_loose=False), "is a fraction of a day, as spreadsheets count time"
    return Expected(number, is_loose=True), ""


def _is_day(words: str, number: float) -> bool:
    return number < 1 and len(words) - 2 >= _DAY_DECIMALS


def _clock(words: str) -> float | None:
    """Return the seconds of h:mm:ss, m:ss, 1h45 or 5'30"; None if it is something else."""
    words = _HOURS.sub(r"\1h\2", _DATE.sub("", words, count=1))
    found = _CLOCK.fullmatch(words)
    if found is None:
        found = _UNITS.fullmatch(words)
        # A number alone has no unit.
        if found is None or not any(found.groups()) or _NUMBER.fullmatch(words):
            return None
        parts = [float((part or "0").replace(",", ".")) for part in found.groups()]
        is_over = (found["h"] and parts[1] >= 60) or ((found["h"] or found["m"]) and parts[2] >= 60)
        return None if is_over else _seconds(found["h"], found["m"], found["s"])
    if found["h"] and int(found["m"]) > 59:
        return None
    hours = int(found["h"] or 0)
    if found["half"] and found["h"]:
        hours = hours % 12 + (12 if found["half"] == "p" else 0)
    return _seconds(str(hours), found["m"], found["s"] + (found["f"] or ""))


def _seconds(hours: str | None, minutes: str | None, seconds: str | None) -> float:
    return 3600 * float(hours or 0) + 60 * float(minutes or 0) + float((seconds or "0").replace(",", "."))
