"""What a page's link holds besides the race: favourites, filters, the followed competitor and a moment.

The View menu's widgets keep their own values there.
"""

from collections.abc import Sequence

import streamlit as st

from dashboard.race import team_rules
from dashboard.race.finder import MOST_DIGITS, MOST_LETTERS
from stream.results import Rank
from stream.teams import Rules

MAX_FAVOURITES = 20
"""Keeps links short enough for all mail clients."""

COMPETITORS = ("fav", "follow")
"""The query parameters with bibs of the race."""

_REMEMBERED = "competitors"
"""Session state key of the values of `COMPETITORS` for the race shown last."""

FILTERS = ("category", "club", "sex")
"""The query parameters of static/board/filters.js."""

_MOMENT = "at"
_POINT = "point"
_RANK = "rank"

LIST = (*FILTERS, "find", "sort")
"""The query parameters of a list: also the search text and the column that it is sorted by."""


def favourites() -> list[int]:
    """The bibs in the link, in order; invalid ones are left out."""
    bibs = {int(text) for text in st.query_params.get("fav", "").split(",") if text.isdecimal()}
    return sorted(bibs)[:MAX_FAVOURITES]


def keep_favourites(bibs: object) -> None:
    """Put these bibs into the link."""
    known = sorted(bib for bib in _list(bibs) if isinstance(bib, int))
    _keep("fav", ",".join(map(str, known[:MAX_FAVOURITES])))
    remember()


def filters() -> dict[str, str]:
    """The filters in the link by name, without those that are open."""
    return _known(FILTERS)


def keep_filters(chosen: object) -> None:
    """Put these filters into the link, and remove all others."""
    _keep_all(FILTERS, chosen)


def list_choices() -> dict[str, str]:
    """Filters, search and order of a list in the link, without those that are open."""
    return _known(LIST)


def keep_list_choices(chosen: object) -> None:
    """Put these filters, search and order of a list into the link, and remove all others."""
    _keep_all(LIST, chosen)


def rules() -> Rules:
    """How the link wants teams to be scored; what is missing or unknown is as usual."""
    return team_rules.lenient(_known(team_rules.NAMES))


def keep_rules(chosen: object) -> None:
    """Put into the link how teams are scored."""
    _keep_all(team_rules.NAMES, chosen)


def followed() -> int | None:
    """The bib that the map follows, if the link has one."""
    return _number("follow")


def keep_followed(bib: object) -> None:
    """Put the bib that the map follows into the link, or remove it."""
    _keep("follow", str(bib) if isinstance(bib, int) else "")
    remember()


def moment() -> int | None:
    """The moment that the map shows, in whole race seconds, if the link has one."""
    return _number(_MOMENT)


def keep_moment(seconds: object) -> None:
    """Put the moment that the map shows into the link, or remove it."""
    _keep(_MOMENT, str(seconds) if isinstance(seconds, int) else "")


def point() -> str:
    """The label of the timing point for which an announcer waits; empty for the finish."""
    return st.query_params.get(_POINT, "")[:MOST_LETTERS]


def keep_point(label: object) -> None:
    """Put the label of a timing point into the link, or remove it."""
    _keep(_POINT, label[:MOST_LETTERS] if isinstance(label, str) else "")


def rank() -> Rank:
    """The time that places go by."""
    return "chip" if st.query_params.get(_RANK) == "chip" else "gun"


def keep_rank(chosen: object) -> None:
    """Put the time that places go by into the link, or remove it if it is the usual one."""
    _keep(_RANK, "chip" if chosen == "chip" else "")


def remember() -> None:
    """Note the race's favourites and whom the map follows, for another page, which its link doesn't name."""
    st.session_state[_REMEMBERED] = _known(COMPETITORS)


def recall() -> None:
    """Put back into the link what `remember` has noted."""
    for name, value in st.session_state.get(_REMEMBERED, {}).items():
        _keep(name, value)


def forget_race() -> None:
    """Remove what belongs to one race from the link."""
    for name in (*COMPETITORS, *LIST, _MOMENT, _POINT):
        _keep(name, "")


def _number(name: str) -> int | None:
    text = st.query_params.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None


def _known(names: Sequence[str]) -> dict[str, str]:
    return {name: value for name in names if (value := st.query_params.get(name))}


def _keep_all(names: Sequence[str], chosen: object) -> None:
    for name in names:
        value = chosen.get(name) if isinstance(chosen, dict) else None
        _keep(name, value if isinstance(value, str) else "")


def _keep(name: str, value: str) -> None:
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else []
