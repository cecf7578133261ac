"""Freshness: time from publishing a tick until its store returns it, and until it is on screen.

The simulator publishes one position per second and competitor. The store is polled for complete ticks, and
Chromium shows the live page: first as behind a proxy that lets no stream through, so that the page polls once
per second, as every page did before there were streams; then with the stream. All times start when the first
batch of a tick is published. A tick is queryable with the query response that contains it whole, and on
screen with the first frame that shows all competitors at this tick or a later one.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
from playwright.sync_api import Browser, sync_playwright

from benchmarks.big_map import chromium
from benchmarks.stores import MeasuredStore, TickWatch, Times, percentiles, record
from tests.browser.conftest import FLAGS
from tests.browser.site import LiveMap, Site, without_streams
from tests.processes import dashboard, simulator

COURSE = "hilly-half"
"""Long enough that no competitor finishes during the measurement."""
WARM_UP_S = 15.0
POLLED_SHARE = 0.2
"""The time with a polling page, as a share of that with a stream."""
TIMEOUT_MS = 120_000
SCRIPT = Path(__file__).with_name("freshness.js").read_text()


def measure(
    store: MeasuredStore, competitors: int, folder: Path, seconds: float
) -> dict[str, dict[str, float]]:
    """Return percentiles of the times in seconds, and the numbers of ticks."""
    with (
        simulator(folder, *store.simulator) as api,
        dashboard(folder, api.address, *store.dashboard) as pages,
        ThreadPoolExecutor(1) as executor,
    ):
        site = Site(pages.address, api.address)
        run_id = site.create_race(course=COURSE, competitors=competitors, speed=1)
        watch, stop = TickWatch(store.address, run_id, competitors), Event()
        queryable = executor.submit(watch.watch, stop)
        try:
            polled, pushed = _drawn(f"{site.dashboard}/?run={run_id}", seconds)
        finally:
            stop.set()
        emitted = watch.emission_times()
        httpx.post(f"{api.address}/races/{run_id}/cancel", trust_env=False)
    # Queryable is measured for the same ticks as the page with a stream.
    ticks = range(min(pushed), max(pushed) + 1)
    return {
        "tick to queryable": percentiles(queryable.result(), emitted, ticks),
        "tick to pixel": percentiles(pushed, emitted, ticks),
        "tick to pixel, polled": percentiles(polled, emitted, range(min(polled), max(polled) + 1)),
    }


def _drawn(address: str, seconds: float) -> tuple[Times, Times]:
    """When each tick was first drawn on the map, polled and pushed."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        polled = _watch_page(browser, address, seconds * POLLED_SHARE, is_polled=True)
        pushed = _watch_page(browser, address, seconds, is_polled=False)
        browser.close()
    return polled, pushed


def _watch_page(browser: Browser, address: str, seconds: float, *, is_polled: bool) -> Times:
    # With reduced motion, markers jump to their positions instead of gliding.
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    if is_polled:
        without_streams(page)
    page.goto(address)
    frame = LiveMap.on(page).frame
    page.wait_for_timeout(WARM_UP_S * 1000)
    updates: list[tuple[float, float]] = frame.evaluate(SCRIPT, seconds)
    context.close()
    seen: Times = {}
    for newest, at_ms in updates:
        record(seen, int(newest), at_ms / 1000)
    return seen
