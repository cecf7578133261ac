"""Converts paces in minutes and seconds per kilometre or mile to and from seconds per kilometre. Pure."""

import re
from collections.abc import Mapping

from dashboard.ui import formatting
from dashboard.ui.viewer import KM, Unit

_PACE = re.compile(r"\s*([0-9]{1,3}):([0-5][0-9])\s*")
_NUMBER = re.compile(r"[0-9][0-9,]*(?:\.[0-9]+)?(?: seconds per kilometre)?")


EXAMPLE_S = 270.0
"""Seconds per kilometre of the pace that an error message gives as an example."""


OF_THEIR_OWN: Mapping[str, str] = {"parkrun": "a parkrun", "marathon": "a marathon"}
"""Pace models that ignore the fastest and the slowest pace, with the name of the source of their paces."""


class PaceError(ValueError):
    """The text is not a pace; the message shows the format."""


def read(text: str, unit: Unit) -> float:
    """Seconds per kilometre of a text such as 4:30, which is per `unit`.

    Raises:
        PaceError: the text is not a pace.
    """
    found = _PACE.fullmatch(text)
    if found is None:
        raise PaceError(f"Enter minutes:seconds per {unit.word}, such as {write(EXAMPLE_S, unit)}.")
    return (60.0 * int(found[1]) + int(found[2])) * (KM.metres / unit.metres)


def write(seconds: float, unit: Unit) -> str:
    """Format seconds per kilometre the way `read` parses them."""
    minute, second = divmod(round(unit.pace(seconds)), 60)
    return f"{minute}:{second:02}"


def finish(seconds: float, metres: float) -> str:
    """The finish time at an even pace on a course, h:mm:ss."""
    return formatting.race_time(seconds * metres / 1000)


def in_minutes(sentence: str, unit: Unit) -> str:
    """The API's message about a pace, with seconds also given as minutes and seconds per `unit`."""

    def both(found: re.Match[str]) -> str:
        number = float(found[0].split()[0].replace(",", ""))
        return f"{found[0]} ({write(number, unit)} per {unit.each})"

    return _NUMBER.sub(both, sentence)
