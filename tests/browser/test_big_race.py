"""A race that is too large to show every competitor, in a real browser."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.site import LiveMap, Site

COMPETITORS = 60_000
SHOWN = "8,571 of 60,000 competitors, those whose bib is a multiple of 7"


def in_order(site: Site, run: str) -> list[dict[str, Any]]:
    """All positions as the API has them, those who have covered most first."""
    return sorted(site.positions(run), key=lambda one: (-one["distance"], one["competitorId"]))


def test_live_page_of_a_large_race(page: Page, site: Site) -> None:
    """Leaderboard and counts are of all, the map has the sample, and a search finds all others."""
    run = site.create_race(competitors=COMPETITORS, speed=10, interval=30)
    site.wait_for_race_time(run, 230)
    site.change(run, "pause")
    everyone = in_order(site, run)
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    expect(page.get_by_text(f"Map and lists show {SHOWN}.")).to_be_visible()

    rows = page.locator(".leaderboard tbody tr[data-bib]:not([hidden])")
    for nth, one in enumerate(everyone[:10]):
        expect(rows.nth(nth)).to_have_attribute("data-bib", str(one["competitorId"]))
    expect(page.locator(".leaderboard .count")).to_have_text("first 1,000 of 60,000")
    running = sum(one["status"] in {"running", "paused"} for one in everyone)
    expect(page.locator("[data-figure=on_course] .value")).to_have_text(f"{running:,}")

    drawn = live.ask("race => race.positions().map((one) => one.competitor)")
    assert sorted(drawn) == list(range(7, COMPETITORS + 1, 7))
    by_bib = {one["competitorId"]: one["distance"] for one in everyone}
    for bib, metres in live.distances().items():
        assert abs(metres - by_bib[bib]) < 0.1

    last = next(one for one in reversed(everyone) if one["competitorId"] % 7)
    page.get_by_role("searchbox").fill(str(last["competitorId"]))
    expect(rows).to_have_count(1)
    expect(rows.first).to_have_attribute("data-bib", str(last["competitorId"]))
    place = 1 + sum(one["distance"] > last["distance"] for one in everyone)
    expect(rows.first.locator(".place")).to_have_text(str(place))
    expect(rows.first.get_by_role("button", name=f"Runner {last['competitorId']}")).to_be_disabled()
    expect(page.locator(".leaderboard .count")).to_have_text("1 found")
    page.get_by_role("searchbox").fill("no such name")
    expect(page.locator(".leaderboard")).to_contain_text("No matches.")
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("searchbox").fill("Runner")
    expect(page.locator(".leaderboard .count")).to_have_text(re.compile(r"^1,0\d\d\+ found$"))
    expect(page.locator(".leaderboard .count")).to_be_visible()
    site.change(run, "cancel")


def test_start_list_of_a_large_race(page: Page, site: Site) -> None:
    """Before the start, live and results page list the sample by name, and say how many there are."""
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    run = site.create_race(competitors=COMPETITORS, interval=10, entrants="drawn", start_at=soon)
    for path in ("", "results"):
        page.goto(f"{site.dashboard}/{path}?run={run}")
        expect(page.locator(".caption")).to_have_text("8,571 of 60,000 competitors")
        rows = page.get_by_role("region", name="Start list").locator("tbody tr[data-bib]:not([hidden])")
        expect(rows.first).to_have_attribute("data-bib", "7")
        expect(rows.first.locator(".name")).not_to_have_text("Bib 7")
        expect(page.get_by_text(SHOWN)).to_be_visible()
    site.change(run, "cancel")


def test_results_of_a_large_race(page: Page, site: Site) -> None:
    """The finish list has the first 50,000 finishers and says so; the CSV has all competitors."""
    run = site.create_race(
        competitors=COMPETITORS, speed=1000, interval=400, fastest=144, slowest=150, entrants="drawn"
    )
    site.wait_for_status(run, "finished")
    page.goto(f"{site.dashboard}/results?run={run}")
    expect(page.get_by_text("The finish list has the first 50,000 finishers")).to_be_visible()
    expect(page.get_by_text("60,000 of 60,000 finished", exact=True)).to_be_visible()
    expect(page.locator(".results .caption")).to_contain_text("50,000 of 60,000 competitors")

    link = page.get_by_role("link", name="Download CSV of all competitors")
    address = link.evaluate("link => link.href")
    text = page.request.get(address).text().removeprefix("\ufeff")
    found = list(csv.DictReader(io.StringIO(text)))
    assert len(found) == COMPETITORS
    rows = page.locator(".results tbody tr[data-bib]:not([hidden])")
    for nth, right in enumerate(found[:10]):
        expect(rows.nth(nth)).to_have_attribute("data-bib", right["bib"])
        expect(rows.nth(nth).locator(".place")).to_have_text(right["place"])
        expect(rows.nth(nth).locator(".name")).to_have_text(right["name"])
    expect(page.get_by_text(re.compile(r"of 60,000 finishers"))).to_be_visible()

    expect(page.locator(".teams .caption")).to_contain_text("This race is too large for a table of teams.")
    expect(page.get_by_role("region", name="Teams")).to_have_count(0)
    page.get_by_role("combobox", name="Scorers of a team").select_option("12 scorers")
    link = page.get_by_role("link", name="Download teams as CSV")
    expect(link).to_have_attribute("href", re.compile("scorers=12"))
    text = page.request.get(link.evaluate("link => link.href")).text()
    assert text == page.request.get(f"{site.api}/races/{run}/teams.csv?scorers=12").text()
