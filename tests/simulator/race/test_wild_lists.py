"""Start lists as people really have them: spreadsheets, registration and timing systems."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.course.course import Course
from simulator.race import start_list
from simulator.race.race import Race
from simulator.race.start_list import MAX_FAULTS, StartList, StartListError, limits
from stream import text_files
from tests.processes import ROOT
from tests.simulator.conftest import resolved

WILD = ROOT / "tests" / "wild"


def from_file(case: str) -> StartList:
    """Return the list of a wild case."""
    return start_list.read(text_files.decode((WILD / case).read_bytes()).text)


def faults(text: str) -> tuple[str, ...]:
    """Return the reasons for which a list is rejected."""
    with pytest.raises(StartListError) as raised:
        start_list.read(text)
    return raised.value.reasons


def test_no_break_spaces_are_blanks() -> None:
    """A no-break space in a name and one at the end of a club are read as a person sees them."""
    listed = from_file("50-nbsp-in-names/list.csv")

    assert listed.name == ("Ann Smith", "Ben Okoro", "Cleo Dupont", "Dan Ito")
    assert listed.club == ("City Milers", "City Milers", "Harriers AC", "")
    assert listed.warnings == ()


@pytest.mark.parametrize(
    ("case", "name", "category", "club"),
    [
        ("52-excel-sep-line/list.csv", ("Ann Smith", "Ben Okoro"), ("W40", "M35"), ("", "")),
        ("54-excel-unicode-text/list.txt", ("Jürgen Müller",), ("Open",), ("LG Öst",)),
        ("55-trailing-empty-columns/list.csv", ("Ann Smith", "Ben Okoro"), ("W40", "M35"), ("", "")),
        ("55-trailing-empty-columns/rows-only.csv", ("Ann Smith", "Ben Okoro"), ("W40", "M35"), ("", "")),
        (
            "55-trailing-empty-columns/short-rows.csv",
            ("Ann Smith", "Ben Okoro"),
            ("W40", "M35"),
            ("", "City"),
        ),
        (
            "59-comma-or-quote-in-a-name/list.csv",
            ("Smith; Ann", "Runner 2"),
            ("Open", "Open"),
            ('The "Old" Boys, AC', "City"),
        ),
    ],
)
def test_files_of_spreadsheets_are_read(
    case: str, name: tuple[str, ...], category: tuple[str, ...], club: tuple[str, ...]
) -> None:
    """`sep=`, UTF-16 with tabs, empty columns, short rows, quotes and a byte order mark need no warning."""
    listed = from_file(case)

    assert listed.bib.tolist() == list(range(1, len(name) + 1))
    assert (listed.name, listed.category, listed.club) == (name, category, club)
    assert listed.warnings == ()


def test_a_registration_export_is_read() -> None:
    """Known columns are read; unknown ones and the remark below are named in warnings."""
    listed = from_file("56-registration-export/export.csv")

    assert listed.bib.tolist() == [101, 102]
    assert listed.name == ("Ann Smith", "Ben Okoro")
    assert listed.category == ("W40", "M35")
    assert listed.club == ("City Milers", "")
    assert listed.wave is not None
    assert listed.wave.tolist() == [1, 2]
    assert [warning.partition(";")[0] for warning in listed.warnings] == [
        'Line 4 is not a competitor and was skipped: "<div>Powered by example</div>"',
        'Unused columns: "Order ID", "City"',
    ]


def test_one_more_column_is_no_obstacle() -> None:
    """An unknown column is ignored with a warning that names it."""
    listed = from_file("56-registration-export/one-column-more.csv")

    assert listed.bib.tolist() == [101, 102]
    assert listed.club == ("City Milers", "")
    assert 'Unused columns: "email"' in listed.warnings[0]


@pytest.mark.parametrize("case", ["h-mm-ss.csv", "slash-km.csv"])
def test_paces_of_spreadsheets_are_read(case: str) -> None:
    """0:05:30 and 5:30/km are five and a half minutes."""
    assert from_file(f"58-pace-after-excel/{case}").pace.tolist() == [330.0]


def test_minutes_that_became_hours_are_explained() -> None:
    """05:30:00 may be a spoilt 5:30 or the finish time of a marathon, so the message shows both remedies."""
    with pytest.raises(StartListError, match='"05:30:00" is 5 hours 30 minutes per kilometre') as raised:
        from_file("58-pace-after-excel/excel.csv")

    assert "write 0:05:30" in str(raised.value)
    assert '"expected time"' in str(raised.value)


HEADS = {
    "English": ("Bib Number", "First Name", "Last Name", "Age Group", "Team Name", "Corral", "Pace (min/km)"),
    "German": ("Startnr.", "Vorname", "Name", "Altersklasse", "Verein", "Startgruppe", "Tempo (min/km)"),
    "French": ("N° dossard", "Prénom", "Nom", "Catégorie", "Club", "SAS", "Allure"),
    "Spanish": ("Dorsal", "Nombre", "Apellidos", "Categoría", "Equipo", "Cajón de salida", "Ritmo"),
    "Italian": ("Pettorale", "Nome", "Cognome", "Categoria", "Società", "Griglia", "Ritmo (min/km)"),
    "Dutch": ("Startnummer", "Voornaam", "Achternaam", "Categorie", "Vereniging", "Startvak", "Pace"),
    "Swedish": ("NUMMERLAPP", "förnamn", "efternamn", "klass", "klubb", "startgrupp", "pace"),
}
FIRST = st.sampled_from(
    ["Ann", "Jürgen", "Åsa", "François", "Bjørn", "Zoé", "José María", "Ben-Ali", "D'Arcy"]
)
LAST = st.sampled_from(
    ["Smith", "Müller", "Núñez", "O'Neill", "Weiß", "Häger", "de la Cruz", "MÜLLER", "Ito"]
)
CLUB = st.sampled_from(["", "City Milers", 'The "Old" Boys, AC', "LG Öst; Süd", "A\tB", "Équipe 1"])
# Letters of waves end before H: H and F are also sexes.
PERSON = st.tuples(
    FIRST, LAST, st.sampled_from(["W40", "M35", "", "MSEN"]), CLUB, st.integers(1, 7), st.integers(60, 3600)
)


@given(
    people=st.lists(PERSON, min_size=1, max_size=8),
    heads=st.sampled_from(list(HEADS.values())),
    delimiter=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    shape=st.sampled_from(
        ["plain", "sep", "title", "empty columns", "unknown column", "blank rows", "footer"]
    ),
    order=st.permutations(range(7)),
)
def test_every_export_of_a_list_is_the_same_list(  # noqa: PLR0917 - what an export differs in
    people: list[tuple[str, str, str, str, int, int]],
    heads: Sequence[str],
    delimiter: str,
    encoding: str,
    ending: str,
    quoting: Any,
    shape: str,
    order: Sequence[int],
) -> None:
    """In any encoding, language, delimiter and shape, the same competitors are read."""
    table = [list(heads)]
    for bib, (first, last, category, club, wave, pace) in enumerate(people, start=1):
        letter = chr(ord("A") + wave - 1)
        minutes = f"{pace // 60}:{pace % 60:02}"
        table.append([f"{bib}.0", first, last, category, club, letter, minutes])
    table = [[row[nth] for nth in order] for row in table]
    if shape == "empty columns":
        table = [[*row, "", ""] for row in table]
    if shape == "unknown column":
        table = [["E-mail", *table[0]], *(["x@y", *row] for row in table[1:])]
    if shape == "blank rows":
        table = [row for one in table for row in (one, [""] * 7)]
    if shape == "title":
        table.insert(0, ["Spring run", "", "", "", "", "", ""])
    if shape == "footer":
        table.append(["Total: 3", "", "", "", "", "", ""])
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=ending, quoting=quoting).writerows(table)
    text = f"sep={delimiter}{ending}" * (shape == "sep") + out.getvalue()
    decoded = text_files.decode(text.encode(encoding))
    listed = start_list.read(decoded.text)

    assert listed.bib.tolist() == list(range(1, len(people) + 1))
    assert listed.name == tuple(f"{first} {last}" for first, last, *_ in people)
    assert listed.category == tuple(category or "Open" for _, _, category, *_ in people)
    assert listed.club == tuple(person[3].replace("\t", " ") for person in people)
    assert listed.wave is not None
    assert listed.wave.tolist() == [person[4] for person in people]
    assert listed.pace.tolist() == [person[5] for person in people]
    assert bool(decoded.warning) == (encoding == "cp1252" and not text.isascii())


@pytest.mark.parametrize(
    ("heads", "row", "category"),
    [
        ("Name,Gender,Age", "Ann,Female,41", "W40"),
        ("Name,M/F,Age on race day", "Ben,M,19", "MU20"),
        ("Name;Geschlecht;Jahrgang", "Jan;m;1992", "MSEN"),
        ("Name;Sexe;Date de naissance", "Zoé;F;13/04/1980", "W45"),
        ("Name,Sex,DOB", "Ann,F,6/30/1981", "W45"),
        ("Name,Sex,DOB", "Ann,F,1981-07-02", "W40"),
        ("Name,Sex,DOB", "Ann,F,29404", "W45"),
        ("Name,Sex,YOB", "Ann,F,80", "W45"),
        ("Name,Gender", "Kim,Non-binary", "X"),
        ("Name,Gender", "Ann,F", "W"),
        ("Name,Age", "Ann,52", "50"),
        ("Name,Gender,Age,Division", "Ann,F,41,Masters", "Masters"),
    ],
)
def test_categories_follow_from_sex_and_age(straight: Course, heads: str, row: str, category: str) -> None:
    """Without a category, sex and age on the day of the race give the age group."""
    race = Race(straight, resolved(start_list=f"{heads}\n{row}\n", start_at="2026-07-01T09:00:00Z"))

    assert next(race.entrants.some(0, 1)).category == category


def test_a_sex_counts_more_than_a_category() -> None:
    """A woman in the category Masters is a woman, although its first letter is M."""
    listed = start_list.read("name,gender,category\nAnn,F,Masters\nBen,M,Walkers\nKim,,W40\n")

    assert listed.women(np.array([0.9, 0.1, 0.9]), 0.5).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("sex", "categories"),
    [
        ("F", ["W40", "F", "WU20", "WSEN", "VW45-49", "SW18-19", "FV40", "Women 40", "Damen"]),
        ("M", ["M40", "MSEN", "VM50-54", "JM15-17", "MV60", "Men's Open", "Männer"]),
        ("", ["Open", "Masters", "Walkers", "Elite", "Wheelchair", "50", "M/W", "Fun run", "Other"]),
    ],
)
def test_sexes_are_those_of_the_categories(sex: str, categories: list[str]) -> None:
    """Without a column for it, a category that names one sex gives it, and no other does."""
    listed = start_list.read("name,category\n" + "".join(f"Kim,{one}\n" for one in categories))

    assert listed.sexes() == (sex,) * len(categories)


def test_sexes_are_published_as_f_m_and_x(straight: Course) -> None:
    """The column counts more than the category, whatever its language."""
    request = resolved(start_list="name,Geschlecht,category\nAnn,weiblich,Masters\nBen,m,\nKim,divers,W40\n")
    ann, ben, kim = Race(straight, request).entrants.some(0, 3)

    assert (ann.sex, ben.sex, kim.sex) == ("F", "M", "X")
    assert (ann.category, ben.category, kim.category) == ("Masters", "M", "W40")


def test_a_day_that_may_be_a_month_gets_a_warning() -> None:
    """01/02/1980 is the first of February unless another date shows that months come first."""
    born = start_list.read("name,dob\nAnn,01/02/1980\n")
    decided = start_list.read("name,dob\nAnn,01/02/1980\nBen,01/31/1990\n")

    assert born.born is not None
    assert born.born.tolist() == [19_800_201]
    assert "read with the day first" in born.warnings[0]
    assert decided.born is not None
    assert decided.born.tolist() == [19_800_102, 19_900_131]
    assert decided.warnings == ()
    assert born.on(date(2026, 1, 31)).category == ("45",)


@pytest.mark.parametrize(
    ("cell", "born"),
    [
        ("13-Apr-85", 19_850_413),
        ("13. März 1985", 19_850_313),
        ("13 août 1985", 19_850_813),
        ("13 juin 1985", 19_850_613),
        ("1 juil. 1985", 19_850_701),
        ("13 de mayo de 1985", 19_850_513),
        ("13 dic 1985", 19_851_213),
        ("13-Okt-1985", 19_851_013),
        ("13 mei 1985", 19_850_513),
        ("April 13th, 1985", 19_850_413),
        ("1985年4月13日", 19_850_413),
        ("4/20/25", 20_250_420),
        ("1/1/0001", None),
        ("01/01/1900", None),
        ("1985-13-45", None),
        ("13 foo 1985", None),
    ],
)
def test_dates_of_birth_are_read_as_spreadsheets_write_them(cell: str, born: int | None) -> None:
    """Months have names in several languages; the zero of databases and spreadsheets is no birthday."""
    listed = start_list.read(f'name,dob\nAnn,"{cell}"\n')

    assert (listed.born.tolist() if listed.born is not None else [None]) == [born]
    assert bool(listed.warnings) == (born is None)


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("5:30", 330.0),
        ("00:05:30", 330.0),
        ("12:05:30 AM", 330.0),
        ("1899-12-30 00:05:30", 330.0),
        ("5:30 min/km", 330.0),
        ("5'30\"", 330.0),
        ("5m30s", 330.0),
        ('"5,5"', 330.0),
        ("5.5", 330.0),
        ("330", 330.0),
        ("0.003819444", pytest.approx(330.0, abs=0.001)),
        ("12 km/h", 300.0),
        ("8:30/mi", pytest.approx(316.9, abs=0.01)),
        ("8:30 per mile", pytest.approx(316.9, abs=0.01)),
        ("10 mph", pytest.approx(223.69, abs=0.01)),
        ("330 s", 330.0),
        ("5:30 mins/km", 330.0),
        ("~5:30 /km", 330.0),
        ("3.8194444E-03", pytest.approx(330.0, abs=0.001)),
    ],
)
def test_paces_are_read_as_people_write_them(cell: str, seconds: float) -> None:
    """Units in the cell count, and a spreadsheet's times are times."""
    assert start_list.read(f"name,pace\nAnn,{cell}\n").pace.tolist() == [seconds]


