"""Accessibility: what axe-core finds, wide and narrow, light and dark, and whether focus is visible."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Frame, Page, expect

from tests.browser.conftest import watched_page
from tests.browser.site import LiveMap, Site, wait_until_drawn

AXE = Axe().axe_script
WIDTHS_PX = (390, 820, 1440, 1920)
SCHEMES: dict[Literal["light", "dark"], tuple[str, tuple[int, ...]]] = {
    "light": ("rgb(255, 255, 255)", WIDTHS_PX),
    "dark": ("rgb(18, 22, 28)", (390, 1440)),
}
"""The page's background in each colour scheme, and the widths to look at: the layout is the same in both."""

PAGES = {
    "before the race": ("/?run={later}", "Starts"),
    "during the race": ("/?run={running}", "Last updated"),
    "after the race": ("/?run={over}", "Last updated"),
    "results": ("/results?run={over}&sex=F&find=a", "Finish times"),
    "race day": ("/race-day?run={over}", "Aid stations"),
    "new race": ("/new", "Start the race"),
    "plan": ("/plan", "Compute the plan"),
    "on a wall": ("/?run={running}&view=wall", "Just finished"),
    "announcer board": ("/?run={running}&view=announcer", "Just finished"),
    "in a frame": ("/?run={running}&view=embed", "Leaders"),
    "analytics": ("/analytics", "Newest events"),
    "pipeline": ("/pipeline", "Age of the newest position"),
    "unknown race": ("/?run=no-such-race", "no-such-race"),
}
"""Address of each page, and a text by which it is drawn."""

LEFT_OUT = ("[data-testid=stSkipToContent]",)
"""Streamlit's skip link. Axe allows one outside the landmarks if it precedes all others; but
it can't compare its place with that of links in a shadow tree, where the navigation is.
"""

MENU = "[data-testid=stPopoverBody]"

TABS = 30
"""Most presses of the key; a page has no more things at its top."""


@pytest.fixture(scope="module")
def runs(site: Site) -> Mapping[str, str]:
    """A race in each state."""
    later = site.create_race(
        name="Later", start_at=f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"
    )
    limits = {"3 km": 1200, "finish": 2400}
    over = site.create_race(
        name="Over", competitors=40, entrants="drawn", speed=1000, interval=10, cut_offs=limits
    )
    running = site.create_race(name="On", speed=1)
    site.wait_for_status(over, "finished")
    return {"later": later, "over": over, "running": running}


@pytest.fixture(scope="module", params=PAGES)
def drawn(
    browser: Browser, site: Site, runs: Mapping[str, str], request: pytest.FixtureRequest
) -> Iterator[Page]:
    """One of `PAGES`, drawn for a viewer who wants reduced motion; with a card during the race."""
    address, text = PAGES[request.param]
    with watched_page(browser, reduced_motion="reduce") as page:
        page.goto(site.dashboard + address.format(**runs))
        expect(page.get_by_text(text).first).to_be_visible()
        expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
        if request.param == "during the race":
            page.locator(".leaderboard .who").first.click()
            expect(LiveMap.on(page).frame.locator(".competitor-card")).to_be_visible()
        if request.param == "plan":
            page.get_by_role("button", name="Compute the plan").click()
            expect(page.get_by_role("heading", name="The worst sections")).to_be_visible()
        yield page


def test_axe(drawn: Page) -> None:
    """Axe finds nothing on a page and in its menus, wide and narrow, in light and dark."""
    for frame in _frames(drawn):
        frame.evaluate(AXE)
    found: set[str] = set()
    for scheme, (background, widths) in SCHEMES.items():
        drawn.emulate_media(color_scheme=scheme)
        expect(drawn.locator(".stApp")).to_have_css("background-color", background)
        for frame in _frames(drawn)[1:]:  # the map gets its colours after the page
            expect(frame.locator("body")).to_have_css("background-color", background)
        for width in widths:
            drawn.set_viewport_size({"width": width, "height": 900})
            found |= {f"{fault} ({width} px, {scheme})" for fault in _faults(drawn, "html")}
        for button in drawn.get_by_test_id("stPopoverButton").filter(visible=True).all():
            wait_until_drawn(drawn)
            button.click()
            expect(drawn.locator(MENU)).to_be_visible()
            found |= {f"{fault} (menu, {scheme})" for fault in _faults(drawn, MENU)}
            wait_until_drawn(drawn)  # the script says which menus are open; a menu that it opens stays
            drawn.keyboard.press("Escape")
            expect(drawn.locator(MENU)).to_have_count(0)
    assert sorted(found) == []


