"""What the link of a page keeps of the viewer's choices."""

import pytest
import streamlit as st

from dashboard.race import link
from dashboard.race.finder import MOST_LETTERS
from stream.teams import Rules


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The parameters of the link."""
    parameters = {"run": "run_1"}
    monkeypatch.setattr(st, "query_params", parameters)
    monkeypatch.setattr(st, "session_state", {})
    return parameters


def test_favourites_and_followed_competitor(held: dict[str, str]) -> None:
    """Both are kept as they are chosen, and leave the link when there are none."""
    link.keep_favourites([12, 7])
    link.keep_followed(7)
    assert held == {"run": "run_1", "fav": "7,12", "follow": "7"}
    assert (link.favourites(), link.followed()) == ([7, 12], 7)

    link.keep_favourites([])
    link.keep_followed(None)
    assert held == {"run": "run_1"}
    assert (link.favourites(), link.followed()) == ([], None)


def test_another_page_has_the_same_competitors(held: dict[str, str]) -> None:
    """What is chosen last comes along to another page, even if that is opened at once."""
    link.keep_favourites([7, 12])
    link.keep_followed(12)
    held.clear()
    link.recall()
    assert held == {"fav": "7,12", "follow": "12"}


@pytest.mark.parametrize("sent", [None, "7", {"7": 7}, ["7", None, 1.5]])
def test_unusable_choices_are_left_out(held: dict[str, str], sent: object) -> None:
    """A browser may send anything: what is no list of bibs, and no set of filters, changes nothing else."""
    link.keep_favourites(sent)
    link.keep_followed(sent)
    link.keep_moment(sent)
    link.keep_filters(sent)
    assert held == {"run": "run_1"}


def test_rules_of_teams(held: dict[str, str]) -> None:
    """How teams are scored is in the link; what is missing there, or is no rule, is as usual."""
    assert link.rules() == Rules(4, "place", "all")
    link.keep_rules({"scorers": "6", "by": "time", "who": "women", "run": "other"})
    assert held == {"run": "run_1", "scorers": "6", "by": "time", "who": "women"}
    assert link.rules() == Rules(6, "time", "women")
    held.update(scorers="21", who="veterans")
    assert link.rules() == Rules(4, "time", "all")
    link.keep_rules("6")
    assert held == {"run": "run_1"}


def test_filters_replace_each_other(held: dict[str, str]) -> None:
    """A filter that is no longer chosen leaves the link; search and order of a list are none."""
    held.update(club="Harriers", find="smith")
    link.keep_filters({"category": "W40", "sex": "F", "sort": "-gap"})
    assert held == {"run": "run_1", "category": "W40", "sex": "F", "find": "smith"}
    assert link.filters() == {"category": "W40", "sex": "F"}

    link.keep_list_choices({"sex": "F", "sort": "-gap"})
    assert link.list_choices() == {"sex": "F", "sort": "-gap"}


def test_moment(held: dict[str, str]) -> None:
    """The moment that the map shows is kept in whole seconds, and leaves the link with the newest one."""
    link.keep_moment(95)
    assert (held["at"], link.moment()) == ("95", 95)
    link.keep_moment(None)
    assert (held, link.moment()) == ({"run": "run_1"}, None)


@pytest.mark.parametrize("text", ["-5", "1.5", "soon", "9" * 5000])
def test_numbers_that_cannot_be_read_are_ignored(held: dict[str, str], text: str) -> None:
    """A mistyped moment or bib in the link is as good as none."""
    held.update(at=text, follow=text)
    assert (link.moment(), link.followed()) == (None, None)


def test_another_race_has_other_competitors(held: dict[str, str]) -> None:
    """With another race, all that is about this one goes, and the view's choices stay."""
    held.update(fav="7", follow="7", category="W40", find="smith", sort="gap", at="95", colour="category")
    link.forget_race()
    assert held == {"run": "run_1", "colour": "category"}


def test_choices_of_an_announcer(held: dict[str, str]) -> None:
    """The timing point and the rank are kept, the usual ones leave the link, and the point is the race's."""
    assert (link.point(), link.rank()) == ("", "gun")
    link.keep_point("5 km")
    link.keep_rank("chip")
    assert held == {"run": "run_1", "point": "5 km", "rank": "chip"}
    assert (link.point(), link.rank()) == ("5 km", "chip")
    link.forget_race()
    assert (link.point(), link.rank()) == ("", "chip")
    link.keep_rank("gun")
    for sent in (None, 7, ["5 km"], ""):
        link.keep_point(sent)
    assert held == {"run": "run_1"}
    link.keep_point("x" * 200)
    assert link.point() == "x" * MOST_LETTERS
