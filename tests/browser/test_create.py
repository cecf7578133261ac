"""The page that makes a race, as someone who fills in its form sees it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.site import LiveMap
from tests.processes import dashboard

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.browser.site import Site

HOSTILE = [
    "${alert(1)}",
    "</script><script>alert(1)</script>",
    "`${alert(1)}` `x`",
    "<img src=x onerror=alert(1)>",
    "![x](http://picture.example/x.png) [link](javascript:alert(1))",
    "{{ 7 * 7 }} {% raw %} $x^2$ :smile: :red[no] &lt; **bold**",
    "'\"><svg/onload=alert(1)>",
]


def test_form_makes_a_race(page: Page, site: Site) -> None:
    """The form makes a race and leads to its live page, where competitors move."""
    page.goto(f"{site.dashboard}/new")
    page.get_by_label("Name").fill("Made by the form")
    _fill(page, "Competitors", "37")
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_url(re.compile(r"\?run=[A-Za-z0-9_-]+$"))
    expect(page.get_by_role("heading", name="Made by the form")).to_be_visible()
    live = LiveMap.on(page)
    before = live.distances()
    live.wait_for_pictures(2)
    assert len(before) == 37
    assert sum(live.distances().values()) > sum(before.values())


def test_refusal_in_words(page: Page, site: Site) -> None:
    """What the API refuses is said in its words, and the form keeps what was typed."""
    page.goto(f"{site.dashboard}/new")
    _fill(page, "Fastest pace", "400")
    _fill(page, "Slowest pace", "300")
    page.get_by_role("button", name="Start the race").click()
    said = page.get_by_test_id("stForm").get_by_role("alert")
    expect(said).to_contain_text("must be at least the fastest pace")
    expect(page.get_by_label("Slowest pace")).to_have_value("300")
    expect(page).to_have_url(f"{site.dashboard}/new")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_name(page: Page, site: Site, name: str) -> None:
    """A name made to do harm does none and is shown as typed (the page fixture fails on any harm)."""
    run = site.create_race(name=name, competitors=3)
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    live.wait_for_pictures(1)
    assert page.get_by_role("heading", level=1).inner_text() == name
    expect(page.get_by_role("combobox").first).to_have_value(re.compile(re.escape(name)))


def test_api_away(page: Page, tmp_path: Path) -> None:
    """Without the API the page says so, and how to start it."""
    with dashboard(tmp_path, "http://127.0.0.1:9", "--sqlite", str(tmp_path / "none.db")) as pages:
        page.goto(f"{pages.address}/new")
        said = page.get_by_role("alert")
        expect(said).to_contain_text("http://127.0.0.1:9 does not answer")
        expect(said).to_contain_text("python -m simulator serve")


def test_no_race_yet(page: Page, site: Site, tmp_path: Path) -> None:
    """Where there is no race, the page leads to the form."""
    with dashboard(tmp_path, site.api, "--sqlite", str(tmp_path / "none.db")) as pages:
        page.goto(pages.address)
        expect(page.get_by_role("heading", name="No race yet")).to_be_visible()
        page.get_by_role("link", name="Create the first one").click()
        expect(page.get_by_role("heading", name="New race")).to_be_visible()


def _fill(page: Page, label: str, value: str) -> None:
    field = page.get_by_label(label)
    field.fill(value)
    field.press("Tab")