IS_STILL = "() => document.getAnimations().every(({ playState }) => playState !== 'running')"
"""Whether no menu is opening and no colour changing: axe would measure the colours in between."""


def _faults(page: Page, within: str) -> Iterator[str]:
    page.wait_for_function(IS_STILL)
    result = page.evaluate(
        "context => axe.run(context, { resultTypes: ['violations'] })",
        {"include": [within], "exclude": list(LEFT_OUT)},
    )
    for rule in result["violations"]:
        for node in rule["nodes"]:
            yield f"{rule['id']}: {rule['help']}: {node['html'][:200]}"


def _frames(page: Page) -> list[Frame]:
    return [frame for frame in page.frames if frame.url.startswith("http")]


MOTION = """() => {
    const all = (root) => [...root.querySelectorAll('*')].flatMap((one) => {
        const inner = one.shadowRoot || (one.tagName === 'IFRAME' && one.contentDocument);
        return inner ? [one, ...all(inner)] : [one];
    });
    const longest = (times) => Math.max(...times.split(',').map((time) => 1000 * parseFloat(time)));
    const moves = (one, pseudo) => {
        const { transitionDuration, animationName, animationDuration } = getComputedStyle(one, pseudo);
        return longest(transitionDuration) > FRAME_MS
            || (animationName !== 'none' && longest(animationDuration) > FRAME_MS);
    };
    const doesMove = (one) => [null, '::before', '::after'].some((pseudo) => moves(one, pseudo));
    return all(document).filter(doesMove).map((one) => one.cloneNode().outerHTML.slice(0, 200));
}""".replace("FRAME_MS", "17")
"""The elements that move for longer than a frame, in shadow trees and frames as well."""


def test_reduced_motion(drawn: Page) -> None:
    """Nothing moves on a page whose viewer wants no motion, apart from the race."""
    assert sorted(set(drawn.evaluate(MOTION))) == []


FOCUSED = """() => {
    let element = document.activeElement;
    for (let inner = element; inner; ) {
        element = inner;
        inner = (element.shadowRoot || element.contentDocument || {}).activeElement;
    }
    const above = (one) => one.parentElement || one.getRootNode().host || null;
    const looks = (one, levels) => {
        if (!one || levels === 0) return '';
        const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor } = getComputedStyle(one);
        const outline = outlineStyle === 'none' ? '' : `${outlineWidth} ${outlineColor}`;
        return [outline, boxShadow, borderColor, looks(above(one), levels - 1)].join('/');
    };
    const { before } = window;
    const unseen = before && before.element !== element && looks(before.element, 4) === before.looks;
    window.before = element && element.tagName !== 'BODY' ? { element, looks: looks(element, 4) } : null;
    return unseen ? before.element.outerHTML.slice(0, 200) : null;
}"""
"""The element that has just lost the focus, if it looks as it did with it."""


def test_focus_can_be_seen(drawn: Page) -> None:
    """Whatever the Tab key reaches looks different while it has the focus."""
    drawn.set_viewport_size({"width": 1440, "height": 900})
    drawn.add_style_tag(content="* { transition: none !important; }")
    unseen = set()
    for _ in range(TABS):
        drawn.keyboard.press("Tab")
        unseen |= {drawn.evaluate(FOCUSED)} - {None}
    assert sorted(unseen) == []


def test_arrows_in_a_long_list(page: Page, site: Site, runs: Mapping[str, str]) -> None:
    """The arrow keys go from row to row of a list, the Tab key past all of them, and into an open menu."""
    page.goto(f"{site.dashboard}/?run={runs['over']}")
    board = page.get_by_role("region", name="Leaderboard")
    stars = board.get_by_role("button", name="Favourite")
    stars.first.focus()
    for _ in range(30):
        page.keyboard.press("ArrowDown")
    focused = board.locator("tr:has(:focus)")
    expect(focused).to_have_attribute("aria-rowindex", "32")
    expect(focused).to_be_in_viewport()
    page.keyboard.press("Tab")
    expect(focused.locator(".who")).to_be_focused()
    page.keyboard.press("Tab")
    expect(board.locator(":focus")).to_have_count(0)

    menu = page.get_by_role("button", name="View")
    menu.press("Enter")
    refresh = page.get_by_role("switch", name="Auto-refresh")
    expect(refresh).to_be_visible()
    page.keyboard.press("Tab")
    expect(refresh).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(menu).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(refresh).to_be_hidden()
    expect(menu).to_be_focused()
