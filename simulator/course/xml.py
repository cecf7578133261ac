"""Parses untrusted XML: no entities, no network, no huge nodes; errors name the line.

Elements are found by local name, because many real files have undeclared namespace prefixes, or no namespace.
"""

import codecs
import contextlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from lxml import etree

from simulator.course.coordinates import named, shown
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
_ROOT = re.compile(_PROLOG + rb"<([^\s/>!?]+)", re.DOTALL)
"""Matches from the first byte to the end of the outermost element's name."""
_DOCTYPE = re.compile(_PROLOG + rb"<!DOCTYPE", re.DOTALL)
_ENCODING = re.compile(rb"(?:\xef\xbb\xbf)?\s*+<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([^\"'>]{1,60})")
_ENCODINGS = re.compile(
    r"(us-)?ascii|iso-?8859-[0-9]+|latin-?1|(windows-|cp)125[0-8]|koi8-[ru]|macintosh|"
    r"shift_jis|euc-(jp|kr)|gb(2312|k|18030)|big5",
    re.IGNORECASE | re.ASCII,
)
"""Accepted encodings besides UTF-8 and UTF-16. Others may take quadratic time or encode tags differently."""
_NO_ELEMENT = "no element found"
"""The parser's error, if it gives any, after an undefined entity."""
_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z_:][\w.:-]{0,60});")
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
_BESIDE = re.compile(
    rb"<(time|when)>[^<]*+</\1>|<extensions>[^<]*+(?:<(?!/?extensions>|!)[^<]*+)*+</extensions>"
)
"""Elements that receivers add to every place, irrelevant to a course."""
_BLANKS = 1024 * 1024
_CHUNK = 65_536
LONGEST_NAME = 1000
"""Characters of a name that are examined, many more than are allowed."""
_NODES: Any = etree.XPath("count(//node()) + count(//@*)")

MAX_MARKS = 1_000_000
"""Maximum of tags and attributes, roughly, without times and extensions: 60,000 GPX points have 360,000."""
MAX_MARKS_WITH_TIMES = 2_000_000
"""The same for a file with times and extensions."""
MAX_NODES = 100_000
"""Maximum nodes of a tree, about 100 bytes each, without those extracted while reading."""
MAX_RECODED = 16 * 1024 * 1024
"""Maximum bytes of a file that isn't in UTF-8: it is re-encoded, so two copies are in memory."""


def sift(
    data: bytes,
    source: str,
    takers: Callable[[], Takers],
    drop: frozenset[str] = frozenset(),
    *,
    with_times: bool = False,
) -> tuple[etree._Element, Taken]:
    """Parse XML without keeping the elements that make files big.

    Return the outermost element and what was taken. Undeclared namespace prefixes are the only error that is
    corrected.

    Args:
        data: the file.
        source: name of the file in messages.
        takers: returns, for each reading of the file, functions by local name: each returns what to keep of a
            complete element, in its place.
        drop: local names of elements that are dropped.
        with_times: keep the times of places.

    Raises:
        CourseError: it isn't well-formed, is empty, has a document type or too many tags or nodes.
    """
    most = MAX_MARKS_WITH_TIMES if with_times else MAX_MARKS
    if not with_times:
        # Nor extensions; the other lines keep their numbers.
        data = _BESIDE.sub(lambda found: b"\n" * found[0].count(b"\n"), data)
    data = _checked(data, source, most)
    try:
        try:
            return _sift(data, source, takers(), drop)
        except etree.XMLSyntaxError as error:
            root = _ROOT.match(data)
            if not root or not _UNDECLARED.match(error.msg):
                raise
        # lxml's recover=True would accept truncated files: libxml2 reports only the first hundred errors.
        attributes = _declarations(data, root.end(), source)
        return _sift(data[: root.end()] + attributes + data[root.end() :], source, takers(), drop)
    except etree.XMLSyntaxError as error:
        fault = error.msg
        if fault == _NO_ELEMENT and (entity := _ENTITY.search(data)):
            line = 1 + data.count(b"\n", 0, entity.start())
            fault = f"Entity '{entity[1].decode()}' not defined, line {line}"
        raise CourseError(f"{source} isn't well-formed XML: {_one_line(fault)}") from None


