"""How far competitors on the map are from their true places while a picture is late.

Answers to the map's polls are withheld, a few seconds each time. Competitors then go on at their last pace.
After 1, 2 and 3 seconds their distances are compared with those of the race then, computed from its seed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, Route, sync_playwright

from benchmarks.big_map import chromium
from stream.arrays import Floats
from tests.browser.conftest import FLAGS
from tests.browser.site import LiveMap, Site, without_streams
from tests.processes import dashboard, simulator

COURSES = ("track-10000m", "hilly-half")
"""A flat one, and one with hills, which change the pace."""
COMPETITORS = 200
STALLS = 15
LATE_S = (1.0, 2.0, 3.0)
TIMEOUT_MS = 60_000
SHOWN = """async (late) => {
  const { racecast } = window;
  while (racecast._field.late < Math.min(late, 2.99)) await new Promise(requestAnimationFrame);
  const { payload, late: seconds } = racecast._field;
  const shown = racecast.positions().map(({ competitor, distance }) => [competitor, distance]);
  return { time: payload.time + seconds, shown };
}"""


def measure(folder: Path) -> Iterator[tuple[str, float, Floats]]:
    """Yield course, seconds late, and all errors in metres."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for course in COURSES:
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            context.set_default_timeout(TIMEOUT_MS)
            errors = _errors(context.new_page(), folder, course)
            for late, found in errors.items():
                yield course, late, np.array(found)
            context.close()
        browser.close()


def _errors(page: Page, folder: Path, course: str) -> dict[float, list[float]]:
    store = ("--sqlite", str(folder / f"{course}.db"))
    errors: dict[float, list[float]] = {late: [] for late in LATE_S}
    with (
        simulator(folder, "--publisher", "sqlite", *store) as api,
        dashboard(folder, api.address, "--store", "sqlite", *store) as pages,
    ):
        site = Site(pages.address, api.address)
        run_id = site.create_race(course=course, competitors=COMPETITORS, speed=1, gradient=True)
        without_streams(page)
        page.goto(f"{site.dashboard}/?run={run_id}")
        live = LiveMap.on(page)
        for _ in range(STALLS):
            live.wait_for_payloads(3)
            page.route("**/positions?*", _withhold)
            for late in LATE_S:
                seen = live.frame.evaluate(SHOWN, late)
                errors[late] += _distances_off(site, run_id, seen)
            page.unroute("**/positions?*")
    return errors


def _withhold(route: Route) -> None:
    route.abort()


def _distances_off(site: Site, run_id: str, seen: dict[str, Any]) -> list[float]:
    """Metres between shown and true place of all who are on the course."""
    before = int(seen["time"])
    part = seen["time"] - before
    first, second = (
        {one["competitorId"]: one["distance"] for one in site.positions_at(run_id, before + nth, COMPETITORS)}
        for nth in (0, 1)
    )
    return [
        abs(distance - (first[bib] + (second[bib] - first[bib]) * part))
        for bib, distance in seen["shown"]
        if second[bib] > 0
    ]
