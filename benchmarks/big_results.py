"""The results page of a large finished race: the dashboard's first answer, then search, order and print.

The page runs in headless Chromium, on the same cores as the dashboard.
"""

import time
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks import ended_race
from benchmarks.big_map import chromium
from tests.browser.conftest import FLAGS
from tests.processes import Running, dashboard

SIZES = (10_000, 100_000)
MOST_PRINTED = 10_000
COURSE = "hilly-half"
API = "http://127.0.0.1:9"
"""No simulator: nothing listens there."""
TIMEOUT_MS = 200_000
SEARCHED = ("s", "sm", "smi", "smit", "smith", "")
SORTED = ("Name", "Gap", "Chip time", "Bib")
UNTIL_DRAWN = """
async (element, text) => {
  const begun = performance.now();
  if (text === null) element.click();
  else {
    element.value = text;
    element.dispatchEvent(new Event('input'));
  }
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  return performance.now() - begun;
}
"""
"""Clicks on an element, or types a text into it: milliseconds until the change is drawn."""


def measure(folder: Path, competitors: int) -> dict[str, float]:
    """Return seconds, milliseconds (`key`, `order`), MiB and counts by name."""
    database = folder / f"{competitors}.db"
    passings = ended_race.fill(database, COURSE, competitors)
    with dashboard(folder, API, "--store", "sqlite", "--sqlite", str(database)) as running:
        before = running.memory()
        begun = time.perf_counter()
        running.get(f"/racecast/races/{ended_race.RUN_ID}/results?rank=gun").raise_for_status()
        first = time.perf_counter() - begun
        memory = running.memory(peak=True) - before
        found = _in_browser(running, is_printed=competitors <= MOST_PRINTED)
    return {"passings": passings, "first": first, "memory": memory, **found}


def _in_browser(running: Running, *, is_printed: bool) -> dict[str, float]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(TIMEOUT_MS)
        begun = time.perf_counter()
        page.goto(f"{running.address}/results?run={ended_race.RUN_ID}")
        # The clubs' column comes with the start list.
        expect(page.locator("tr[data-bib] td.club").first).to_be_attached(timeout=TIMEOUT_MS)
        found = {"opened": time.perf_counter() - begun, **_used(page)}
        found["print"] = _print_time(page) if is_printed else float("nan")
        browser.close()
        return found


def _used(page: Page) -> dict[str, float]:
    """The longest times of a key in the search field, and of a click on a header."""
    search = page.get_by_role("searchbox")
    keys = [search.evaluate(UNTIL_DRAWN, text) for text in SEARCHED]
    headers = page.get_by_role("region", name="Finish list").get_by_role("columnheader")
    buttons = [headers.get_by_role("button", name=name, exact=True) for name in SORTED]
    return {"key": max(keys), "order": max(one.evaluate(UNTIL_DRAWN, None) for one in buttons)}


def _print_time(page: Page) -> float:
    begun = time.perf_counter()
    page.pdf()
    return time.perf_counter() - begun
