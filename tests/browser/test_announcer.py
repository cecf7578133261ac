"""The announcer board: on a TV, on a phone, and left alone for a day."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.race.coming import NEXT
from tests.browser.conftest import watched_page
from tests.browser.site import Site, open_menu, wait_until_drawn, without_streams
from tests.processes import dashboard

TV = {"width": 1920, "height": 1080}
PHONE = {"width": 844, "height": 390}
UPRIGHT = {"width": 390, "height": 844}
LEAST = 0.04
"""Height of the type that is read out, as a share of the screen's height."""

READ_OUT = (".go", ".who", ".facts", ".bib", ".expected", ".place", ".time", ".group", ".clock .value")
SIZES = """(names) => names.map((name) => {
    const shown = [...document.querySelectorAll('*')].flatMap(
        (one) => one.shadowRoot ? [...one.shadowRoot.querySelectorAll(`.announcer ${name}`)] : [],
    ).filter((one) => one.getClientRects().length > 0 && one.textContent);
    return [name, Math.min(...shown.map((one) => parseFloat(getComputedStyle(one).fontSize)))];
})"""
"""The smallest type of each of these."""

CUT_OFF = """() => {
    const board = [...document.querySelectorAll('*')].flatMap(
        (one) => one.shadowRoot ? [...one.shadowRoot.querySelectorAll('.part.announcer')] : [])[0];
    const boxes = [...board.querySelectorAll('section > ol, .cards')];
    const cut = boxes.flatMap((box) => {
        const { right, bottom } = box.getBoundingClientRect();
        const shown = [...box.children].map((one) => one.getBoundingClientRect()).filter(
            (one) => one.width > 0 && one.left < right - 1);
        return shown.filter((one) => one.bottom > bottom + 1 || one.right > right + 1);
    });
    const above = [...board.querySelectorAll('.tools > *, h1, .clock')];
    const out = above.map((one) => one.getBoundingClientRect()).filter(
        (one) => one.right > innerWidth + 1 || one.left < -1);
    const scrolls = board.scrollWidth > board.clientWidth || board.scrollHeight > board.clientHeight + 1;
    return cut.length + out.length + Number(scrolls);
}"""
"""The number of rows and cards that are shown in part, and of what sticks out of the board."""

HOUR_STUB = Path(__file__).with_name("announcer_hour.js")
MINUTE_MS = 60_000
MOST_GROWTH = 300_000
"""Bytes by which the heap may differ after another hour: what a garbage collection leaves varies."""

WAKE_LOCK = """() => {
    window.locks = [];
    const request = async (kind) => {
        const lock = { kind, released: false, release: async () => { lock.released = true; } };
        window.locks.push(lock);
        return lock;
    };
    Object.defineProperty(navigator, 'wakeLock', { value: { request } });
}"""


NAMES_BEGIN = """(list, place) => {
  list.style.setProperty('--digits', place.length);
  list.querySelector('.place').textContent = place;
  return [...list.querySelectorAll('li:not([hidden])')]
    .map((row) => row.querySelector('.who').getBoundingClientRect().left - row.getBoundingClientRect().left)
    .map(Math.round);
}"""
"""Where names begin in their rows, in pixels, if one of the places is as long as `place`."""


@pytest.fixture(scope="module", name="run")
def _run(site: Site) -> str:
    """A race whose finishers are coming in."""
    run = site.create_race(
        competitors=200,
        name="Board",
        entrants="drawn",
        pace_model="parkrun",
        speed=60,
        interval=5,
        start_flow=10,
    )
    site.wait_for_race_time(run, 1200)
    return run


@pytest.fixture
def board(browser: Browser) -> Iterator[Page]:
    """A page on a TV."""
    with watched_page(browser) as page:
        page.set_viewport_size(TV)  # type: ignore[arg-type]
        yield page


def seconds_to_go(page: Page) -> float | None:
    """The time to go of the second row, in seconds; None while it has none."""
    text = page.locator(".next li .go").nth(1).text_content() or ""
    if not text:
        return None
    if text == "now":
        return 0.0
    minutes, _, seconds = text.removesuffix(" s").rpartition(":")
    return 60.0 * int(minutes or 0) + int(seconds)