def test_the_unit_of_a_pace_may_be_in_the_column() -> None:
    """Minutes per mile become seconds per kilometre; without any unit there is a warning."""
    miles = start_list.read("name,Pace (min/mile)\nAnn,8:30\n")
    unclear = start_list.read("name,Est Pace\nAnn,8:30\n")

    assert miles.pace.tolist() == [pytest.approx(316.9, abs=0.01)]
    assert miles.warnings == ()
    assert unclear.pace.tolist() == [510.0]
    assert 'The Est Pace "8:30" in line 2 has no unit and was read per kilometre' in unclear.warnings[0]


@pytest.mark.parametrize(
    ("head", "cell", "seconds"),
    [
        ("Pace (km/h)", "12,5", 288.0),
        ("Pace [mph]", "10", pytest.approx(223.69, abs=0.01)),
        ("Expected Pace (min/mi)", "8:30", pytest.approx(316.9, abs=0.01)),
        ("Pace (minutes per mile)", "8:30", pytest.approx(316.9, abs=0.01)),
        ("Est Pace (min per km)", "5:30", 330.0),
        ("Expected time (minutes)", "50", 600.0),
        ("Expected time (hours)", "2", 1440.0),
        ("Goal time (sec)", "900", 180.0),
        ("Expected time (hh:mm)", "0:45", 540.0),
    ],
)
def test_units_in_brackets_count(head: str, cell: str, seconds: float) -> None:
    """Numbers have the unit of their column, on 5 km."""
    listed = start_list.read(f'name,{head}\nAnn,"{cell}"\n')

    assert listed.paces(5000).tolist() == [seconds]
    assert listed.warnings == ()


