"""Competitors: bib, name, category, club, sex and wave."""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.resources import files

import numpy as np

from simulator.race.chance import Stream, along_with, ranks_within
from simulator.race.field import Field
from simulator.race.request import RaceRequest
from simulator.race.start_list import OPEN, StartList
from stream.arrays import Ints
from stream.results import Entrant

Texts = Callable[[Ints], Iterable[tuple[str, str, str, str]]]
"""Returns the names, categories, clubs and sexes of the competitors with these indices."""


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
"""Correlation of age and pace, among those of one sex."""


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
        return self.of(np.arange(first, min(last, len(self))))

    def of(self, who: Ints) -> Iterator[Entrant]:
        """Yield the competitors with these indices, shape (k,)."""
        known = zip(self.bib[who].tolist(), self.wave[who].tolist(), self._texts(who), strict=True)
        for bib, wave, (name, category, club, sex) in known:
            yield Entrant(bib, name, category, club, wave, sex)

    def categories(self) -> list[str]:
        """Return all categories, n of them."""
        return [category for _, category, _, _ in self._texts(np.arange(len(self)))]


def listed(start_list: StartList, wave: Ints) -> Entrants:
    """Return the competitors of a start list with these waves."""
    sexes = start_list.sexes()

    def texts(who: Ints) -> Iterator[tuple[str, str, str, str]]:
        name, category, club = start_list.name, start_list.category, start_list.club
        return ((name[nth], category[nth], club[nth], sexes[nth]) for nth in who.tolist())

    return Entrants(start_list.bib, wave, texts)


def of(request: RaceRequest, field: Field, start_list: StartList | None) -> Entrants:
    """Return a race's competitors: from the start list, drawn, or numbered."""
    if start_list is not None:
        _, start_ms = request.identity()
        return listed(start_list.on(datetime.fromtimestamp(start_ms / 1000, UTC).date()), field.wave)
    texts = _drawn(request, field) if request.entrants == "drawn" else _numbered
    return Entrants(np.arange(1, len(field) + 1), field.wave, texts)


def _numbered(who: Ints) -> Iterator[tuple[str, str, str, str]]:
    """Return `Runner 17` and so on, without category, club and sex."""
    return ((f"Runner {nth + 1}", OPEN, "", "") for nth in who.tolist())


def _drawn(request: RaceRequest, field: Field) -> Texts:
    """Return random names, categories and clubs; the sexes are those of the field."""
    first, last, club = (
        request.draw(stream) for stream in (Stream.FIRST_NAME, Stream.LAST_NAME, Stream.CLUB)
    )
    shares = np.cumsum([share for _, share in AGES])
    # Ranked by sex: otherwise women, slower on average, would be older as well.
    slowness = ranks_within(field.moving[-1], field.women)
    age = along_with(slowness, request.draw(Stream.AGE), SLOWER_WITH_AGE)
    numbers = (field.women, first, last, np.searchsorted(shares[:-1], age * shares[-1], side="right"), club)

    def texts(who: Ints) -> Iterator[tuple[str, str, str, str]]:
        for woman, first, last, age, club in zip(*(column[who].tolist() for column in numbers), strict=True):
            name = f"{_pick(NAMES['women' if woman else 'men'], first)} {_pick(NAMES['last'], last)}"
            category = ("W" if woman else "M") + AGES[age][0]
            in_club = (club - CLUBLESS) / (1 - CLUBLESS)
            team = "" if in_club < 0 else _pick(NAMES["clubs"], in_club)
            yield name, category, team, "F" if woman else "M"

    return texts


def _pick(words: Sequence[str], drawn: float) -> str:
    return words[int(drawn * len(words))]
