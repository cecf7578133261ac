"""Redirects page addresses in folders to the root: `/any/page` to `/page`.

Streamlit answers every address with its page, whose scripts are only found from the root. In a folder it
would stay blank.
"""

from pathlib import PurePosixPath

from starlette.datastructures import URL, Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class PageAddresses:
    """Middleware that redirects pages in folders, and passes on everything else of `app`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or (away := _root_address(URL(scope=scope))) is None:
            await self._app(scope, receive, send)
            return
        is_page = False

        async def send_or_redirect(message: Message) -> None:
            nonlocal is_page
            if message["type"] == "http.response.start":
                is_page = Headers(scope=message).get("content-type", "").startswith("text/html")
                if is_page:
                    await RedirectResponse(away)(scope, receive, send)
            if not is_page:
                await send(message)

        await self._app(scope, receive, send_or_redirect)


def _root_address(url: URL) -> str | None:
    """The address of the page at the root, relative, so that it works behind a proxy; None if it is there.

    A file is no such page: component/<name>/index.html is one in a frame.
    """
    path = PurePosixPath(url.path)
    folders = url.path.count("/") - 1
    if folders < 1 or path.suffix:
        return None
    return "../" * folders + path.name + (f"?{url.query}" if url.query else "")
