"""A read-only dashboard accepts no requests that change or upload anything."""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_READING = {"GET", "HEAD", "OPTIONS"}


class ReadOnly:
    """Middleware that rejects requests to `app` with other methods: Streamlit's uploads, for example."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and scope["method"] not in _READING:
            await PlainTextResponse("This dashboard is read-only.", 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)
