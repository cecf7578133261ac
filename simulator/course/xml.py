"""Parses untrusted XML: no entities, no network, no huge nodes; errors name the line.

Elements are found by local name, because many real files have undeclared namespace prefixes, or no namespace.
"""

import re
from collections.abc import Callable, Mapping
from html.entities import html5
from typing import Any, NamedTuple

from lxml import etree

from simulator.course import decoding
from simulator.course.coordinates import named, shown
from simulator.course.decoding import BOM
from simulator.course.drawing import CourseError

Takers = Mapping[str, Callable[[etree._Element], Any]]  # noqa: SLF001 - lxml's own name for it
Taken = Mapping[etree._Element, list[Any]]  # noqa: SLF001
"""What was taken from each element's children, in the file's order."""

_SAFELY: Any = {
    "encoding": "utf-8",
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
_PROLOG = rb"(?:\xef\xbb\xbf)?(?:\s*+(?><\?.*?\?>|<!--.*?-->))*+\s*+"
_BEFORE = re.compile(_PROLOG, re.DOTALL)
_ROOT = re.compile(_PROLOG + rb"<([^\s/>!?]+)", re.DOTALL)
"""Matches from the first byte to the end of the outermost element's name."""
_DOCTYPE = re.compile(_PROLOG + rb"<!DOCTYPE", re.DOTALL)
_NO_ELEMENT = "no element found"
"""The parser's error, if it gives any, after an undefined entity."""
_CUT_SHORT = "the file is cut short: save it again"
_HINTS = {
    "Premature end": _CUT_SHORT,
    "Extra content": "remove what follows the end",
    "XML declaration allowed only": "several documents in one file: send one",
}
"""What to do about an error, by the beginning of its message."""
_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z_:][\w.:-]{0,60});")
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_FORBIDDEN_REFERENCE = re.compile(
    rb"&#(?:x0*(?:[0-8bcef]|1[0-9a-f]|d[89a-f][0-9a-f]{2}|fff[ef])|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]|"
    rb"55(?:29[6-9]|[3-9][0-9]{2})|56[0-9]{3}|57(?:[0-2][0-9]{2}|3[0-3][0-9]|34[0-3])));",
    re.IGNORECASE,
)
"""Matches what XML forbids: control characters, halves of surrogate pairs, U+FFFE and U+FFFF."""
_OTHER_TAG = re.compile(rb"</?(?:[A-Za-z_:][\w:.-]*+[\x80-\xff]|[\x80-\xff]++[A-Za-z]{3})")
"""Matches the beginning of a tag whose name isn't ASCII."""
_BARE = re.compile(rb"&(?!#|[A-Za-z_:][\w.:-]*+;)")
"""Matches an ampersand that begins no entity, as in "Start & Finish" and in links."""
_LESS = re.compile(rb"<(?=[\s0-9<=-])")
"""Matches a less-than sign that begins no tag, as in "I <3 hills"."""
START = re.compile(rb"<(?:\?xml\s|(?:[\w.-]++:)?(gpx|kml|TrainingCenterDatabase)[\s>])", re.IGNORECASE)
"""Matches where a file begins if something else stands before it."""
_MOST_SPELLINGS = 100
_HEAD = 65_536
"""Bytes at the beginning of a file in which its peculiarities show."""
_UNDECLARED = re.compile(r"Namespace prefix \S+ ")
_PREFIX = rb"([A-Za-z_\x80-\xff][\w.\x80-\xff-]*+)"
_USED = re.compile(rb"<" + _PREFIX + rb":|\s" + _PREFIX + rb":[\w.\x80-\xff-]++\s*+=")
_DECLARED = re.compile(rb"\sxmlns:" + _PREFIX)
_MOST_PREFIXES = 100
MAX_ATTRIBUTES = 200
_CROWDED = re.compile(rb"<[^<>!?/\"'\s](?:[^<>\"']*+(?:\"[^\"<]*+\"|'[^'<]*+')){%d}" % (MAX_ATTRIBUTES + 1))
"""Maximum attributes per tag: the parser keeps all of a tag in memory, 300 bytes each."""
_HUGE = re.compile(rb"=\s*+(?:\"[^\"<]{1000000}|'[^'<]{1000000})")
"""Matches attributes so large that the parser would copy them several times before rejecting them."""
_TIMES = re.compile(rb"<(time|when)>[^<]*+</\1>")
_ASIDE = rb"(?:[\w.-]++:)?(?:[eE]xtensions|SimpleArrayData|angles)"
_BESIDE = re.compile(rb"<(%b)(?:\s[^<>]*+)?(?<!/)>[^<]*+(?:<(?!/?%b[\s>]|!)[^<]*+)*+</\1>" % (_ASIDE, _ASIDE))
"""Elements besides times that receivers add to every place, irrelevant to a course and to a recording."""
_BLANKS = 1024 * 1024
_CHUNK = 65_536
LONGEST_NAME = 1000
"""Characters of a name that are examined, many more than are allowed."""
_NODES: Any = etree.XPath("count(//node()) + count(//@*)")