def test_on_a_tv(board: Page, site: Site, run: str) -> None:
    """In large type: who comes next, who has finished, and podiums; no row is cut off, none scrolls."""
    board.goto(f"{site.dashboard}/?run={run}&view=announcer")
    expect(board.get_by_role("heading", level=1)).to_have_text("Board")
    expect(board.get_by_role("heading", name="Next at the finish")).to_be_visible()
    expect(board.locator(".next li:visible").first.locator(".who")).not_to_have_text("")
    expect(board.locator(".next li .expected").first).to_have_text(re.compile(r"^expected \d+(st|nd|rd|th)$"))
    expect(board.locator(".done li").first.locator(".time")).to_have_text(re.compile(r"^\d:\d\d:\d\d$"))
    expect(board.locator(".card .group", has_text="Men decided").first).to_be_attached()
    expect(board.locator(".card").first.locator("li")).not_to_have_count(0)
    for scheme in ("dark", "light"):
        board.emulate_media(color_scheme=scheme)
        for name, size in board.evaluate(SIZES, list(READ_OUT)):
            assert size >= LEAST * TV["height"], name
        assert board.evaluate(CUT_OFF) == 0
    assert len(set(board.locator(".done ol").evaluate(NAMES_BEGIN, "12345"))) == 1
    expect(board.get_by_role("navigation")).to_have_count(0)


def test_podiums_take_turns(board: Page, site: Site, run: str) -> None:
    """The newest decision stays at the top, and the podiums that do not fit follow each other below it."""
    site.wait_for_race_time(run, 2400)
    board.goto(f"{site.dashboard}/?run={run}&view=announcer")
    expect(board.locator(".card").nth(3)).to_be_attached()
    groups = board.locator(".card .group")
    seen = set(groups.all_text_contents()[1:3])
    board.wait_for_function(
        """(second) => [...document.querySelectorAll('*')].some((one) => one.shadowRoot
            && one.shadowRoot.querySelectorAll('.card .group').length > 3
            && one.shadowRoot.querySelectorAll('.card .group')[1].textContent !== second)""",
        arg=groups.nth(1).text_content(),
        timeout=30_000,
    )
    assert set(groups.all_text_contents()[1:3]) - seen
    site.change(run, "cancel") if site.status(run) == "running" else None


def test_counts_down(board: Page, site: Site) -> None:
    """Times to go count down between two ticks, with the race clock, and stand while the race is paused."""
    run = site.create_race(competitors=60, entrants="drawn", speed=20, interval=60, start_flow=10)
    site.wait_for_race_time(run, 240)
    board.goto(f"{site.dashboard}/?run={run}&view=announcer&point=4+km")
    expect(board.get_by_role("heading", name="Next at 4 km")).to_be_visible()
    expect(board.locator(".next li .go").nth(1)).not_to_have_text("")
    shown = set()
    for _ in range(12):
        shown.add(seconds_to_go(board))
        board.wait_for_timeout(250)
    assert len(shown) > 3
    site.change(run, "pause")
    expect(board.locator(".clock .word")).to_contain_text("paused")
    before = board.locator(".next li .go").all_text_contents()
    board.wait_for_timeout(2000)
    assert board.locator(".next li .go").all_text_contents() == before
    site.change(run, "cancel")
    expect(board.get_by_text("The race was cancelled.")).to_be_visible()


