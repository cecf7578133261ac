"""Reads recorded events from files, as Kafka's tools, jq and shells write them.

Files are read as a stream, so that they may be larger than the memory. A line is a JSON object, perhaps after
a key, a timestamp and headers; it may be an envelope around the event. A JSON array and objects over several
lines are read as well.
"""

import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from simulator.replay.recording import RecordingError
from stream.text_files import unicode_of

MAX_LINE = 16 * 1024 * 1024
"""Maximum length of an event with its envelope, bytes; the record of a race has its start list or points."""
_LOOK = 4096
_CHUNK = 1024 * 1024
_GZIP = b"\x1f\x8b"
_TEXT = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+("?)', re.DOTALL)
"""The rest of a text; without its end, the group is empty."""
_TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+("?)|[{}]', re.DOTALL)
"""What structures JSON as far as objects are concerned: texts, and braces without a group."""
_WHOLE = re.compile(r"\[\s*(?:[{\]]|$)|\{\s*[\r\n]|\{[^\r\n]*\}[ \t]*(?:,\s*)?\{")
"""How a file begins that isn't one object a line.

With an array, with an object over several lines, or with objects that nothing or a comma separates.
"""
_PLACES = 5
"""Maximum number of places that a warning lists."""


class Notes:
    """Counts what is not an event, and keeps the first places."""

    def __init__(self) -> None:
        self._places: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}

    def add(self, what: str, place: str) -> None:
        """Note one place of a kind."""
        self._counts[what] = self._counts.get(what, 0) + 1
        places = self._places.setdefault(what, [])
        if len(places) < _PLACES:
            places.append(place)

    def warnings(self) -> list[str]:
        """Return a sentence for each kind, with the first places."""
        return [
            f"{what}: {count:,} ({', '.join(self._places[what])}{' …' if count > _PLACES else ''})"
            for what, count in self._counts.items()
        ]


class Written(NamedTuple):
    """A line, or a JSON object over several lines.

    Attributes:
        source, line: where it begins.
        text: UTF-8.
        is_last: whether the file ends in or after it.
    """

    source: str
    line: int
    text: bytes
    is_last: bool


def opened(files: Iterable[Path]) -> Iterator[Written]:
    """Yield the lines of all files; raises RecordingError, OSError."""
    for file in files:
        with ExitStack() as stack:
            raw: Any = stack.enter_context(file.open("rb"))
            if raw.peek(2).startswith(_GZIP):
                raw = io.BufferedReader(stack.enter_context(gzip.open(raw)), _CHUNK)
            try:
                yield from written(raw, file.name)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise RecordingError(
                    f"{file.name} is damaged ({error}): copy it again, or keep what gzip -dc unpacks"
                ) from error


def written(stream: Any, source: str) -> Iterator[Written]:
    """Yield what a stream of bytes (an `io.BufferedReader`) contains, in UTF-8."""
    head = stream.peek(_LOOK)[:_LOOK]
    encoding, mark = unicode_of(head)
    stream.read(mark)
    text = stream
    if encoding != "utf-8":
        text = _Recoded(io.TextIOWrapper(stream, encoding, "replace", newline="\n"))
    first = head[mark:].decode(encoding, "replace").lstrip()
    yield from (_objects if _WHOLE.match(first) else _lines)(text, source)


class _Recoded:
    """A text stream as a stream of UTF-8."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text

    def readline(self, most: int) -> bytes:
        """Return a line, or its first `most` characters."""
        return self._text.readline(most).encode(errors="replace")

    def read(self, most: int) -> bytes:
        """Return at most so many characters; nothing at the end."""
        return self._text.read(most).encode(errors="replace")


def _lines(stream: Any, source: str) -> Iterator[Written]:
    number = 1
    line = stream.readline(MAX_LINE + 1)
    while line:
        if len(line) > MAX_LINE:
            raise _too_long(source, number)
        following = stream.readline(MAX_LINE + 1)
        yield Written(source, number, line, not following)
        line, number = following, number + 1


def _objects(stream: Any, source: str) -> Iterator[Written]:
    """Yield the objects of an array, or those that are written over several lines."""
    depth, line = 0, 1
    rest, start, scanned, is_text = b"", 0, 0, False
    while chunk := stream.read(_CHUNK):
        rest += chunk
        if len(rest) > MAX_LINE:
            raise _too_long(source, line)
        for token in _tokens(rest, scanned, is_text=is_text):
            scanned = token.end()
            if token[1] is not None:
                is_text = not token[1]
            elif token[0] == b"{":
                if depth == 0:
                    line += rest.count(b"\n", start, token.start())
                    start = token.start()
                depth += 1
            else:
                depth -= 1
                if depth == 0:
                    yield Written(source, line, rest[start:scanned], is_last=False)
        if depth == 0:
            line += rest.count(b"\n", start, scanned)
            start = scanned
        rest, scanned, start = rest[start:], scanned - start, 0
    if depth > 0:
        yield Written(source, line, rest, is_last=True)


def _tokens(rest: bytes, at: int, *, is_text: bool) -> Iterator[re.Match[bytes]]:
    """Yield the rest of a text, if one is open, and what follows."""
    if is_text and (text := _TEXT.match(rest, at)) is not None:
        yield text
        if not text[1]:
            return
        at = text.end()
    yield from _TOKENS.finditer(rest, at)


def _too_long(source: str, line: int) -> RecordingError:
    return RecordingError(f"{source}, line {line:,}: is longer than {MAX_LINE // 1024**2} MiB")
