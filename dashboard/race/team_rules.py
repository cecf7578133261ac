"""How teams are scored, as parameters of links and requests: `scorers`, `by` and `who`, as in the API."""

from collections.abc import Mapping
from typing import cast, get_args

from stream.teams import SCORERS, By, Rules, Who

NAMES = Rules._fields
"""The parameters."""
_ALLOWED: dict[str, tuple[str, ...]] = {
    "scorers": tuple(map(str, range(SCORERS[0], SCORERS[1] + 1))),
    "by": get_args(By),
    "who": get_args(Who),
}
_USUAL = {name: str(value) for name, value in Rules()._asdict().items()}


class RulesError(ValueError):
    """A parameter has an unknown value; the message says which ones there are."""


def strict(given: Mapping[str, str]) -> Rules:
    """Return the rules of a request; raises `RulesError`."""
    for name in NAMES:
        if name in given and given[name] not in (allowed := _ALLOWED[name]):
            words = f"a whole number from {allowed[0]} to {allowed[-1]}" if name == "scorers" else None
            raise RulesError(f"The parameter `{name}` must be {words or ' or '.join(allowed)}.")
    return lenient(given)


def lenient(given: Mapping[str, str]) -> Rules:
    """Return the rules of a link, in which unknown values count as missing ones."""
    known = _USUAL | {name: given[name] for name in NAMES if given.get(name) in _ALLOWED[name]}
    return Rules(int(known["scorers"]), cast("By", known["by"]), cast("Who", known["who"]))