def test_paces_for_other_distances_are_rejected() -> None:
    """A pace per 400 m is none per kilometre."""
    assert 'not "1:30" for the distance in the column' in faults("name,Pace (per 400m)\nAnn,1:30\n")[0]


def test_decimals_that_may_be_seconds_are_rejected() -> None:
    """5.30 may be 5:30 or 5.3 minutes."""
    assert (
        "could be minutes and seconds or a fraction of minutes"
        in faults("name,pace\nAnn,5.30\nBen,4.45\n")[0]
    )


@pytest.mark.parametrize(
    ("cell", "metres", "seconds"),
    [
        ("3:45:00", 42_195, 13_500),
        ("3:45", 42_195, 13_500),
        ("1h45", 21_097.5, 6300),
        ("25:30", 5000, 1530),
        ("45", 10_000, 2700),
        ("2.5", 21_097.5, 9000),
        ("0.0729166", 21_097.5, 6300),
        ("45 min", 10_000, 2700),
        ("105 min", 21_097.5, 6300),
        ("1:45 h", 21_097.5, 6300),
        ("1:45 hours", 21_097.5, 6300),
        ("45.00", 10_000, 2700),
        ("2700 s", 10_000, 2700),
        ("approx. 45:00", 10_000, 2700),
        ("sub-45", 10_000, 2700),
        ("under 1 hour", 10_000, 3600),
        ("50-55 min", 10_000, 3150),
        ("1:00 \u2013 1:15", 10_000, 4050),
        ("50:00-1:00:00", 10_000, 3300),
        ("3.125E-02", 10_000, 2700),
    ],
)
def test_expected_times_give_paces(cell: str, metres: float, seconds: float) -> None:
    """The distance decides whether 3:45 are hours or minutes."""
    listed = start_list.read(f"name,Estimated Finish Time\nAnn,{cell}\nBen,\n")

    assert listed.paces(metres)[0] * metres / 1000 == pytest.approx(seconds, abs=0.1)
    assert np.isnan(listed.paces(metres)[1])
    listed.check(metres)


