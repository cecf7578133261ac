"""The way of a user on the real Kafka and Pinot: make a race, watch it finish, look at its results."""

import csv
import re
import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from pinot.local.stack import Stack
from tests.browser.site import LiveMap, Site, fill, wait_until_drawn
from tests.processes import dashboard, simulator

COMPETITORS = 25


@pytest.fixture(scope="module")
def pinot_site(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Simulator and dashboard with Kafka and Pinot between them."""
    folder = tmp_path_factory.mktemp("pinot")
    with (
        simulator(
            folder,
            *("--publisher", "kafka", "--kafka", stack.kafka),
            *("--pinot-controller", stack.controller),
        ) as api,
        dashboard(folder, api.address, "--store", "pinot", "--pinot-broker", stack.broker) as pages,
    ):
        yield Site(pages.address, api.address)


def test_from_form_to_replay(page: Page, pinot_site: Site) -> None:
    """A race created by the form moves live, also embedded, finishes as the API says, and can be replayed."""
    page.goto(f"{pinot_site.dashboard}/new")
    page.get_by_role("radio", name="Saturday 5 km").click()
    expect(page.locator("input[aria-label='Competitors']")).to_have_value("300")
    for label, value in (
        ("Race name", "Through Pinot"),
        ("Competitors", str(COMPETITORS)),
        ("Slowest pace", "5:00"),
        ("Speed", "60"),
    ):
        fill(page, label, value)
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_url(re.compile(r"\?run=[A-Za-z0-9_-]+$"))
    run = page.url.partition("run=")[2]
    live = LiveMap.on(page)
    live.ask("() => { window.map.setView([51.42, -0.07], 16, { animate: false }); }")
    seen = live.metres_covered(payloads=3)
    assert seen[0] < seen[1] < seen[2]
    assert live.ask("() => window.map.getZoom()") == 16
    page.goto(f"{pinot_site.dashboard}/?run={run}&view=embed")
    expect(page.get_by_label("Leaders").get_by_role("listitem")).to_have_count(COMPETITORS)
    seen = LiveMap.on(page).metres_covered(payloads=2)
    assert seen[0] < seen[1]
    page.goto(f"{pinot_site.dashboard}/?run={run}")
    expect(page.get_by_role("combobox").first).to_have_value(re.compile("Through Pinot · Crystal Palace · "))
    expect(page.locator("[data-figure=finished] .value")).to_have_text(str(COMPETITORS))
    order = [one["competitorId"] for one in sorted(pinot_site.positions(run), key=lambda one: one["elapsed"])]
    bibs = page.locator("tr[data-bib]:not([hidden]) td.bib")
    assert [int(text) for text in bibs.all_inner_texts()[:8]] == order[:8]
    results = page.get_by_test_id("stMain").get_by_role("link", name="Results")
    # While the page redraws for a finished race, the previous row is still there.
    expect(results).to_have_count(1)
    results.click()
    expect(page.get_by_text(f"{COMPETITORS} of {COMPETITORS} finished", exact=True)).to_be_visible()
    # The page is drawn once more when the last times are there, which would interrupt a download.
    for notice in ("Provisional results", "The race is over."):
        expect(page.get_by_text(notice)).to_have_count(0)
    wait_until_drawn(page)
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download CSV").click()
    rows = list(csv.DictReader(downloading.value.path().read_text("utf-8-sig").splitlines()))
    assert [int(row["bib"]) for row in rows] == order
    replay = LiveMap.on(page)
    replay.frame.get_by_role("slider", name="Race time").fill("600")
    replay.wait_for("race => race.positions().every((one) => one.distance > 500)")
    expected = {
        one["competitorId"]: one["distance"] for one in pinot_site.positions_at(run, 600, COMPETITORS)
    }
    assert replay.distances() == pytest.approx(expected, abs=0.1)


def test_course_of_its_own(page: Page, pinot_site: Site) -> None:
    """A race on its own course is shown with its line: Pinot has it as soon as the race is created."""
    north = 51.0 + secrets.randbelow(1000) / 100_000  # a line that no previous run has sent to Pinot
    points = [[0.0, 51.0], [0.02, 51.0], [0.02, north + 0.01]]
    run = pinot_site.create_race(course="own-way", points=points, speed=5, competitors=5)
    page.goto(f"{pinot_site.dashboard}/?run={run}")
    expect(page.get_by_text("length unknown")).to_be_hidden()
    expect(page.get_by_text(re.compile(r"^[2-4]\.[0-9]{2} km$")).first).to_be_visible()
    LiveMap.on(page).wait_for("race => race.options.line.length > 2")
