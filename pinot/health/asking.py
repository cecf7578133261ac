"""Questions to Pinot that don't wait for long."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import httpx

from simulator.pinot_controller import PinotError, request

if TYPE_CHECKING:
    import ssl

PATIENCE_S = 2.0
"""For one answer; a Pinot that is well answers in a tenth of a second."""

NO_ANSWER = (httpx.HTTPError, httpx.InvalidURL, PinotError)
"""What is raised if Pinot can't be reached or refuses."""
NOT_PINOT = (ValueError, LookupError, TypeError, AttributeError)
"""What comes of an answer that isn't Pinot's."""


def ask(method: str, url: str, **rest: Any) -> httpx.Response:
    """Ask a controller or a broker; raises one of `NO_ANSWER`."""
    return request(method, url, timeout=PATIENCE_S, verify=_trusted(), **rest)


def query(broker: str, sql: str) -> dict[str, Any]:
    """A broker's answer to `sql`; raises one of `NO_ANSWER` or `NOT_PINOT`."""
    answer: dict[str, Any] = ask("POST", f"{broker}/query/sql", json={"sql": sql}).json()
    return answer


def trouble(answer: dict[str, Any]) -> str:
    """What the broker says is wrong, in one line; empty if nothing is."""
    return "; ".join(" ".join(str(one["message"]).split())[:200] for one in answer["exceptions"])


@cache
def _trusted() -> ssl.SSLContext:
    """Whom HTTPS trusts. Reading that takes ten times as long as a question: once is enough."""
    return httpx.create_ssl_context(trust_env=False)
