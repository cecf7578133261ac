"""XML from strangers: no entities, no network, no huge nodes; and an error that names the line.

Elements are found by their local names, because many a real file has a namespace prefix that it never
declares, or no namespace at all.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any

from lxml import etree

from simulator.coordinates import clip
from simulator.drawing import CourseError

_SAFELY: Any = {
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
_UNDECLARED = re.compile(r"Namespace prefix (\S+) ")
_ROOT = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s*+(?><\?.*?\?>|<!--.*?-->))*+\s*+<[^\s/>!?]+", re.DOTALL)
"""From the file's first byte to the end of the outermost element's name."""
_ROUNDS = 5
"""Attempts at declaring prefixes: each error log names up to a hundred."""
_CHUNK = 65_536
MAX_MARKS = 2_000_000
"""Tags and attributes, roughly, of a hundred bytes each; 200,000 points with their times have 1.6 million."""


def parse(data: bytes, source: str) -> etree._Element:
    """Parse XML; a namespace prefix that was never declared is the only error put right.

    Raises:
        CourseError: it isn't well-formed, is empty, is nothing but tags or has a document type.
    """
    data = _declaration_first(data)
    if not data.strip():
        raise CourseError(f"{source} is empty")
    if data.count(b"<") + data.count(b"=") > MAX_MARKS:
        raise CourseError(f"{source} has more than {MAX_MARKS:,} tags and attributes")
    for _ in range(_ROUNDS):
        parser: etree.XMLParser[etree._Element] = etree.XMLParser(**_SAFELY)
        try:
            root = etree.fromstring(data, parser)
        except etree.XMLSyntaxError as error:
            _refuse_doctype(b"<!DOCTYPE" in data, source)
            # The parser's own log: the error's has what this thread parsed before as well.
            declared = _declare(data, [entry.message for entry in parser.error_log])
            if declared is None:
                raise CourseError(f"{source} isn't well-formed XML: {error.msg}") from None
            data = declared
        else:
            info = root.getroottree().docinfo
            _refuse_doctype(info.internalDTD is not None or bool(info.doctype), source)
            return root
    raise CourseError(f"{source} uses too many namespace prefixes that it doesn't declare")


def outermost(data: bytes) -> str:
    """Return the local name of the outermost element, or an empty text if there is none."""
    data = _declaration_first(data)
    parser = etree.XMLPullParser(("start",), **_SAFELY)
    # What is wrong further down is for `parse` to tell.
    with contextlib.suppress(etree.XMLSyntaxError):
        for first in range(0, len(data), _CHUNK):
            parser.feed(data[first : first + _CHUNK])
            for _, element in parser.read_events():
                return local(element).rpartition(":")[2]
    return ""


def _refuse_doctype(found: bool, source: str) -> None:  # noqa: FBT001 - there is but one thing to say
    if found:
        raise CourseError(f"{source} has a document type (<!DOCTYPE …>), which isn't allowed: remove it")


def _declare(data: bytes, messages: list[str]) -> bytes | None:
    """Declare the prefixes that the parser missed, in the outermost element; None if it missed none.

    The alternative, lxml's recover=True, would accept a file that is cut short: after a hundred errors
    libxml2 keeps the rest to itself.
    """
    prefixes = {found[1] for message in messages if (found := _UNDECLARED.match(message))}
    root = _ROOT.match(data)
    if not prefixes or not root:
        return None
    attributes = "".join(f' xmlns:{prefix}="undeclared:{prefix}"' for prefix in sorted(prefixes))
    return data[: root.end()] + attributes.encode() + data[root.end() :]


def _declaration_first(data: bytes) -> bytes:
    """Move blank lines before the XML declaration behind it: allowed there, and the lines stay the same."""
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
    return "" if found is None else " ".join(text(found).split())


def where(what: str, element: etree._Element, called: str) -> str:
    """Return where something is, for messages: "track at line 8 (Course)"."""
    place = f"{what} at line {lineno(element)}"
    return f"{place} ({clip(called)})" if called else place


def lineno(element: etree._Element) -> int:
    """Return the line on which an element starts."""
    return int(element.sourceline or 0)
