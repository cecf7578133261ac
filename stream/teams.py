"""Team scoring: a team is a club of the start list, and its best finishers score. Used by API and dashboard.

Scores are a team's places or official times, added up; the lowest wins. The rules follow those of the World
Athletics Cross Country Championships (team manuals of Bydgoszcz 2013 and Guiyang 2015, "How the event is
scored"): the aggregate of the places of the scoring members; places are not adjusted for competitors who do
not score, neither for individual entries nor for incomplete teams; a tie goes to the team whose last scorer
is nearer to the first place. Women and men have places among themselves, as in races of their own.

A team without enough finishers has no place. It comes after those that have one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

import numpy as np

from stream.arrays import Floats, Ints, Mask, Texts
from stream.csv_text import csv_head, csv_lines, harmless
from stream.results import official, shared_places

By = Literal["place", "time"]
"""What is added up."""
Who = Literal["all", "women", "men", "mixed"]
"""Who scores. Of a mixed team at least half of the scorers, rounded down, are women, and as many are men."""

SCORERS = (2, 20)
"""Fewest and most scorers of a team."""
FOUR = 4
"""Scorers if nothing else is asked for, as at the World Athletics Cross Country Championships."""
NO_CLUB = frozenset(
    {"unattached", "unaffiliated", "u/a", "no club", "no team", "independent", "individual", "privat"}
    | {"vereinslos", "ohne verein", "kein verein", "sans club", "non licencié", "individuel", "individuale"}
    | {"independiente", "sin club", "nessuna", "geen", "ingen"}
)
"""What start lists have as the club of those without one, in lower case. A text without letters is no club
either."""
TO_COME = ("waiting", "running", "paused")
"""Statuses of those who may still finish."""
PIECE = 1_000
"""Teams written together."""
_SEX_OF: dict[Who, str] = {"women": "F", "men": "M"}
_OWN = ("bib", "name", "place", "time")
_NONE = -1


class Rules(NamedTuple):
    """How teams are scored."""

    scorers: int = FOUR
    by: By = "place"
    who: Who = "all"


class Runners(NamedTuple):
    """The competitors of a race, n of them.

    Attributes:
        bib: shape (n,).
        status: of the topic `parkrun`, shape (n,).
        time: of finishers the seconds that places go by, to the millisecond, shape (n,).
        club, sex: n of each.
        names: returns the names of those with these indices, shape (k,).
    """

    bib: Ints
    status: Texts
    time: Floats
    club: Sequence[str]
    sex: Sequence[str]
    names: Callable[[Ints], Iterable[str]]


class Scorer(NamedTuple):
    """A finisher who scores.

    The place is that among all women, all men or all competitors, as the rules say. `time` is the official
    time in seconds.
    """

    place: int
    bib: int
    name: str
    sex: str
    time: int


class Team(NamedTuple):
    """A club with at least one scorer.

    Attributes:
        place: None as long as scorers are missing. Teams that are equal share a place.
        club: as the first scorer's entry has it.
        score: the sum of the scorers' places, or of their official times in seconds.
        finished: members who have finished, of those who may score.
        to_come: members who may still finish, of those.
        scorers: the first one first.
    """

    place: int | None
    club: str
    score: int
    finished: int
    to_come: int
    scorers: tuple[Scorer, ...]

    def as_dict(self) -> dict[str, object]:
        """Return it for JSON."""
        return self._asdict() | {"scorers": [scorer._asdict() for scorer in self.scorers]}


def score(runners: Runners, rules: Rules) -> list[Team]:
    """Return the teams by place, then the incomplete ones, those with the most scorers first."""
    sex, finished = np.array(runners.sex, dtype="U1"), runners.status == "finished"
    in_race = sex == _SEX_OF[rules.who] if rules.who in _SEX_OF else np.ones(len(sex), np.bool_)
    ranked = np.flatnonzero(in_race & finished)
    ranked = ranked[np.lexsort((runners.bib[ranked], runners.time[ranked]))]
    place = np.zeros(len(sex), np.int64)
    place[ranked] = shared_places(runners.time[ranked], np.zeros(len(ranked), np.int64))

    club, clubs = _numbers(runners.club)
    is_member = in_race & (club != _NONE)
    if rules.who == "mixed" and rules.scorers % 2 == 0:
        is_member &= (sex == "F") | (sex == "M")
    came = np.bincount(club[is_member & finished], minlength=clubs)
    coming = np.bincount(club[is_member & np.isin(runners.status, TO_COME)], minlength=clubs)

    members = ranked[is_member[ranked]]
    scoring = members[_scores(club[members], sex[members], rules)]
    scoring = scoring[np.argsort(club[scoring], kind="stable")]
    scorers = map(
        Scorer,
        place[scoring].tolist(),
        runners.bib[scoring].tolist(),
        runners.names(scoring),
        (runners.sex[nth] for nth in scoring.tolist()),
        official(runners.time[scoring]).astype(np.int64).tolist(),
    )
    found = []
    for number, own in groupby(zip(scoring.tolist(), scorers, strict=True), lambda one: int(club[one[0]])):
        indices, these = zip(*own, strict=True)
        total = sum(one.place if rules.by == "place" else one.time for one in these)
        # The reader leaves no blanks at the ends of a club in a start list, but recordings may.
        name = " ".join(runners.club[indices[0]].split())
        found.append(Team(None, name, total, int(came[number]), int(coming[number]), these))
    return _placed(found, rules.scorers)


def _numbers(clubs: Sequence[str]) -> tuple[Ints, int]:
    """Return each one's club as a number, shape (n,), and how many clubs there are.

    Clubs that differ only in case and blanks are the same. Who has none has `_NONE`.
    """
    by_text: dict[str, int] = {}
    by_club: dict[str, int] = {}
    numbers = np.empty(len(clubs), np.int64)
    for nth, text in enumerate(clubs):
        number = by_text.get(text)
        if number is None:
            by_text[text] = number = (
                by_club.setdefault(club, len(by_club)) if (club := _club(text)) else _NONE
            )
        numbers[nth] = number
    return numbers, len(by_club)


def _club(text: str) -> str:
    """Return what all spellings of a club have in common; "" if the text names none."""
    club = " ".join(text.split()).casefold()
    return "" if club in NO_CLUB or not any(letter.isalpha() for letter in club) else club


def _scores(club: Ints, sex: Texts, rules: Rules) -> Mask:
    """Return which of these finishers, in the order of their places, score: shape (k,)."""
    if rules.who != "mixed":
        return _nth(club) < rules.scorers
    half = rules.scorers // 2
    scores = np.zeros(len(club), np.bool_)
    for one in "FM":
        these = np.flatnonzero(sex == one)
        scores[these[_nth(club[these]) < half]] = True
    if rules.scorers % 2:
        rest = np.flatnonzero(~scores)
        scores[rest[_nth(club[rest]) < 1]] = True
    return scores


def _nth(group: Ints) -> Ints:
    """Return how many of the same group come before each one, shape (k,)."""
    order = np.argsort(group, kind="stable")
    at = np.arange(len(group))
    opens = np.diff(group[order], prepend=_NONE - 1) != 0
    nth = np.empty(len(group), np.int64)
    nth[order] = at - np.maximum.accumulate(np.where(opens, at, 0))
    return nth


def _placed(teams: list[Team], scorers: int) -> list[Team]:
    """Return the teams in order; complete ones with their places."""
    teams.sort(key=lambda team: (-len(team.scorers), _rank(team), team.scorers[0].bib))
    placed: list[Team] = []
    for nth, team in enumerate(teams):
        if len(team.scorers) < scorers:
            placed.append(team)
            continue
        is_equal = nth > 0 and _rank(teams[nth - 1]) == _rank(team)
        placed.append(team._replace(place=placed[-1].place if is_equal else nth + 1))
    return placed


def _rank(team: Team) -> tuple[int, int]:
    return team.score, team.scorers[-1].place


def as_csv(teams: Sequence[Team], scorers: int) -> Iterator[bytes]:
    """Yield the teams as UTF-8 CSV with a byte order mark, a team in each row.

    The columns are those of `Team`, then bib, name, place and time (seconds) of each of its `scorers`.
    """
    own = [f"{name}_{nth}" for nth in range(1, scorers + 1) for name in _OWN]
    yield csv_head([*Team._fields[:-1], *own]).encode()
    for first in range(0, len(teams), PIECE):
        rows = (_row(team, scorers) for team in teams[first : first + PIECE])
        yield csv_lines(rows).encode()


def _row(team: Team, scorers: int) -> list[object]:
    cells = [cell for one in team.scorers for cell in (one.bib, harmless(one.name), one.place, one.time)]
    missing = [None] * (len(_OWN) * scorers - len(cells))
    return [team.place, harmless(team.club), team.score, team.finished, team.to_come, *cells, *missing]
