"""XML from strangers: no entities, no network, no huge nodes; and an error that names the line.

Elements are found by their local names, because many a real file has a namespace prefix that it never
declares, or no namespace at all.
"""

from __future__ import annotations

import codecs
import contextlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from lxml import etree

from simulator.course.coordinates import clip, shown
from simulator.course.drawing import CourseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Takers = Mapping[str, Callable[[etree._Element], Any]]  # noqa: SLF001 - lxml's own name for it

T = TypeVar("T")

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
"""From the file's first byte to the end of the outermost element's name."""
_DOCTYPE = re.compile(_PROLOG + rb"<!DOCTYPE", re.DOTALL)
_ENCODING = re.compile(rb"(?:\xef\xbb\xbf)?\s*+<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([^\"'>]{1,60})")
_ENCODINGS = re.compile(
    r"(us-)?ascii|iso-?8859-[0-9]+|latin-?1|(windows-|cp)125[0-8]|koi8-[ru]|macintosh|"
    r"shift_jis|euc-(jp|kr)|gb(2312|k|18030)|big5",
    re.IGNORECASE | re.ASCII,
)
"""Beside UTF-8 and UTF-16. A codec that isn't known here may take time that grows with the text's square, or
write tags in other bytes than these."""
_UNDECLARED = re.compile(r"Namespace prefix \S+ ")
_PREFIX = rb"([A-Za-z_\x80-\xff][\w.\x80-\xff-]*+)"
_USED = re.compile(rb"<" + _PREFIX + rb":|\s" + _PREFIX + rb":[\w.\x80-\xff-]++\s*+=")
_DECLARED = re.compile(rb"\sxmlns:" + _PREFIX)
_MOST_PREFIXES = 100
MAX_ATTRIBUTES = 200
_CROWDED = re.compile(rb"<[^<>!?/\"'\s](?:[^<>\"']*+(?:\"[^\"<]*+\"|'[^'<]*+')){%d}" % (MAX_ATTRIBUTES + 1))
"""A tag with more attributes: the parser holds a tag's all at once, in three hundred bytes each."""
_HUGE = re.compile(rb"=\s*+(?:\"[^\"<]{1000000}|'[^'<]{1000000})")
"""An attribute that is held several times before the parser refuses it."""
_BESIDE = re.compile(
    rb"<(time|when)>[^<]*+</\1>|<extensions>[^<]*+(?:<(?!/?extensions>|!)[^<]*+)*+</extensions>"
)
"""What stands beside every place that a receiver writes, and says nothing of a course."""
_BLANKS = 1024 * 1024
_CHUNK = 65_536
LONGEST_NAME = 1000
"""Characters of a name that are looked at, many more than any may have."""
_NODES: Any = etree.XPath("count(//node()) + count(//@*)")

MAX_MARKS = 1_000_000
"""Tags and attributes of a course file, roughly, times and extensions not counted: 60,000 points as GPX have
360,000."""
MAX_MARKS_HELD = 2_000_000
"""The same of a file that is held as a whole, times and all."""
MAX_NODES = 100_000
"""Nodes of a tree, of some hundred bytes each, without what is taken while the file is read."""
MAX_RECODED = 16 * 1024 * 1024
"""Bytes of a file that isn't in UTF-8: it is written anew, and held twice meanwhile."""


class Sifted(NamedTuple):
    """An element tree, and what was taken out of each of its elements, in the file's order."""

    root: etree._Element
    taken: Mapping[etree._Element, list[Any]]


def parse(data: bytes, source: str) -> etree._Element:
    """Parse XML; a namespace prefix that was never declared is the only error put right.

    Raises:
        CourseError: it isn't well-formed, is empty, is nothing but tags or has a document type.
    """

    def read(data: bytes) -> etree._Element:
        parser: etree.XMLParser[etree._Element] = etree.XMLParser(**_SAFELY)
        return etree.fromstring(data, parser)

    return _read(data, source, MAX_MARKS_HELD, read)


def sift(data: bytes, source: str, takers: Callable[[], Takers], drop: frozenset[str]) -> Sifted:
    """Parse XML without holding what makes files big.

    Args:
        data: the file.
        source: what to call it in messages.
        takers: makes, for each reading of the file, functions by local name: each returns what is kept of an
            element once it is complete, in the element's place.
        drop: local names of elements of which nothing is kept.

    Raises:
        CourseError: as `parse`, or what is left has too many nodes.
    """
    return _read(
        _BESIDE.sub(_lines, data), source, MAX_MARKS, lambda data: _Sifting(source, takers(), drop).of(data)
    )