def _sift(data: bytes, source: str, takers: Takers, drop: frozenset[str]) -> tuple[etree._Element, Taken]:
    """Read a file in pieces, as `sift` does."""
    names = [f"{{*}}{name}" for name in ("name", *takers, *drop)]
    parser = etree.XMLPullParser(("end",), tag=names, **_SAFELY)
    taken: dict[etree._Element, list[Any]] = {}
    root: etree._Element | None = None
    before: tuple[etree._Element, etree._Element] | None = None
    dropped = marks = 0
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
        marks += _marks(data, first, first + _CHUNK)
        # Names come early in a file: after the first one, check the tree itself.
        is_due = root is None or first % (8 * _CHUNK) == 0
        if is_due and dropped + (marks if root is None else _NODES(root)) > MAX_NODES:
            raise CourseError(f"{source} has more than {MAX_NODES:,} tags, attributes and texts")
    if (complete := parser.close()) is None:
        raise etree.XMLSyntaxError(_NO_ELEMENT, 0, 0, 0)
    return complete, taken


def taken_in(taken: Taken, element: etree._Element) -> list[Any]:
    """Return what was taken from an element's children; raises the first CourseError that is among it.

    A taker returns an error that matters only if its element belongs to something that is used.
    """
    found = taken.get(element, [])
    if error := next((one for one in found if isinstance(one, CourseError)), None):
        raise error
    return found


def outermost(data: bytes) -> str:
    """Return the local name of the outermost element, or "" if there is none."""
    # `parse` reports errors of the encoding or further down.
    with contextlib.suppress(CourseError):
        if root := _ROOT.match(_declaration_first(_in_utf8(data, ""))):
            return root[1].decode(errors="replace").rpartition(":")[2]
    return ""


def _checked(data: bytes, source: str, most: int) -> bytes:
    """Return the file in UTF-8, its declaration first; reject early what is expensive to reject later."""
    data = _declaration_first(_in_utf8(data, source))
    if not data or data.isspace():
        raise CourseError(f"{source} is empty")
    if _marks(data, 0, len(data)) > most:
        raise CourseError(f"{source} has more than {most:,} tags and attributes")
    if _DOCTYPE.match(data):
        raise CourseError(f"{source} has a document type (<!DOCTYPE …>), which isn't allowed: remove it")
    if _HUGE.search(data):
        raise CourseError(f"{source} has an attribute of more than 1,000,000 bytes")
    if _CROWDED.search(data):
        raise CourseError(f"{source} has a tag with more than {MAX_ATTRIBUTES} attributes")
    return data


def _in_utf8(data: bytes, source: str) -> bytes:
    """Return the file in UTF-8; its declaration is not changed."""
    declared = _ENCODING.match(data)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif b"\0" in data[:2]:
        encoding = "utf-16-be" if data.startswith(b"\0") else "utf-16-le"
    elif declared is None or declared[1].lower() in {b"utf-8", b"utf8"}:
        return data
    else:
        encoding = declared[1].decode("ascii", "replace").strip()
        if not _ENCODINGS.fullmatch(encoding):
            raise CourseError(f"{source} has an unsupported encoding, {shown(encoding)}: save it in UTF-8")
    if len(data) > MAX_RECODED:
        raise CourseError(f"{source} is bigger than {MAX_RECODED // 1024**2} MiB and not in UTF-8")
    try:
        return data.decode(encoding).encode()
    except (UnicodeError, LookupError):
        raise CourseError(f"{source} isn't well-formed XML: it isn't in {encoding}, as declared") from None


def _declarations(data: bytes, root: int, source: str) -> bytes:
    """Return declarations of the prefixes in use; `root` is where the outermost tag's name ends."""
    used: set[bytes] = set()
    for found in _USED.finditer(data):
        used.add(found[1] or found[2])
        if len(used) > _MOST_PREFIXES:
            raise CourseError(f"{source} uses too many namespace prefixes that it doesn't declare")
    used -= {b"xml", b"xmlns", *_DECLARED.findall(data, root, data.find(b">", root))}
    return b"".join(b' xmlns:%b="undeclared:%b"' % (prefix, prefix) for prefix in sorted(used))


def _marks(data: bytes, first: int, last: int) -> int:
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
    found = child(element, "name")
    return "" if found is None else " ".join(text(found)[:LONGEST_NAME].split())


def where(what: str, element: etree._Element, called: str) -> str:
    """Describe where something is, for messages: "track at line 8 (Course)"."""
    return named(f"{what} at line {lineno(element)}", called)


def lineno(element: etree._Element) -> int:
    """Return the line on which an element starts."""
    return int(element.sourceline or 0)
