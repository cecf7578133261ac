"""Competitors: bib, name, category, club and wave."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from simulator.race.chance import Stream, along_with, ranks, uniform
from simulator.race.start_list import OPEN
from stream.results import Entrant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulator.race.field import Field
    from simulator.race.request import RaceRequest
    from simulator.race.start_list import StartList
    from stream.arrays import Floats, Ints, Mask


NAMES: dict[str, list[str]] = tomllib.loads(files("simulator.race").joinpath("names.toml").read_text("utf-8"))
CLUBLESS = 0.35
"""Share of competitors without a club."""
AGES = (
    ("U20", 0.04),
    ("SEN", 0.32),
    ("35", 0.13),
    ("40", 0.14),
    ("45", 0.13),
    ("50", 0.10),
    ("55", 0.07),
    ("60", 0.04),
    ("65", 0.02),
    ("70", 0.01),
)
"""Age groups as in road running (`MSEN`, `W45` …), each with its share. The shares resemble a club race; they
are not a published count."""

SLOWER_WITH_AGE = 0.3
"""Correlation of age and pace."""


class Entrants:
    """The competitors of a race; create with `of`. Stores only numbers; texts are generated on demand.

    Attributes:
        bib: shape (n,).
        wave: shape (n,).
    """

    def __init__(self, bib: Ints, wave: Ints, texts: _Texts) -> None:
        self.bib = bib
        self.wave = wave
        self._texts = texts

    def __len__(self) -> int:
        return len(self.bib)

    def some(self, first: int, last: int) -> Iterator[Entrant]:
        """Yield the competitors with indices in [first, last)."""
        part = slice(first, last)
        who = zip(self.bib[part].tolist(), self.wave[part].tolist(), self._texts(part), strict=True)
        for bib, wave, (name, category, club) in who:
            yield Entrant(bib, name, category, club, wave)


def listed(start_list: StartList, wave: Ints) -> Entrants:
    """Return the competitors of a start list with these waves."""
    return Entrants(start_list.bib, wave, _Listed(start_list))


def of(request: RaceRequest, field: Field, start_list: StartList | None) -> Entrants:
    """Return a race's competitors: from the start list, drawn, or numbered."""
    if start_list is not None:
        return listed(start_list, field.wave)
    drawn = request.entrants == "drawn"
    texts: _Texts = _Drawn(request.seed or 0, field.women, field.moving[-1]) if drawn else _Numbered()
    return Entrants(np.arange(1, len(field) + 1), field.wave, texts)


class _Numbered:
    """`Runner 17`, without category and club."""

    def __call__(self, part: slice) -> Iterator[tuple[str, str, str]]:
        return ((f"Runner {nth + 1}", OPEN, "") for nth in range(part.start, part.stop))


class _Listed:
    """Texts of the start list."""

    def __init__(self, start_list: StartList) -> None:
        self._list = start_list

    def __call__(self, part: slice) -> Iterator[tuple[str, str, str]]:
        return zip(self._list.name[part], self._list.category[part], self._list.club[part], strict=True)


class _Drawn:
    """Random names, categories and clubs."""

    def __init__(self, seed: int, women: Mask, pace: Floats) -> None:
        n = len(women)
        self._women = women
        self._first = uniform(seed, Stream.FIRST_NAME, n)
        self._last = uniform(seed, Stream.LAST_NAME, n)
        self._club = uniform(seed, Stream.CLUB, n)
        shares = np.cumsum([share for _, share in AGES])
        age = along_with(ranks(pace), uniform(seed, Stream.AGE, n), SLOWER_WITH_AGE)
        self._age = np.searchsorted(shares[:-1], age * shares[-1], side="right")

    def __call__(self, part: slice) -> Iterator[tuple[str, str, str]]:
        numbers = (self._women, self._first, self._last, self._age, self._club)
        for woman, first, last, age, club in zip(*(column[part].tolist() for column in numbers), strict=True):
            name = f"{_pick(NAMES['women' if woman else 'men'], first)} {_pick(NAMES['last'], last)}"
            category = ("W" if woman else "M") + AGES[age][0]
            yield (
                name,
                category,
                "" if club < CLUBLESS else _pick(NAMES["clubs"], (club - CLUBLESS) / (1 - CLUBLESS)),
            )


_Texts = _Numbered | _Listed | _Drawn


def _pick(words: Sequence[str], drawn: float) -> str:
    return words[int(drawn * len(words))]