@pytest.mark.parametrize("cell", ["none", "?", "Not sure", "0:00", "00:00:00", "0"])
def test_no_expected_time_has_many_names(cell: str) -> None:
    """The competitor's pace is open, as that of an empty cell."""
    assert np.isnan(start_list.read(f"name,expected time\nAnn,{cell}\n").paces(10_000)).all()


@pytest.mark.parametrize("cell", ["45.30", "1.45", "1h75", "5m75s", "55-1:05:00", "45 apples", "1:75:00"])
def test_times_that_may_be_several_are_rejected(cell: str) -> None:
    """45.30 may be 45:30 or 45.3 minutes."""
    assert f'"{cell}"' in faults(f"name,expected time\nAnn,{cell}\n")[0]


def test_a_range_has_at_most_40_characters() -> None:
    """Longer ones are rejected at once, however often they might be divided."""
    longest = "50" + " " * 33 + "to 55"

    assert start_list.read(f'name,expected time\nAnn,"{longest}"\n').paces(10_000).tolist() == [315.0]
    for cell in (f"10{'a' * 36}20", "1" + "1:" * 40_000 + "a" * 40_000):
        assert "must be a time such as" in faults(f"name,expected time\nAnn,{cell}\n")[0]


def test_impossible_expected_times_are_rejected() -> None:
    """A marathon in 20 minutes is rejected, with its bib."""
    listed = start_list.read("bib,expected time\n7,0:20:00\n")

    with pytest.raises(StartListError, match="for bib 7: the expected time of 1,200 s on"):
        listed.check(42_195)


