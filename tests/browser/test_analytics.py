"""The analytics page, from a viewer's perspective."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from dashboard.ui.formatting import distance, race_time
from dashboard.ui.viewer import KM
from tests.browser.site import Site, choose
from tests.processes import dashboard, simulator

HILLY = 25
"""Competitors of the race on the course of which there is no other."""
ROWS = """[...document.querySelectorAll('[data-testid=stDataFrame] tr')].map(
    (row) => [...row.children].map((cell) => cell.textContent))"""
"""The table's rows as its canvas exposes them to screen readers, the names of the columns first."""
LAST_PART = ".st-key-analytics-competitors"
FILLING = f"getComputedStyle(document.querySelector('{LAST_PART}'), '::after').content"
FILLING_PX = f"parseFloat(getComputedStyle(document.querySelector('{LAST_PART}'), '::after').width)"
TOPS = """Object.fromEntries(['figures', 'events', 'pace', 'late', 'newest', 'competitors'].map((part) => [
    part, Math.round(document.querySelector(`.st-key-analytics-${part}`).getBoundingClientRect().top)]))"""
"""Where the parts of the page begin, in pixels."""
OPTION = "[role=option]"
"""By CSS: what a list offers is in no accessible tree that Playwright sees."""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the simulator writes what the page reads."""
    return tmp_path_factory.mktemp("analytics") / "races.db"


@pytest.fixture(scope="module")
def site(database: Path) -> Iterator[Site]:
    """Simulator and dashboard on one SQLite file, without a race."""
    folder, store = database.parent, ("--sqlite", str(database))
    with simulator(folder, *store) as api, dashboard(folder, api.address, *store) as pages:
        yield Site(pages.address, api.address)


@pytest.fixture(scope="module")
def hilly(site: Site) -> str:
    """A race that takes long, on a course of its own."""
    return site.create_race(name="Over the hills", course="hilly-half", competitors=HILLY, speed=2)


def test_first_events(page: Page, site: Site) -> None:
    """Before the first event the page says that there are none; then it shows events by itself."""
    assert httpx.get(f"{site.api}/races", trust_env=False).json()["races"] == []
    _open(page, site)
    nothing = page.get_by_text("No events found")
    expect(nothing).to_have_count(10)
    expect(_charts(page)).to_have_count(0)
    expect(_tile(page, "Events")).to_have_text("0")

    site.create_race(name="The first", competitors=30, how_many_get_stopped=1, speed=200, interval=50)
    expect(_charts(page)).to_have_count(7)
    expect(nothing).to_have_count(0)
    expect(page.get_by_text("No finisher with a club found.")).to_be_visible()
    expect(_tile(page, "Competitors")).to_have_text("30")
    expect(_tile(page, "Finished")).to_have_text("30")
    expect(_legend(page, "The first")).to_be_visible()


def test_figures_and_charts_follow(page: Page, site: Site, hilly: str) -> None:
    """Every second there are new figures; the charts stay the ones that they are, and get new rows."""
    assert site.status(hilly) == "running"
    _open(page, site)
    expect(_legend(page, "Over the hills")).to_be_visible()
    drawn = _charts(page).first
    drawn.evaluate("chart => chart.dataset.known = 'yes'")
    for _ in range(3):
        before = drawn.inner_html()
        _wait_for_figures(page, 1)
        page.wait_for_function(
            "before => document.querySelector('[data-known]').innerHTML !== before", arg=before
        )


@pytest.mark.usefixtures("hilly")
@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_moves_while_parts_load(page: Page, site: Site, width: int) -> None:
    """Every part has its place, filled until it is drawn, before any of them is; then none moves."""
    page.set_viewport_size({"width": width, "height": 3400})
    page.goto(f"{site.dashboard}/analytics")
    page.locator(LAST_PART).wait_for()
    before = page.wait_for_function(f"() => {TOPS}.competitors > 1800 && {TOPS}").json_value()
    expect(page.locator("[class*=st-key-analytics-bar-club]").locator("svg.marks, .notice")).to_be_visible()
    expect(_charts(page).nth(3)).to_be_visible()
    assert page.evaluate(TOPS) == before
    assert page.evaluate(FILLING) == "none"
    page.evaluate(f"document.body.prepend(document.querySelector('{LAST_PART}').cloneNode())")
    assert page.evaluate(FILLING) == '""'  # of an empty one
    assert page.evaluate(FILLING_PX) > 300


def test_filters(page: Page, site: Site, hilly: str) -> None:
    """With a course chosen, figures and charts are those of its races alone, as the API has them."""
    site.create_race(name="In the park", competitors=40, speed=2)
    _open(page, site)
    for name in ("In the park", "Over the hills"):
        expect(_legend(page, name)).to_be_visible()
    choose(page.get_by_role("combobox", name="Course", exact=True), "Hilly half")
    expect(_legend(page, "In the park")).to_have_count(0)
    expect(_tile(page, "Races")).to_have_text("1")
    expect(_tile(page, "Competitors")).to_have_text(str(len(site.positions(hilly))))
    expect(page.locator(".facts").first).to_contain_text("1 race")
    bars = page.locator("[class*=st-key-analytics-bar-course] text")
    expect(bars.filter(has_text="Hilly half marathon")).to_have_count(1)
    expect(bars.filter(has_text="Crystal Palace")).to_have_count(0)
    _switch(page, "By", "Course")
    expect(_legend(page, "Hilly half marathon")).to_be_visible()
    _switch(page, "Count", "per minute")
    whole = page.get_by_text("No events found in any whole minute of the last 5 min.")
    expect(whole.or_(_charts(page).get_by_text("events per minute"))).to_be_visible()


@pytest.mark.usefixtures("hilly")
def test_choices_stay(page: Page, site: Site) -> None:
    """A new course, and a new race on the chosen one, come into the open list; what was chosen stays."""
    _open(page, site)
    choose(page.get_by_role("combobox", name="Course", exact=True), "Hilly half")
    expect(page.get_by_role("combobox", name="Windows of")).to_have_value("Over the hills")
    choose(page.get_by_role("combobox", name="Race", exact=True), "Over the hills")
    _switch(page, "Compare the last", "5 min")
    _choose_bib(page, 7)
    chosen = _chosen(page)
    assert chosen[:5] == ["Hilly half marathon", "Over the hills", "Over the hills", "7", "All"]
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    for label, new, race in (
        ("Course", "10,000 m on the track", {"name": "On the track", "course": "track-10000m"}),
        # One that hasn't begun, so that it isn't counted.
        ("Race", "Uphill", {"name": "Uphill", "course": "hilly-half", "start_at": later}),
    ):
        box = page.get_by_role("combobox", name=label, exact=True)
        box.click()
        offered = page.locator(OPTION)
        expect(offered).not_to_have_count(0)
        site.create_race(competitors=10, speed=2, **race)
        expect(offered.get_by_text(new, exact=True)).to_be_visible()
        expect(offered.get_by_text("On the track", exact=True)).to_have_count(0)
        box.press("Escape")
    assert _chosen(page) == chosen


def test_newest_events(page: Page, site: Site, hilly: str) -> None:
    """The newest events are those of the race and the bib chosen, as the API has them, every so often."""
    _open(page, site)
    choose(page.get_by_role("combobox", name="Race", exact=True), "Over the hills")
    _choose_bib(page, 7)
    _switch(page, "Every", "30 s")
    _wait_for_figures(page, 3)
    rows = _rows(page)
    assert {(row["Bib"], row["Race"]) for row in rows} == {("7", "Over the hills")}
    assert {row["Status"] for row in rows} == {"running"}
    sent = [row["Emitted"] for row in rows]
    assert sent == sorted(sent, reverse=True)
    _wait_for_figures(page, 2)
    assert _rows(page) == rows

    _switch(page, "Every", "1 s")
    (position,) = [one for one in site.positions(hilly) if one["competitorId"] == 7]
    cells = [race_time(position["elapsed"]), distance(position["distance"], KM)]
    page.wait_for_function(
        f"cells => {ROWS}.some((row) => cells.every((cell) => row.includes(cell)))", arg=cells
    )


@pytest.mark.usefixtures("hilly")
def test_store_away_and_back(page: Page, site: Site, database: Path) -> None:
    """While the store cannot be read each part says so; then all choices are restored."""
    _open(page, site)
    _switch(page, "Every", "1 s")
    choose(page.get_by_role("combobox", name="Course", exact=True), "Hilly half")
    expect(page.get_by_role("combobox", name="Windows of")).to_have_value("Over the hills")
    chosen = _chosen(page)
    said = page.get_by_role("alert").filter(has_text="Cannot read the race file")
    aside = database.rename(database.with_suffix(".aside"))
    database.write_text("This is no database. " * 1000)
    expect(said).to_have_count(6)
    expect(_charts(page)).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert "Traceback" not in page.content()
    aside.rename(database)
    expect(said).to_have_count(0)
    expect(_legend(page, "Over the hills")).to_be_visible()
    expect(_tile(page, "Races")).to_have_text("1")
    assert _chosen(page) == chosen


@pytest.mark.usefixtures("hilly")
def test_narrow_screen(page: Page, site: Site) -> None:
    """On a phone nothing of the page is wider than the screen."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.dashboard}/analytics")
    expect(_legend(page, "Over the hills")).to_be_visible()
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth") <= 390


