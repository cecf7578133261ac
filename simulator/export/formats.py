"""File formats, and their selection by suffix or Accept header."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import orjson
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from stream.problems import Problem

Given = TypeVar("Given")

NDJSON = "application/x-ndjson"
"""Media type of lines of JSON."""


@dataclass(frozen=True)
class Format(Generic[Given]):
    """A format.

    Attributes:
        suffix: suffix of the file name, without the dot.
        media_type: without parameters.
        write: yields the file in pieces: at least one, none empty.
    """

    suffix: str
    media_type: str
    write: Callable[[Given], Iterator[bytes]]

    @property
    def content_type(self) -> str:
        """The media type with its parameters."""
        return f"{self.media_type}; charset=utf-8" if self.media_type.startswith("text/") else self.media_type


def json_with_list(head: Mapping[str, object], name: str, pieces: Iterable[list[Any]]) -> Iterator[bytes]:
    """Yield a JSON object: the fields of `head`, and a list of which each of the `pieces` is a part."""
    yield orjson.dumps(head)[:-1] + b"," + orjson.dumps(name) + b":["
    between = b""
    for piece in pieces:
        yield between + orjson.dumps(piece)[1:-1]
        between = b","
    yield b"]}"


def of_suffix(formats: Sequence[Format[Given]], suffix: str) -> Format[Given]:
    """Return the format with a suffix; raises Problem 404."""
    for form in formats:
        if form.suffix == suffix:
            return form
    raise Problem(HTTPStatus.NOT_FOUND, f"Unknown suffix; available: {_suffixes(formats)}")


def accepted(formats: Sequence[Format[Given]], accept: str) -> Format[Given]:
    """Return the format that an Accept header prefers; the first one on a tie or without a header.

    Raises Problem 406 if none is acceptable.
    """
    if not accept:
        return formats[0]
    # Other parameters of a media type (`charset=utf-8`) exclude nothing.
    liked = MIMEAccept(
        (name.partition(";")[0].strip(), quality) for name, quality in parse_accept_header(accept, MIMEAccept)
    )
    best = max(formats, key=lambda form: liked.quality(form.media_type))
    if liked.quality(best.media_type) <= 0:
        media_types = ", ".join(form.media_type for form in formats)
        detail = f"No acceptable format; available: {media_types}"
        raise Problem(HTTPStatus.NOT_ACCEPTABLE, f"{detail}; or use a suffix: {_suffixes(formats)}")
    return best


def _suffixes(formats: Sequence[Format[Given]]) -> str:
    return ", ".join(f".{form.suffix}" for form in formats)
