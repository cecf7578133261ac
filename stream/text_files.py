"""Text files in the encodings in which spreadsheets and other programs write them."""

import codecs
import re
import unicodedata
from itertools import islice
from typing import NamedTuple

UTF_16 = ("utf-16-le", "utf-16-be")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks; that of UTF-32 begins like that of UTF-16."""
_LEGACY = {
    "cp1252": "Windows-1252 (Western European)",
    "cp1250": "Windows-1250 (Central European)",
    "iso8859-2": "ISO 8859-2 (Central European)",
    "mac_roman": "Mac Roman",
    "cp850": "code page 850 (DOS)",
}
"""Encodings without a mark, by their Python names, the likeliest first."""
_IN_WORDS = frozenset("\u2019\u00b4`\u00b7\u2013\u2014")
"""Apostrophes and dashes, which stand between letters."""
_AROUND_WORDS = frozenset("\u2018\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a")
"""Quotation marks, which stand before or after letters."""
_ACCENTED = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
"""A word with a letter that isn't ASCII."""
_ASCII = bytes(range(128))
_SAMPLE = 20_000
"""Characters by which an encoding is chosen."""
_ENOUGH = 65_536
"""Bytes by which UTF-16 without a mark is recognised."""
_KINDS = (
    (b"PK\x03\x04", (b"xl/", b"[Content_Types]"), "an Excel file (.xlsx)"),
    (b"PK\x03\x04", (b"opendocument.spreadsheet",), "an OpenDocument spreadsheet (.ods)"),
    (b"PK\x03\x04", (b".iwa",), "a Numbers file"),
    (b"PK\x03\x04", (b"",), "a ZIP archive"),
    (b"\xd0\xcf\x11\xe0", (b"",), "an old Excel file (.xls) or another Office file"),
    (b"%PDF-", (b"",), "a PDF file"),
    (b"{\\rtf", (b"",), "an RTF file"),
    (b"\x1f\x8b", (b"",), "a gzip file"),
    (b"\x89PNG", (b"",), "an image"),
    (b"\xff\xd8\xff", (b"",), "an image"),
)
"""How files that aren't text begin, what one of them contains in its beginning, and what they are."""
_REMEDY = "save it as CSV UTF-8"


_UNKNOWN = f"is text in an encoding that can't be recognised: {_REMEDY}"


class TextError(ValueError):
    """A file that can't be read as text; the message continues "it"."""


class Text(NamedTuple):
    """A file's text.

    Attributes:
        text: without a byte order mark.
        warning: what was assumed about its encoding, or "".
    """

    text: str
    warning: str


def unicode_of(head: bytes) -> tuple[str, int]:
    """Return a file's Unicode encoding, UTF-8 unless its beginning is clear, and the length of its mark."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    head = head[:_ENOUGH]
    # A letter takes four bytes in UTF-32, of which the two upper ones are nearly always zero.
    if (quarter := len(head) // 4) and head[3::4].count(0) + head[2::4].count(0) > 1.9 * quarter:
        return "utf-32-le", 0
    if quarter and head[::4].count(0) + head[1::4].count(0) > 1.9 * quarter:
        return "utf-32-be", 0
    # Line ends, digits and delimiters have a zero byte in UTF-16, in any language.
    zeros = head[1::2].count(0), head[::2].count(0)
    if max(zeros) > len(head) // 8 and min(zeros) < max(zeros) // 8 + 1:
        return UTF_16[zeros[1] > zeros[0]], 0
    return "utf-8", 0


def decode(data: bytes) -> Text:
    """Decode a text file; raises TextError.

    Unicode is certain, with and without a mark. Otherwise, the encoding is the likeliest one in which the
    letters make words, and the warning names it and the first line concerned.
    """
    _check_is_text(data)
    encoding, length = unicode_of(data)
    try:
        return Text(data[length:].decode(encoding), "")
    except UnicodeDecodeError as error:
        if encoding != "utf-8" or length:
            line = _line(data[: length + error.start].decode(encoding, "replace"))
            raise TextError(f"is {encoding.upper()} with an error in line {line:,}: {_REMEDY}") from error
    return _damaged(data) or _legacy(data)


def _check_is_text(data: bytes) -> None:
    for begins, contents, what in _KINDS:
        if data.startswith(begins) and any(content in data[:_ENOUGH] for content in contents):
            raise TextError(f"is {what}: open it, and {_REMEDY}")


def _damaged(data: bytes) -> Text | None:
    """Return UTF-8 in which a few bytes are wrong, such as a text that was cut in the middle of a letter."""
    text = data.decode(errors="replace")
    bad = text.count("\ufffd")
    # Other encodings have no sequences that are valid in UTF-8, or hardly any.
    if len(data.translate(None, delete=_ASCII)) - bad < 2 * bad:
        return None
    line = _line(text[: text.index("\ufffd")])
    what = "a wrong byte" if bad == 1 else f"{bad:,} wrong bytes, the first"
    return Text(text, f"The file is UTF-8 with {what} in line {line:,}: a letter was lost")


def _legacy(data: bytes) -> Text:
    # Words without any ASCII letter are of another script.
    words = _ACCENTED.findall(data[:_ENOUGH])
    foreign = sum(1 for word in words if len(word) > 1 and min(word) > max(_ASCII))
    if 2 * foreign > len(words) or b"\0" in data:
        raise TextError(_UNKNOWN)
    faults = {encoding: _faults(data, encoding) for encoding in _LEGACY}
    encoding = min(faults, key=faults.__getitem__)
    text = data.decode(encoding, "replace")
    if faults[encoding] > max(1, len(data.translate(None, delete=_ASCII)) // 4):
        raise TextError(_UNKNOWN)
    first = next(nth for nth, letter in enumerate(text) if letter > "\x7f")
    begin, end = _word(text, first)
    return Text(
        text,
        f"The file is not UTF-8 and was read as {_LEGACY[encoding]}: check the letters with accents, "
        f'such as "{text[begin:end]}" in line {_line(text[:first]):,}, or {_REMEDY}',
    )


def _faults(data: bytes, encoding: str) -> int:
    """Count the characters that don't fit between their neighbours in an encoding."""
    text = data.decode(encoding, "replace")
    return sum(
        1
        for found in islice(re.finditer("[^\x00-\x7f]", text), _SAMPLE)
        if not _fits(found[0], text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1])
    )


def _fits(letter: str, before: str, after: str) -> bool:
    if letter.isalpha():
        # Capitals begin words, or are among capitals.
        if letter.islower():
            return not after.isupper()
        return not (before.islower() or (before.isalpha() and after.islower()))
    if letter in _IN_WORDS or letter.isspace():
        return True
    if letter in _AROUND_WORDS:
        return not (before.isalpha() and after.isalpha())
    # Lines of boxes are what letters of other scripts become in code page 850.
    is_box = "\u2500" <= letter <= "\u259f"
    is_readable = not is_box and unicodedata.category(letter) not in {"Cc", "Cn"} and letter != "\ufffd"
    return is_readable and not (after.isalpha() or before.islower())


def _word(text: str, at: int) -> tuple[int, int]:
    """Return where the word around a place begins and ends, 20 characters to either side at most."""
    begin, end = at, at
    while begin > max(0, at - 20) and text[begin - 1].isalpha():
        begin -= 1
    while end < min(len(text), at + 20) and (end == at or text[end].isalpha()):
        end += 1
    return begin, end


def _line(before: str) -> int:
    """Return the number of the line that begins in or after a text."""
    return 1 + len(re.findall("\r\n|\r|\n", before))