def _open(page: Page, site: Site) -> None:
    """Open the page, all of it in view, and wait until its last part is drawn."""
    page.set_viewport_size({"width": 1280, "height": 3000})
    page.goto(f"{site.dashboard}/analytics")
    expect(page.locator("[class*=st-key-analytics-bar-club]").locator("svg.marks, .notice")).to_be_visible()


def _charts(page: Page) -> Locator:
    return page.get_by_test_id("stVegaLiteChart").locator("svg.marks")


def _tile(page: Page, word: str) -> Locator:
    """The figure below a word."""
    return page.locator(".tile").filter(has=page.get_by_text(word, exact=True)).locator("strong")


def _legend(page: Page, word: str) -> Locator:
    return page.locator(".legend span").get_by_text(word, exact=True)


def _wait_for_figures(page: Page, times: int) -> None:
    """Wait for this many new figures."""
    for _ in range(times):
        before = page.locator(".facts span").first.inner_text()
        assert before.startswith("updated ")
        expect(page.get_by_text(before)).to_have_count(0)


def _rows(page: Page) -> list[dict[str, str]]:
    """What can be seen of the newest events."""
    names, *rows = page.evaluate(ROWS)
    return [dict(zip(names, row, strict=True)) for row in rows]


def _switch(page: Page, label: str, option: str) -> None:
    group = page.get_by_role("radiogroup", name=label, exact=True)
    group.get_by_role("radio", name=option, exact=True).click()


def _choose_bib(page: Page, bib: int) -> None:
    field = page.get_by_role("spinbutton", name="Bib")
    field.fill(str(bib))
    field.press("Enter")
    page.wait_for_function(f"bib => {ROWS}.slice(1).every((row) => row.includes(bib))", arg=str(bib))


def _chosen(page: Page) -> list[str]:
    """What is in the pickers, in the page's order."""
    boxes: list[str] = page.locator("[role=combobox], input[type=number]").evaluate_all(
        "boxes => boxes.map((box) => box.value)"
    )
    return [*boxes, *page.locator("[role=radio][aria-checked=true]").all_inner_texts()]
