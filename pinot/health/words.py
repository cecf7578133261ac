"""Formats figures and error messages for people."""

import re
from collections.abc import Sequence

UNKNOWN = "\N{EN DASH}"

_SIZES = ("B", "kB", "MB", "GB")
_THOUSAND = 1000
_MINUTE_S = 60
_HOUR_S = 3600


def count(number: float) -> str:
    """Return a whole number with thousands separators."""
    return f"{number:,.0f}"


def number(rate: float) -> str:
    """Return any number, with a decimal if it is small."""
    return f"{rate:,.0f}" if rate >= 9.95 or rate == 0 else f"{rate:.1f}"


def per_second(rate: float) -> str:
    """Return a rate per second."""
    return f"{number(rate)}/s"


def size(number: float) -> str:
    """Return a number of bytes, in powers of 1000."""
    for unit in _SIZES[:-1]:
        if number < _THOUSAND:
            return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= _THOUSAND
    return f"{number:.1f} {_SIZES[-1]}"


def seconds(span: float) -> str:
    """Return a duration in a suitable unit."""
    span = max(0.0, span)
    if span < 0.995:
        return f"{round(span, 2):g} s"
    if span < 9.95:
        return f"{span:.1f} s"
    if span < 2 * _MINUTE_S:
        return f"{span:.0f} s"
    if span < 2 * _HOUR_S:
        return f"{span / _MINUTE_S:.0f} min"
    return f"{span / _HOUR_S:.0f} h"


def ago(span: float) -> str:
    """Return how long ago something was."""
    return f"{seconds(span)} ago"


def share(part: tuple[int, int]) -> str:
    """Return `1 of 2`; unknown if there are none."""
    some, total = part
    return f"{some} of {total}" if total else UNKNOWN


def reason(error: Exception) -> str:
    """Return an error's message without its errno."""
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__


def listed(names: Sequence[str]) -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
