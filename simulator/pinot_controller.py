"""Requests to Pinot, and what is told when they fail. It knows nothing of what is in them."""

from __future__ import annotations

from typing import Any

import httpx

REQUEST_SECONDS = 60.0


class PinotError(RuntimeError):
    """Pinot refuses something, or can't be reached; the text has its own words."""


def request(method: str, url: str, **rest: Any) -> httpx.Response:
    """Ask without the machine's proxy settings: Pinot is here or on this network. Raises httpx.HTTPError."""
    return httpx.request(method, url, trust_env=False, **rest)


def ask(method: str, controller: str, path: str, **rest: Any) -> httpx.Response:
    """Return what the controller (a URL) answers; raises PinotError if it can't be reached."""
    try:
        return request(method, controller + path, timeout=REQUEST_SECONDS, **rest)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        trouble = str(error) or type(error).__name__
        raise PinotError(f"{controller}{path}: {trouble}") from error


def checked(answer: httpx.Response) -> httpx.Response:
    """Return the answer, or raise PinotError if it is a refusal."""
    if answer.is_success:
        return answer
    try:
        words = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        words = answer.text
    raise PinotError(f"Pinot answers {answer.status_code} to {answer.request.url.path}: {words}")
