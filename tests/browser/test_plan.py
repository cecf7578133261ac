"""The planning page, as an organiser sees it who looks for a start without queues."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.site import LiveMap, Site, wait_until_drawn
from tests.browser.test_create import CUT_OFF

FIGURES = ".st-key-plan-figures"


def test_two_plans_are_compared_and_one_becomes_a_race(page: Page, site: Site) -> None:
    """Two plans are drawn side by side with what changes between them; one of them is taken to a new race.

    It replaces what the form for a new race had before.
    """
    page.goto(f"{site.dashboard}/new")
    _fill(page, "Competitors", "42")
    page.get_by_role("link", name="Plan").click()
    expect(page.get_by_role("button", name="Compute the plan")).to_be_visible()
    _fill(page, "Competitors", "3000")
    _fill(page, "Wave size, runners", "1000")
    _fill(page, "Start line width, metres", "4")
    page.get_by_role("button", name="Compute the plan").click()
    expect(_charts(page)).to_have_count(4)
    expect(page.get_by_label(re.compile("It is highest at the start"))).to_be_visible()
    expect(page.get_by_role("heading", name="The plan")).to_be_in_viewport()

    page.get_by_text("Compare two plans").click()
    expect(page.get_by_label("Wave size, runners", exact=True)).to_have_count(2)
    _fill(page, "Wave interval, seconds", "300", nth=1)
    expect(page.get_by_text("The fields have changed.")).to_be_visible()
    page.get_by_role("button", name="Compare the plans").click()
    expect(_charts(page)).to_have_count(8)
    changed = "Plan B has waves of 1,000 every 5 min instead of waves of 1,000 every 1 min."
    expect(page.get_by_text(changed)).to_be_visible()
    expect(page.get_by_text(re.compile("The median loss falls from .+ s to .+ s"))).to_be_visible()
    expect(page.get_by_text(re.compile("The last start is .+ later"))).to_be_visible()
    first, second = _places_of_tiles(page)
    assert second["left"] > first["right"]
    assert second["top"] == first["top"]

    page.get_by_role("button", name="Create this race").nth(1).click()
    page.wait_for_url(re.compile("/new"))
    expect(page.get_by_label("Competitors", exact=True)).to_have_value("3000")
    expect(page.get_by_text("6 of these set")).to_be_visible()
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_url(re.compile(r"\?run=[A-Za-z0-9_-]+$"))
    assert len(LiveMap.on(page).distances()) == 3000


def test_a_long_computation_shows_its_progress_and_can_be_left(page: Page, site: Site) -> None:
    """A bar shows how far a large plan is. A viewer who goes to another page finds it drawn at once."""
    page.goto(f"{site.dashboard}/plan")
    _fill(page, "Competitors", "100000")
    _fill(page, "Wave size, runners", "5000")
    _fill(page, "Wave interval, seconds", "300")
    page.get_by_role("button", name="Compute the plan").click()
    bar = page.get_by_role("progressbar")
    expect(bar).to_be_visible()
    expect(page.get_by_text(re.compile(r"Computing plan A: \d+%"))).to_be_visible()
    page.get_by_role("link", name="Results").click()
    page.wait_for_url(re.compile("/results"))
    page.get_by_role("link", name="Plan").click()
    expect(page.get_by_role("button", name="Compute the plan")).to_be_visible()
    expect(page.get_by_label("Competitors", exact=True)).to_have_value("100000")
    expect(_charts(page)).to_have_count(0)


def test_mistakes_at_their_fields(page: Page, site: Site) -> None:
    """The API's errors are shown at the fields."""
    page.goto(f"{site.dashboard}/plan")
    _fill(page, "Start line width, metres", "0.1")
    page.get_by_role("button", name="Compute the plan").click()
    said = page.get_by_role("alert")
    expect(said.filter(has_text="must be at least 0.5")).to_be_visible()
    expect(said.filter(has_text="The plan was not computed")).to_be_visible()


def test_narrow_screen(page: Page, site: Site) -> None:
    """On phone and tablet both plans fit, on the phone below each other; the button is always in view."""
    page.goto(f"{site.dashboard}/plan")
    page.get_by_text("Compare two plans").click()
    expect(page.get_by_label("Wave size, runners", exact=True)).to_have_count(2)
    _fill(page, "Wave size, runners", "1000", nth=1)
    button = page.get_by_role("button", name="Compare the plans")
    button.click()
    expect(_charts(page)).to_have_count(8)
    for width, height in ((390, 844), (820, 1180)):
        page.set_viewport_size({"width": width, "height": height})
        wait_until_drawn(page)
        expect(button).to_be_in_viewport(ratio=1)
        button.click(trial=True)  # nothing covers it
        main = page.get_by_test_id("stMain")
        assert main.evaluate("main => main.scrollWidth") <= width
        assert main.evaluate(CUT_OFF) == []
        first, second = _places_of_tiles(page)
        assert (second["top"] > first["bottom"]) == (width == 390)


def _fill(page: Page, label: str, value: str, nth: int = 0) -> None:
    """Type into a field of the first plan, or of the second."""
    wait_until_drawn(page)
    field = page.get_by_label(label, exact=True).nth(nth)
    field.fill(value)
    field.press("Tab")
    expect(field).to_have_value(value)


def _charts(page: Page) -> Locator:
    # Streamlit draws charts with many marks on a canvas.
    return page.locator(f"{FIGURES} :is(svg, canvas).marks")


def _places_of_tiles(page: Page) -> list[dict[str, float]]:
    """Where the tiles of each plan are at one moment: the page may be scrolling."""
    rectangles = "all => all.map((one) => one.getBoundingClientRect().toJSON())"
    places: list[dict[str, float]] = page.locator(f"{FIGURES} .tiles").evaluate_all(rectangles)
    return places
