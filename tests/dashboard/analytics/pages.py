"""The analytics page as Streamlit runs it, without a browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape

import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import context
from tests.dashboard.test_pages import text


@contextmanager
def installed(*parts: object) -> Iterator[None]:
    """Install dependencies, and clear the cached answers of others."""
    st.cache_data.clear()
    st.cache_resource.clear()
    context.install(*parts)
    yield
    context.uninstall()


def page() -> AppTest:
    """The page after it has run."""

    def script() -> None:
        import streamlit as st  # noqa: PLC0415 - the page is this function's text, run elsewhere

        from dashboard.analytics import page  # noqa: PLC0415

        new = st.Page(lambda: None, title="New race", url_path="new")
        st.navigation([new, st.Page(lambda: page.show(new), title="A", default=True)]).run()

    return AppTest.from_function(script, default_timeout=60).run()


def said(drawn: AppTest) -> str:
    """All text on the page, as read."""
    return unescape(text(drawn))


def tiles(drawn: AppTest) -> dict[str, tuple[str, str]]:
    """The figures: value and note by the word above them."""
    found = {}
    for tile in said(drawn).split('<div class="tile">')[1:]:
        word, value, note = (tile.split(f"<{tag}>")[1].split("</")[0] for tag in ("span", "strong", "small"))
        found[word] = (value, note)
    return found
