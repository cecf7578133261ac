"""The map of a course: how it is moved, its street map, and its labels."""

import io
import re
from collections.abc import Iterator
from itertools import combinations

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Locator, Page, expect

from stream.waiting import wait_for
from tests.browser.conftest import PATIENCE_MS
from tests.browser.site import LiveMap, Site, open_menu
from tests.browser.tile_server import PARK, TileServer, tile_server
from tests.processes import ROOT, dashboard, simulator

ALL_TILES_SHOWN = """() => [...document.querySelectorAll('.street-map .leaflet-tile')].every(
    (tile) => tile.classList.contains('leaflet-tile-loaded') && tile.style.opacity === '1')"""
PHONE = {"width": 390, "height": 844}
SCROLL_TOP = "() => document.querySelector('[data-testid=stMain]').scrollTop"
SCROLLED_FURTHER = f"top => ({SCROLL_TOP})() > top + 50"
LABELS = """() => [...document.querySelectorAll('.course-label:not([hidden]) .label-name:not(.crowded)')]
    .map((label) => {
        const { left, top, right, bottom } = label.getBoundingClientRect();
        return { text: label.textContent, left, top, right, bottom };
    })"""
"""The visible labels with their boxes."""
MAT = """<Placemark><name>Mat: Reservoir dam</name>
    <Point><coordinates>-1.8570766,53.3072374</coordinates></Point></Placemark>"""
PROFILE_SIDE_PX = 16
"""Beside the profile's relief."""


@pytest.fixture(scope="module")
def tiles() -> Iterator[TileServer]:
    """The server of the street map."""
    with tile_server() as server:
        yield server


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, tiles: TileServer) -> Iterator[Site]:
    """Simulator and dashboard with a street map."""
    folder = tmp_path_factory.mktemp("site")
    store = ("--sqlite", str(folder / "races.db"))
    street_map = ("--tiles", tiles.template, "--tiles-attribution", "© OpenStreetMap contributors")
    with (
        simulator(folder, *store) as api,
        dashboard(folder, api.address, *store, *street_map) as pages,
    ):
        yield Site(pages.address, api.address)


def test_wheel_scrolls_the_page(page: Page, site: Site) -> None:
    """The wheel scrolls the page and zooms with Ctrl, but not out to the world; a button shows the course."""
    page.set_viewport_size({"width": 1280, "height": 600})
    page.goto(f"{site.dashboard}/?run={site.create_race()}")
    live = LiveMap.on(page)
    whole = _zoom(live)
    _hover(page)
    top = page.evaluate(SCROLL_TOP)
    hint = live.frame.locator(".map-hint")
    page.mouse.wheel(0, 200)
    expect(hint).to_have_css("opacity", "1")  # first: it is there for a moment
    expect(hint).to_have_text("Use Ctrl + scroll to zoom the map")
    page.wait_for_function(SCROLLED_FURTHER, arg=top)
    assert _zoom(live) == whole
    _hover(page)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -400)
    live.wait_for(f"() => window.map.getZoom() > {whole}")
    live.wait_for("() => !document.querySelector('.leaflet-zoom-anim')")  # Leaflet does one zoom at a time
    expect(hint).to_have_css("opacity", "0")
    live.frame.get_by_role("button", name="Whole course").click()
    live.wait_for(f"() => window.map.getZoom() === {whole}")
    live.wait_for("() => !document.querySelector('.leaflet-zoom-anim')")
    for _ in range(6):
        page.mouse.wheel(0, 2000)
    live.wait_for("() => window.map.getZoom() === window.map.getMinZoom()")
    page.keyboard.up("Control")
    assert whole - 1.5 < _zoom(live) < whole


