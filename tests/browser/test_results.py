"""The results page, from the perspective of a viewer after the race."""

import csv
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import LiveMap, Site

COMPETITORS = 40
FAST = "60\N{MULTIPLICATION SIGN}"


@pytest.fixture(scope="module")
def run(site: Site) -> str:
    """A race that is over."""
    run_id = site.create_race(
        name="Over and done", competitors=COMPETITORS, speed=1000, interval=10, how_many_get_stopped=0.5
    )
    site.wait_for_status(run_id, "finished")
    return run_id


def test_csv(page: Page, site: Site, run: str) -> None:
    """The CSV has all competitors in the API's order, with the API's exact times."""
    page.goto(f"{site.dashboard}/results?run={run}")
    expect(page.get_by_text(f"{COMPETITORS} of {COMPETITORS} finished")).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download CSV").click()
    download = downloading.value
    assert download.suggested_filename == f"{run}.csv"
    rows = list(csv.DictReader(download.path().read_text().splitlines()))
    finishers = sorted(site.positions(run), key=lambda one: one["elapsed"])
    assert [(int(row["bib"]), float(row["gun_time"])) for row in rows] == [
        (one["competitorId"], one["elapsed"]) for one in finishers
    ]
    assert [int(row["place"]) for row in rows] == list(range(1, COMPETITORS + 1))


def test_finish_list_and_charts(page: Page, site: Site, run: str) -> None:
    """List, charts and geofence stays are drawn, and nothing of the page is an error."""
    page.goto(f"{site.dashboard}/results?run={run}")
    expect(page.get_by_test_id("stDataFrame")).to_have_count(3)
    expect(page.get_by_test_id("stVegaLiteChart").locator("canvas, svg")).to_have_count(2)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("Winner").first).to_be_visible()


def test_replay(page: Page, site: Site, run: str) -> None:
    """A race can be replayed: all competitors are where they were, at any moment and at each speed."""
    page.goto(f"{site.dashboard}/results?run={run}")
    replay = LiveMap.on(page)
    bar = replay.frame.get_by_role("group", name="Replay")
    assert set(replay.distances().values()) == {0.0}
    bar.get_by_role("slider", name="Race time").fill("600")
    replay.wait_for("race => race.positions().every((one) => one.distance > 500)")
    expected = {one["competitorId"]: one for one in site.positions_at(run, 600, COMPETITORS)}
    assert replay.distances() == pytest.approx(
        {bib: one["distance"] for bib, one in expected.items()}, abs=0.1
    )
    bar.get_by_role("button", name=FAST).click()
    expect(bar.get_by_role("button", name=FAST)).to_have_attribute("aria-pressed", "true")
    bar.get_by_role("button", name="Play").click()
    replay.wait_for("race => race.source().state().time > 700")
    bar.get_by_role("button", name="Pause").click()
    stands = replay.ask("race => race.source().state()")
    assert stands["playing"] is False
    assert 700 < stands["time"] < stands["end"]


def test_replay_comes_to_its_end(page: Page, site: Site, run: str) -> None:
    """At the end of a replay all have finished, and it can be played again from the start."""
    page.goto(f"{site.dashboard}/results?run={run}")
    replay = LiveMap.on(page)
    bar = replay.frame.get_by_role("group", name="Replay")
    end = replay.ask("race => race.source().state().end")
    bar.get_by_role("button", name=FAST).click()
    bar.get_by_role("slider", name="Race time").fill(str(int(end) - 20))
    bar.get_by_role("button", name="Play").click()
    replay.wait_for("race => !race.source().state().playing && race.source().state().time > 0")
    replay.wait_for("race => race.positions().every((one) => one.status === 'finished')")
    assert len(replay.distances()) == COMPETITORS
    bar.get_by_role("button", name="Play").click()
    replay.wait_for(f"race => race.source().state().time < {end / 2}")


def test_replay_waits_for_what_is_missing(page: Page, site: Site, run: str) -> None:
    """While the past cannot be read the replay pauses and says so, and resumes by itself."""
    page.goto(f"{site.dashboard}/results?run={run}")
    replay = LiveMap.on(page)
    page.route("**/positions?at=*", lambda route: route.abort())
    bar = replay.frame.get_by_role("group", name="Replay")
    bar.get_by_role("slider", name="Race time").fill("500")
    expect(bar.get_by_role("status")).to_have_text(re.compile("cannot be loaded at the moment"))
    page.unroute("**/positions?at=*")
    expect(bar.get_by_role("status")).to_be_hidden()
    replay.wait_for("race => race.positions().some((one) => one.distance > 500)")


def test_from_live_to_results_and_back(page: Page, site: Site, run: str) -> None:
    """Each of the two pages leads to the other, about the same race."""
    page.goto(f"{site.dashboard}/?run={run}")
    LiveMap.on(page)
    page.get_by_test_id("stMain").get_by_role("link", name="Results").click()
    page.wait_for_url(re.compile(rf"/results\?run={run}"))
    expect(page.get_by_role("heading", name="Over and done")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("link", name="Live").click()
    page.wait_for_url(re.compile(rf"\?run={run}"))
    LiveMap.on(page)


def test_narrow_screen(page: Page, site: Site, run: str) -> None:
    """On a phone nothing of the results is wider than the screen."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.dashboard}/results?run={run}")
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth") <= 390