def test_expected_minutes_that_became_hours_are_explained() -> None:
    """45:00 that a spreadsheet wrote as 45:00:00."""
    listed = start_list.read("bib,expected time\n7,45:00:00\n")

    with pytest.raises(StartListError, match="did a spreadsheet make hours of minutes"):
        listed.check(10_000)


@pytest.mark.parametrize(
    ("cells", "waves", "is_certain"),
    [
        (("1", "2.0", "03"), [1, 2, 3], True),
        (("A", "C"), [1, 3], True),
        (("B", "D"), [2, 4], True),
        (("2", "", "1"), [2, 1, 1], False),
        (("0", "1", "2"), [1, 2, 3], False),
        (("M", "W", "M"), [1, 2, 1], False),
        (("1:00 PM", "9:00 AM", "12:30 p.m."), [3, 1, 2], False),
        (("Wave 2", "wave 1", "W3"), [2, 1, 3], True),
        (("Corral B", "Corral A", "B"), [2, 1, 2], True),
        (("Startgruppe 2", "2. Welle", "1"), None, False),
        (("2nd wave", "1st wave", "1"), [2, 1, 1], True),
        (("Elite", "Open", "Elite"), [1, 2, 1], False),
        (("B1", "A10", "A2"), [3, 2, 1], False),
        (("10:30", "9:00", "9:30"), [3, 1, 2], False),
        (("A", "1", "B"), [2, 1, 3], False),
    ],
)
def test_waves_have_numbers_letters_or_names(
    cells: tuple[str, ...],
    waves: list[int] | None,
    is_certain: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Names are numbered with a warning; a list in which only some are numbers is rejected."""
    text = "name,wave\n" + "".join(f"Ann,{cell}\n" for cell in cells)
    if waves is None:
        assert "or a letter, not" in faults(text)[0]
        return
    listed = start_list.read(text)

    assert listed.wave is not None
    assert listed.wave.tolist() == waves
    assert bool(listed.warnings) != is_certain


def test_bibs_may_be_written_as_spreadsheets_do() -> None:
    """12.0, leading zeros, signs in front and thousands are numbers."""
    listed = start_list.read('Bib,Name\n12.0,A\n0013,B\n#14,C\n"=""0015""",D\n"1,016",E\n')

    assert listed.bib.tolist() == [12, 13, 14, 15, 1016]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Ann\u00a0\u2003 Smith\u202f", "Ann Smith"),
        ("Be\u00adn\u200b\ufeff\tOkoro", "Ben Okoro"),
        ("Jose\u0301", "José"),
        ("\u202eTom\u202c", "Tom"),
        ("\u3000山田\u3000太郎", "山田 太郎"),
        ("می\u200cمی", "می\u200cمی"),
        ("A\u200dnn", "Ann"),
        ("👩\u200d👧 Lee", "👩\u200d👧 Lee"),
        ("JÃ¼rgen", "Jürgen"),
        ("O&#39;Neill", "O'Neill"),
        ("&amp;", "&amp;"),
    ],
)
def test_names_are_what_a_person_sees(written: str, name: str) -> None:
    """Blanks of any kind are spaces, invisible characters are nothing, and repairs are reported."""
    assert start_list.read(f"name\n{written}\n").name == (name,)


