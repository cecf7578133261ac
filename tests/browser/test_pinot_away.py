"""Pinot unavailable in mid race: the simulator goes on, the pages say so, and all recover completely."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from pinot.local.stack import Stack
from stream.waiting import wait_for
from tests.browser.pipeline_page import PipelinePage
from tests.browser.site import LiveMap, Site
from tests.processes import dashboard, simulator
from tests.stacks import without
from tests.topics import read_topic
from tests.torture.event_stores import query_pinot

COMPETITORS = 40
PIPELINE_BACK_WITHIN_S = 90.0
"""Pinot has its tables to load, and a race to catch up."""


@pytest.fixture(scope="module")
def site(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Simulator and dashboard on it."""
    folder = tmp_path_factory.mktemp("away")
    kafka = ("--kafka", stack.kafka, "--pinot-controller", stack.controller)
    with (
        simulator(folder, "--publisher", "kafka", *kafka) as api,
        dashboard(folder, api.address, "--store", "pinot", "--pinot-broker", stack.broker, *kafka) as pages,
    ):
        yield Site(pages.address, api.address)


def test_pinot_away_and_back(page: Page, stack: Stack, site: Site) -> None:
    """Live keeps its last data, both pages say that Pinot is unavailable, and recover by themselves."""
    run = site.create_race(competitors=COMPETITORS)
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    live.wait_for_payloads(2)
    pipeline = PipelinePage(page.context.new_page(), site.dashboard)
    pipeline.expect_light("Pinot", "green")
    said, faded = page.locator(".trouble", has_text="No new data since"), live.frame.locator("canvas.old")
    expect(said).to_be_hidden()

    with without(stack, "pinot"):
        expect(said).to_have_text(
            re.compile("^No new data since [0-9:]+. Pinot's broker at .* does not respond.")
        )
        expect(faded).not_to_have_count(0)
        live.wait_for("race => !race.isGliding()")  # competitors go on for some seconds without data
        last = live.distances()
        assert len(last) == COMPETITORS
        comes_late = page.context.new_page()
        comes_late.goto(page.url)
        unseen = comes_late.locator(".trouble", has_text="Nothing to show yet. Pinot's broker at")
        expect(unseen).to_be_visible()
        pipeline.expect_light("Pinot", "red", f"Pinot's controller at {stack.controller} does not answer")
        pipeline.expect_light("End to end", "red", "No position can be read")
        pipeline.expect_light("Kafka", "green")
        pipeline.expect_cell("tables", "parkrun", "Rows", "\N{EN DASH}")
        for one in (page, comes_late):
            expect(one.get_by_test_id("stException")).to_have_count(0)
            assert "Traceback" not in one.content()

        site.wait_for_race_time(run, site.race_time(run) + 25)
        assert httpx.get(f"{site.api}/readyz", trust_env=False).status_code == 200
        assert live.distances() == last

    expect(said).to_be_hidden()
    expect(faded).to_have_count(0)
    live.wait_for_payloads(2)
    now = live.distances()
    assert all(now[bib] > last[bib] for bib in last)
    LiveMap.on(comes_late)
    for part in ("Pinot", "End to end"):
        pipeline.expect_light(part, "green", within_s=PIPELINE_BACK_WITHIN_S)

    site.change(run, "cancel")
    wait_for("all of it in Pinot", lambda: _missing(stack, run), seconds=60, say=print)


def _missing(stack: Stack, run: str) -> str | None:
    """Positions of a race that the topic has and the table doesn't."""
    expected = {read.event["eventId"] for read in read_topic(stack.kafka, "parkrun", run)}
    sql = f"SELECT eventId FROM parkrun WHERE runId = '{run}' LIMIT 1000000 option(skipUpsert=true)"
    found = {row[0] for row in query_pinot(stack.queries, sql)}
    assert expected
    return (
        None
        if found == expected
        else f"{len(expected - found)} are missing, {len(found - expected)} are made up"
    )
