"""The page that makes a race, as someone who fills in its form sees it."""

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.browser.site import LiveMap, Site
from tests.processes import dashboard


def test_form_makes_a_race(page: Page, site: Site) -> None:
    """The form makes a race and leads to its live page, where competitors move."""
    page.goto(f"{site.dashboard}/new")
    _fill(page, "Name", "Made by the form")
    _fill(page, "Competitors", "37")
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_url(re.compile(r"\?run=[A-Za-z0-9_-]+$"))
    expect(page.get_by_role("heading", name="Made by the form")).to_be_visible()
    live = LiveMap.on(page)
    before = live.distances()
    live.wait_for_payloads(2)
    assert len(before) == 37
    assert sum(live.distances().values()) > sum(before.values())


def test_preset_and_what_it_means(page: Page, site: Site) -> None:
    """A preset fills in the form and chooses its course; finish times and map follow."""
    page.goto(f"{site.dashboard}/new")
    page.get_by_role("button", name="Stress test of 10,000").click()
    expect(page.get_by_label("Competitors", exact=True)).to_have_value("10000")
    expect(page.get_by_role("combobox")).to_have_value(re.compile("Hilly half marathon"))
    expect(page.get_by_text("21.10 km", exact=True)).to_be_visible()
    _fill(page, "Fastest pace", "4:00")
    expect(page.get_by_text("Finish in 1:24:23")).to_be_visible()
    fences = _map(page).locator(".fence-label")
    expect(fences).to_have_count(3)
    expect(fences.filter(has_text="Drinks station")).to_be_visible()
    for word in ("Start", "Finish"):
        expect(_map(page).get_by_text(word, exact=True)).to_be_visible()


def test_mistakes_at_their_fields(page: Page, site: Site) -> None:
    """The API's errors are shown at the fields, and the form keeps what was typed."""
    page.goto(f"{site.dashboard}/new")
    _fill(page, "Fastest pace", "7:00")
    _fill(page, "Slowest pace", "5:00")
    _fill(page, "Seed", "a lot")
    page.get_by_role("button", name="Start the race").click()
    said = page.get_by_role("alert")
    expect(said.filter(has_text="at least the fastest pace, 420 seconds per kilometre (7:00")).to_be_visible()
    expect(said.filter(has_text="must be a whole number")).to_be_visible()
    expect(page.get_by_label("Slowest pace, min:sec per km")).to_have_value("5:00")
    expect(page).to_have_url(f"{site.dashboard}/new")


def test_more_like_a_real_race(page: Page, site: Site) -> None:
    """The options are collapsed; an error among them expands them, and corrected they make such a race."""
    page.goto(f"{site.dashboard}/new")
    page.get_by_role("button", name="Real parkrun").click()
    expect(page.get_by_text("6 of these set")).to_be_visible()
    disqualified = page.get_by_label("Disqualified (DSQ), per cent", exact=True)
    expect(disqualified).not_to_be_visible()
    page.get_by_text("Realism options").click()
    for label, value in (("Don't start", "60"), ("Disqualified", "50")):
        _fill(page, label, value)
    page.get_by_text("Realism options").click()
    expect(disqualified).not_to_be_visible()
    page.get_by_role("button", name="Start the race").click()
    expect(page.get_by_role("alert").filter(has_text="must add up to at most 1")).to_be_visible()
    expect(disqualified).to_be_visible()
    _fill(page, "Don't start", "20")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(disqualified).to_be_visible()
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_url(re.compile(r"\?run=[A-Za-z0-9_-]+$"))
    live = LiveMap.on(page)
    expect(live.frame.locator(".race-legend")).to_contain_text("DNS")
    page.get_by_role("searchbox", name="Find a bib, a name or a club").fill("runner")
    expect(page.get_by_text("No matches.").or_(page.get_by_text(" of 250"))).to_be_visible()


def test_start_list(page: Page, site: Site) -> None:
    """Competitors of an uploaded start list run, with bib, name and club as written."""
    club = "Åre ${alert(1)} <img src=x onerror=alert(1)>"
    page.goto(f"{site.dashboard}/new")
    page.get_by_text("Realism options").click()
    picked: Any = {
        "name": "list.csv",
        "mimeType": "text/csv",
        "buffer": f"bib,name,club\n999999,<b>Ann</b>,{club}\n7,Bo,\n".encode(),
    }
    _dropzone(page, "Start list").set_input_files(picked)
    expect(page.get_by_text("As many as the start list has")).to_be_visible()
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_url(re.compile(r"\?run=[A-Za-z0-9_-]+$"))
    live = LiveMap.on(page)
    assert live.distances().keys() == {7, 999_999}
    page.get_by_role("searchbox", name="Find a bib, a name or a club").fill("åre $")
    rows = page.locator(".part.leaderboard tbody tr[data-bib]:not([hidden])")
    expect(rows).to_have_count(1)
    expect(rows.locator("td.bib")).to_have_text("999999")
    rows.get_by_role("button", name="<b>Ann</b>").click()
    expect(live.frame.locator(".competitor-card")).to_contain_text(f"Club{club}")


def test_pace_that_is_none(page: Page, site: Site) -> None:
    """An invalid pace is reported before anything is sent."""
    page.goto(f"{site.dashboard}/new")
    _fill(page, "Fastest pace", "fast")
    page.get_by_role("button", name="Start the race").click()
    expect(page.get_by_role("alert").filter(has_text="such as 4:30")).to_be_visible()


