"""The live page, as someone who watches a race sees it."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from playwright.sync_api import TimeoutError as PlaywrightTimeoutError
from playwright.sync_api import expect
from shapely import Point

from tests.browser.site import LiveMap, Site
from tests.processes import ROOT, dashboard, simulator

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator, Page, Request

COURSE_FILES = ROOT / "tests" / "courses" / "files"

METRES_PER_DEGREE = 111_000
GPS_AND_ROUNDING_M = 2.0
PERIOD_MS = 1000
"""Of the refreshing, unless another is chosen."""


def test_competitors_move(page: Page, site: Site) -> None:
    """Competitors move along the course, and go on moving."""
    page.goto(f"{site.dashboard}/?run={site.create_race()}")
    live = LiveMap.on(page)
    seen = live.metres_covered(pictures=3)
    assert seen[0] < seen[1] < seen[2]


def test_competitors_glide(page: Page, site: Site) -> None:
    """Between two pictures competitors pass through places in between instead of jumping."""
    page.goto(f"{site.dashboard}/?run={site.create_race()}")
    live = LiveMap.on(page)
    live.wait_for_pictures(2)
    places = live.frame.evaluate(
        """() => new Promise((done) => {
            const seen = [];
            const look = () => {
                seen.push(window.racecast.positions().find((one) => one.competitor === 1).distance);
                if (seen.length < 30) requestAnimationFrame(look); else done(seen);
            };
            look();
        })"""
    )
    assert len(set(places)) > 10
    assert places == sorted(places)


def test_gliding_follows_the_course(page: Page, site: Site) -> None:
    """However far a competitor gets between two pictures, the way there is along the course, not across."""
    page.goto(f"{site.dashboard}/?run={site.create_race(speed=100)}")
    live = LiveMap.on(page)
    live.wait_for_pictures(1)
    live.wait_for("race => race.isGliding()")
    drawn = live.ask("race => race.positions()")
    course = site.course_line("crystal-palace")
    far_off = [
        one["competitor"]
        for one in drawn
        if course.distance(Point(one["lon"], one["lat"])) * METRES_PER_DEGREE > GPS_AND_ROUNDING_M
    ]
    assert far_off == []
    assert max(one["distance"] for one in drawn) > 500


def test_zoom_and_pan_are_kept(page: Page, site: Site) -> None:
    """New pictures touch neither zoom nor pan, and the map's frame is never loaded again."""
    page.goto(f"{site.dashboard}/?run={site.create_race()}")
    live = LiveMap.on(page)
    live.frame.evaluate("() => { window.loadedOnce = true; window.map.setView([51.42, -0.07], 17); }")
    live.wait_for("() => window.map.getZoom() === 17")
    live.wait_for_pictures(3)
    page.get_by_text("2 s", exact=True).click()
    live.wait_for_pictures(2)
    view = live.ask("() => ({...window.map.getCenter(), zoom: window.map.getZoom()})")
    assert live.frame.evaluate("() => window.loadedOnce === true")
    assert view["zoom"] == 17
    assert abs(view["lat"] - 51.42) * METRES_PER_DEGREE < 1
    assert abs(view["lng"] + 0.07) * METRES_PER_DEGREE < 1


def test_dots_are_where_they_say(page: Page, site: Site) -> None:
    """What the layer says it draws is on the canvas where the map has that coordinate, after zooming too."""
    page.goto(f"{site.dashboard}/?run={site.create_race(competitors=1)}")
    live = LiveMap.on(page)
    page.get_by_text("Auto-refresh").click()
    live.wait_for("race => !race.isGliding()")
    assert _opacity_at_first_dot(live) == 255
    zoom = live.ask("() => window.map.getZoom()")
    live.ask("(race) => { const [{ lat, lon }] = race.positions(); window.map.panTo([lat, lon]); }")
    live.frame.get_by_role("button", name="Zoom in").click()
    live.wait_for(f"race => window.map.getZoom() > {zoom} && !race.isGliding()")
    live.wait_for("() => !document.querySelector('.leaflet-zoom-anim, .leaflet-pan-anim')")
    live.wait_for("race => !race.isGliding()")
    assert _opacity_at_first_dot(live) == 255