def test_a_line_break_in_a_quoted_cell_is_a_space() -> None:
    """Lines are counted as an editor does."""
    listed = start_list.read('name,club\n"Ann\nSmith","Old\r\nBoys"\n')

    assert (listed.name, listed.club) == (("Ann Smith",), ("Old Boys",))
    assert "line 4: the name" in faults('name,club\n"Ann\nSmith",\nB\x07,\n')[0]


def test_names_with_the_last_name_first_are_turned() -> None:
    """If the column says so, or if all names are written that way, which is reported."""
    certain = start_list.read('bib,"Last Name, First Name"\n1,"Smith, Ann"\n')
    likely = start_list.read('bib,name\n1,"Smith, Ann"\n2,"Okoro, Ben"\n')
    other = start_list.read('bib,name\n1,"Smith, Jr."\n2,"Okoro, Ben"\n')

    assert (certain.name, certain.warnings) == (("Ann Smith",), ())
    assert likely.name == ("Ann Smith", "Ben Okoro")
    assert '"Smith, Ann" is "Ann Smith"' in likely.warnings[0]
    assert other.name == ("Smith, Jr.", "Okoro, Ben")


def test_all_faulty_lines_are_reported_together() -> None:
    """The first 20 have a sentence each, and the others are counted."""
    reasons = faults("bib,name\n" + "x,Ann\n" * (MAX_FAULTS + 5))
    few = faults("bib,name,pace\n1,A\x07,\n1,B,9:99\n")

    assert len(reasons) == MAX_FAULTS + 1
    assert reasons[0].startswith(
        'is invalid in line 2: the bib must be a whole number from 1 to 999,999, not "x"'
    )
    assert reasons[-1] == "has 5 more invalid cells"
    assert [reason.split(":")[0] for reason in few] == ["is invalid in line 2", *["is invalid in line 3"] * 2]
    assert "the bib 1 is already used in line 2" in few[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "1,Ann,W40\n2,Ben,M\n",
            'has no known column names: the first line has "1", "Ann", "W40"; known: bib',
        ),
        ("Email,City,Club\na,b,c\n", 'has no column with bibs or names; found: "Email", "City"'),
        ("Bib,Name,Group\n1,Ann,M40\n", 'the column "Group" could be "wave" or "category"'),
        ("Pettorale,Nome,Tempo\n1,Ann,45:30\n", 'the column "Tempo" could be "pace" or "expected time"'),
        ('[{"name": "Ann"}]', "is JSON, not CSV"),
        ("<table><tr><td>Bib</td></tr></table>", "is an HTML page, not CSV"),
        ('<?xml version="1.0"?><EntryList/>', "is an XML file, not CSV"),
        ("b\0i\0b\0\n\x001\0", "is UTF-16 text that was read as another encoding"),
        ('bib,name\n1,"Ann\n2,Ben\n', "line 2: is not valid CSV: a quote in this line is never closed"),
        ("name,bib\n#REF!,1\n", "line 2: the name is a spreadsheet's error"),
    ],
)
def test_other_files_are_explained(text: str, words: str) -> None:
    """The message says what was found, and what is needed."""
    assert words in faults(text)[0]