MAX_MARKS = 1_000_000
"""Maximum of tags and attributes, roughly, without times and extensions: 90,000 GPX points have 540,000."""
MAX_MARKS_WITH_TIMES = 2_000_000
"""The same for a file with times: a day at 1 Hz, 86,400 GPX points, has 700,000 besides its extensions."""
MAX_NODES = 100_000
"""Maximum nodes of a tree, about 100 bytes each, without those extracted while reading."""


class Dialect(NamedTuple):
    """How elements of a format are treated.

    Attributes:
        dropped: local names of elements that are dropped.
        names: local names that are corrected if they are in other letter cases.
        with_times: keep the times of places.
        compacted: returns the XML with fewer elements and the same line breaks, which is faster to parse.
    """

    dropped: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    with_times: bool = False
    compacted: Callable[[bytes], bytes] = lambda data: data


def sift(
    data: bytes, source: str, takers: Callable[[], Takers], dialect: Dialect, warnings: list[str]
) -> tuple[etree._Element, Taken]:
    """Parse XML without keeping the elements that make files big.

    Return the outermost element and what was taken. What is corrected: undeclared namespace prefixes, wrong
    encodings, forbidden characters in text, up to 10,000 bare ampersands, less-than signs and HTML entities,
    and text before the beginning and after the end.

    Args:
        data: the file.
        source: name of the file in messages.
        takers: returns, for each reading of the file, functions by local name: each returns what to keep of a
            complete element, in its place.
        dialect: what else is special about elements.
        warnings: assumptions are added.

    Raises:
        CourseError: it isn't well-formed, is empty, has a document type or too many tags or nodes.
    """
    before = len(warnings)
    data = decoding.in_utf8(data, source, warnings)
    if len(warnings) > before:
        _check_tags(data, source)
    for beside in (_BESIDE,) if dialect.with_times else (_BESIDE, _TIMES):
        # The other lines keep their numbers.
        data = _without(beside, data)
    most = MAX_MARKS_WITH_TIMES if dialect.with_times else MAX_MARKS
    data = _respelled(_checked(data, source, most, warnings), dialect.names, source)
    data, drop = dialect.compacted(data), dialect.dropped
    try:
        try:
            return _sift(data, source, takers(), drop)
        except etree.XMLSyntaxError as error:
            # lxml's recover=True would accept truncated files: libxml2 reports only the first hundred errors.
            mended = _corrected(data, error, source, warnings)
            return _sift(mended, source, takers(), drop)
    except etree.XMLSyntaxError as error:
        fault = error.msg
        if fault == _NO_ELEMENT and (entity := _ENTITY.search(data)):
            line = 1 + data.count(b"\n", 0, entity.start())
            fault = f"Entity '{entity[1].decode()}' not defined, line {line}"
        hint = next((f" ({hint})" for start, hint in _HINTS.items() if fault.startswith(start)), "")
        if not hint and not data.rstrip().endswith(b">"):
            hint = f" ({_CUT_SHORT})"
        raise CourseError(f"{source} isn't well-formed XML: {_one_line(fault)}{hint}") from None


def _respelled(data: bytes, names: frozenset[str], source: str) -> bytes:
    """Return a file with these element names, and the attributes lat and lon, in the right letter case."""
    some = "|".join(sorted(names))
    wrong = rf"</?(?:[\w.-]++:)?(?!(?:{some})[\s/>])(?i:({some}))[\s/>]|(?<=\s)(?!lat|lon)(?i:(lat|lon))="
    # A file with other spellings has them from the beginning.
    if not names or not re.search(wrong.encode(), data[:_HEAD]):
        return data
    right = {name.lower().encode(): name.encode() for name in (*names, "lat", "lon")}
    spelled: dict[bytes, bytes] = {}
    for found in re.finditer(wrong.encode(), data[:_HEAD]):
        name = found[1] or found[2]
        spelled[found[0]] = found[0].replace(name, right[name.lower()])
        if len(spelled) > _MOST_SPELLINGS:
            raise CourseError(f"{source} has its tags in too many spellings")
    for written, name in spelled.items():
        data = data.replace(written, name)
    return data