def test_two_fingers_move_the_map(browser: Browser, site: Site) -> None:
    """On a phone one finger scrolls the page, and a hint says that two fingers move and zoom the map."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{site.dashboard}/?run={site.create_race()}")
    live = LiveMap.on(page)
    before = live.ask("() => window.map.getCenter()")
    whole = _zoom(live)
    x, y = _hover(page)
    touch = context.new_cdp_session(page)
    top = page.evaluate(SCROLL_TOP)
    _touch(touch, [[(x, y - 10 * step)] for step in range(16)])
    page.wait_for_function(SCROLLED_FURTHER, arg=top)
    hint = live.frame.locator(".map-hint")
    expect(hint).to_have_text("Use two fingers to move the map")
    assert (live.ask("() => window.map.getCenter()"), _zoom(live)) == (before, whole)
    x, y = _hover(page)
    _touch(touch, [[(x - 30 - 3 * step, y), (x + 30 + 9 * step, y)] for step in range(11)])
    live.wait_for(f"() => window.map.getZoom() > {whole + 0.5}")
    assert live.ask("() => window.map.getCenter()") != before
    context.close()


def test_street_map(page: Page, site: Site, tiles: TileServer) -> None:
    """The street map is muted and attributed; switched off, it makes no request, not even with the page."""
    run = site.create_race()
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    shown = live.frame.locator(".street-map .leaflet-tile-loaded")
    expect(shown.first).to_be_visible()
    live.wait_for(ALL_TILES_SHOWN)
    # Without the page's path, which has the race.
    assert set(tiles.referers) == {f"{site.dashboard}/"}
    assert _saturation(_ground(page)) < _saturation(PARK) / 2
    page.emulate_media(color_scheme="dark")
    wait_for(
        "the dark map", lambda: None if max(_ground(page)) < 90 else "it is light", seconds=30, say=print
    )
    link = live.frame.get_by_role("link", name="OpenStreetMap")
    expect(link).to_have_attribute("href", "https://www.openstreetmap.org/copyright")

    _street_map_switch(page).click()
    expect(shown).to_have_count(0)
    expect(link).to_have_count(0)
    page.wait_for_url(re.compile("streets=false"))
    tiles.referers.clear()
    page.goto(f"{site.dashboard}/?run={run}&streets=false")
    live = LiveMap.on(page)
    live.ask("() => { window.map.zoomIn(1, { animate: false }); }")
    live.wait_for_payloads(2)
    assert tiles.referers == []


def test_plain_background_without_tiles(page: Page, site: Site, tiles: TileServer) -> None:
    """If the server refuses, the map is plain, whatever picture it sent, and asks no more for a while."""
    tiles.referers.clear()
    tiles.refuses = True
    page.goto(f"{site.dashboard}/?run={site.create_race()}")
    live = LiveMap.on(page)
    live.wait_for("() => !document.querySelector('.street-map')")
    live.wait_for_payloads(1)
    asked = len(tiles.referers)
    assert 1 <= asked <= 30  # not more than the first view has
    live.ask("() => { window.map.zoomIn(1, { animate: false }); }")
    live.wait_for_payloads(2)
    assert len(tiles.referers) == asked
    expect(live.frame.get_by_role("link", name="OpenStreetMap")).to_have_count(0)
    # Back on the network, it is asked again at once.
    tiles.refuses = False
    live.ask("() => { window.dispatchEvent(new Event('online')); }")
    expect(live.frame.locator(".street-map .leaflet-tile-loaded").first).to_be_visible()


def test_labels_keep_clear_of_each_other(page: Page, site: Site) -> None:
    """No label covers another at any zoom, and zooming in shows more; titles have the complete names.

    Timing points are on the map and on the profile.
    """
    course = (ROOT / "courses" / "hilly-half.kml").read_text().replace("</Document>", f"{MAT}</Document>")
    httpx.post(f"{site.api}/courses", params={"name": "timed-half"}, content=course, trust_env=False)
    page.goto(f"{site.dashboard}/?run={site.create_race(course='timed-half', competitors=10)}")
    live = LiveMap.on(page)
    live.wait_for("() => document.querySelector('.label-name').style.transform !== ''")
    seen = []
    for zoom in ("map.getMinZoom()", "map.getMinZoom() + 1", "map.getMinZoom() + 3"):
        live.ask(f"() => {{ window.map.setZoom({zoom}, {{ animate: false }}); }}")
        labels = live.frame.evaluate(LABELS)
        covered = [(a["text"], b["text"]) for a, b in combinations(labels, 2) if _overlap(a, b)]
        assert covered == []
        seen.append({label["text"] for label in labels})
    assert {"Start", "Finish", "Reservoir dam"} <= seen[0]
    assert "1" not in seen[0]
    assert {"1", "11"} <= seen[2]
    expect(live.frame.get_by_title("Drinks station", exact=True)).to_have_text("Drinks station")
    part, width = live.ask("""race =>
        [race.options.points[0][1] / race.options.distance, race.shown().profile.width]""")
    profile = live.frame.get_by_role("img", name="Elevation profile")
    profile.hover(position={"x": PROFILE_SIDE_PX + part * (width - 2 * PROFILE_SIDE_PX), "y": 60})
    expect(live.frame.locator(".race-profile-words")).to_contain_text("Reservoir dam")


def _overlap(a: dict[str, float], b: dict[str, float]) -> bool:
    beside = a["right"] <= b["left"] or b["right"] <= a["left"]
    return not (beside or a["bottom"] <= b["top"] or b["bottom"] <= a["top"])


def _zoom(live: LiveMap) -> float:
    zoom: float = live.ask("() => window.map.getZoom()")
    return zoom


def _hover(page: Page) -> tuple[float, float]:
    """Bring the map into view and the mouse over it; return that place."""
    element = page.locator("iframe[src*=streamlit_folium]").last
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    viewport = page.viewport_size
    assert box is not None
    assert viewport is not None
    visible = min(box["y"] + box["height"], viewport["height"]) - max(box["y"], 0)
    place = (box["x"] + box["width"] / 2, max(box["y"], 0) + visible / 2)
    page.mouse.move(*place)
    return place


def _touch(touch: CDPSession, moments: list[list[tuple[float, float]]]) -> None:
    """Put fingers on the first places, move them to the others one after another, and lift them."""
    for nth, places in enumerate(moments):
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(places)]
        kind = "touchMove" if nth else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def _ground(page: Page) -> tuple[int, int, int]:
    """The colour of the map at the middle of its left edge, where nothing but the street map is."""
    box = page.locator("iframe[src*=streamlit_folium]").last.bounding_box()
    assert box is not None
    clip = {"x": box["x"] + 4, "y": box["y"] + box["height"] / 2, "width": 1, "height": 1}
    picture = Image.open(io.BytesIO(page.screenshot(clip=clip)))  # type: ignore[arg-type]
    red, green, blue = picture.convert("RGB").resize((1, 1)).tobytes()
    return red, green, blue


def _saturation(colour: tuple[int, int, int]) -> float:
    return (max(colour) - min(colour)) / max(colour)


def _street_map_switch(page: Page) -> Locator:
    open_menu(page, "View")
    return page.get_by_text("Street map", exact=True)
