"""Competitors: bib, name, category, club and wave."""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.resources import files

import numpy as np

from simulator.race.chance import Stream, along_with, ranks
from simulator.race.field import Field
from simulator.race.request import RaceRequest
from simulator.race.start_list import OPEN, StartList
from stream.arrays import Ints
from stream.results import Entrant

Texts = Callable[[slice], Iterable[tuple[str, str, str]]]
"""Returns the names, categories and clubs of the competitors with these indices."""


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

    def __init__(self, bib: Ints, wave: Ints, texts: Texts) -> None:
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

    def texts(part: slice) -> Iterable[tuple[str, str, str]]:
        return zip(start_list.name[part], start_list.category[part], start_list.club[part], strict=True)

    return Entrants(start_list.bib, wave, texts)


def of(request: RaceRequest, field: Field, start_list: StartList | None) -> Entrants:
    """Return a race's competitors: from the start list, drawn, or numbered."""
    if start_list is not None:
        return listed(start_list, field.wave)
    texts = _drawn(request, field) if request.entrants == "drawn" else _numbered
    return Entrants(np.arange(1, len(field) + 1), field.wave, texts)


def _numbered(part: slice) -> Iterator[tuple[str, str, str]]:
    """Return `Runner 17` and so on, without category and club."""
    return ((f"Runner {nth + 1}", OPEN, "") for nth in range(part.start, part.stop))


def _drawn(request: RaceRequest, field: Field) -> Texts:
    """Return random names, categories and clubs."""
    first, last, club = (
        request.draw(stream) for stream in (Stream.FIRST_NAME, Stream.LAST_NAME, Stream.CLUB)
    )
    shares = np.cumsum([share for _, share in AGES])
    age = along_with(ranks(field.moving[-1]), request.draw(Stream.AGE), SLOWER_WITH_AGE)
    numbers = (field.women, first, last, np.searchsorted(shares[:-1], age * shares[-1], side="right"), club)

    def texts(part: slice) -> Iterator[tuple[str, str, str]]:
        for woman, first, last, age, club in zip(*(column[part].tolist() for column in numbers), strict=True):
            name = f"{_pick(NAMES['women' if woman else 'men'], first)} {_pick(NAMES['last'], last)}"
            category = ("W" if woman else "M") + AGES[age][0]
            in_club = (club - CLUBLESS) / (1 - CLUBLESS)
            yield name, category, "" if in_club < 0 else _pick(NAMES["clubs"], in_club)

    return texts


def _pick(words: Sequence[str], drawn: float) -> str:
    return words[int(drawn * len(words))]
