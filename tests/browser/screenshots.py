"""Recreates the README's screenshots from the real pages: `make screenshots`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS
from tests.processes import dashboard, simulator

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DOCS = Path(__file__).parents[2] / "docs"
WIDE = {"width": 1280, "height": 1010}
TALL = {"width": 1280, "height": 2060}
NARROW = {"width": 390, "height": 1480}
FLAT = {"width": 1280, "height": 960}
RACE = {
    "course": "crystal-palace",
    "competitors": 300,
    "name": "Saturday morning 5 km",
    "how_many_get_stopped": 0.3,
    "min_pause": 60,
    "max_pause": 240,
    "pace_model": "parkrun",
    "entrants": "drawn",
    "start_flow": 10,
    "corrals": True,
    "dns": 0.01,
    "dnf": 0.01,
    "walking": 0.02,
    "wrong_turn": 0.01,
    "gps_error": 2.5,
    "late": 0.02,
    "speed": 40,
    "interval": 10,
    "seed": 2026,
}
RUNNING_FOR_MS = 22_000
"""Wall time after the gun at which the screenshots are taken: a quarter of an hour of the race."""
WATCHED_FOR_MS = 60_000
"""Time until the pipeline's charts have something to show."""
OVER = {**RACE, "name": "Last Saturday", "speed": 1000, "seed": 2025}
STREAM = (
    {**RACE, "speed": 12, "late": 0.04, "late_for": 90, "duplicates": 0.01},
    {
        **RACE,
        "name": "City 10 km",
        "course": "city-10k",
        "competitors": 150,
        "pace_model": "normal",
        "speed": 20,
    },
    {**RACE, "name": "Over the hills", "course": "hilly-half", "competitors": 80, "pace_model": "normal"},
)
STREAM_SIZE = {"width": 1280, "height": 1860}
STREAM_STARTS_EVERY_MS = 35_000
STREAM_RUNS_MS = 95_000
"""After the last start: long enough that there is a minute before the last one to compare with."""
FAVOURITES = "&fav=29,94,211"


def main() -> None:
    """Run a finished race and one in progress, and take the screenshots."""
    chromium = shutil.which("chromium") or "chromium"
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        store = ("--sqlite", str(folder / "race.db"))
        with simulator(folder, *store) as api, dashboard(folder, api.address, *store) as page:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            over = _create(api.address, OVER)
            live = f"{page.address}/?run={_create(api.address, RACE)}{FAVOURITES}"
            with_race = _open(browser, live, WIDE)
            with_race.wait_for_timeout(RUNNING_FOR_MS)
            with_race.screenshot(path=DOCS / "live.png")
            for picture, size, scheme in (("live-dark", WIDE, "dark"), ("live-narrow", NARROW, "light")):
                _shoot(browser, live, picture, size, scheme)
            _shoot(browser, f"{page.address}/results?run={over}", "results", TALL, "light")
            _shoot(browser, f"{page.address}/new", "new-race", WIDE, "light")
            with_lights = _open(browser, f"{page.address}/pipeline", FLAT)
            with_lights.wait_for_timeout(WATCHED_FOR_MS)
            with_lights.screenshot(path=DOCS / "pipeline.png")
            _shoot(browser, f"{api.address}/", "api", WIDE, "light", frame=False)
            _analytics(browser, folder)
            browser.close()


def _analytics(browser: Browser, folder: Path) -> None:
    """Let races start one after the other, on a separate site, and take the screenshot when some finish."""
    store = ("--sqlite", str(folder / "stream.db"))
    with simulator(folder, *store) as api, dashboard(folder, api.address, *store) as page:
        watched = _open(browser, f"{page.address}/analytics", STREAM_SIZE)
        for race in STREAM:
            _create(api.address, race)
            watched.wait_for_timeout(STREAM_STARTS_EVERY_MS)
        watched.wait_for_timeout(STREAM_RUNS_MS)
        watched.screenshot(path=DOCS / "analytics.png")
        watched.context.close()


def _create(api: str, race: dict[str, Any]) -> str:
    made: dict[str, Any] = httpx.post(f"{api}/races", json=race).json()
    run_id: str = made["run_id"]
    return run_id


def _shoot(
    browser: Browser, url: str, name: str, size: dict[str, int], scheme: str, *, frame: bool = True
) -> None:
    page = _open(browser, url, size, scheme, frame=frame)
    page.screenshot(path=DOCS / f"{name}.png")
    page.context.close()


def _open(
    browser: Browser, url: str, size: dict[str, int], scheme: str = "light", *, frame: bool = True
) -> Page:
    context: Any = browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    page: Page = context.new_page()
    page.goto(url)
    if frame:
        page.wait_for_selector("[data-testid=stAppViewContainer]")
        page.wait_for_timeout(6000)
    return page


if __name__ == "__main__":
    main()
