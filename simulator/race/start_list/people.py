"""Bibs, waves, sexes, ages and dates of birth, as registration and timing systems write them."""

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta

from simulator.race.start_list.columns import SEXES, normal
from simulator.race.start_list.limits import MAX_BIB, MAX_WAVE, listed, quoted
from simulator.race.start_list.words import plain

_BIB = re.compile(r'(?:="|=|\'|#|no\.?\s*|nr\.?\s*)?\s*([0-9]{1,12})(?:[.,]0{0,2})?"?', re.IGNORECASE)
"""A number, perhaps with leading zeros, as `#12`, as `12.0`, or as text for a spreadsheet (`="0012"`)."""
_THOUSANDS = re.compile(r"[0-9]{1,3}[.,'\u2019 ](?!000)[0-9]{3}")
_WAVE = re.compile(
    r"(?:(?:start(?:ing)?[ -]?)?(?:wave|w|corral|group|pen|block|heat|start|gruppe|welle|vague|sas|groupe|"
    r"bloc|ola|oleada|cajón|gruppo|griglia|onda|vak|startvak|groep|grupp|led)\.?[ _:#-]*)?"
    r"(?:(?P<number>[0-9]{1,9})(?:[.,]0{1,2})?(?:st|nd|rd|th)?|(?P<letter>[a-z]))"
    r"(?: (?:wave|corral|group|pen|heat))?(?: ?[-(@\u2013] ?.*)?",
    re.IGNORECASE,
)
"""A number or letter, perhaps behind a word: `Wave 2`, `B`, `Corral B`."""
_HALF_DAY = re.compile(r"\b([0-9]{1,2})((?::[0-9]{2})*) ?([ap])\.?m\b\.?")
_AGE = re.compile(
    r"([0-9]{1,3})(?:[.,][0-9]+)?(?:\s*(?:y|yrs?|years?(?: old)?|jahre?|ans|años|anni|jaar|år))?"
)
_OF_ONE_SEX = re.compile(
    r"[JSV]?([FMW])(?:U ?[0-9]+|V? ?[0-9]{2}(?:\s?[-/+].*)?|-?SEN(?:IORS?)?)?", re.IGNORECASE
)
"""Age groups of one sex, as federations and parkrun write them."""
_OLDEST = 120
_YEAR = re.compile(r"(1[89][0-9]{2}|20[0-9]{2}|[0-9]{2})(?:[.,]0+)?")
_SERIAL = re.compile(r"([1-4][0-9]{4})(?:[.,]0+)?")
"""A date as a spreadsheet's number of days."""
_YEAR_FIRST = re.compile(
    r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[t ].*)?|([0-9]{4})([0-9]{2})([0-9]{2})"
)
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])\s?([0-9]{1,2})[-/.]\s?([0-9]{4}|[0-9]{2})(?:[t ].*)?")
_WITH_MONTH = re.compile(
    r"(?:([0-9]{1,2})(?:st|nd|rd|th)?[-/. ]+(?:de )?)?([^\W\d_]{3,10})(?:[-/. ,]+|\.? de )"
    r"(?:([0-9]{1,2})(?:st|nd|rd|th)?,? +)?([0-9]{4}|[0-9]{2})"
)
_IN_JAPANESE = re.compile("([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日")
_MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "jan ene gen",
            "feb fev fév",
            "mar mär mrz maa mrt",
            "apr abr avr",
            "may mai mei maj mag",
            "jun giu juin",
            "jul lug juil",
            "aug ago aoû aou",
            "sep set",
            "oct okt ott out",
            "nov",
            "dec dez déc dic",
        ),
        start=1,
    )
    for name in names.split()
}
"""How months begin in the languages of the column names; four letters where three are not enough."""
_DAY_ZERO = date(1899, 12, 30)
_THIS_CENTURY = 25
"""Years of two digits up to this one are after 2000: such a child is likelier than its great-grandmother."""
_FIRST_YEAR = 1902
"""Earlier dates stand for none: 1 January 0001 and 1900 are zero in databases and spreadsheets."""
YOUNGEST_GROUP, SENIORS, FIRST_GROUP = 20, "SEN", 35
"""Age groups as in road running: U20, SEN (20 to 34), then 35, 40 and so on."""


def bib(cell: str) -> tuple[int | None, str]:
    """Return a bib, None if there is none, and what was assumed; raises ValueError."""
    if not (words := cell if cell.isascii() and cell.isdecimal() else plain(cell)):
        return None, ""
    if _THOUSANDS.fullmatch(words):
        words = re.sub("[^0-9]", "", words)
    # `int` would also accept other scripts' digits.
    if (found := _BIB.fullmatch(words)) is None or not found[1].isascii() or int(found[1]) > MAX_BIB:
        raise ValueError(f"must be a whole number from 1 to {MAX_BIB:,}, not {quoted(cell)}")
    return int(found[1]) or None, "" if int(found[1]) else "was read as no bib"


def waves(cells: Iterable[str]) -> tuple[Callable[[str], int], str]:
    """Return how the cells of a column are read as waves, 1 if empty, and a warning or "".

    Numbers stay as they are, and letters count from A. Other names are numbered, and so are numbers among
    letters, numbers from 0, and letters such as M and W: in their natural order if each has a digit or is a
    letter, else in the order of the list.
    """
    names = list(dict.fromkeys(filter(None, map(plain, cells))))
    found = [match for name in names if (match := _WAVE.fullmatch(name)) is not None]
    if len(names) > MAX_WAVE or (found and (_is_count(found) or len(found) < len(names))):
        return _wave, ""
    if found or all(any(letter.isdigit() for letter in name) for name in names):
        names.sort(key=_natural)
        order = "by their names"
    else:
        order = "in the order of the list"
    numbers = {name: nth for nth, name in enumerate(names, start=1)}
    shown = listed([f"{nth} = {quoted(name)}" for name, nth in numbers.items()])
    warning = f"The waves have names and were numbered {order}: {shown}" if numbers else ""
    return lambda cell: numbers.get(plain(cell), 1), warning


