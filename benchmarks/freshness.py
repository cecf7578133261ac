"""Freshness: time from emitting a tick until Pinot can query it, and until it is on screen.

A race with one position per second and competitor runs through the simulator and Kafka. Meanwhile Pinot is
polled for the newest complete tick, and Chromium shows the live page, which refreshes once a second. Both
times start when the tick's first batch is published. The first ends with the query response that has the
whole tick; the second ends with the first frame that shows all competitors at that tick or a later one.
"""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import httpx
import numpy as np
from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS
from tests.browser.site import LiveMap, Site
from tests.processes import dashboard, simulator
from tests.torture.places import ask_pinot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinot.local.stack import Stack

COURSE = "hilly-half"
"""Long enough that no competitor finishes during the measurement."""
WARM_UP_S = 15.0
PAUSE_S = 0.02
"""Pause between two queries to Pinot."""
PATIENCE_MS = 120_000
REACHED = "SELECT COUNT(*), MIN(rawTime) FROM parkrun WHERE runId = '{run}'"
EMITTED = (
    "SELECT rawTime, MIN(emittedAt) FROM parkrun WHERE runId = '{run}' GROUP BY rawTime LIMIT 100000 "
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
        watched = Event()
        with ThreadPoolExecutor(1) as asking:
            queried = asking.submit(_ask, stack.queries, run_id, competitors, watched)
            try:
                drawn = _watch(f"{site.dashboard}/?run={run_id}", seconds)
            finally:
                watched.set()
            found = {"tick to queryable": queried.result(), "tick to pixel": drawn}
        emitted = _emitted(stack.queries, run_id)
        httpx.post(f"{api.address}/races/{run_id}/cancel", trust_env=False)
    # The same ticks for both: those that could have been drawn.
    ticks = range(min(drawn), max(drawn) + 1)
    return {what: _percentiles(seen, emitted, ticks) for what, seen in found.items()}


def _percentiles(seen: Times, emitted: Mapping[int, float], ticks: range) -> dict[str, float]:
    fresh = np.array([seen[tick] - emitted[tick] for tick in ticks if tick in seen])
    names = {"p50": 50, "p95": 95, "p99": 99, "max": 100}
    return {name: float(np.percentile(fresh, share)) for name, share in names.items()} | {"ticks": len(fresh)}


def _ask(queries: str, run_id: str, competitors: int, watched: Event) -> Times:
    """Return when each tick could first be queried completely, until `watched` is set."""
    seen: Times = {}
    with httpx.Client(trust_env=False) as http:
        while not watched.wait(PAUSE_S):
            rows = http.post(queries, json={"sql": REACHED.format(run=run_id)}).json()
            count, reached = rows["resultTable"]["rows"][0]
            if count == competitors:
                _note(seen, int(reached), time.time())
    return seen


def _watch(address: str, seconds: float) -> Times:
    """Return when each tick after the warm-up was first on the map."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        # With reduced motion, markers jump to their positions instead of gliding.
        viewport = {"width": 1280, "height": 900}
        context = browser.new_context(viewport=viewport, reduced_motion="reduce")  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(address)
        frame = LiveMap.on(page).frame
        page.wait_for_timeout(WARM_UP_S * 1000)
        pictures: list[tuple[float, float]] = frame.evaluate(SCRIPT, seconds)
        browser.close()
    seen: Times = {}
    for reached, at_ms in pictures:
        _note(seen, int(reached), at_ms / 1000)
    return seen


def _note(seen: Times, reached: int, at: float) -> None:
    """Record that all ticks up to `reached` have been seen; the first time only that tick."""
    for tick in range(max(seen, default=reached - 1) + 1, reached + 1):
        seen[tick] = at


def _emitted(queries: str, run_id: str) -> Times:
    rows = ask_pinot(queries, EMITTED.format(run=run_id))
    return {int(tick): emitted / 1000 for tick, emitted in rows}
