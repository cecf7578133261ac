"""The live page on the real Kafka and Pinot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.site import LiveMap, Site
from tests.processes import dashboard, simulator

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from pinot.local.stack import Stack


def test_competitors_move(page: Page, stack: Stack, tmp_path: Path) -> None:
    """Competitors of a race that goes through Kafka and Pinot move on the page."""
    with (
        simulator(tmp_path, "--publisher", "kafka", "--kafka", stack.kafka) as api,
        dashboard(tmp_path, api.address, "--store", "pinot", "--pinot-broker", stack.broker) as pages,
    ):
        site = Site(pages.address, api.address)
        page.goto(f"{site.dashboard}/?run={site.create_race()}")
        live = LiveMap.on(page)
        seen = live.metres_covered(pictures=3)
        assert seen[0] < seen[1] < seen[2]
