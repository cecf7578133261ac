"""Converts paces in minutes and seconds per kilometre to and from seconds. Pure."""

import re

from dashboard.ui import formatting

_PACE = re.compile(r"\s*([0-9]{1,3}):([0-5][0-9])\s*")
_NUMBER = re.compile(r"[0-9][0-9,]*(?:\.[0-9]+)?(?: seconds per kilometre)?")

HOW_TO = "Enter minutes:seconds per kilometre, such as 4:30."


class PaceError(ValueError):
    """The text is not a pace; the message shows the format."""


def read(text: str) -> float:
    """Seconds per kilometre of a text such as 4:30.

    Raises:
        PaceError: the text is not a pace.
    """
    found = _PACE.fullmatch(text)
    if found is None:
        raise PaceError(HOW_TO)
    return 60.0 * int(found[1]) + int(found[2])


def write(seconds: float) -> str:
    """Format seconds per kilometre the way `read` parses them."""
    minute, second = divmod(round(seconds), 60)
    return f"{minute}:{second:02}"


def finish(seconds: float, metres: float) -> str:
    """The finish time at an even pace on a course, h:mm:ss."""
    return formatting.race_time(seconds * metres / 1000)


def in_minutes(sentence: str) -> str:
    """The API's message about a pace, with seconds also given as minutes and seconds."""
    return _NUMBER.sub(_both, sentence)


def _both(found: re.Match[str]) -> str:
    number = float(found[0].split()[0].replace(",", ""))
    return f"{found[0]} ({write(number)} per km)"
