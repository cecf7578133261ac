"""The views of the dashboard: for watching only, on a wall, in a frame, on a phone."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.site import LiveMap, Site, open_menu, without_streams
from tests.processes import dashboard

NO_SCROLLING = """() => {
  const { scrollHeight, clientHeight, scrollWidth, clientWidth } = document.querySelector('.stMain');
  return scrollHeight <= clientHeight && scrollWidth <= clientWidth;
}"""
FILLED = """() => {
  const bottoms = [...document.querySelectorAll('.st-key-wall-charts, .st-key-wall-charts .stVegaLiteChart')]
    .map((one) => one.getBoundingClientRect().bottom);
  return bottoms.length > 0 && bottoms[0] > 0.95 * innerHeight && Math.max(...bottoms) <= innerHeight;
}"""
PHONE = {"width": 390, "height": 844}
FIRST_SCREEN_PX = 300


def test_confirmation(page: Page, site: Site) -> None:
    """Pausing and cancelling ask first; afterwards neither their menu nor View is open."""
    run = site.create_race()
    page.goto(f"{site.dashboard}/?run={run}")
    open_menu(page, "Pause")
    confirm = page.get_by_role("button", name="Pause the race")
    expect(confirm).to_be_visible()
    assert site.status(run) == "running"
    confirm.press("Enter")
    expect(page.get_by_text("This race is paused.")).to_be_visible()
    expect(confirm).to_have_count(0)
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    open_menu(page, "Cancel")
    page.get_by_role("button", name="Cancel the race").click()
    expect(page.get_by_text("This race was cancelled.")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    expect(page.get_by_text("Auto-refresh")).to_have_count(0)


def test_watching_only(page: Page, site: Site) -> None:
    """A link for watching keeps its view on all pages and has no controls; /new says why."""
    run = site.create_race()
    page.goto(f"{site.dashboard}/?run={run}&view=watch")
    LiveMap.on(page)
    pages = page.get_by_role("navigation", name="Pages")
    expect(pages.get_by_role("link")).to_have_text(
        [re.compile(one) for one in ("Live", "Results", "Race day", "Plan", "Ana", "Pipe")]
    )
    expect(page.get_by_role("button", name=re.compile("^(Pause|Cancel)"))).to_have_count(0)
    pages.get_by_role("link", name="Results").click()
    expect(page.get_by_role("heading", name="Finish list")).to_be_visible()
    expect(pages.locator("[aria-current]")).to_contain_text("Results")
    expect(page).to_have_url(re.compile("view=watch"))
    page.goto(f"{site.dashboard}/new?view=watch")
    expect(page.get_by_text("This link is for watching.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Start"))).to_have_count(0)


def test_wall(page: Page, site: Site) -> None:
    """A wall fits its screen, goes on to the next race, recovers from outages, and Escape leaves it."""
    without_streams(page)
    site.create_race(competitors=8, speed=1000, name="The first one")
    for width, height in ((1280, 720), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        for path in ("analytics", "pipeline", ""):
            page.goto(f"{site.dashboard}/{path}?view=wall")
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            expect(page.get_by_role("navigation")).to_have_count(0)
            page.wait_for_function(NO_SCROLLING)
            if path:
                page.wait_for_function(FILLED)
    site.create_race(name="The next one", entrants="drawn")
    expect(page.get_by_role("heading", name="The next one")).to_be_visible()
    live = LiveMap.on(page)
    page.wait_for_function(NO_SCROLLING)
    expect(page.get_by_label("Leaders").get_by_role("listitem")).to_have_count(10)
    page.route("**/positions?*", lambda route: route.abort())
    trouble = page.locator(".trouble")
    expect(trouble).to_contain_text("No new data since")
    page.unroute("**/positions?*")
    expect(trouble).to_be_hidden()
    live.wait_for_payloads(1)
    live.frame.locator(".leaflet-container").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    page.get_by_role("button", name="Full screen").click()
    expect(page.get_by_role("navigation")).to_have_count(0)
    page.get_by_role("button", name="Leave").press("Enter")
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()


def test_frame(page: Page, site: Site, tmp_path: Path) -> None:
    """A page of a named origin may frame the embedded view, which has no controls, but nothing else."""
    run = site.create_race(entrants="drawn")
    with _page_with_a_frame() as named, _page_with_a_frame() as other:
        flags = ("--store", "sqlite", "--sqlite", str(site.database), "--frame-ancestors", named)
        with dashboard(tmp_path, site.api, *flags) as framed:
            embedded = f"{framed.address}/?run={run}&view=embed"
            page.set_viewport_size({"width": 640, "height": 440})
            page.goto(f"{named}/?{embedded}")
            frame = page.frame_locator("iframe")
            expect(frame.get_by_label("Leaders").get_by_role("listitem").first).to_be_visible()
            _expect_to_be_drawn(frame)
            expect(frame.get_by_role("button", name=re.compile("Pause|Cancel|View"))).to_have_count(0)
            page.goto(f"{named}/?{framed.address}/?run={run}")
            _expect_to_be_refused(page)
            page.goto(f"{other}/?{embedded}")
            _expect_to_be_refused(page)


def test_phone(browser: Browser, site: Site) -> None:
    """On a phone, the map begins within the first screen and the pages are at the bottom, in reach."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{site.dashboard}/?run={site.create_race(entrants='drawn')}")
    LiveMap.on(page)
    expect(page.locator("[data-figure=woman]")).to_be_visible()
    top = page.locator(".st-key-map iframe").bounding_box()
    assert top is not None
    assert top["y"] <= FIRST_SCREEN_PX
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    bar = page.get_by_role("navigation", name="Pages")
    place = bar.bounding_box()
    assert place is not None
    assert place["y"] + place["height"] >= PHONE["height"] - 1
    expect(bar.get_by_role("link")).to_have_count(7)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    bar.get_by_role("link", name="Pipeline").tap()
    expect(page.get_by_role("heading", name="Pipeline")).to_be_visible()
    context.close()


def _expect_to_be_drawn(frame: FrameLocator) -> None:
    """The map within the frame, which is a frame itself, has got its positions."""
    expect(frame.frame_locator("iframe[src*=streamlit_folium]").locator(".race-profile")).to_be_visible()


def _expect_to_be_refused(page: Page) -> None:
    page.wait_for_function("() => frames.length === 1")
    page.wait_for_load_state("load")
    assert page.frames[1].url.startswith("chrome-error://")


@contextmanager
def _page_with_a_frame() -> Iterator[str]:
    """The origin of a page that frames the address in its query."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = self.path.partition("?")[2].replace("&", "&amp;")
            body = f'<!doctype html><iframe src="{address}" width="600" height="400"></iframe>'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
