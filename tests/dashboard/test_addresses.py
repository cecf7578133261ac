"""Mistyped addresses with folders."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from dashboard.addresses import PageAddresses


def ask(address: str, *, follow: bool) -> httpx.Response:
    """The response of an app that answers every address with a page, as Streamlit does, but for one."""

    def page(_: Request) -> Response:
        return HTMLResponse("the page")

    def data(_: Request) -> Response:
        return PlainTextResponse("data")

    routes = [Route("/racecast/metrics", data), Route("/{path:path}", page)]
    app = Starlette(routes=routes, middleware=[Middleware(PageAddresses)])

    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://site") as client:
            return await client.get(address, follow_redirects=follow)

    return asyncio.run(answer())


@pytest.mark.parametrize(
    ("asked", "address"),
    [
        ("/races/monday", "/monday"),
        ("/a/b/c%20d?run=x", "/c%20d?run=x"),
        ("/results/?run=x&rank=chip", "/results?run=x&rank=chip"),
        ("/a/b//", "/b"),
    ],
)
def test_page_in_a_folder(asked: str, address: str) -> None:
    """A page's address in a folder leads to the root, with its query."""
    answer = ask(asked, follow=True)
    assert answer.text == "the page"
    assert str(answer.url).removeprefix("http://site") == address


@pytest.mark.parametrize("asked", ["/", "/results?run=x", "/component/map/index.html", "/racecast/metrics"])
def test_everything_else(asked: str) -> None:
    """Pages at the root, files and data are answered where they are."""
    answer = ask(asked, follow=False)
    assert answer.status_code == 200
    assert answer.text in {"the page", "data"}
