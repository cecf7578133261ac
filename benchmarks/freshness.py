"""Freshness: time from publishing a tick until Pinot returns it, and until it is on screen.

The simulator publishes one position per second and competitor to Kafka. Pinot is polled for the newest
complete tick, and Chromium shows the live page, which refreshes once per second. Both times start when the
first batch of a tick is published. The first ends with the query response that contains the whole tick. The
second ends with the first frame that shows all competitors at this tick or a later one.
"""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import numpy as np
from playwright.sync_api import sync_playwright

from benchmarks.big_map import chromium
from pinot.local.stack import Stack
from tests.browser.conftest import FLAGS
from tests.browser.site import LiveMap, Site
from tests.processes import dashboard, simulator
from tests.torture.event_stores import query_pinot

COURSE = "hilly-half"
"""Long enough that no competitor finishes during the measurement."""
WARM_UP_S = 15.0
POLL_INTERVAL_S = 0.02
"""Pause between two queries to Pinot."""
TIMEOUT_MS = 120_000
NEWEST_TICK = "SELECT COUNT(*), MIN(rawTime) FROM {table} WHERE runId = '{run}'"
EMISSION_TIMES = (
    "SELECT rawTime, MIN(emittedAt) FROM {table} WHERE runId = '{run}' GROUP BY rawTime LIMIT 100000 "
    "option(skipUpsert=true)"
)
SCRIPT = Path(__file__).with_name("freshness.js").read_text()

Times = dict[int, float]
"""Epoch seconds by tick."""


def measure(stack: Stack, competitors: int, folder: Path, seconds: float) -> dict[str, dict[str, float]]:
    """Return percentiles of both times in seconds, and the number of ticks."""
    kafka = ("--publisher", "kafka", "--kafka", stack.kafka)
    pinot = ("--store", "pinot", "--pinot-broker", stack.broker)
    with simulator(folder, *kafka) as api, dashboard(folder, api.address, *pinot) as pages:
        site = Site(pages.address, api.address)
        run_id = site.create_race(course=COURSE, competitors=competitors, speed=1)
        stop = Event()
        with ThreadPoolExecutor(1) as executor:
            queryable = executor.submit(poll_pinot, stack.queries, "parkrun", run_id, competitors, stop)
            try:
                drawn = _watch_page(f"{site.dashboard}/?run={run_id}", seconds)
            finally:
                stop.set()
            found = {"tick to queryable": queryable.result(), "tick to pixel": drawn}
        emitted = emission_times(stack.queries, "parkrun", run_id)
        httpx.post(f"{api.address}/races/{run_id}/cancel", trust_env=False)
    # Both times are of the same ticks: those during which the page was watched.
    ticks = range(min(drawn), max(drawn) + 1)
    return {name: percentiles(seen, emitted, ticks) for name, seen in found.items()}


def percentiles(seen: Times, emitted: Mapping[int, float], ticks: range) -> dict[str, float]:
    """Return percentiles of the seconds from the emission of each of `ticks` until it was seen."""
    ages = np.array([seen[tick] - emitted[tick] for tick in ticks if tick in seen])
    names = {"p50": 50, "p95": 95, "p99": 99, "max": 100}
    return {name: float(np.percentile(ages, share)) for name, share in names.items()} | {"ticks": len(ages)}


def poll_pinot(query_url: str, table: str, run_id: str, competitors: int, stop: Event) -> Times:
    """Return when each tick was first complete in a query of a table of positions, until `stop` is set."""
    seen: Times = {}
    with httpx.Client(trust_env=False) as http:
        while not stop.wait(POLL_INTERVAL_S):
            rows = http.post(query_url, json={"sql": NEWEST_TICK.format(table=table, run=run_id)}).json()
            count, newest = rows["resultTable"]["rows"][0]
            if count == competitors:
                _record(seen, int(newest), time.time())
    return seen


def _watch_page(address: str, seconds: float) -> Times:
    """Return when each tick after the warm-up was first drawn on the map."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        # With reduced motion, markers jump to their positions instead of gliding.
        viewport = {"width": 1280, "height": 900}
        context = browser.new_context(viewport=viewport, reduced_motion="reduce")  # type: ignore[arg-type]
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        page.goto(address)
        frame = LiveMap.on(page).frame
        page.wait_for_timeout(WARM_UP_S * 1000)
        updates: list[tuple[float, float]] = frame.evaluate(SCRIPT, seconds)
        browser.close()
    seen: Times = {}
    for newest, at_ms in updates:
        _record(seen, int(newest), at_ms / 1000)
    return seen


def _record(seen: Times, newest: int, at: float) -> None:
    """Record the time for all ticks after the last one seen up to `newest`; at first only for `newest`."""
    for tick in range(max(seen, default=newest - 1) + 1, newest + 1):
        seen[tick] = at


def emission_times(query_url: str, table: str, run_id: str) -> Times:
    """Return when the first event of each tick of a race was emitted."""
    rows = query_pinot(query_url, EMISSION_TIMES.format(table=table, run=run_id))
    return {int(tick): emitted / 1000 for tick, emitted in rows}