def test_a_second_column_for_the_same_is_named() -> None:
    """Of Club and Team, Club is used, unless it is empty."""
    both = start_list.read("Bib,Name,Club,Team\n1,Ann,Milers,Red\n")
    empty = start_list.read("Bib,Name,Club,Team\n1,Ann,,Red\n")

    assert both.club == ("Milers",)
    assert 'Unused columns: "Team"' in both.warnings[0]
    assert (empty.club, empty.warnings) == (("Red",), ())


def test_a_column_may_be_there_twice_with_the_same_values() -> None:
    """Joined tables repeat the bib."""
    assert start_list.read("Bib,Name,Bib\n7,Ann,7\n8,Ben,8\n").bib.tolist() == [7, 8]


def test_a_wave_column_without_values_is_none() -> None:
    """Waves then follow from the options of the race, without a warning."""
    listed = start_list.read("Bib,Name,Wave\n7,Ann,\n8,Ben,\n")

    assert (listed.wave, listed.warnings) == (None, ())


def test_a_bib_of_zero_is_none() -> None:
    """So timing systems write bibs that are not assigned."""
    listed = start_list.read("Bib,Name\n0,Ann\n7,Ben\n0,Cleo\n")

    assert listed.bib.tolist() == [1, 7, 2]
    assert listed.warnings == ('The Bib "0" in line 2 was read as no bib, and in 1 more line',)


@pytest.mark.parametrize(
    ("text", "skipped"),
    [
        ("Spring run;;\nbib;name;club\n1;Ann;\n", ["Line 1"]),
        ("Spring run,10 km,2026\n\nbib,name,club\n1,Ann,\n", ["Line 1"]),
        ("bib,name,club\n1,Ann,\nTotal,1,\n", ["Line 3"]),
        ("bib;name;club\n1;Ann;\nAnzahl: 1;;\nGedruckt am 1.5.2026;;\n", ["Line 3", "Line 4"]),
        ("bib,name,club\nbib,name,club\n1,Ann,\n", ["Line 2"]),
        ("bib,name,club\n1,Ann,\n</table>\n", ["Line 3"]),
        ("bib,name,club\n,,\n;;\n1,Ann,\n", []),
        ("bib, name, club\n1, Ann,\n", []),
        ("bib|name|club\n1|Ann|\n", []),
        ('"sep=,"\r\nbib,name\r\n1,Ann\r\n', []),
        ("sep=;;;\nbib;name;\n1;Ann;\n", []),
        ("sep=,\nbib;name\n1;Ann\n", []),
        ("bib,name\n1,Ann\n\x1a", []),
        ("bib,name\n1,Ann\n\0\0\0", []),
    ],
)
def test_titles_and_footers_are_skipped(text: str, skipped: list[str]) -> None:
    """What is above and below the list, and repeated column names, are in the warnings."""
    listed = start_list.read(text)

    assert (listed.bib.tolist(), listed.name) == ([1], ("Ann",))
    assert [" ".join(warning.split()[:2]) for warning in listed.warnings] == skipped


