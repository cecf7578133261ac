"""Take the screenshots in the documentation from the real pages: `make screenshots`."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import FLAGS, LOCALE
from tests.browser.site import LiveMap, Site
from tests.processes import dashboard, simulator

DOCS = Path(__file__).parents[2] / "docs"
WIDE = {"width": 1280, "height": 1010}
TALL = {"width": 1280, "height": 2060}
WALL = {"width": 1920, "height": 1080}
PHONE = {"width": 390, "height": 844}
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
LIVE_DELAY_MS = 12_000
"""Wall time from the gun until the screenshots: a quarter of an hour of race time."""
PIPELINE_DELAY_MS = 60_000
"""Wall time until the charts of the pipeline page have enough data."""
FINISHED_RACE = {**RACE, "name": "Last Saturday", "speed": 1000, "seed": 2025}
ANALYTICS_RACES = (
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
ANALYTICS_SIZE = {"width": 1280, "height": 1860}
ANALYTICS_START_INTERVAL_MS = 35_000
ANALYTICS_DELAY_MS = 95_000
"""Wall time after the last start: the page compares the last minute with the one before."""
CROWDED_RACE = {
    "course": "city-10k",
    "competitors": 6000,
    "name": "City 10 km, all at one gun",
    "pace_model": "normal",
    "fastest": 240,
    "slowest": 400,
    "entrants": "drawn",
    "crowding": "flow",
    "speed": 60,
    "interval": 10,
    "seed": 7,
}
CROWDED_UNTIL = 1200.0
"""Race time of the screenshot, seconds: there is a queue in front of the old bridge."""
PLANS_SIZE = {"width": 1280, "height": 1680}
PLAN_FIELDS = {"Competitors": "20000"}
SECOND_PLAN = {"Wave size, runners": "5000", "Wave interval, seconds": "480"}
RACE_DAY = {
    "course": "city-10k",
    "competitors": 2000,
    "name": "City 10 km",
    "pace_model": "parkrun",
    "entrants": "drawn",
    "start_flow": 10,
    "corrals": True,
    "wave_size": 700,
    "wave_delay": 300,
    "dnf": 0.01,
    "cut_offs": {"3 km": "0:24:00", "7 km": "0:50:00", "finish": "1:15:00"},
    "cut_offs_from": "wave",
    "speed": 60,
    "interval": 60,
    "seed": 3,
}
RACE_DAY_SIZE = {"width": 1280, "height": 1700}
RACE_DAY_DELAY_MS = 30_000
"""Wall time from the gun until the screenshot: half an hour of race time."""
FAVOURITES = "&fav=29,94,211"


def main() -> None:
    """Run a race to its end and start another one, and take the screenshots."""
    chromium = shutil.which("chromium") or "chromium"
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        store = ("--sqlite", str(folder / "race.db"))
        with simulator(folder, *store) as api, dashboard(folder, api.address, *store) as page:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            finished = _create_race(api.address, FINISHED_RACE)
            live = f"{page.address}/?run={_create_race(api.address, RACE)}{FAVOURITES}"
            live_page = _open(browser, live, WIDE)
            live_page.wait_for_timeout(LIVE_DELAY_MS)
            live_page.screenshot(path=DOCS / "live.png")
            _screenshot(browser, live, "live-dark", WIDE, "dark")
            _screenshot(browser, f"{live}&view=wall", "wall", WALL, "dark")
            _screenshot(browser, live, "phone", PHONE, "light")
            _screenshot(browser, f"{live}&view=announcer", "announcer", WALL, "dark")
            _screenshot(browser, f"{page.address}/results?run={finished}", "results", TALL, "light")
            _screenshot(browser, f"{page.address}/new", "new-race", WIDE, "light")
            _plans(browser, f"{page.address}/plan")
            race_day = f"{page.address}/race-day?run={_create_race(api.address, RACE_DAY)}"
            race_day_page = _open(browser, race_day, RACE_DAY_SIZE)
            race_day_page.wait_for_timeout(RACE_DAY_DELAY_MS)
            race_day_page.screenshot(path=DOCS / "race-day.png")
            # One that is still under way after the delay.
            _create_race(api.address, {**RACE, "speed": 10})
            pipeline_page = _open(browser, f"{page.address}/pipeline", FLAT)
            pipeline_page.wait_for_timeout(PIPELINE_DELAY_MS)
            pipeline_page.screenshot(path=DOCS / "pipeline.png")
            _screenshot(browser, f"{api.address}/", "api", WIDE, "light", frame=False)
            _analytics(browser, folder)
            _density(browser, folder)
            browser.close()


def _plans(browser: Browser, url: str) -> None:
    """Compare two plans; the screenshot has their figures."""
    page = _open(browser, url, PLANS_SIZE)
    for label, value in PLAN_FIELDS.items():
        _fill(page, label, value)
    page.get_by_text("Compare two plans").click()
    page.get_by_label("Wave interval, seconds", exact=True).nth(1).wait_for()
    for label, value in SECOND_PLAN.items():
        _fill(page, label, value, nth=1)
    page.get_by_role("button", name="Compare the plans").click()
    page.get_by_role("heading", name="Benefits").wait_for()
    page.wait_for_timeout(4000)
    page.screenshot(path=DOCS / "plan.png")
    page.context.close()


def _fill(page: Page, label: str, value: str, nth: int = 0) -> None:
    field = page.get_by_label(label, exact=True).nth(nth)
    field.fill(value)
    field.press("Tab")
    page.wait_for_timeout(1000)


def _analytics(browser: Browser, folder: Path) -> None:
    """Start races one after another on a separate site; take the screenshot when some have finished."""
    store = ("--sqlite", str(folder / "stream.db"))
    with simulator(folder, *store) as api, dashboard(folder, api.address, *store) as page:
        analytics_page = _open(browser, f"{page.address}/analytics", ANALYTICS_SIZE)
        for race in ANALYTICS_RACES:
            _create_race(api.address, race)
            analytics_page.wait_for_timeout(ANALYTICS_START_INTERVAL_MS)
        analytics_page.wait_for_timeout(ANALYTICS_DELAY_MS)
        analytics_page.screenshot(path=DOCS / "analytics.png")
        analytics_page.context.close()


def _density(browser: Browser, folder: Path) -> None:
    """Pause a crowded race on a separate site, and take the screenshot."""
    store = ("--sqlite", str(folder / "crowded.db"))
    with simulator(folder, *store) as api, dashboard(folder, api.address, *store) as page:
        run = _create_race(api.address, CROWDED_RACE)
        site = Site(page.address, api.address)
        site.wait_for_race_time(run, CROWDED_UNTIL)
        site.change(run, "pause")
        _screenshot(browser, f"{page.address}/?run={run}", "density", WIDE, "light")


def _create_race(api: str, race: dict[str, Any]) -> str:
    created: dict[str, Any] = httpx.post(f"{api}/races", json=race).json()
    run_id: str = created["run_id"]
    return run_id


def _screenshot(
    browser: Browser, url: str, name: str, size: dict[str, int], scheme: str, *, frame: bool = True
) -> None:
    page = _open(browser, url, size, scheme, frame=frame)
    page.screenshot(path=DOCS / f"{name}.png")
    page.context.close()


def _open(
    browser: Browser, url: str, size: dict[str, int], scheme: str = "light", *, frame: bool = True
) -> Page:
    context: Any = browser.new_context(viewport=size, color_scheme=scheme, locale=LOCALE)  # type: ignore[arg-type]
    page: Page = context.new_page()
    page.goto(url)
    if frame:
        page.wait_for_selector("[data-testid=stAppViewContainer]")
        if "/?run=" in url and "view=announcer" not in url:
            LiveMap.on(page)
        page.wait_for_timeout(6000)
    return page


if __name__ == "__main__":
    main()
