"""The race day page, from the perspective of an organiser during the race."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.browser.site import Site

PHONE: ViewportSize = {"width": 390, "height": 844}
WIDE: ViewportSize = {"width": 1280, "height": 900}
CITY: dict[str, Any] = {
    "course": "city-10k",
    "competitors": 400,
    "pace_model": "parkrun",
    "entrants": "drawn",
    "interval": 60,
    "seed": 3,
    "cut_offs": "3 km = 0:21:00; 7 km = 0:50:00; finish = 1:15:00",
}
BEYOND = """part => {
  const { right } = part.getBoundingClientRect();
  return right > innerWidth + 0.5 || part.scrollWidth > part.clientWidth + 1;
}"""


@pytest.fixture
def under_way(site: Site) -> str:
    """A race that is paused half an hour after the gun."""
    run_id: str = site.create_race(**CITY, speed=100)
    site.wait_for_race_time(run_id, 1500)
    site.change(run_id, "pause")
    return run_id


def cells(page: Page, table: str) -> Locator:
    """The rows of a table."""
    return page.locator(f"[data-table='{table}'] tbody tr")


def test_cut_offs_and_aid_stations(page: Page, site: Site, under_way: str) -> None:
    """The page has the limits, those who are out as the API says it, and a chart for each place."""
    page.goto(f"{site.dashboard}/race-day?run={under_way}")
    expect(cells(page, "cut-offs")).to_have_count(3)
    out = [one for one in site.positions(under_way) if one["status"] == "dnf"]
    expect(cells(page, "cut-offs").first.locator("td").last).to_have_text(f"{len(out):,}")
    page.get_by_label("Competitors at").click()
    page.get_by_role("option", name="3 km").click()
    bibs = {str(one["competitorId"]) for one in out}
    expect(cells(page, "out")).to_have_count(min(100, len(out)))
    assert {row.locator("td").first.inner_text() for row in cells(page, "out").all()} <= bibs
    expect(page.locator(".st-key-day-places .stVegaLiteChart svg")).to_have_count(4)
    expect(page.get_by_text(re.compile("busiest ")).first).to_be_visible()
    site.change(under_way, "cancel")


def test_race_day_on_a_phone(page: Page, site: Site, under_way: str) -> None:
    """On a phone nothing is wider than the screen: tables, lists and charts."""
    page.set_viewport_size(PHONE)
    page.goto(f"{site.dashboard}/race-day?run={under_way}")
    expect(page.locator(".st-key-day-places .stVegaLiteChart svg")).to_have_count(4)
    for part in page.locator(".plain-table, .st-key-day-places .stVegaLiteChart").all():
        assert not part.evaluate(BEYOND)
    site.change(under_way, "cancel")


def test_updates_move_nothing(page: Page, site: Site) -> None:
    """While the race goes on, the places of lists and charts stay where they are."""
    run = site.create_race(**CITY, speed=60)
    page.goto(f"{site.dashboard}/race-day?run={run}")
    expect(page.locator(".st-key-day-places .stVegaLiteChart svg")).to_have_count(4, timeout=60_000)
    tops = "() => [...document.querySelectorAll('.section-title, .plain-table')].map(one => one.offsetTop)"
    before, then = page.evaluate(tops), page.get_by_text(re.compile("race time")).inner_text()
    expect(page.get_by_text(re.compile("race time"))).not_to_have_text(then, timeout=30_000)
    page.wait_for_timeout(1000)
    assert page.evaluate(tops) == before
    site.change(run, "cancel")


def test_the_reason_is_beside_the_status(page: Page, site: Site) -> None:
    """Finish list and leaderboard say which cut-off has stopped a competitor, within two lines of a row."""
    run = site.create_race(**CITY, speed=1000)
    site.wait_for_status(run, "finished")
    bib = next(one["competitorId"] for one in site.positions(run) if one["status"] == "dnf")
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        page.goto(f"{site.dashboard}/results?run={run}&find={bib}")
        row = page.locator(f"tr[data-bib='{bib}']")
        expect(row).to_contain_text(re.compile(r"DNF, (cut-off at \d km|course closed)"))
        assert row.evaluate("row => row.getBoundingClientRect().height") <= 37
    page.goto(f"{site.dashboard}/?run={run}")
    page.get_by_role("searchbox").fill(str(bib))
    row = page.locator(f".leaderboard tr[data-bib='{bib}']")
    expect(row.locator("td.status")).to_have_text(re.compile("DNF, (cut-off at|course closed)"))


def test_miles(page: Page, site: Site, under_way: str) -> None:
    """Points that are named by their distance have the viewer's unit."""
    page.goto(f"{site.dashboard}/race-day?run={under_way}&units=miles")
    expect(cells(page, "cut-offs").first.locator("td").first).to_have_text("1.86 mi")
    expect(page.get_by_text("Drinks station, 3.08 mi").first).to_be_visible()
    site.change(under_way, "cancel")


def test_limits_in_the_form(page: Page, site: Site) -> None:
    """The form takes limits as text; an unknown point is reported next to the field."""
    page.goto(f"{site.dashboard}/new")
    page.get_by_text("Realism options").click()
    limits = page.get_by_label("Time limits", exact=True)
    limits.fill("Bridge = 0:40:00")
    limits.press("Tab")
    page.get_by_role("button", name="Start the race").click()
    expect(
        page.get_by_text(re.compile("must name timing points of the course, not 'Bridge'"))
    ).to_be_visible()
