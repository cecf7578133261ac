"""Helpers to read request headers and to write responses."""

from http import HTTPStatus

from pydantic import BaseModel
from twisted.web.server import Request

from stream.problems import Problem

TRY_AGAIN_AFTER_S = 2
"""Seconds after which a client may repeat a request that could not be served."""
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def header(request: Request, name: bytes) -> str | None:
    """Return a request header, repeated ones joined with commas.

    Not `getHeader` with a `str` name: that fails on values that are not UTF-8.
    """
    lines = request.requestHeaders.getRawHeaders(name)
    return b", ".join(lines).decode("latin-1") if lines else None


def json(request: Request, answer: BaseModel, status: HTTPStatus = HTTPStatus.OK) -> bytes:
    """Answer with a model."""
    return body(request, answer.model_dump_json().encode(), "application/json", status)


def problem(request: Request, problem: Problem) -> bytes:
    """Answer with problem details."""
    return body(request, problem.body(), "application/problem+json", problem.status)


def body(request: Request, body: bytes, media_type: str, status: HTTPStatus = HTTPStatus.OK) -> bytes:
    """Answer with bytes."""
    head(request, media_type, status)
    request.setHeader("Content-Length", str(len(body)))
    return body


def head(request: Request, media_type: str, status: HTTPStatus = HTTPStatus.OK) -> None:
    """Set status and headers; the body follows."""
    request.setResponseCode(status.value, status.phrase.encode())
    request.setHeader("Content-Type", media_type)
    request.setHeader("Cache-Control", "no-store")
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        request.setHeader("Retry-After", str(TRY_AGAIN_AFTER_S))
    for name, value in SECURITY_HEADERS.items():
        request.setHeader(name, value)
