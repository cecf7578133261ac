"""The texts of start lists as a person sees them: names, categories and clubs."""

import html
import re
import unicodedata
from functools import lru_cache

from simulator.race.start_list.limits import MAX_WORDS, quoted

_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
"""Soft hyphen, zero-width space, direction marks, byte order mark: without width and without meaning here."""
_JOINERS = re.compile("(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])|[\u200c\u200d]")
"""Joiners shape letters of other scripts and emoji; elsewhere they are invisible."""
_BLANKS = re.compile("[\\s\u2800\u3164\u115f\u1160\uffa0]+")
"""White space of any width, line breaks, and letters that are blank."""
_BAD = {"Cc", "Cs", "Co"}
"""Categories of characters that are neither text nor invisible: controls, surrogates, private use."""
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8}[0-9]{0,2});")
_MISREAD = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u2122]"
)
"""How UTF-8 that was read as Windows-1252 looks."""
_NOTHING = {"-", "--", "\u2013", "\u2014", "n/a", "#n/a", "null", "nil", "none", "tba", "tbd", "tbc"}
"""What people write into empty cells."""
_ERRORS = ("#ref!", "#value!", "#name?", "#div/0!", "#num!", "#null!", "err:")
"""What spreadsheets show for formulas that fail."""
_NONCHARACTERS = 0xFFFE


def visible(cell: str) -> str:
    """Return a cell in NFC, without invisible characters and with one space for any blanks."""
    if cell.isascii() and cell.isprintable():
        return " ".join(cell.split()) if "  " in cell else cell.strip()
    cell = _INVISIBLE.sub("", cell)
    cell = _JOINERS.sub(lambda found: found[0] if found.start() and _joins(found) else "", cell)
    return unicodedata.normalize("NFC", _BLANKS.sub(" ", cell).strip())


def _joins(found: re.Match[str]) -> bool:
    around = found.string[found.start() - 1 : found.start()], found.string[found.end() : found.end() + 1]
    return all(one and not one.isascii() and not one.isspace() for one in around)


@lru_cache(maxsize=1000)
def plain(cell: str) -> str:
    """Return a cell that isn't a name: as visible, with compatible characters alike, empty if it says so."""
    cell = unicodedata.normalize("NFKC", visible(cell))
    return "" if cell.casefold() in _NOTHING else cell


def text(cell: str) -> tuple[str, str]:
    """Return a text as a person would write it, and what was assumed; raises ValueError."""
    words, assumed = visible(cell), ""
    if not words.isascii() and (repaired := _repaired(words)) != words:
        words, assumed = visible(repaired), "is UTF-8 that was read as Windows-1252, and was repaired"
    if "&" in words and (unescaped := _unescaped(words)) != words:
        words, assumed = visible(unescaped), "has HTML entities, which were replaced"
    if "\ufffd" in words:
        assumed = "has a character that was lost before (U+FFFD)"
    if len(words) > MAX_WORDS:
        raise ValueError(f"has more than {MAX_WORDS} characters")
    if not words.isprintable() and (bad := next(filter(_is_bad, words), None)) is not None:
        raise ValueError(f"has unprintable characters, the first is U+{ord(bad):04X}")
    if words.casefold().startswith(_ERRORS):
        raise ValueError(f"is a spreadsheet's error, {quoted(words)}")
    return words, assumed


def club(cell: str) -> tuple[str, str]:
    """Return a club or a category, empty if the cell says so; otherwise as `text`."""
    words, assumed = text(cell)
    return ("" if words.casefold() in _NOTHING else words), assumed


def _is_bad(letter: str) -> bool:
    is_noncharacter = ord(letter) & _NONCHARACTERS == _NONCHARACTERS or "\ufdd0" <= letter <= "\ufdef"
    return is_noncharacter or unicodedata.category(letter) in _BAD


def _repaired(words: str) -> str:
    if _MISREAD.search(words) is None:
        return words
    for encoding in ("cp1252", "latin-1"):
        try:
            return words.encode(encoding).decode()
        except UnicodeError:
            continue
    return words


def _unescaped(words: str) -> str:
    """Replace entities in a longer text; an entity by itself may be a name."""
    return words if _ENTITY.fullmatch(words) else _ENTITY.sub(lambda found: html.unescape(found[0]), words)