def test_choices_are_in_the_link(board: Page, site: Site) -> None:
    """The timing point and the time that places go by are chosen by the keyboard, and the link keeps them."""
    run = site.create_race(competitors=60, entrants="drawn", speed=5, start_flow=10)
    site.wait_for_race_time(run, 60)
    board.goto(f"{site.dashboard}/?run={run}&view=announcer")
    point, rank = (board.get_by_label(label, exact=True) for label in ("Next at", "Places"))
    expect(point.locator("option")).not_to_have_count(1)
    point.focus()
    names = []
    for _ in range(4):
        names.append(board.evaluate(FOCUSED))
        board.keyboard.press("Tab")
    assert names[0].startswith("Next at")
    assert names[2:] == ["Full screen", "Leave"]
    point.select_option("2 km")
    expect(board.get_by_role("heading", name="Next at 2 km")).to_be_visible()
    expect(board).to_have_url(re.compile(r"point=2(\+|%20)km"))
    rank.select_option("chip")
    expect(board).to_have_url(re.compile("rank=chip"))
    board.reload()
    expect(board.get_by_role("heading", name="Next at 2 km")).to_be_visible()
    expect(rank).to_have_value("chip")
    point.select_option("")
    expect(board).not_to_have_url(re.compile("point="))
    site.change(run, "cancel")


FOCUSED = """() => {
    let one = document.activeElement;
    while (one.shadowRoot) one = one.shadowRoot.activeElement;
    return one.tagName === 'SELECT' ? one.selectedOptions[0].textContent : one.textContent;
}"""


def test_from_the_live_page_and_back(page: Page, site: Site) -> None:
    """The View menu leads to the board, and Leave back; neither draws the other's data."""
    run = site.create_race(entrants="drawn")
    page.goto(f"{site.dashboard}/?run={run}")
    expect(page.locator(".leaderboard .who").first).to_be_visible()
    open_menu(page, "View")
    page.get_by_role("button", name="Announcer board").click()
    expect(page.get_by_role("heading", name="Just finished")).to_be_visible()
    expect(page).to_have_url(re.compile("view=announcer"))
    wait_until_drawn(page)
    for way in ("click", "Enter"):
        leave = page.get_by_role("button", name="Leave")
        leave.click() if way == "click" else leave.press(way)
        expect(page.locator(".leaderboard .who").first).to_be_visible()
        expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
        if way == "click":
            page.go_back()
            page.goto(f"{site.dashboard}/?run={run}&view=announcer")
            expect(page.get_by_role("heading", name="Just finished")).to_be_visible()
            wait_until_drawn(page)


def test_full_screen(board: Page, site: Site) -> None:
    """The button enters full screen and leaves it again; the board stays."""
    run = site.create_race(entrants="drawn")
    board.goto(f"{site.dashboard}/?run={run}&view=announcer")
    button = board.locator("button.full")
    expect(button).to_have_text("Full screen")
    button.click()
    board.wait_for_function("() => document.fullscreenElement !== null")
    expect(button).to_have_text("Exit full screen")
    button.press("Enter")
    board.wait_for_function("() => document.fullscreenElement === null")
    expect(button).to_have_text("Full screen")
    expect(board.get_by_role("heading", name="Just finished")).to_be_visible()


def test_stays_awake(board: Page, site: Site) -> None:
    """The board keeps the screen on, again after it was hidden, and no longer when it is left."""
    board.add_init_script(f"({WAKE_LOCK})()")
    run = site.create_race(entrants="drawn")
    board.goto(f"{site.dashboard}/?run={run}&view=announcer")
    board.wait_for_function("() => window.locks.length === 1 && window.locks[0].kind === 'screen'")
    # The browser releases it while the page is hidden.
    board.evaluate(
        "() => { window.locks[0].released = true; document.dispatchEvent(new Event('visibilitychange')); }"
    )
    board.wait_for_function("() => window.locks.length === 2")
    wait_until_drawn(board)
    board.get_by_role("button", name="Leave").click()
    board.wait_for_function("() => window.locks[1].released")


