"""The dashboard with a count of what it asks of its store: `python -m benchmarks.counted`, with its flags.

It is the real application; only its store is wrapped, and `ASKED` answers with the counts so far.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from pydantic_settings import CliApp
from starlette.responses import JSONResponse
from starlette.routing import Route

from dashboard import app
from dashboard.__main__ import main
from dashboard.routes import routes
from dashboard.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from dashboard.store import Store

ASKED = "/racecast/asked"


class CountedStore:
    """Hands every question on to `store`; `asked` has how often each was asked. Any thread may ask."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self.asked: Counter[str] = Counter()

    def __getattr__(self, question: str) -> Callable[..., Any]:
        """The store's method of this name, counted."""
        answer: Callable[..., Any] = getattr(self._store, question)

        def counted(*arguments: Any, **named: Any) -> Any:
            with self._lock:
                self.asked[question] += 1
            return answer(*arguments, **named)

        return counted


def serve() -> None:
    """Serve the dashboard, counting, until interrupted."""
    store = CountedStore(app.make_store(CliApp.run(Settings)))

    async def asked(_: Request) -> JSONResponse:
        """The questions so far by name, and the seconds of processor time that this process has used."""
        return JSONResponse({"asked": dict(store.asked), "cpu_s": time.process_time()})

    def with_counts(*parts: Any) -> list[BaseRoute]:
        return [*routes(*parts), Route(ASKED, asked)]

    with patch.object(app, "make_store", lambda _: store), patch.object(app, "routes", with_counts):
        main()


if __name__ == "__main__":
    serve()
