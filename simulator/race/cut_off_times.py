"""Cut-offs as a request has them: seconds by the name of a timing point, also written as text."""

import re
from typing import Annotated

import orjson
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

MAX_LIMIT = 864_000.0
"""Maximum time limit, seconds: ten days."""
MAX_CUT_OFFS = 100
"""Maximum number of time limits of a race."""
MAX_TEXT = 10_000
"""Maximum length of time limits as text, characters."""
MAX_NAME = 200
"""Maximum length of a point's name, characters."""

_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)", re.ASCII)
_SECONDS = re.compile(r"\d{1,6}(\.\d{1,3})?", re.ASCII)
_SHOWN = 40


def seconds_of(text: str) -> float:
    """Return the seconds of h:mm:ss, or of a number of seconds; raises ValueError."""
    if found := _CLOCK.fullmatch(text.strip()):
        hours, minutes, seconds = map(int, found.groups())
        return 3600.0 * hours + 60.0 * minutes + seconds
    if _SECONDS.fullmatch(text.strip()):
        return float(text)
    raise ValueError(f"{text.strip()[:_SHOWN]!r} is not a time such as 0:40:00 or 2400")


def written(seconds: float) -> str:
    """Return a limit as h:mm:ss, with decimals only if it has some."""
    whole, part = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" + (f".{part:03}".rstrip("0") if part else "")


def _read(value: object) -> object:
    """Turn text, and times in it, into seconds by name; everything else is left to the model."""
    try:
        if isinstance(value, str):
            value = orjson.loads(value) if value.lstrip().startswith("{") else _of_text(value)
        if isinstance(value, dict):
            limits = {name: seconds_of(one) if isinstance(one, str) else one for name, one in value.items()}
            _check(limits)
            return limits
    except ValueError as error:
        raise PydanticCustomError(
            "cut_offs",
            "must be names of timing points with times, such as 5 km = 0:40:00; finish = 1:30:00: {why}",
            {"why": str(error)},
        ) from error
    return value


def _check(limits: dict[object, object]) -> None:
    """Raise ValueError for the first limit out of bounds, with its name."""
    for name, limit in limits.items():
        if isinstance(limit, int | float) and not 0 < limit <= MAX_LIMIT:
            raise ValueError(
                f"the time for {str(name)[:_SHOWN]!r} must be more than 0 and at most {written(MAX_LIMIT)}"
            )


def _of_text(text: str) -> dict[str, float]:
    if len(text) > MAX_TEXT:
        raise ValueError(f"the text has more than {MAX_TEXT:,} characters")
    limits: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
        name, equals, time = (piece.strip() for piece in part.rpartition("="))
        if not equals or not name:
            raise ValueError(f"{part[:_SHOWN]!r} has no name, = and time")
        if name in limits:
            raise ValueError(f"{name[:_SHOWN]!r} has two times")
        limits[name] = seconds_of(time)
    return limits


Limit = Annotated[float, Field(gt=0, le=MAX_LIMIT)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
COUNT = Field(min_length=1, max_length=MAX_CUT_OFFS)
CutOffTimes = Annotated[
    dict[Name, Limit],
    COUNT,
    BeforeValidator(_read, json_schema_input_type=str | Annotated[dict[Name, Limit | str], COUNT]),
]
"""Seconds by the name of a timing point or `finish`."""
