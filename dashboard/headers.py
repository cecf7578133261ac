"""Security headers for all responses of the dashboard, Streamlit's included."""

from collections.abc import Collection
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.ui.viewing import PARAMETER, View

HEADERS: Final = {
    # Prevents clickjacking: a framing site could have its viewer press the buttons that change a race.
    "Content-Security-Policy": "frame-ancestors 'self'",
    # The street map's tiles have a policy of their own (static/street_map.js).
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

_INNER_FRAMES: Final = "/component/"
"""Path of Streamlit's components, such as the map: browsers compare all ancestors of a frame."""


class SecurityHeaders:
    """Middleware that adds the headers to the responses of `app`.

    Args:
        app: the application.
        frame_ancestors: the origins that may frame the embedded view, which has no buttons to press.
    """

    def __init__(self, app: ASGIApp, frame_ancestors: Collection[str] = ()) -> None:
        self._app = app
        policy = " ".join([HEADERS["Content-Security-Policy"], *sorted(frame_ancestors)])
        self._framed = {**HEADERS, "Content-Security-Policy": policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = self._framed if _may_be_framed(scope) else HEADERS

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _may_be_framed(scope: Scope) -> bool:
    """Whether the request is for the embedded view or for a frame in it."""
    query = parse_qs(scope["query_string"].decode("latin-1"))
    return scope["path"].startswith(_INNER_FRAMES) or query.get(PARAMETER) == [View.EMBED]