def test_auto_refresh_can_be_switched_off(page: Page, site: Site) -> None:
    """With the switch off nothing is asked for but by the button, once each time."""
    page.goto(f"{site.dashboard}/?run={site.create_race()}")
    live = LiveMap.on(page)
    page.get_by_text("Auto-refresh").click()
    button = page.get_by_role("button", name="Refresh now")
    expect(button).to_be_enabled()
    # On the way to the map the switch may meet a question that is due, and it has the map ask a last time.
    assert _questions_until_silence(page) <= 2
    before = live.ask("race => race.pictures()")
    with page.expect_request(_is_question):
        button.click()
    assert _questions_until_silence(page) == 0
    assert live.ask("race => race.pictures()") == before + 1


def test_source_away_and_back(page: Page, site: Site) -> None:
    """While no positions come the map says since when and why, and goes on by itself when they come again."""
    page.goto(f"{site.dashboard}/?run={site.create_race()}")
    live = LiveMap.on(page)
    page.route("**/positions?*", lambda route: route.abort())
    said = live.frame.get_by_role("status")
    expect(said).to_contain_text("No new positions since")
    expect(said).to_contain_text("The dashboard does not answer.")
    page.unroute("**/positions?*")
    expect(said).to_be_hidden()
    live.wait_for_pictures(1)


def test_leaderboard_agrees_with_api(page: Page, site: Site) -> None:
    """The leaderboard's order is the API's, within a tick: finishers by time, then the rest by distance."""
    run = site.create_race(competitors=20, speed=60)
    page.goto(f"{site.dashboard}/?run={run}")
    LiveMap.on(page)
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    before = _order(site, run)
    rows = _leaderboard(page)
    after = _order(site, run)
    assert len(rows) >= 10
    for place, bib in rows:
        assert min(before[bib], after[bib]) - 1 <= place <= max(before[bib], after[bib]) + 1


def test_leaderboard_at_the_end(page: Page, site: Site) -> None:
    """When all have finished, the leaderboard is the API's order exactly, and the figures say so."""
    run = site.create_race(competitors=12, speed=1000)
    page.goto(f"{site.dashboard}/?run={run}")
    LiveMap.on(page)
    expect(_figure(page, "Finished")).to_have_text("12")
    expect(_figure(page, "On the course")).to_have_text("0")
    expect(_chooser(page)).to_have_value(re.compile(" · finished · "))
    order = _order(site, run)
    assert [(order[bib], bib) for _, bib in _leaderboard(page)] == _leaderboard(page)


def test_newest_race_first(page: Page, site: Site) -> None:
    """Without a link to a race the page shows the newest, and its address becomes a link to it."""
    run = site.create_race(name="The very newest")
    for _ in range(5):  # the list of races that all viewers share may be two seconds old
        page.goto(site.dashboard)
        LiveMap.on(page)
        if page.url.endswith(run):
            break
    expect(page.get_by_role("heading", name="The very newest")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"\?run={run}$"))


def test_unknown_race_appears_when_it_is_there(page: Page, site: Site) -> None:
    """A link to a race that isn't there yet waits for it and shows it when it comes."""
    page.goto(f"{site.dashboard}/?run=not-there-yet")
    expect(page.get_by_text("This race isn't there yet")).to_be_visible()
    site.create_race(run_id="not-there-yet")
    LiveMap.on(page)


