"""XML from strangers: no entities, no network, no huge nodes; and an error that names the line.

Elements are found by their local names, because many a real file has a namespace prefix that it never
declares, or no namespace at all.
"""

from __future__ import annotations

import re

from lxml import etree

from simulator.drawing import CourseError

_UNDECLARED = re.compile(r"Namespace prefix (\S+) ")
_ROOT = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s*+(?><\?.*?\?>|<!--.*?-->))*+\s*+<[^\s/>!?]+", re.DOTALL)
"""From the file's first byte to the end of the outermost element's name."""
_ROUNDS = 5
"""Attempts at declaring prefixes: each error log names up to a hundred."""


def parse(data: bytes, source: str) -> etree._Element:
    """Parse XML; a namespace prefix that was never declared is the only error put right.

    Raises:
        CourseError: it isn't well-formed, is empty or has a document type.
    """
    data = _declaration_first(data)
    if not data.strip():
        raise CourseError(f"{source} is empty")
    for _ in range(_ROUNDS):
        parser = _parser()
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


def _refuse_doctype(found: bool, source: str) -> None:  # noqa: FBT001 - there is but one thing to say
    if found:
        raise CourseError(f"{source} has a document type (<!DOCTYPE …>), which isn't allowed: remove it")


def _parser() -> etree.XMLParser[etree._Element]:
    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


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


def lineno(element: etree._Element) -> int:
    """Return the line on which an element starts."""
    return int(element.sourceline or 0)