def test_scheduled_race(page: Page, site: Site) -> None:
    """A race can be scheduled; its page says when it starts."""
    page.goto(f"{site.dashboard}/new")
    _fill(page, "Name", "Tomorrow, perhaps")
    page.get_by_text("Later", exact=True).click()
    expect(page.get_by_text("In the time zone")).to_be_visible()
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_url(re.compile(r"\?run=[A-Za-z0-9_-]+$"))
    expect(page.get_by_text(re.compile("^Starts [0-9-]+ [0-9:]+"))).to_be_visible()
    assert site.status(page.url.partition("run=")[2]) == "scheduled"


HOSTILE_COURSE = """<kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<name>${alert(1)} **My** &lt;b onclick="alert(1)"&gt;loop</name>
<Placemark><name>Line</name><LineString>
<coordinates>0,51 0.01,51 0.01,51.01</coordinates>
</LineString></Placemark>
<Placemark><name>Start</name><Point><coordinates>0,51</coordinates></Point></Placemark>
<Placemark><name>`${alert(2)}` &lt;img src=x onerror=alert(2)&gt;</name><Polygon><outerBoundaryIs><LinearRing>
<coordinates>0.009,51.002 0.011,51.002 0.011,51.006 0.009,51.006</coordinates>
</LinearRing></outerBoundaryIs></Polygon></Placemark></Document></kml>"""


def test_course_of_ones_own(page: Page, site: Site) -> None:
    """An uploaded course is chosen, shown with its names as typed and its warnings, and raced on."""
    page.goto(f"{site.dashboard}/new")
    _hand_in(page, "own.kml", HOSTILE_COURSE.encode(), "own-loop")
    chooser = page.get_by_role("combobox")
    expect(chooser).to_have_value(re.compile(re.escape('${alert(1)} **My** <b onclick="alert(1)">loop · ')))
    expect(_map(page).locator(".fence-label")).to_have_text("`${alert(2)}` <img src=x onerror=alert(2)>")
    expect(page.get_by_text("isn't closed")).to_be_visible()
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_url(re.compile(r"\?run=own-loop-[A-Za-z0-9_-]+$"))
    live = LiveMap.on(page)
    assert live.frame.locator(".fence-label").inner_text() == "`${alert(2)}` <img src=x onerror=alert(2)>"


def test_file_that_is_no_course(page: Page, site: Site) -> None:
    """Errors of a file are shown at its field, in the API's words."""
    page.goto(f"{site.dashboard}/new")
    _hand_in(page, "notes.gpx", b"<gpx><wpt lat='1' lon='2'/></gpx>")
    expect(page.get_by_role("alert")).to_contain_text("no line")


def test_short_name_that_is_taken(page: Page, site: Site) -> None:
    """A short name that another course has is refused in the API's words, and the file is still there."""
    page.goto(f"{site.dashboard}/new")
    _hand_in(page, "own.kml", HOSTILE_COURSE.encode(), "crystal-palace")
    expect(page.get_by_role("alert")).to_contain_text("choose another name")
    expect(page.get_by_text("own.kml")).to_be_visible()
    expect(page.get_by_role("button", name="Start the race")).to_be_visible()


def test_narrow_screen(page: Page, site: Site) -> None:
    """On a phone nothing of the form is wider than the screen."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.dashboard}/new")
    expect(page.get_by_role("button", name="Start the race")).to_be_visible()
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth") <= 390


def test_api_away(page: Page, tmp_path: Path) -> None:
    """Without the API the page says so, and how to start it."""
    with dashboard(tmp_path, "http://127.0.0.1:9", "--sqlite", str(tmp_path / "none.db")) as pages:
        page.goto(f"{pages.address}/new")
        said = page.get_by_role("alert")
        expect(said).to_contain_text("http://127.0.0.1:9 does not respond")
        expect(said).to_contain_text("python -m simulator serve")


def test_no_race_yet(page: Page, site: Site, tmp_path: Path) -> None:
    """Where there is no race, the page leads to the form."""
    with dashboard(tmp_path, site.api, "--sqlite", str(tmp_path / "none.db")) as pages:
        page.goto(pages.address)
        expect(page.get_by_role("heading", name="No race yet")).to_be_visible()
        page.get_by_role("link", name="Create a race").click()
        expect(page.get_by_role("heading", name="New race")).to_be_visible()


def _map(page: Page) -> FrameLocator:
    # While a new course's map is made the old one is still there, and no longer than that.
    frame = "iframe[src*=streamlit_folium]"
    expect(page.locator(frame)).to_have_count(1)
    return page.frame_locator(frame)


def _hand_in(page: Page, file: str, content: bytes, short_name: str = "") -> None:
    page.get_by_text("Upload a course").click()
    picked: Any = {"name": file, "mimeType": "text/xml", "buffer": content}
    _dropzone(page, "Course file").set_input_files(picked)
    _fill(page, "Short name", short_name)
    page.get_by_role("button", name="Upload", exact=True).click()


def _dropzone(page: Page, label: str) -> Locator:
    return page.get_by_label(label, exact=True).get_by_test_id("stFileUploaderDropzoneInput")


def _fill(page: Page, label: str, value: str) -> None:
    field = page.locator(f'input[aria-label^="{label}"]')
    field.fill(value)
    field.press("Tab")
