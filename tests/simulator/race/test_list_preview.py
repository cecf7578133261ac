"""How a start list would be read, and with other columns than its names say."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.race.start_list.columns import FIELDS
from simulator.race.start_list.preview import ROWS, preview

LIST = "Nr,Who,Verein,Paid\n1,Ann,Harriers,yes\n2,Bo,,no\n"


def test_columns_and_rows_are_shown() -> None:
    """A preview has the columns with their fields, the first rows as written, and the competitors."""
    shown = preview(LIST + "".join(f"{bib},X,,\n" for bib in range(3, 20)), {})

    assert list(zip(shown.heads, shown.fields, strict=True)) == [
        ("Nr", "bib"),
        ("Who", ""),
        ("Verein", "club"),
        ("Paid", ""),
    ]
    assert shown.rows[:2] == [["1", "Ann", "Harriers", "yes"], ["2", "Bo", "", "no"]]
    assert len(shown.rows) == ROWS
    assert shown.people is not None
    assert len(shown.people) == 19


def test_another_column_is_chosen() -> None:
    """A chosen column is read as its field, and the one that its name suggested is not."""
    shown = preview(LIST, {"name": 2, "club": 4})

    assert shown.fields == ["bib", "name", "", "club"]
    assert shown.text == "Nr,name,unused Verein,club\n1,Ann,Harriers,yes\n2,Bo,,no\n"
    assert shown.people is not None
    assert (shown.people.name, shown.people.club) == (("Ann", "Bo"), ("yes", "no"))


def test_field_without_a_column() -> None:
    """A field may have no column, whatever the names say."""
    shown = preview(LIST, {"club": 0})

    assert shown.fields == ["bib", "", "", ""]
    assert shown.people is not None
    assert shown.people.club == ("", "")


def test_units_in_a_name_are_kept() -> None:
    """A chosen column that is named after its field keeps the name, which may have a unit."""
    shown = preview("bib,Zielzeit (min)\n1,45\n", {"time": 2})

    assert shown.people is not None
    assert shown.people.expected is not None
    assert shown.people.expected.tolist() == [45 * 60]


@pytest.mark.parametrize(
    ("text", "chosen", "names"),
    [
        ("a;b;c\n1;2,5;Ann\n3;4,5;Bo\n", {"name": 3}, ("Ann", "Bo")),
        ("sep=;\r\na;b\r\n1;Ann\r\n", {"name": 2}, ("Ann",)),
        ("\ufeffa,b\n1,Ann\n", {"name": 2}, ("Ann",)),
        ("Our race\n\na\tb\tc\n1\t2\tAnn", {"name": 3}, ("Ann",)),
        ('"a\nline","b ""x""",c\n1,2,Ann\n', {"name": 3}, ("Ann",)),
        ("Group,who\n1,Ann\n", {"wave": 1, "name": 2}, ("Ann",)),
        ("Group,name\n1,Ann\n", {"wave": 0}, ("Ann",)),
    ],
)
def test_lists_that_cannot_be_read_otherwise(text: str, chosen: dict[str, int], names: tuple[str]) -> None:
    """Unknown and ambiguous names of columns are an error, and choosing their fields solves it."""
    before, after = preview(text, {}), preview(text, chosen)

    assert before.errors
    assert before.heads
    assert before.rows == after.rows
    assert after.errors == ()
    assert after.people is not None
    assert after.people.name == names


def test_faulty_lines_are_errors() -> None:
    """A list with errors has a preview too, which says what its columns are read as."""
    shown = preview("bib,name\nx,Ann\n", {})

    assert shown.errors == (
        'is invalid in line 2: the bib must be a whole number from 1 to 999,999, not "x"',
    )
    assert (shown.fields, shown.rows, shown.people) == (["bib", "name"], [["x", "Ann"]], None)


@pytest.mark.parametrize(
    ("text", "chosen", "why"),
    [
        ("", {}, "is empty"),
        ("<html><body>", {}, "is an HTML page"),
        ("bib,name\n1,Ann", {"bib": 3}, "has 2 columns, and no column 3"),
    ],
)
def test_what_has_no_preview(text: str, chosen: dict[str, int], why: str) -> None:
    """What is no table, or has no such column, is an error."""
    shown = preview(text, chosen)

    assert shown.errors[0].startswith(why)
    assert not shown.heads


@given(
    st.lists(st.lists(st.text("abc,;\t\"'\n 12|", max_size=4), min_size=1, max_size=4), max_size=4),
    st.dictionaries(st.sampled_from(sorted(FIELDS)), st.integers(0, 4), max_size=3),
)
@example([["|"], ["a"]], {"bib": 0})
def test_any_text_is_answered(rows: list[list[str]], chosen: dict[str, int]) -> None:
    """Whatever the list, the preview is one, with the competitors or the reasons why there are none."""
    shown = preview("\n".join(",".join(row) for row in rows), chosen)

    assert (shown.people is None) == bool(shown.errors)
    assert len(shown.heads) == len(shown.fields)
