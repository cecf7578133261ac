"""The pipeline page on the embedded store, wide and narrow, dark and light."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.pipeline_page import PipelinePage
from tests.browser.site import Site
from tests.processes import dashboard


def test_race_in_the_file(page: Page, site: Site) -> None:
    """Without a race there is nothing to measure; with one all is green. Kafka and Pinot aren't there."""
    shown = PipelinePage(page, site.dashboard)
    shown.expect_light("End to end", "grey", "No race is under way, so there is nothing to measure.")
    run = site.create_race()
    for part in ("Simulator", "Embedded store", "End to end"):
        shown.expect_light(part, "green")
    shown.expect_figure("Simulator", "races", "1")
    shown.expect_charts(1)
    for column in ("p50", "p95", "p99", "Measured"):
        shown.expect_cell("freshness", "1 min", column, re.compile(r"\d s$"))
    for part in ("Kafka", "Pinot"):
        assert shown.part(part).count() == 0
    site.change(run, "cancel")
    shown.expect_light("End to end", "grey")


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_nothing_moves_at_a_refresh(page: Page, site: Site, width: int, scheme: str) -> None:
    """Everything stays where it is while figures change, and fits into a phone's width as into a screen's."""
    page.set_viewport_size({"width": width, "height": 1400})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    run = site.create_race()
    shown = PipelinePage(page, site.dashboard)
    shown.expect_light("End to end", "green")
    shown.expect_charts(1)
    before = shown.places()
    shown.wait_for_look()
    assert shown.places() == before
    assert shown.width() == width
    assert all(left >= 0 and left + wide <= width for left, _, wide, _ in before)
    site.change(run, "cancel")


@pytest.mark.parametrize("width", [390, 1280])
def test_room_for_long_sentences(page: Page, tmp_path: Path, width: int) -> None:
    """The simulator's card has room for its sentence when it is unavailable."""
    page.set_viewport_size({"width": width, "height": 1400})
    with dashboard(tmp_path, "http://127.0.0.1:59999", "--sqlite", str(tmp_path / "none.db")) as pages:
        shown = PipelinePage(page, pages.address)
        shown.expect_light("Simulator", "red", "Start it (python -m simulator serve)")
        needed, room = (
            shown.part("Simulator")
            .locator("p")
            .evaluate("p => [p.offsetHeight, Math.ceil(parseFloat(getComputedStyle(p).minHeight))]")
        )
        assert needed <= room


def test_neither_simulator_nor_file(page: Page, tmp_path: Path) -> None:
    """Without any component the page has a remedy for each."""
    with dashboard(tmp_path, "http://127.0.0.1:9", "--sqlite", str(tmp_path / "none.db")) as pages:
        shown = PipelinePage(page, pages.address)
        shown.expect_light("Simulator", "red", "Start it (python -m simulator serve)")
        shown.expect_light("Embedded store", "red", "There is no race file")
        shown.expect_light("End to end", "red", "No position can be read")
