"""Brings text files into UTF-8, whatever their encoding and whatever they say about it.

A correction that is an assumption gets a warning that names the line.
"""

import codecs
import io
import re
from collections.abc import Iterable

from simulator.course.coordinates import shown
from simulator.course.drawing import CourseError
from stream.text_files import unicode_of

MAX_RECODED = 16 * 1024 * 1024
"""Maximum bytes of a file that isn't in UTF-8, before and after: two copies are in memory."""
MAX_FORBIDDEN = 10_000
"""Maximum control characters and other forbidden ones that are replaced."""
BOM = codecs.BOM_UTF8
_SIGN = "\N{REPLACEMENT CHARACTER}"
REPLACEMENT = _SIGN.encode()
"""Stands for what can't be decoded or isn't allowed. No number can contain it."""

_CHUNK = 65_536
_SHOWN = 5
_LABEL = re.compile(rb"(?:\xef\xbb\xbf)?\s*+<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([^\"'>]{1,60})")
_UTF_8 = re.compile(r"|utf[-_ ]?8|(us-)?ascii", re.IGNORECASE | re.ASCII)
_WESTERN = re.compile(r"iso-?8859-1|latin-?1|(windows-|cp)1252", re.IGNORECASE | re.ASCII)
_SINGLE = re.compile(
    r"iso-?8859-[0-9]+|latin-?1|(windows-|cp)125[0-8]|(cp|ibm)(437|85[025]|866)|koi8-[ru]|macintosh",
    re.IGNORECASE | re.ASCII,
)
_DOUBLE = re.compile(r"shift_jis|euc-(jp|kr)|gb(2312|k|18030)|big5", re.IGNORECASE | re.ASCII)
"""Accepted encodings besides Unicode, with one byte per letter, whose letters in a row aren't UTF-8, and with
two. Others may take quadratic time or encode tags differently."""
_ESCAPING = re.compile(r"utf-?7|iso-?2022.*|hz.*", re.IGNORECASE | re.ASCII)
"""Encodings that write letters as ASCII, so that they look like UTF-8."""
_HIGH = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH_TO_LINE_END = re.compile(rb"[\x80-\xff][^\n]*+")
_REPLACED_TO_LINE_END = re.compile(REPLACEMENT + rb"[^\n]*+")


def in_utf8(data: bytes, source: str, warnings: list[str]) -> bytes:
    """Return a text file in UTF-8; the encoding that it declares, if any, is not changed.

    Args:
        data: the file.
        source: its name in messages.
        warnings: assumptions are added.

    Raises:
        CourseError: its encoding isn't supported, or it is too big to be re-encoded.
    """
    if wide := _wide(data):
        return _decoded(data, wide, source, warnings)
    label = _label(data)
    is_utf8 = _is_utf8(data)
    is_single = bool(_SINGLE.fullmatch(label))
    if _DOUBLE.fullmatch(label) or (is_single and not is_utf8):
        # Programs that say ISO-8859-1 mean Windows-1252, which has the same letters and more.
        return _decoded(data, "cp1252" if _WESTERN.fullmatch(label) else label, source, warnings)
    if _ESCAPING.fullmatch(label):
        raise CourseError(f"{source} has an unsupported encoding, {shown(label)}: save it in UTF-8")
    if not is_utf8:
        # Also with a label such as "ANSI": only letters can be wrong, and tags and numbers are ASCII.
        return _mended(data, source, warnings)
    if not (_UTF_8.fullmatch(label) or (is_single and data.isascii())):
        warnings.append(f"The file says that its encoding is {shown(label)}, but it is UTF-8: read as UTF-8")
    return data


def head(data: bytes, most: int) -> bytes:
    """Return the beginning of a file in UTF-8 if it is in Unicode, or as it is."""
    wide = _wide(data)
    return data[:most].decode(wide, "replace").encode().removeprefix(BOM) if wide else data[:most]


def replaced(data: bytes, patterns: Iterable[re.Pattern[bytes]], source: str, warnings: list[str]) -> bytes:
    """Replace the forbidden characters, which the patterns match, with a warning.

    Raises:
        CourseError: there are more than `MAX_FORBIDDEN`.
    """
    total = 0
    for pattern in patterns:
        if pattern.search(data):
            data, count = pattern.subn(REPLACEMENT, data, count=MAX_FORBIDDEN + 1)
            total += count
    if total > MAX_FORBIDDEN:
        raise CourseError(
            f"{source} has more than {MAX_FORBIDDEN:,} control characters or other forbidden ones"
        )
    if total:
        lines = _lines(data, _REPLACED_TO_LINE_END)
        warnings.append(f"{lines}: forbidden characters are replaced by {_SIGN}")
    return data


def _wide(data: bytes) -> str:
    """Return the encoding of a file whose letters take two or four bytes each, or ""."""
    encoding, _ = unicode_of(data)
    return "" if encoding == "utf-8" else encoding


def _label(data: bytes) -> str:
    found = _LABEL.match(data)
    return found[1].decode("ascii", "replace").strip() if found else ""


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        # In pieces: the text may take four times the memory.
        for first in range(0, len(data), _CHUNK):
            decoder.decode(data[first : first + _CHUNK], final=first + _CHUNK >= len(data))
    except UnicodeDecodeError:
        return False
    return True


def _decoded(data: bytes, encoding: str, source: str, warnings: list[str]) -> bytes:
    """Return a file in UTF-8, with a warning if it isn't entirely in its encoding."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    out = io.BytesIO()
    for first in range(0, len(data), _CHUNK):
        if max(len(data), out.tell()) > MAX_RECODED:
            raise CourseError(f"{source} is bigger than {MAX_RECODED // 1024**2} MiB and not in UTF-8")
        text = decoder.decode(data[first : first + _CHUNK], final=first + _CHUNK >= len(data))
        out.write(text.encode("utf-8", "replace"))
    mended = out.getvalue().removeprefix(BOM)
    if REPLACEMENT in mended:
        warnings.append(
            f"{_lines(mended, _REPLACED_TO_LINE_END)}: bytes that aren't {encoding} are replaced by {_SIGN}"
        )
    return mended


def _mended(data: bytes, source: str, warnings: list[str]) -> bytes:
    """Return a file that should be in UTF-8 but isn't entirely.

    If it has letters in UTF-8, the other bytes are damage; if it has none, it is in Windows-1252.
    """
    if any(_LETTER.match(data, found.start()) for found in _HIGH.finditer(data)):
        return _decoded(data, "UTF-8", source, warnings)
    lines = _lines(data, _HIGH_TO_LINE_END)
    warnings.append(f"{lines}: bytes that aren't UTF-8 are read as Windows-1252")
    return _decoded(data, "cp1252", source, warnings)


def _lines(data: bytes, pattern: re.Pattern[bytes]) -> str:
    """Name the lines in which a pattern, which ends with the line, occurs: "Lines 3 and 5"."""
    lines: list[str] = []
    line, last = 1, 0
    for found in pattern.finditer(data):
        line += data.count(b"\n", last, found.start())
        last = found.start()
        if len(lines) == _SHOWN:
            return f"Lines {', '.join(lines)} and more"
        lines.append(str(line))
    return f"Lines {', '.join(lines[:-1])} and {lines[-1]}" if len(lines) > 1 else f"Line {lines[0]}"