def _corrected(data: bytes, error: etree.XMLSyntaxError, source: str, warnings: list[str]) -> bytes:
    """Return a file without the faults that can be corrected; raises the error again if it has none."""
    mended = decoding.replaced(data, (_FORBIDDEN, _FORBIDDEN_REFERENCE), source, warnings)
    if mended is not data:
        _check_tags(mended, source)
    most = decoding.MAX_FORBIDDEN
    mended = _LESS.sub(b"&lt;", _BARE.sub(b"&amp;", mended, count=most), count=most)
    mended = _ENTITY.sub(_letters, mended, count=most)
    root = _ROOT.match(mended)
    if root is None:
        raise error
    mended = _to_end(mended, root[1], warnings)
    if mended == data and not _UNDECLARED.match(error.msg):
        raise error
    return mended[: root.end()] + _declarations(mended, root.end(), source) + mended[root.end() :]


def _letters(entity: re.Match[bytes]) -> bytes:
    """Return the letters that an entity means in HTML, from which people paste it, or the entity."""
    letters = html5.get(f"{entity[1].decode()};")
    return letters.encode() if letters else entity[0]


def _to_end(data: bytes, root: bytes, warnings: list[str]) -> bytes:
    """Return the file up to the end of its outermost element, unless another one begins behind it."""
    last = data.rfind(b"</" + root)
    end = data.find(b">", last) + 1
    junk = data[end:].strip()
    if last < 0 or not end or not junk or junk.startswith((b"<!--", b"<?")) or START.search(junk):
        return data
    line = 1 + data.count(b"\n", 0, len(data) - len(data[end:].lstrip()))
    text = shown(junk[:_HEAD].decode(errors="replace"))
    warnings.append(f"What follows the end of the XML, at line {line}, is ignored: {text}")
    return data[:end]


def _check_tags(data: bytes, source: str) -> None:
    """Raise CourseError if a file that was corrected has a tag whose name isn't ASCII: it was another one."""
    if tag := _OTHER_TAG.search(data):
        line = 1 + data.count(b"\n", 0, tag.end())
        raise CourseError(f"{source}, line {line}: a tag has invalid characters in it: correct it")


def _without(pattern: re.Pattern[bytes], data: bytes) -> bytes:
    """Return a file without what receivers add to every place; `re.sub` would hold millions of pieces."""
    kept, end = bytearray(), 0
    for found in pattern.finditer(data):
        kept += data[end : found.start()]
        kept += b"\n" * found[0].count(b"\n")
        end = found.end()
    return bytes(kept + data[end:]) if end else data


def _sift(data: bytes, source: str, takers: Takers, drop: frozenset[str]) -> tuple[etree._Element, Taken]:
    """Read a file in pieces, as `sift` does."""
    names = [f"{{*}}{name}" for name in ("name", *takers, *drop)]
    parser = etree.XMLPullParser(("end",), tag=names, **_SAFELY)
    taken: dict[etree._Element, list[Any]] = {}
    root: etree._Element | None = None
    before: tuple[etree._Element, etree._Element] | None = None
    dropped = count = 0
    for first in range(0, len(data), _CHUNK):
        parser.feed(data[first : first + _CHUNK])
        for _, element in parser.read_events():
            root = element.getroottree().getroot() if root is None else root
            name, parent = local(element), element.getparent()
            if parent is None or (name not in takers and name not in drop):
                continue
            if name in takers:
                taken.setdefault(parent, []).append(takers[name](element))
            else:
                dropped += 1
            # The parser may still append text after this element, but not after the previous one.
            if before is not None:
                before[0].remove(before[1])
            before = parent, element
        count += marks(data, first, first + _CHUNK)
        # Names come early in a file: after the first one, check the tree itself.
        is_due = root is None or first % (8 * _CHUNK) == 0
        if is_due and dropped + (count if root is None else _NODES(root)) > MAX_NODES:
            raise CourseError(f"{source} has more than {MAX_NODES:,} tags, attributes and texts")
    if (complete := parser.close()) is None:
        raise etree.XMLSyntaxError(_NO_ELEMENT, 0, 0, 0)
    return complete, taken


def outermost(data: bytes) -> str:
    """Return the local name of the outermost element, or "" if there is none."""
    root = _ROOT.match(_declaration_first(decoding.head(data, _BLANKS)))
    return root[1].decode(errors="replace").rpartition(":")[2] if root else ""