def _is_count(found: Iterable[re.Match[str]]) -> bool:
    """Return whether waves are counted: all by numbers from 1, or all by letters, which aren't the sexes'."""
    letters = {match["letter"].lower() for match in found if match["letter"]}
    numbers = {int(match["number"]) for match in found if match["number"]}
    if numbers:
        return not letters and 0 not in numbers
    sexes = {SEXES.get(letter) for letter in letters}
    return None in sexes or "M" not in sexes or len(sexes) == 1


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts numbers by value, and times of day with am and pm as such."""
    name = _HALF_DAY.sub(
        lambda found: f"{int(found[1]) % 12 + 12 * (found[3] == 'p'):02}{found[2]}", name.casefold()
    )
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split("([0-9]+)", name)]


def _wave(cell: str) -> int:
    if not (words := plain(cell)):
        return 1
    found = _WAVE.fullmatch(words)
    if found is not None and found["letter"]:
        return ord(found["letter"].lower()) - ord("a") + 1
    if found is None or not 1 <= int(found["number"]) <= MAX_WAVE:
        raise ValueError(
            f"must be a whole number from 1 to {MAX_WAVE:,} or a letter, not {quoted(cell)}: "
            "others have one, so write the number of this wave"
        )
    return int(found["number"])


def sex(cell: str) -> tuple[str, str]:
    """Return F, M, X, or "" if there is none or it is unknown, which the second text says."""
    letter = SEXES.get(normal(plain(cell)), "")
    return letter, "" if letter or not plain(cell) else "is not a known sex and was left out"


def sex_of(category: str) -> str:
    """Return the sex that a category names, F or M, else "": of `W40`, `MSEN`, `VW45-49`, `Women 40`."""
    words = plain(category)
    if (found := _OF_ONE_SEX.fullmatch(words)) is not None:
        return "M" if found[1] in "mM" else "F"
    first = words.partition(" ")[0]
    return SEXES.get(normal(first), "").replace("X", "") if len(first) > 1 else ""


def age(cell: str) -> tuple[int, str]:
    """Return years, or -1 if there is no age or it can't be read, which the second text says."""
    words = plain(cell).lower()
    found = _AGE.fullmatch(words)
    if found is not None and found[1].isascii() and int(found[1]) <= _OLDEST:
        return int(found[1]) or -1, ""
    return -1, "is not an age and was left out" if words else ""


def births(cells: set[str]) -> Callable[[str], tuple[int, str]]:
    """Return how the dates of birth of a column are read.

    The result is the date as the number yyyymmdd, the first of January for a year alone, or 0; and a text
    that says what was assumed.
    """
    found = [match for cell in cells if (match := _YEAR_LAST.fullmatch(plain(cell).lower()))]
    # Days come first where points are written, months in the United States; a number above 12 decides.
    has_late_first = any(int(match[1]) > 12 for match in found)
    has_late_second = any(int(match[3]) > 12 for match in found)
    is_day_first = has_late_first or not has_late_second

    def read(cell: str) -> tuple[int, str]:
        if not (words := plain(cell).lower()):
            return 0, ""
        assumed = ""
        if (match := _YEAR_LAST.fullmatch(words)) is not None:
            one, other = int(match[1]), int(match[3])
            day, month = (one, other) if is_day_first or match[2] == "." else (other, one)
            born = _date(_year(match[4]), month, day)
            if match[2] != "." and not (has_late_first or has_late_second) and one != other:
                assumed = "may have day or month first and was read with the day first"
        else:
            born = _written(words)
        if born is None or born.year < _FIRST_YEAR:
            return 0, "is not a date of birth and was left out"
        return 10_000 * born.year + 100 * born.month + born.day, assumed

    return read


def _written(words: str) -> date | None:
    """Return a date that can be read in one way only: the year first, a serial number, a month's name."""
    if (found := _YEAR.fullmatch(words)) is not None:
        return _date(_year(found[1]), 1, 1)
    if (found := _YEAR_FIRST.fullmatch(words)) is not None:
        year, month, day = (int(part) for part in found.groups() if part is not None)
        return _date(year, month, day)
    if (found := _SERIAL.fullmatch(words)) is not None:
        return _DAY_ZERO + timedelta(days=int(found[1]))
    if (found := _IN_JAPANESE.fullmatch(words)) is not None:
        return _date(int(found[1]), int(found[2]), int(found[3]))
    found = _WITH_MONTH.fullmatch(words)
    if found is None or not (found[1] or found[3]):
        return None
    named = _MONTHS.get(found[2][:4]) or _MONTHS.get(found[2][:3])
    return _date(_year(found[4]), named, int(found[1] or found[3])) if named else None


def _year(words: str) -> int:
    year = int(words)
    if len(words) > 2:
        return year
    return year + (2000 if year <= _THIS_CENTURY else 1900)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def category(sex: str, age: int) -> str:
    """Return the category of a sex and an age in years, -1 if unknown: `W40`, `MSEN`, `W` or ""."""
    sex = "W" if sex == "F" else sex
    if age < 0:
        return sex
    if age < YOUNGEST_GROUP:
        return f"{sex}U{YOUNGEST_GROUP}"
    return f"{sex}{SENIORS}" if age < FIRST_GROUP else f"{sex}{age // 5 * 5}"
