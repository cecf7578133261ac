"""The real page in a real browser."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, expect, sync_playwright

from tests.browser.site import Site
from tests.processes import dashboard, simulator

PATIENCE_MS = 60_000
"""Of a test for what it expects: many times what a page needs, for a machine may be slow or busy."""

FLAGS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCALE = "en-IE"
"""Of the tests' browsers: English, kilometres and a 24-hour clock."""

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the browser, so that `-m 'not browser'` leaves it out."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium as the system has it; tests are skipped without it, except in CI.

    Not for the whole session: while Playwright runs, an event loop does, and no test could have its own.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        lacking = "needs Chromium: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI has to run the browser tests: {lacking}", pytrace=False)
        pytest.skip(lacking)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test for every request off this machine, script error and dialog."""
    with watched_page(browser) as opened:
        yield opened


@contextmanager
def watched_page(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page, with these options of its context, that accepts no such fault."""
    faults: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale=LOCALE, **options)
    context.set_default_timeout(PATIENCE_MS)
    opened = context.new_page()
    opened.on("request", lambda request: _note_if_it_leaves(request, faults))
    opened.on("pageerror", lambda error: faults.append(f"script error: {error}"))
    opened.on("dialog", lambda dialog: _note_dialog(dialog, faults))
    yield opened
    context.close()
    assert faults == []


def _note_dialog(dialog: Dialog, faults: list[str]) -> None:
    faults.append(f"dialog: {dialog.message}")
    dialog.dismiss()


def _note_if_it_leaves(request: Request, faults: list[str]) -> None:
    address = urlsplit(request.url)
    if address.scheme in {"http", "https", "ws", "wss"} and address.hostname not in LOOPBACK:
        faults.append(f"request to {request.url}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Simulator and dashboard on one SQLite file."""
    folder = tmp_path_factory.mktemp("site")
    database = folder / "races.db"
    with (
        simulator(folder, "--publisher", "sqlite", "--sqlite", str(database)) as api,
        dashboard(folder, api.address, "--store", "sqlite", "--sqlite", str(database)) as pages,
    ):
        yield Site(pages.address, api.address, database)