def test_next_race_and_outages(board: Page, site: Site, tmp_path: Path) -> None:
    """The board goes on to the newest race, and recovers from outages and a restart of the dashboard."""
    without_streams(board)
    site.create_race(competitors=8, speed=1000, name="The first one")
    store = ("--store", "sqlite", "--sqlite", str(site.database))
    with dashboard(tmp_path, site.api, *store) as first:
        board.goto(f"{first.address}/?view=announcer")
        expect(board.get_by_role("heading", level=1)).to_be_visible()
        run = site.create_race(name="The next one", entrants="drawn", speed=5)
        expect(board.get_by_role("heading", name="The next one")).to_be_visible()
        expect(board.locator(".clock .value")).to_have_text(re.compile(r"0:0\d:[0-5]\d"))
        board.route("**/honours?*", lambda route: route.abort())
        trouble = board.locator(".trouble")
        expect(trouble).to_contain_text("No new data since")
        board.unroute("**/honours?*")
        expect(trouble).to_be_hidden()
        port = int(first.address.rpartition(":")[2])
    expect(trouble).to_contain_text("The dashboard does not respond.")
    with dashboard(tmp_path, site.api, *store, port=port):
        expect(trouble).to_be_hidden()
        site.create_race(name="After the restart", entrants="drawn")
        expect(board.get_by_role("heading", name="After the restart")).to_be_visible()
        expect(board.get_by_role("dialog")).to_have_count(0)
    site.change(run, "cancel")


@pytest.mark.parametrize("size", [PHONE, UPRIGHT], ids=["lying", "upright"])
def test_on_a_phone(browser: Browser, site: Site, size: dict[str, int]) -> None:
    """A phone on its side has all of the board at once; an upright one scrolls, and nothing overlaps."""
    run = site.create_race(competitors=100, entrants="drawn", speed=120, interval=10, start_flow=10)
    site.wait_for_race_time(run, 1500)
    with watched_page(browser, has_touch=True, is_mobile=True) as page:
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.goto(f"{site.dashboard}/?run={run}&view=announcer")
        for part in (".next li", ".done li", ".card"):
            expect(page.locator(part).first).to_be_visible()
        for name in ("Full screen", "Leave"):
            box = page.get_by_role("button", name=name, exact=True).bounding_box()
            assert box is not None
            assert (box["x"] >= 0, box["x"] + box["width"] <= size["width"] + 1) == (True, True)
        if size is PHONE:
            assert page.evaluate(CUT_OFF) == 0
        boxes = [page.locator(f".{name}").first.bounding_box() for name in ("next", "done", "podiums")]
        assert all(boxes)
        tops = [(box["y"], box["y"] + box["height"]) for box in boxes if box is not None]
        assert tops[0][1] <= tops[1][0] + 1
        last = page.locator(".next li:visible").last.bounding_box()
        assert last is None or last["y"] + last["height"] <= tops[1][0] + 1 or size is PHONE
    site.change(run, "cancel")


def test_an_hour(browser: Browser, site: Site) -> None:
    """After an hour of other finishers each second, the page has as many elements and as much memory."""
    run = site.create_race(entrants="drawn", speed=1)
    site.change(run, "pause")
    with watched_page(browser) as page:
        page.set_viewport_size(TV)  # type: ignore[arg-type]
        page.add_init_script(path=HOUR_STUB)
        page.clock.install()
        page.goto(f"{site.dashboard}/?run={run}&view=announcer")
        expect(page.locator(".done li").first).to_be_visible()
        wait_until_drawn(page)
        memory = page.context.new_cdp_session(page)
        # Until there are as many podiums as the routes send.
        _pass(page, minutes=25)
        before, asked = _counts(memory), page.evaluate("() => window.askedOfStub.honours")
        _pass(page, minutes=60)
        after = _counts(memory)
        assert page.evaluate("() => window.askedOfStub.honours") - asked >= 3000
        assert page.locator(".next li").count() == NEXT
        assert page.locator(".card").count() == NEXT
        # Chromium counts removed elements until it collects them; one kept per update would be thousands.
        assert after["nodes"] <= before["nodes"] + 500
        assert after["jsEventListeners"] <= before["jsEventListeners"] + 5
        assert after["heap"] - before["heap"] < MOST_GROWTH
    site.change(run, "cancel")


def _pass(page: Page, minutes: int) -> None:
    for _ in range(minutes):
        page.clock.run_for(MINUTE_MS)


def _counts(memory: Any) -> dict[str, int]:
    """Elements, listeners, and bytes of the heap after a garbage collection."""
    memory.send("HeapProfiler.collectGarbage")
    counters: dict[str, int] = memory.send("Memory.getDOMCounters")
    return {**counters, "heap": memory.send("Runtime.getHeapUsage")["usedSize"]}