class _Sifting:
    """One reading of a file by `sift`, with the same arguments."""

    def __init__(self, source: str, take: Takers, drop: frozenset[str]) -> None:
        self._source = source
        self._take = take
        self._drop = drop
        self._taken: dict[etree._Element, list[Any]] = {}
        self._dropped = 0
        self._root: etree._Element | None = None
        self._before: tuple[etree._Element, etree._Element] | None = None

    def of(self, data: bytes) -> Sifted:
        """Read the file piece by piece."""
        # Names come early in a file: from the first of them on the tree itself can be looked at.
        names = [f"{{*}}{name}" for name in ("name", *self._take, *self._drop)]
        parser = etree.XMLPullParser(("end",), tag=names, **_SAFELY)
        marks = 0
        for first in range(0, len(data), _CHUNK):
            parser.feed(data[first : first + _CHUNK])
            for _, element in parser.read_events():
                self._ended(element)
            marks += _marks(data, first, first + _CHUNK)
            if self._root is None:
                self._check(marks)
            elif first % (8 * _CHUNK) == 0:
                self._check(int(_NODES(self._root)))
        return Sifted(parser.close(), self._taken)

    def _ended(self, element: etree._Element) -> None:
        if self._root is None:
            self._root = element.getroottree().getroot()
        name, parent = local(element), element.getparent()
        if parent is None:
            return
        if taker := self._take.get(name):
            self._taken.setdefault(parent, []).append(taker(element))
        elif name in self._drop:
            self._dropped += 1
        else:
            return
        # The parser may still add to the text behind this one, but not behind the one before.
        if self._before is not None:
            holder, gone = self._before
            holder.remove(gone)
        self._before = parent, element

    def _check(self, nodes: int) -> None:
        if self._dropped + nodes > MAX_NODES:
            raise CourseError(f"{self._source} has more than {MAX_NODES:,} tags, attributes and texts")


def outermost(data: bytes) -> str:
    """Return the local name of the outermost element, or an empty text if there is none."""
    # What is wrong with the encoding, or further down, is for `parse` to tell.
    with contextlib.suppress(CourseError):
        if root := _ROOT.match(_declaration_first(_in_utf8(data, ""))):
            return root[1].decode(errors="replace").rpartition(":")[2]
    return ""


def _read(data: bytes, source: str, most: int, read: Callable[[bytes], T]) -> T:
    """Return what `read` makes of the file; of one that lacks but declared prefixes, with them declared."""
    data = _checked(data, source, most)
    try:
        return read(data)
    except etree.XMLSyntaxError as error:
        fault = error.msg
    if _UNDECLARED.match(fault) and (root := _ROOT.match(data)):
        # The alternative, lxml's recover=True, would accept a file that is cut short: after a hundred errors
        # libxml2 keeps the rest to itself.
        attributes = _declarations(data, root.end(), source)
        try:
            return read(data[: root.end()] + attributes + data[root.end() :])
        except etree.XMLSyntaxError as error:
            fault = error.msg
    raise CourseError(f"{source} isn't well-formed XML: {_told(fault)}")


def _checked(data: bytes, source: str, most: int) -> bytes:
    """Return the file in UTF-8, its declaration first; refuse what would cost much to be refused later."""
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
    """Return the file in UTF-8, whatever its declaration goes on saying."""
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
            raise CourseError(
                f"{source} is in an encoding that isn't read, {shown(encoding)}: save it in UTF-8"
            )
    if len(data) > MAX_RECODED:
        raise CourseError(f"{source} is bigger than {MAX_RECODED // 1024**2} MiB and not in UTF-8")
    try:
        return data.decode(encoding).encode()
    except (UnicodeError, LookupError):
        raise CourseError(f"{source} isn't well-formed XML: it isn't in {encoding}, as it says") from None


def _declarations(data: bytes, root: int, source: str) -> bytes:
    """Return what declares the prefixes that are used; `root` is where the outermost tag's name ends."""
    used: set[bytes] = set()
    for found in _USED.finditer(data):
        used.add(found[1] or found[2])
        if len(used) > _MOST_PREFIXES:
            raise CourseError(f"{source} uses too many namespace prefixes that it doesn't declare")
    used -= {b"xml", b"xmlns", *_DECLARED.findall(data, root, data.find(b">", root))}
    return b"".join(b' xmlns:%b="undeclared:%b"' % (prefix, prefix) for prefix in sorted(used))


def _marks(data: bytes, first: int, last: int) -> int:
    """Return how many tags and attributes a part of a file has at most; each has a mark of its own."""
    return data.count(b"<", first, last) + data.count(b"=", first, last)


def _told(fault: str) -> str:
    """Return what the parser says, on one line: short, with the place, which comes last."""
    fault = " ".join(fault.split())
    return fault if len(fault) <= 200 else f"{fault[:100]}…{fault[-50:]}"


def _lines(found: re.Match[bytes]) -> bytes:
    return b"\n" * found[0].count(b"\n")


def _declaration_first(data: bytes) -> bytes:
    """Move blank lines before the XML declaration behind it: allowed there, and the lines stay the same.

    A file that begins with a megabyte of blanks is as good as empty.
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
    """Return where something is, for messages: "track at line 8 (Course)"."""
    place = f"{what} at line {lineno(element)}"
    return f"{place} ({clip(called)})" if called else place


def lineno(element: etree._Element) -> int:
    """Return the line on which an element starts."""
    return int(element.sourceline or 0)
