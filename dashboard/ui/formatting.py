"""Numbers in the formats runners use, in the units and with the clock of a viewer. Pure."""

import math
from datetime import datetime
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton

from dashboard.ui.viewer import KM, Unit, Viewer

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


def official_time(seconds: float) -> str:
    """h:mm:ss of a finish time rounded up to the whole second, as the results of road races have it."""
    return race_time(math.ceil(round(seconds, TIME_DECIMALS))) if math.isfinite(seconds) else UNKNOWN


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


def pace(seconds: float, metres: float, unit: Unit) -> str:
    """min:sec per unit, rounded to the second; a dash over the first metres."""
    if not (math.isfinite(seconds) and metres >= MIN_PACE_DISTANCE_M):
        return UNKNOWN
    minutes, second = divmod(round(seconds / metres * unit.metres), 60)
    return f"{minutes}:{second:02}"


def counted(count: int, one: str, many: str) -> str:
    """A number of things: 1 runner, 1,200 runners."""
    return f"{count:,} {one if count == 1 else many}"


def distance(metres: float, unit: Unit) -> str:
    """A distance with two decimals and its unit, such as 5.00 km."""
    return f"{metres / unit.metres:.2f} {unit.symbol}"


def short_distance(metres: float, unit: Unit) -> str:
    """A distance with at most two decimals and its unit, such as 5 km."""
    return f"{round(metres / unit.metres, 2):g} {unit.symbol}"


def altitude(metres: float, unit: Unit) -> str:
    """An altitude or a climb in whole metres, or feet beside miles, with its unit."""
    return f"{metres / unit.height.metres:,.0f} {unit.height.symbol}"


def point(name: str, metres: float, unit: Unit) -> str:
    """The name of a timing point; the split at a whole kilometre is named by its distance."""
    return short_distance(metres, unit) if name == short_distance(metres, KM) else name


def change(share: float) -> str:
    """A relative change in whole per cent with its sign, using a true minus sign."""
    return f"{share:+,.0%}".replace("-", "\N{MINUS SIGN}")


def clock(epoch_ms: float, viewer: Viewer) -> str:
    """The viewer's time of day, with seconds."""
    return _time_of_day(_local(epoch_ms, viewer), viewer, "ms")


def short_clock(epoch_ms: float, viewer: Viewer) -> str:
    """The viewer's time of day, without seconds."""
    return _time_of_day(_local(epoch_ms, viewer), viewer, "m")


def exact_clock(epoch_ms: float, viewer: Viewer) -> str:
    """The viewer's time of day, with milliseconds."""
    moment = _local(epoch_ms, viewer)
    second = f"{moment:%S}"
    whole = _time_of_day(moment, viewer, "ms")
    before, _, after = whole.rpartition(second)
    return f"{before}{second}.{int(epoch_ms) % 1000:03}{after}"


def day_and_clock(epoch_ms: float, viewer: Viewer) -> str:
    """Date and time of day as the viewer's locale writes them."""
    moment = _local(epoch_ms, viewer)
    locale = Locale.parse(viewer.locale, sep="-")
    pattern = str(locale.datetime_formats["medium"]).replace("'", "")
    return pattern.format(_time_of_day(moment, viewer, "m"), format_date(moment, "medium", locale))


def date_order(viewer: Viewer) -> str:
    """The order of day, month and year in the viewer's locale, such as DD/MM/YYYY."""
    pattern = Locale.parse(viewer.locale, sep="-").date_formats["short"].pattern
    order = sorted("dMy", key=pattern.find)
    return "/".join({"d": "DD", "M": "MM", "y": "YYYY"}[part] for part in order)


def axis_clock(viewer: Viewer, *, seconds: bool = False) -> str:
    """The viewer's time of day as the axis of a chart formats it (d3-time-format)."""
    hours, half = ("%-I", " %p") if viewer.clock == "12-hour" else ("%H", "")
    return f"{hours}:%M{':%S' if seconds else ''}{half}"


def _time_of_day(moment: datetime, viewer: Viewer, smaller: str) -> str:
    hours = "h" if viewer.clock == "12-hour" else "H"
    return format_skeleton(f"{hours}{smaller}", moment, locale=Locale.parse(viewer.locale, sep="-"))


def _local(epoch_ms: float, viewer: Viewer) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, ZoneInfo(viewer.zone))
