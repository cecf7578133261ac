import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from simulator.course.course import Course
from simulator.race import start_list
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from simulator.race.start_list import MAX_BIB, MAX_ROWS, MAX_WAVE, MAX_WORDS, StartListError
from tests.simulator.conftest import resolved


def test_a_list_is_read() -> None:
    """All columns, in any order, with paces in both ways."""
    listed = start_list.read(
        "Bib,Name,Club,Category,Pace,Wave\n"
        "7,Anna Smith,City Milers,W40,5:30,1\n"
        '12,"O\'Neill, Pat",,M,270.5,2\n'
    )

    assert listed.bib.tolist() == [7, 12]
    assert listed.name == ("Anna Smith", "O'Neill, Pat")
    assert listed.category == ("W40", "M")
    assert listed.club == ("City Milers", "")
    assert listed.wave is not None
    assert listed.wave.tolist() == [1, 2]
    assert listed.pace.tolist() == [330.0, 270.5]


def test_what_is_left_out_is_filled_in() -> None:
    """Bibs are the lowest free ones, names and categories plain, paces open."""
    listed = start_list.read("bib,name\n2,\n,Ben\n,\n5,Eve\n,Fay")

    assert listed.bib.tolist() == [2, 1, 5, 3]
    assert listed.name == ("Runner 2", "Ben", "Eve", "Fay")
    assert listed.category == ("Open",) * 4
    assert listed.wave is None
    assert np.isnan(listed.pace).all()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lists_come_from_any_spreadsheet(delimiter: str, ending: str) -> None:
    """Commas, semicolons, tabs; line ends of all systems; a byte order mark; empty lines."""
    rows = [["name", "bib"], ["Ann", "3"], ["", ""], ["Bob", "4"]]
    text = "\ufeff" + ending.join(delimiter.join(row) for row in rows) + ending

    assert start_list.read(text).name == ("Ann", "Bob")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("   \n", "is empty"),
        ("name", "has no competitor"),
        ("name\n\n\n", "has no competitor"),
        ("nmae\nAnn", 'has no known column names: the first line has "nmae"; known: bib, name'),
        ("name,name\nAnn,Bob", 'line 1: the column "name" occurs twice, with different values'),
        ("name,bib\nAnn,1,x", "line 2: has 3 cells for 2 columns"),
        ("bib\n-1", "line 2: the bib must be a whole number from 1 to 999,999"),
        (f"bib\n{MAX_BIB + 1}", "the bib must be a whole number"),
        ("bib\n1.5", "the bib must be a whole number"),
        ("bib\n٣", "the bib must be a whole number"),
        ("bib\n" + "9" * 5000, "the bib must be a whole number"),
        ("bib\n7\n8\n7", "line 4: the bib 7 is already used in line 2"),
        (f"name,wave\nAnn,{MAX_WAVE + 1}", "the wave must be a whole number from 1 to 1,000"),
        ("pace\n59.9", "the pace must be seconds per kilometre or minutes:seconds"),
        ("pace\n60:01", "the pace must be"),
        ("pace\n5:60", "the pace must be"),
        ("pace\nnan", "the pace must be"),
        ("name\n" + "x" * (MAX_WORDS + 1), "the name has more than 120 characters"),
        ("club\nA\x07B", "line 2: the club has unprintable characters, the first is U+0007"),
        ('name\n"Ann', "is not valid CSV"),
        ("name\n" + "x" * 200_000, "is not valid CSV"),
    ],
)
def test_errors_name_their_line(text: str, words: str) -> None:
    """Each mistake has one sentence with where it is."""
    with pytest.raises(StartListError) as raised:
        start_list.read(text)

    assert words in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        f"bib\n{MAX_BIB}",
        f"wave\n{MAX_WAVE}",
        "pace\n60",
        "pace\n3600",
        "pace\n59:60.0",
        "name\n" + "x" * MAX_WORDS,
    ],
)
def test_limits_are_allowed(text: str) -> None:
    """What lies just at a limit is fine, but seconds of a minute end at 59."""
    if text == "pace\n59:60.0":
        with pytest.raises(StartListError):
            start_list.read(text)
    else:
        assert len(start_list.read(text)) == 1


def test_a_list_may_have_so_many_and_no_more() -> None:
    """100,000 competitors are read, one more isn't."""
    text = "name\n" + "Ann\n" * MAX_ROWS

    assert len(start_list.read(text)) == MAX_ROWS
    with pytest.raises(StartListError, match="more than 100,000 competitors"):
        start_list.read(text + "Bob\n")


def test_a_list_may_have_so_many_lines_and_no_more() -> None:
    """Empty lines are skipped but count towards the limit, so that millions of them are rejected."""
    text = "name\n" + "\n" * (start_list.MAX_LINES - 2) + "Ann\n"

    assert start_list.read(text).name == ("Ann",)
    with pytest.raises(StartListError, match="more than 200,000 lines"):
        start_list.read("name\n\n" + text.removeprefix("name\n"))


@given(st.text(alphabet=st.sampled_from('bibnamepacewv,;\t"\n\r 0123456789:.é\x00'), max_size=200))
def test_any_text_is_a_list_or_a_sentence(text: str) -> None:
    """Whatever comes, either competitors with distinct bibs come of it, or one named error."""
    try:
        listed = start_list.read(text)
    except StartListError as error:
        outcome = str(error)
    else:
        outcome = "is read"
        assert len(set(listed.bib.tolist())) == len(listed) >= 1
        assert all(60 <= pace <= 3600 or math.isnan(pace) for pace in listed.pace.tolist())

    assert outcome.startswith(("is ", "has "))


def test_a_race_is_run_by_those_of_the_list(straight: Course) -> None:
    """Bibs, names, waves and paces of the list are those of the race."""
    text = "bib,name,category,club,wave,pace\n70,Ann,W40,City,2,300\n3,Bob,M,,1,\n"
    race = Race(straight, resolved(start_list=text, wave_delay=60))
    entrants = list(race.entrants.some(0, 2))

    assert race.request.competitors == 2
    assert [tuple(entrant) for entrant in entrants] == [
        (70, "Ann", "W40", "City", 2, "F"),
        (3, "Bob", "M", "", 1, "M"),
    ]
    assert race.field.start.tolist() == [60.0, 0.0]
    assert race.finish_times[0] - 60 == pytest.approx(300 * straight.distance / 1000)
    assert race.field.women.tolist() == [True, False]


def test_a_list_and_a_number_of_competitors_agree() -> None:
    """The number may be left out or be the list's; another one is refused, and so is a list that's wrong."""
    text = "name\nAnn\nBob"

    assert RaceRequest(course="c", start_list=text).competitors == 2
    assert RaceRequest(course="c", start_list=text, competitors=2).competitors == 2
    with pytest.raises(ValidationError, match="must be omitted or be 2"):
        RaceRequest(course="c", start_list=text, competitors=100)
    with pytest.raises(ValidationError, match="is invalid in line 2"):
        RaceRequest(course="c", start_list="bib\nx")


def test_a_list_whose_waves_never_end_is_refused() -> None:
    """The last start is a day after the gun at most, the waves of a list counted."""
    text = "wave\n1000\n1\n"

    assert RaceRequest(course="c", start_list=text, wave_delay=86_400 / 999).competitors == 2
    with pytest.raises(ValidationError, match="start the last competitor 86,500 seconds after the gun"):
        RaceRequest(course="c", start_list=text, wave_delay=86_500 / 999)
