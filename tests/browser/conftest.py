"""The real page in a real browser: simulator and dashboard as processes of their own on free ports."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import sync_playwright

from pinot.waiting import wait_for
from tests.browser.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Dialog, Page, Request

ROOT = Path(__file__).parents[2]
STARTED_WITHIN_S = 60.0
ENDED_WITHIN_S = 15.0
PATIENCE_MS = 30_000

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
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the browser, so that `-m 'not browser'` leaves it out."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium as the system has it; tests are skipped without it, except in CI."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        lacking = "needs Chromium: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI has to run the browser tests: {lacking}", pytrace=False)
        pytest.skip(lacking)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test for every request off this machine, script error and dialog."""
    faults: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
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
        dashboard(folder, api, "--store", "sqlite", "--sqlite", str(database)) as address,
    ):
        yield Site(address, api)


@contextmanager
def simulator(folder: Path, *flags: str) -> Iterator[str]:
    """The simulator's address while it runs; its log is in `folder`."""
    port = _free_port()
    command = ["simulator", "serve", "--port", str(port), "--courses", str(ROOT / "courses"), *flags]
    with _process(folder / "simulator.log", command, f"http://127.0.0.1:{port}/healthz"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def dashboard(folder: Path, api: str, *flags: str) -> Iterator[str]:
    """The dashboard's address while it runs; its log is in `folder`."""
    port = _free_port()
    command = ["dashboard", "--dashboard-port", str(port), "--api", api, *flags]
    with _process(folder / "dashboard.log", command, f"http://127.0.0.1:{port}/_stcore/health"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _process(log: Path, command: list[str], health: str) -> Iterator[None]:
    """`python -m command` from when it is healthy until the end of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            wait_for(command[0], lambda: _trouble(process, health, log), seconds=STARTED_WITHIN_S, say=print)
            yield
        finally:
            process.terminate()
            try:
                process.wait(ENDED_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _trouble(process: subprocess.Popen[bytes], health: str, log: Path) -> str | None:
    if process.poll() is not None:
        pytest.fail(f"it ended: {log.read_text()[-2000:]}", pytrace=False)
    try:
        answer = httpx.get(health, trust_env=False)
    except httpx.HTTPError as error:
        return str(error)
    return None if answer.is_success else f"{health} answers {answer.status_code}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
