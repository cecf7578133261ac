"""Clock, leaders, filters, the shared link, and what screen readers hear, in a real browser."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.site import LiveMap, Site, open_menu

FIELD = {"competitors": 40, "entrants": "drawn", "seed": 3}
CUT_OFF = """cells => cells.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
    .map(({ innerText }) => innerText)"""
CLOCK = re.compile(r"^[0-9]:[0-9]{2}:[0-9]{2}$")


def test_from_the_countdown_to_the_winner(page: Page, site: Site) -> None:
    """A countdown, a start list, then clock and leaders by name; one region announces the finishers."""
    page.goto(site.dashboard)  # so that the browser has its scripts
    soon = datetime.now(UTC) + timedelta(seconds=12)
    run = site.create_race(**FIELD, speed=90, fastest=240, slowest=260, start_at=soon.isoformat())
    page.goto(f"{site.dashboard}/?run={run}")
    clock = _tile(page, "clock")
    expect(clock).to_contain_text("Starts in")
    expect(clock.get_by_role("timer")).to_have_text(re.compile(r"^0:[0-1][0-9]$"))
    expect(page.locator("[data-figure]:visible")).to_have_count(0)
    page.get_by_role("searchbox").fill("17")
    start_list = page.get_by_role("region", name="Start list")
    expect(start_list.locator("tbody tr[data-bib]:visible")).to_have_count(1)

    news = page.get_by_role("log", name="Race news")
    expect(news).to_contain_text("The race has started.")
    site.change(run, "pause")  # for what is to be seen while it runs: it is over soon
    expect(clock).to_contain_text("Race clock · paused")
    expect(clock.get_by_role("timer")).to_have_text(CLOCK)
    for figure, word in (("leader", "Leader"), ("woman", "First woman"), ("man", "First man")):
        expect(_tile(page, figure)).to_have_text(re.compile(rf"^{word}.+Bib [0-9]+ · [0-9]\.[0-9]{{2}} km$"))

    site.change(run, "resume")
    expect(clock).to_contain_text("Race clock · 90\N{MULTIPLICATION SIGN} speed")
    expect(_tile(page, "leader")).to_contain_text("Winner")
    expect(news).to_contain_text(re.compile("finished 1st in [0-9:]+."))
    expect(clock).to_contain_text("Race clock · finished")
    expect(news).to_contain_text("The race is over.")
    expect(page.locator("[aria-live]:not([role=log])")).to_have_count(0)

    results = _results(site, run)
    for figure, sexes in (("leader", "FM"), ("woman", "F"), ("man", "M")):
        first = next(one for one in results if one["sex"] in sexes)
        expect(_tile(page, figure)).to_contain_text(f"{first['name']}Bib {first['bib']} · ")
        minutes, seconds = divmod(first["official_time"], 60)
        expect(_tile(page, figure)).to_contain_text(f"· 0:{minutes:02}:{seconds:02}")
    last = max(one["gun_time"] for one in results if one["gun_time"])
    minutes, seconds = divmod(int(last), 60)
    expect(clock.get_by_role("timer")).to_have_text(f"0:{minutes:02}:{seconds:02}")


def test_filters_of_the_leaderboard(page: Page, site: Site) -> None:
    """Only those who match are listed, with their place among them; a reload keeps that, on phones too."""
    run = site.create_race(**FIELD)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.dashboard}/?run={run}")
    LiveMap.on(page)
    listed = {one["bib"]: one for one in _results(site, run)}
    women = {bib for bib, one in listed.items() if one["sex"] == "F"}
    filters = page.get_by_role("group", name="Filters")
    filters.get_by_label("Sex").select_option("Women")
    rows = page.locator(".leaderboard tbody tr[data-bib]:not([hidden])")
    expect(page.get_by_role("columnheader", name="Place in filter")).to_be_visible()
    expect(rows.first.locator(".among")).to_have_text("1")
    assert {int(bib) for bib in rows.evaluate_all("rows => rows.map(row => row.dataset.bib)")} <= women
    headers = page.locator(".leaderboard th:visible")
    assert headers.evaluate_all(CUT_OFF) == []

    club = next(one["club"] for one in listed.values() if one["sex"] == "F" and one["club"])
    filters.get_by_label("Club").fill(club.upper())
    filters.get_by_label("Club").press("Enter")
    page.wait_for_url(re.compile("club="))
    page.reload()
    LiveMap.on(page)
    matching = {bib for bib in women if listed[bib]["club"] == club}
    expect(rows).to_have_count(len(matching))
    assert {int(bib) for bib in rows.evaluate_all("rows => rows.map(row => row.dataset.bib)")} == matching
    expect(filters.get_by_label("Sex")).to_have_value("F")
    filters.get_by_role("button", name="Clear the filters").click()
    expect(page.get_by_role("columnheader", name="Place in filter")).to_have_count(0)
    page.wait_for_url(lambda address: "sex=" not in address and "club=" not in address)


def test_link_holds_what_the_viewer_sees(browser: Browser, site: Site) -> None:
    """The shared link shows the same race, favourites, colours and followed competitor."""
    run = site.create_race(**FIELD)
    context = browser.new_context(
        permissions=["clipboard-read", "clipboard-write"], reduced_motion="reduce", color_scheme="dark"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    first = page.locator(".leaderboard tr[data-bib]:not([hidden])").first
    bib = int(first.get_attribute("data-bib") or 0)
    page.locator(f".leaderboard tr[data-bib='{bib}'] button.star").click()
    page.wait_for_url(re.compile(f"fav={bib}"))
    page.locator(f".leaderboard tr[data-bib='{bib}'] button.who").click()
    live.frame.get_by_role("button", name="Follow on the map").click()
    page.wait_for_url(re.compile(f"follow={bib}"))
    open_menu(page, "View")
    page.get_by_role("radio", name="Category").click()
    page.wait_for_url(re.compile("colour="))
    page.get_by_text("Auto-refresh").click()
    page.wait_for_url(re.compile("refresh=false"))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_text("Link copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url

    other = context.new_page()
    other.goto(link)
    live = LiveMap.on(other)
    live.wait_for(f"race => race.shown().followed === {bib} && race.shown().colour === 'category'")
    expect(other.locator(f".leaderboard tr.favourite[data-bib='{bib}']")).to_be_visible()
    open_menu(other, "View")
    expect(other.get_by_role("switch", name="Auto-refresh")).not_to_be_checked()
    moving = other.locator(".progress .bar").evaluate("bar => getComputedStyle(bar).transitionDuration")
    assert moving == "0.001s"
    context.close()


def _tile(page: Page, figure: str) -> Locator:
    name = ".tile.clock" if figure == "clock" else f"[data-figure={figure}]"
    return page.locator(name)


def _results(site: Site, run: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{site.api}/races/{run}/results", trust_env=False)
    found: list[dict[str, Any]] = answer.json()["results"]
    return found