def test_narrow_screen(page: Page, site: Site) -> None:
    """On a phone nothing is wider than the screen, and map and leaderboard stand one below the other."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.dashboard}/?run={site.create_race()}")
    LiveMap.on(page)
    board = page.get_by_test_id("stDataFrame")
    expect(board).to_be_visible()
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth") <= 390
    boxes = [page.locator("iframe[src*=streamlit_folium]").bounding_box(), board.bounding_box()]
    assert all(box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)


def test_dots_of_a_pack_keep_their_colour(page: Page, site: Site) -> None:
    """Where a hundred run close together, one sees their colour and not the light around each of them."""
    page.goto(f"{site.dashboard}/?run={site.create_race(competitors=100)}")
    live = LiveMap.on(page)
    live.wait_for("race => Math.max(...race.positions().map((one) => one.distance)) > 150")
    light, blue = live.ask(
        """() => {
            const canvas = document.querySelector('canvas');
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            let [light, blue] = [0, 0];
            for (let i = 0; i < data.length; i += 4) {
                if (data[i + 3] < 255) continue;
                if (data[i] > 200) light += 1;
                else if (data[i + 2] > 2 * data[i]) blue += 1;
            }
            return [light, blue];
        }"""
    )
    assert blue > 2 * light


def test_course_across_the_antimeridian(page: Page, tmp_path: Path) -> None:
    """A course across the antimeridian is watched like any other: one line, and everybody on it."""
    courses = tmp_path / "courses"
    courses.mkdir()
    shutil.copy(COURSE_FILES / "antimeridian.kml", courses)
    store = ("--sqlite", str(tmp_path / "races.db"))
    with (
        simulator(tmp_path, *store, "--courses", str(courses)) as api,
        dashboard(tmp_path, api.address, *store) as pages,
    ):
        site = Site(pages.address, api.address)
        page.goto(f"{site.dashboard}/?run={site.create_race(course='antimeridian', speed=30)}")
        live = LiveMap.on(page)
        live.wait_for("race => race.positions().some((one) => one.distance > 250)")
        seen = live.ask("() => { const b = window.map.getBounds(); return [b.getWest(), b.getEast()]; }")
        drawn = [one["lon"] for one in live.ask("race => race.positions()")]
        assert 179.98 < seen[0] < min(drawn) < max(drawn) < seen[1] < 180.02


def _chooser(page: Page) -> Locator:
    return page.get_by_role("combobox").first


def _figure(page: Page, label: str) -> Locator:
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue")


def _is_question(request: Request) -> bool:
    """Whether the map asks for positions."""
    return "/positions?" in request.url


def _questions_until_silence(page: Page) -> int:
    """How many requests for positions go out until none did for longer than two periods."""
    for questions in range(10):
        try:
            page.wait_for_event("request", _is_question, timeout=2.5 * PERIOD_MS)
        except PlaywrightTimeoutError:
            return questions
    raise AssertionError("the map goes on asking")


def _order(site: Site, run: str) -> dict[int, int]:
    """Each bib's place by the API's numbers."""
    positions = sorted(
        site.positions(run),
        key=lambda p: (
            (p["status"] != "finished",)
            + ((p["elapsed"],) if p["status"] == "finished" else (-p["distance"],))
            + (p["competitorId"],)
        ),
    )
    return {p["competitorId"]: place for place, p in enumerate(positions, start=1)}


def _leaderboard(page: Page) -> list[tuple[int, int]]:
    """Place and bib of the rows that are shown (the table beneath the canvas is for screen readers)."""
    page.wait_for_selector("[data-testid=stDataFrame] table tbody tr", state="attached")
    cells = page.eval_on_selector_all(
        "[data-testid=stDataFrame] table tbody tr",
        "rows => rows.map(row => [...row.querySelectorAll('td')].slice(0, 2).map(td => td.innerText))",
    )
    return [(int(place), int(bib)) for place, bib in cells]


def _opacity_at_first_dot(live: LiveMap) -> int:
    """0 to 255, of the canvas where the map has the first competitor's coordinate."""
    opacity: int = live.ask(
        """(race) => {
            const [one] = race.positions();
            const spot = window.map.latLngToContainerPoint([one.lat, one.lon]);
            const canvas = document.querySelector('canvas');
            const box = canvas.getBoundingClientRect();
            const frame = window.map.getContainer().getBoundingClientRect();
            const x = (spot.x + frame.left - box.left) * (canvas.width / box.width);
            const y = (spot.y + frame.top - box.top) * (canvas.height / box.height);
            return canvas.getContext('2d').getImageData(x, y, 1, 1).data[3];
        }"""
    )
    return opacity