SYSTEMS = {
    "RaceResult": "Startnr;Vorname;Name;Geschlecht;Alter;Verein;Startgruppe\n7;Ann;Smith;w;41;Milers;B\n",
    "RunSignup": "Bib,First Name,Last Name,Gender,Age,City,Team Name,Corral\n7,Ann,Smith,F,41,X,Milers,B\n",
    "OpenSplitTime": "Bib Number,First name,Last name,Gender,Age,Team,Wave\n7,Ann,Smith,female,41,Milers,B\n",
    "UltraSignup": "Order ID,First Name,Last Name,Gender,Age,Bib,Team,Wave\n9,Ann,Smith,F,41,7,Milers,2\n",
    "Chronotrack": "Bib,First Name,Last Name,Sex,Age,Wave,Team\n7,Ann,Smith,F,41,Wave B,Milers\n",
    "Webscorer": "Bib\tFirst name\tLast name\tTeam name\tAge\tGender\n7\tAnn\tSmith\tMilers\t41\tFemale\n",
    "parkrun": "Bib,parkrunner,Time,Age Category,Gender,Club,Pen\n7,Ann Smith,21:00,W40,Female,Milers,2\n",
    "MeOS": "Stno;Chip;Surname;First name;YB;S;Block;Time;Cl.name\n7;55;Smith;Ann;84;F;2;;Milers\n",
    "njuko": "Dossard;Nom;Prénom;Sexe (H/F);Âge;Club;Sas de départ\n7;Smith;Ann;F;41;Milers;B\n",
}


@pytest.mark.parametrize("name", ["Antal Szerb", "Sum Wong", "Count Basie", "Nombre"])
def test_names_are_no_totals(name: str) -> None:
    """Words for totals that are also names need a number behind them."""
    assert start_list.read(f"name,club,category\nAnn,Milers,\n{name},,\n").name == ("Ann", name)


@pytest.mark.parametrize(
    "heads",
    [
        "Bib number,What is your name?,What is your gender?,What is your age?,Your club (if any),Wave",
        "Startnr,Vor- und Nachname,Geschlecht,Alter,Verein (optional),Welle",
        "ゼッケン,氏名,性別,年齢,所属,ウェーブ",
        "Номер,ФИО,Пол,Возраст,Клуб,Волна (wave)",
        "Numer,Imię i nazwisko,Płeć,Wiek,Klub,Fala",
    ],
)
def test_forms_and_other_languages_are_read(straight: Course, heads: str) -> None:
    """Questions of a form, and column names in more languages."""
    race = Race(straight, resolved(start_list=f"{heads}\n7,Ann Smith,F,41,Milers,1\n"))

    assert [tuple(one) for one in race.entrants.some(0, 1)] == [(7, "Ann Smith", "W40", "Milers", 1, "F")]


@pytest.mark.parametrize("system", SYSTEMS)
def test_exports_of_registration_and_timing_systems_are_read(straight: Course, system: str) -> None:
    """The same competitor, with the columns of each system."""
    race = Race(straight, resolved(start_list=SYSTEMS[system]))
    wave = 1 if system == "Webscorer" else 2

    assert [tuple(one) for one in race.entrants.some(0, 1)] == [(7, "Ann Smith", "W40", "Milers", wave, "F")]
    assert race.field.women.tolist() == [True]


def test_columns_are_limited() -> None:
    """A list with as many columns as the limit is read; one more is rejected."""
    columns = ",".join(f"c{nth}" for nth in range(limits.MAX_COLUMNS - 1))
    known = ",".join(["team"] * (limits.MAX_USED - 1))

    assert len(start_list.read(f"name,{columns}\nAnn\n")) == 1
    assert faults(f"name,x,{columns}\nAnn\n") == ("has more than 1,000 columns",)
    assert len(start_list.read(f"name,{known}\nAnn\n")) == 1
    assert faults(f"bib,name,{known}\n1,Ann\n") == ("has more than 26 columns with known names",)


def test_wild_files_are_complete() -> None:
    """Each start list of the wild cases is in a test of this file."""
    text = Path(__file__).read_text("utf-8")
    files = [file for folder in WILD.glob("5*") for file in folder.iterdir()]

    assert [file for file in files if file.name not in text] == []