def content(data: bytes) -> bytes:
    """Return a file in UTF-8 from its document type or outermost element on."""
    found = _BEFORE.match(data)
    return data[found.end() :] if found else data


def _checked(data: bytes, source: str, most: int, warnings: list[str]) -> bytes:
    """Return the file, its declaration first; reject early what is expensive to reject later."""
    # Some systems fill up files with zeros.
    data = _declaration_first(_from_start(data, warnings)).rstrip(b"\0\x1a")
    if not data or data.isspace():
        raise CourseError(f"{source} is empty")
    if marks(data, 0, len(data)) > most:
        raise CourseError(f"{source} has more than {most:,} tags and attributes")
    if _DOCTYPE.match(data):
        raise CourseError(f"{source} has a document type (<!DOCTYPE …>), which isn't allowed: remove it")
    if _HUGE.search(data):
        raise CourseError(f"{source} has an attribute of more than 1,000,000 bytes")
    if _CROWDED.search(data):
        raise CourseError(f"{source} has a tag with more than {MAX_ATTRIBUTES} attributes")
    return data


def _from_start(data: bytes, warnings: list[str]) -> bytes:
    """Return the file from its beginning on, with blank lines instead of what stands before it."""
    found = START.search(data, 0, _HEAD)
    before = data[: found.start()] if found else b""
    junk = before.replace(BOM, b"").strip()
    is_inner = found is not None and found[1] is not None and junk.startswith(b"<")
    if not before or before == BOM or (not junk and BOM not in before) or is_inner:
        return data
    if junk:
        text = shown(junk.decode(errors="replace"))
        warnings.append(f"What stands before the beginning of the XML is ignored: {text}")
    return b"\n" * before.count(b"\n") + data[len(before) :]


def _declarations(data: bytes, root: int, source: str) -> bytes:
    """Return declarations of the prefixes in use; `root` is where the outermost tag's name ends."""
    used: set[bytes] = set()
    for found in _USED.finditer(data):
        used.add(found[1] or found[2])
        if len(used) > _MOST_PREFIXES:
            raise CourseError(f"{source} uses too many namespace prefixes that it doesn't declare")
    used -= {b"xml", b"xmlns", *_DECLARED.findall(data, root, data.find(b">", root))}
    return b"".join(b' xmlns:%b="undeclared:%b"' % (prefix, prefix) for prefix in sorted(used))


def marks(data: bytes, first: int, last: int) -> int:
    """Return an upper limit of the tags and attributes in a part of a file, counted by their marks."""
    return data.count(b"<", first, last) + data.count(b"=", first, last)


def _one_line(fault: str) -> str:
    """Return the parser's message on one line, shortened, with the position, which comes last."""
    fault = " ".join(fault.split())
    return fault if len(fault) <= 200 else f"{fault[:100]}…{fault[-50:]}"


def _declaration_first(data: bytes) -> bytes:
    """Move blank lines before the XML declaration behind it, which is allowed and keeps line numbers.

    Files that begin with a megabyte of blanks count as empty.
    """
    if data[:_BLANKS].isspace() and len(data) >= _BLANKS:
        return b""
    body = data.lstrip(b" \t\r\n")
    blank = data[: len(data) - len(body)]
    declaration, end, rest = body.partition(b"?>")
    if blank and declaration.startswith(b"<?xml"):
        return declaration + end + blank + rest
    return data


def local(element: etree._Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def text(element: etree._Element) -> str:
    """Return all the text in an element."""
    return "".join(element.itertext()) if len(element) else element.text or ""


def child(element: etree._Element, name: str) -> etree._Element | None:
    """Return the first child with this local name."""
    return next(element.iterchildren(f"{{*}}{name}"), None)


def name(element: etree._Element) -> str:
    """Return the element's own name on one line, or an empty text."""
    return child_text(element, "name")


def child_text(element: etree._Element, called: str) -> str:
    """Return the text of the first child with this local name on one line, or an empty text."""
    found = child(element, called)
    return "" if found is None else " ".join(text(found)[:LONGEST_NAME].split())


def where(what: str, element: etree._Element, called: str) -> str:
    """Describe where something is, for messages: "track at line 8 (Course)"."""
    return named(f"{what} at line {lineno(element)}", called)


def lineno(element: etree._Element) -> int:
    """Return the line on which an element starts; for one that was added, that of its parent."""
    if (line := element.sourceline) is None and (parent := element.getparent()) is not None:
        return lineno(parent)
    return int(line or 0)
