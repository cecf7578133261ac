"""Which field a column of a start list has, by its name."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

from simulator.race.start_list.limits import MAX_WORDS

_TABLE: Mapping[str, Any] = tomllib.loads(
    files("simulator.race.start_list").joinpath("columns.toml").read_text("utf-8")
)
_WHOSE = re.compile(
    "(?:pleaseenter|enter|whatis|whats)?(?:the|your|participants?|athletes?|runners?|competitors?|entrants?|registrants?)"
    "(?=.)"
)
"""What registration systems and forms write in front of a column's name."""
_IN_BRACKETS = re.compile(r"\(.*?\)|\[.*?\]")
_EITHER = re.compile(r"[/|&]")
_INDIRECT = 1000
"""Added to the rank of a column that was recognised only in part."""


class Known(NamedTuple):
    """What a column's name stands for.

    Attributes:
        field: the field.
        rank: of several columns for one field, the one with the lowest rank is used.
    """

    field: str
    rank: int


class Ambiguous(NamedTuple):
    """What a column's name may stand for: two fields."""

    field: str
    other: str


def normal(words: str) -> str:
    """Return words without case, accents, blanks and punctuation."""
    words = unicodedata.normalize("NFKD", words.replace("#", " number ").replace("°", "o")).casefold()
    return "".join(letter for letter in words if letter.isalnum())


_KNOWN = {
    normal(name): Known(field, rank)
    for field, names in _TABLE["fields"].items()
    for rank, name in reversed(list(enumerate(names)))
}
_AMBIGUOUS = {
    normal(name): Ambiguous(field, known["other"])
    for field, known in _TABLE["ambiguous"].items()
    for name in known["names"]
}
SEXES = {normal(word): sex for sex, words in _TABLE["sexes"].items() for word in words}
"""The letter of a sex by its name: F, M or X."""
FIELDS: Mapping[str, str] = {field: names[0] for field, names in _TABLE["fields"].items()}
"""The name of each field's column that is the field's own."""
OWN_NAMES = ", ".join(FIELDS.values())
"""The fields' own names, as messages list them."""


@lru_cache(maxsize=1000)
def of(head: str) -> Known | Ambiguous | None:
    """Return what a column's name stands for; None if it is unknown."""
    if len(head) > MAX_WORDS:
        return None
    key = normal(head)
    if (direct := _KNOWN.get(key) or _AMBIGUOUS.get(key)) is not None:
        return direct
    bare = _IN_BRACKETS.sub(" ", head)
    candidates = [normal(bare), _WHOSE.sub("", normal(bare), count=1)]
    for candidate in candidates:
        if (known := _KNOWN.get(candidate)) is not None:
            return known._replace(rank=known.rank + _INDIRECT)
    return _either([_KNOWN.get(normal(part)) for part in _EITHER.split(bare)])


def _either(parts: Sequence[Known | None]) -> Known | None:
    """Return the field of a name such as `Club / Verein`, if all its parts are the same field."""
    fields = {part.field for part in parts if part is not None}
    if len(fields) == 1 and all(parts):
        return Known(fields.pop(), _INDIRECT)
    return None
