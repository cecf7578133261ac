"""Rendering of a large race in Chromium: time to draw an update, and frame rate compared with an empty page.

With street map and elevation profile. Chromium renders on the CPU, as on any machine without a GPU.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Frame, Page, sync_playwright

from tests.browser.conftest import FLAGS
from tests.browser.site import LiveMap, Site
from tests.browser.tile_server import tile_server
from tests.processes import dashboard, simulator

SIZES = (1000, 10_000)
COURSE = "hilly-half"
WARM_UP_UPDATES = 5
MEASURED_S = 20.0
TIMEOUT_MS = 60_000
SCRIPT = Path(__file__).with_name("big_map.js").read_text()


class NoBrowserError(Exception):
    """Chromium is not installed."""


def chromium() -> str:
    """The path of Chromium; raise `NoBrowserError` without it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise NoBrowserError("This benchmark needs Chromium: apt-get install chromium.")
    return found


def measure(folder: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield each scenario with percentiles of its times in milliseconds; raise `NoBrowserError`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield "empty page", _empty(browser)
        for competitors in SIZES:
            for scenario, found in _race(browser, folder, competitors):
                yield f"{competitors:,} competitors, {scenario}", found
        browser.close()


def _empty(browser: Browser) -> dict[str, float]:
    page = _page(browser)
    found = _measure(page.main_frame, is_panned=False)
    page.context.close()
    return found


def _race(browser: Browser, folder: Path, competitors: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Measure a race on its own simulator and dashboard, with the map still and while panning."""
    database = ("--sqlite", str(folder / f"{competitors}.db"))
    with (
        tile_server() as tiles,
        simulator(folder, "--publisher", "sqlite", *database) as api,
        dashboard(folder, api.address, "--store", "sqlite", *database, "--tiles", tiles.template) as pages,
    ):
        site = Site(pages.address, api.address)
        run_id = site.create_race(course=COURSE, competitors=competitors, speed=1)
        page = _page(browser)
        page.goto(f"{site.dashboard}/?run={run_id}")
        live = LiveMap.on(page)
        live.wait_for_payloads(WARM_UP_UPDATES)
        yield "still", _measure(live.frame, is_panned=False)
        yield "panning", _measure(live.frame, is_panned=True)
        page.context.close()


def _page(browser: Browser) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(TIMEOUT_MS)
    return context.new_page()


def _measure(frame: Frame, *, is_panned: bool) -> dict[str, float]:
    found: dict[str, list[float]] = frame.evaluate(SCRIPT, [MEASURED_S, is_panned])
    result: dict[str, Any] = {"fps": 1000 / float(np.mean(found["frames"]))}
    for name, times in found.items():
        for share in (50, 95, 100):
            result[f"{name}_p{share}"] = float(np.percentile(times, share)) if times else float("nan")
    return result
