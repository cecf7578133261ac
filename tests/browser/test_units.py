"""Units and clock: those of the viewer's locale, or those that the viewer chooses."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.ui import formatting
from dashboard.ui.viewer import CLOCKS, UNITS, Viewer
from tests.browser.conftest import PATIENCE_MS
from tests.browser.site import LiveMap, Site, open_menu
from tests.processes import ROOT

Visit = Callable[[str], Page]
LOCALES = ("en-US", "en-GB", "de-DE", "fr-CA", "sv-SE", "ja-JP", "ar-EG", "th-TH", "it-IT", "en-150")


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open a page as a viewer with a locale."""
    opened = []

    def one(locale: str) -> Page:
        context = browser.new_context(
            viewport={"width": 1280, "height": 900}, locale=locale, timezone_id="America/New_York"
        )
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        return context.new_page()

    yield one
    for context in opened:
        context.close()


def test_written_alike(visit: Visit) -> None:
    """The browser writes distances, paces and times of day as the server does, for each viewer."""
    lengths = [0.0, 49.0, 1000.0, 4966.4, 42_195.0]
    moments = [1_768_464_309_000, 1_768_500_000_000, 1_783_036_805_000]
    page = visit("en-US")
    page.goto("about:blank")
    page.add_script_tag(path=ROOT / "dashboard" / "static" / "formatting.js")
    for locale in LOCALES:
        for unit in UNITS.values():
            for clock in CLOCKS:
                viewer = replace(Viewer.of(locale, "America/New_York"), unit=unit, clock=clock)
                written = page.evaluate(
                    """([viewer, lengths, moments]) => {
                        const { use, distance, shortDistance, altitude, pace, clock } = Racecast.formatting;
                        use(viewer);
                        const lines = (m) => [distance(m), shortDistance(m), altitude(m), pace(300, m)];
                        return [lengths.map(lines), moments.map((ms) => clock(new Date(ms)))];
                    }""",
                    [viewer.for_scripts, lengths, moments],
                )
                ways = [
                    [
                        formatting.distance(metres, unit),
                        formatting.short_distance(metres, unit),
                        formatting.altitude(metres, unit),
                        formatting.pace(300, metres, unit),
                    ]
                    for metres in lengths
                ]
                assert written[0] == ways
                # CLDR versions of browser and server may differ in their spaces.
                times = [formatting.clock(ms, viewer) for ms in moments]
                assert [_plain(one) for one in written[1]] == [_plain(one) for one in times], locale


def _plain(text: str) -> str:
    return "".join(text.split())


def test_units_of_the_locale_and_of_choice(visit: Visit, site: Site) -> None:
    """An American reads miles and a 12-hour clock, may choose others, and keeps them on all pages."""
    run = site.create_race(competitors=20)
    page = visit("en-US")
    page.goto(f"{site.dashboard}/?run={run}")
    race = LiveMap.on(page)
    board = page.get_by_role("region", name="Leaderboard")
    expect(board.locator("tbody .metres").first).to_contain_text(" mi")
    expect(race.frame.locator(".leaflet-control-scale-line")).to_contain_text(("ft", "mi")[0])
    expect(race.frame.locator(".course-label.distance")).to_have_text(["1", "2", "3"])
    facts = page.locator(".facts").first
    today = datetime.now(UTC)
    expect(facts).to_contain_text("3.09 mi")
    expect(page.locator(".facts", has_text=f", {today.year}, ")).to_be_visible()
    expect(page.get_by_text("Last updated").first).to_contain_text("M")

    open_menu(page, "Units")
    page.get_by_role("radio", name="km").click()
    page.get_by_role("radio", name="24-hour").click()
    expect(board.locator("tbody .metres").first).to_contain_text(" km")
    page.keyboard.press("Escape")
    race = LiveMap.on(page)
    expect(race.frame.locator(".course-label.distance")).to_have_text(["1", "2", "3", "4"])
    expect(page.get_by_text("Last updated").first).not_to_contain_text("M")

    page.get_by_role("link", name="New race").first.click()
    expect(page.get_by_label("Fastest pace, min:sec per km")).to_be_visible()
    for name in ("Pipeline", "Analytics", "Results"):
        page.get_by_role("link", name=name).first.click()
        page.wait_for_url(lambda url: "units=km" in url and "clock=24-hour" in url)
    expect(page.locator(".facts").first).to_contain_text("4.97 km")
    link = page.url

    other = visit("en-GB")
    other.goto(link)
    expect(other.locator(".facts").first).to_contain_text("4.97 km")
    other.goto(f"{site.dashboard}/results?run={run}")
    expect(other.locator(".facts").first).to_contain_text("3.09 mi")
    expect(other.locator(".facts").first).to_contain_text(f" {today.year}, ")
    other.get_by_role("link", name="New race").first.click()
    expect(other.get_by_label("Fastest pace, min:sec per mile")).to_be_visible()
