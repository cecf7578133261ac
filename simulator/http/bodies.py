"""Which request bodies the API takes: their sizes and encodings, and the curl command that sends one.

A body is judged by its head, before it arrives, so that a client that waits for `100 Continue` need not send
what is refused. What only the content shows is judged when it can't be used.
"""

import re
import shlex
from http import HTTPStatus
from typing import NamedTuple

from twisted.web.http_headers import Headers
from twisted.web.server import Request

from simulator.course.library import MAX_BYTES
from stream.problems import Problem

MIB = 1024 * 1024
MAX_BODY = 8 * MIB
"""Maximum size of a request body in bytes: the race's record has it, and must fit into a Kafka message."""
COURSES = b"/courses"
MAX_SIZES = {COURSES: MAX_BYTES}
"""Other maximum sizes, by path: an uploaded course file may be as large as one in the folder."""
TAKEN = {
    COURSES: ("the course file itself", "@FILE"),
    b"/races": ("JSON", "@race.json"),
    b"/start-lists": ("JSON", "@list.json"),
}
TAKEN[b"/"] = TAKEN[b"/plans"] = TAKEN[b"/races"]
"""What each path takes as a body, by POST, and its place in a curl command."""
FORM = "application/x-www-form-urlencoded"
"""Type of a form, which curl also gives to every body that it sends with -d or --data-binary."""
FORM_START = re.compile(rb"[\w.\[\]-]{1,64}=|%[0-9A-Fa-f]{2}")
"""How a form begins, unlike any file and JSON: with a field's name, or a percent-encoded character."""
FILE_NAME = re.compile(rb"[^\r\n\0<>{}\[\]\"]{1,255}\.[A-Za-z][A-Za-z0-9]{1,7}")
"""What curl sends if the @ before a file's name is missing."""
REMOVED = re.compile(rb"[\r\n\0]")
"""What `curl -d @FILE` removes from a file."""


class Head(NamedTuple):
    """What the head of a request says about its body; `uri` is the path with the query."""

    method: bytes
    uri: bytes
    headers: Headers

    @property
    def path(self) -> bytes:
        """The path without the query."""
        return self.uri.partition(b"?")[0]

    @property
    def max_size(self) -> int:
        """Maximum size of the body in bytes."""
        return MAX_SIZES.get(self.path, MAX_BODY)

    def value(self, name: bytes) -> str:
        """Return a header; empty if there is none."""
        return b", ".join(self.headers.getRawHeaders(name, ())).decode("latin-1")

    def command(self) -> str:
        """Return the curl command that sends what this address takes; a course for any other address."""
        uri = self.uri if self.path in TAKEN else COURSES
        _, file = TAKEN[uri.partition(b"?")[0]]
        token = ' -H "Authorization: Bearer $TOKEN"' if self.value(b"authorization") else ""
        url = f"http://{self.value(b'host') or 'HOST'}{uri.decode('latin-1')}"
        return f"curl --data-binary {file}{token} {shlex.quote(url)}"

    def refusal(self, size: int | None) -> Problem | None:
        """Return the 413 or 415 for a body that won't be read; its size in bytes is None if unknown."""
        if size is not None and size > self.max_size:
            return self.too_large(size)
        if self.method != b"POST" or self.path not in TAKEN:
            return None
        coding = self.value(b"content-encoding").strip()
        if coding.casefold() not in {"", "identity"}:
            why = f"The body is labelled as compressed (Content-Encoding: {coding})"
            return self.unsupported(f"{why}; send it without that header")
        if self.value(b"content-type").strip().casefold().startswith("multipart/"):
            return self.unsupported("The body is multipart, as curl -F sends it")
        return None

    def too_large(self, size: int | None) -> Problem:
        """Return the 413 for a body of so many bytes; None if that is unknown."""
        has = "is too large" if size is None else f"has {size:,} bytes"
        most = f"{self.max_size:,} bytes ({self.max_size // MIB} MiB)"
        packed = ". A file may be packed with gzip" if self.path == COURSES else ""
        detail = f"The request body {has}; this address takes at most {most}{packed}"
        return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)

    def unsupported(self, why: str) -> Problem:
        """Return the 415 with the command that works."""
        detail = f"{why}. This address takes {TAKEN[self.path][0]}: {self.command()}"
        return Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)


def head_of(request: Request) -> Head:
    """Return the head of a request."""
    return Head(request.method, request.uri, request.requestHeaders)


def explained(request: Request, data: bytes, problem: Problem) -> Problem:
    """Return the problem with an unusable body, or a better one if the way of sending explains it."""
    head = head_of(request)
    if not head.value(b"content-type").strip().casefold().startswith(FORM):
        return problem
    if FORM_START.match(data):
        return head.unsupported("The body is a form, as curl --data-urlencode sends it")
    if FILE_NAME.fullmatch(data):
        return head.unsupported("The body is the name of a file, without the @ before it")
    if head.path == COURSES:
        if REMOVED.search(data):
            return problem
        advice = "The body has no line ends: curl -d removes them from a file, this does not"
    elif data.startswith(b"'") or (data and b'"' not in data):
        advice = "Windows changes quotes in a command; from a file they are safe"
    else:
        return problem
    return Problem(problem.status, f"{problem.detail}. {advice}: {head.command()}", problem.errors)
