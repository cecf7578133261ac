"""The page that makes a race, as someone who fills in its form sees it."""

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.browser.site import Answers, LiveMap, Site, choose, fill, wait_until_drawn
from tests.processes import dashboard


def test_form_makes_a_race(page: Page, site: Site) -> None:
    """The form makes a race and leads to its live page, where competitors move."""
    page.goto(f"{site.dashboard}/new")
    fill(page, "Race name", "Made by the form")
    fill(page, "Competitors", "37")
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_url(re.compile(r"\?run=[A-Za-z0-9_-]+$"))
    expect(page.get_by_role("heading", name="Made by the form")).to_be_visible()
    live = LiveMap.on(page)
    before = live.distances()
    live.wait_for_payloads(2)
    assert len(before) == 37
    assert sum(live.distances().values()) > sum(before.values())


def test_preset_and_what_it_means(page: Page, site: Site) -> None:
    """A preset fills in the form, chooses its course and is marked until a field changes; the map follows."""
    page.goto(f"{site.dashboard}/new")
    preset = page.get_by_role("radio", name="Stress test of 10,000")
    preset.click()
    expect(preset).to_be_checked()
    expect(page.get_by_label("Competitors", exact=True)).to_have_value("10000")
    expect(page.get_by_role("combobox")).to_have_value(re.compile("Hilly half marathon"))
    expect(page.get_by_text("21.10 km", exact=True)).to_be_visible()
    fill(page, "Fastest pace", "4:00")
    expect(page.get_by_text("Finish in 1:24:23")).to_be_visible()
    expect(preset).not_to_be_checked()
    expect(
        page.get_by_text("Hilly half marathon, 10,000 runners, starts now at 10\N{MULTIPLICATION SIGN} speed")
    ).to_be_visible()
    fences = _map(page).locator(".fence-label")
    expect(fences).to_have_count(3)
    expect(fences.filter(has_text="Drinks station")).to_be_visible()
    for word in ("Start", "Finish"):
        expect(_map(page).get_by_text(word, exact=True)).to_be_visible()
    expect(_map(page).get_by_role("img", name="Elevation profile of 21.10 km")).to_be_visible()


def test_mistakes_at_their_fields(page: Page, site: Site) -> None:
    """The API's errors are shown at the fields, and the form keeps what was typed."""
    page.goto(f"{site.dashboard}/new")
    fill(page, "Fastest pace", "7:00")
    fill(page, "Slowest pace", "5:00")
    fill(page, "Seed", "a lot")
    page.get_by_role("button", name="Start the race").click()
    said = page.get_by_role("alert")
    expect(said.filter(has_text="at least the fastest pace, 420 seconds per kilometre (7:00")).to_be_visible()
    expect(said.filter(has_text="must be a whole number")).to_be_visible()
    expect(page.get_by_label("Slowest pace, min:sec per km", exact=True)).to_have_value("5:00")
    expect(page).to_have_url(f"{site.dashboard}/new")


def test_more_like_a_real_race(page: Page, site: Site) -> None:
    """The options are collapsed; an error among them expands them, and corrected they make such a race."""
    page.goto(f"{site.dashboard}/new")
    page.get_by_role("radio", name="Real parkrun").click()
    expect(page.get_by_text("6 of these set")).to_be_visible()
    disqualified = page.get_by_label("Disqualified (DSQ), per cent", exact=True)
    expect(disqualified).not_to_be_visible()
    page.get_by_text("Realism options").click()
    for label, value in (("Don't start", "60"), ("Disqualified", "50")):
        fill(page, label, value)
    page.get_by_text("Realism options").click()
    expect(disqualified).not_to_be_visible()
    page.get_by_role("button", name="Start the race").click()
    expect(page.get_by_role("alert").filter(has_text="must add up to at most 1")).to_be_visible()
    expect(disqualified).to_be_visible()
    fill(page, "Don't start", "20")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(disqualified).to_be_visible()
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_url(re.compile(r"\?run=[A-Za-z0-9_-]+$"))
    live = LiveMap.on(page)
    expect(live.frame.locator(".race-legend-colours")).to_contain_text("DNS")
    page.get_by_role("searchbox", name="Find a bib, a name or a club").fill("runner")
    expect(page.get_by_text("No matches.").or_(page.get_by_text(" of 250"))).to_be_visible()


def test_typing_faster_than_the_page_is_drawn(page: Page, site: Site) -> None:
    """What is typed while the page still shows the mark of a preset does not bring the preset back."""
    answers = Answers(page)
    page.goto(f"{site.dashboard}/new")
    page.get_by_role("radio", name="Real parkrun").click()
    expect(page.get_by_text("6 of these set")).to_be_visible()
    page.get_by_text("Realism options").click()
    wait_until_drawn(page)
    answers.hold()
    for label, value in (("Don't start", "60"), ("Disqualified", "50")):
        field = page.locator(f'input[aria-label^="{label}"]')
        field.fill(value)
        field.press("Tab")
    page.wait_for_timeout(1000)
    answers.pass_on()
    wait_until_drawn(page)
    for label, value in (("Don't start", "60"), ("Disqualified", "50")):
        expect(page.locator(f'input[aria-label^="{label}"]')).to_have_value(value)


def test_start_list(page: Page, site: Site) -> None:
    """A start list is shown before the race, its columns can be chosen, and those in it run as written."""
    club = "Åre ${alert(1)} <img src=x onerror=alert(1)>"
    page.goto(f"{site.dashboard}/new")
    _choose_file(page, "Start list", "list.csv", f"No,who,group\n999999,<b>Ann</b>,{club}\n7,Bo,\n".encode())
    rows = page.get_by_role("region", name="First rows of the start list")
    expect(rows.get_by_role("cell", name="<b>Ann</b>", exact=True)).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text('"group" could be')
    for field, column in (("Club", "3: group"), ("Wave", "None"), ("Name", "2: who")):
        choose(page.get_by_role("combobox", name=field, exact=True), column)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_text("As many as the start list has: 2")).to_be_visible()
    expect(rows.get_by_role("columnheader", name=re.compile("group.*Club"))).to_be_visible()
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


def test_another_page_and_back(page: Page, site: Site) -> None:
    """What was chosen and typed is still there after a visit to another page."""
    page.goto(f"{site.dashboard}/new")
    choose(page.get_by_role("combobox", name="Course"), "Hilly half marathon")
    _choose_file(page, "Start list", "list.csv", b"bib,name\n7,Bo\n")
    expect(page.get_by_text("Hilly half marathon, 1 runner, starts now")).to_be_visible()
    fill(page, "Race name", "Typed before")
    fill(page, "Slowest pace", "9:59")
    page.get_by_text("Later", exact=True).click()
    day = page.get_by_label("Day", exact=True)
    expect(day).to_be_visible()
    page.get_by_role("link", name="Pipeline").first.click()
    expect(page.get_by_role("heading", name="Pipeline", level=1)).to_be_visible()
    page.get_by_role("link", name="New race").first.click()
    expect(page.get_by_role("combobox", name="Course")).to_have_value(re.compile("Hilly half marathon"))
    expect(page.get_by_label("Race name", exact=True)).to_have_value("Typed before")
    expect(page.get_by_label("Slowest pace, min:sec per km", exact=True)).to_have_value("9:59")
    expect(page.get_by_text("list.csv", exact=True)).to_be_visible()
    expect(day).to_be_visible()
    expect(
        page.get_by_text(re.compile("Hilly half marathon, 1 runner, starts .* at 10\N{MULTIPLICATION SIGN}"))
    ).to_be_visible()


def test_scheduled_race(page: Page, site: Site) -> None:
    """A race can be scheduled; its page says when it starts."""
    page.goto(f"{site.dashboard}/new")
    fill(page, "Race name", "Tomorrow, perhaps")
    page.get_by_text("Later", exact=True).click()
    expect(page.get_by_text("In the time zone")).to_be_visible()
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_url(re.compile(r"\?run=[A-Za-z0-9_-]+$"))
    expect(page.get_by_role("timer", name="Starts in")).to_be_visible()
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
    """A file is the course as soon as it is chosen: shown with its names as typed, and raced on."""
    page.goto(f"{site.dashboard}/new")
    fill(page, "Short name", "own-loop")
    _choose_file(page, "Course file of your own", "own.kml", HOSTILE_COURSE.encode())
    chooser = page.get_by_role("combobox")
    expect(chooser).to_have_value(re.compile(re.escape('${alert(1)} **My** <b onclick="alert(1)">loop · ')))
    expect(_map(page).locator(".fence-label")).to_have_text("`${alert(2)}` <img src=x onerror=alert(2)>")
    expect(page.get_by_text("isn't closed")).to_be_visible()
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_url(re.compile(r"\?run=own-loop-[A-Za-z0-9_-]+$"))
    live = LiveMap.on(page)
    assert live.frame.locator(".fence-label").inner_text() == "`${alert(2)}` <img src=x onerror=alert(2)>"


def test_course_file_that_is_refused(page: Page, site: Site) -> None:
    """The reason is at the field, and no other course is run until the file is removed or can be used."""
    page.goto(f"{site.dashboard}/new")
    _choose_file(page, "Course file of your own", "notes.gpx", b"<gpx><wpt lat='1' lon='2'/></gpx>")
    said = page.get_by_role("alert")
    expect(said).to_contain_text("no line")
    page.get_by_role("button", name="Start the race").click()
    expect(said.filter(has_text="The race was not started")).to_be_visible()
    page.get_by_role("button", name="Remove notes.gpx").click()
    expect(said).to_have_count(0)
    fill(page, "Short name", "crystal-palace")
    _choose_file(page, "Course file of your own", "own.kml", HOSTILE_COURSE.encode())
    expect(said).to_contain_text("choose another name")
    expect(page.get_by_text("own.kml")).to_be_visible()
    fill(page, "Short name", "another-loop")
    expect(said).to_have_count(0)
    expect(page.get_by_role("combobox", name="Course")).to_have_value(re.compile("loop"))


def test_narrow_screen(page: Page, site: Site) -> None:
    """On phone and tablet nothing is cut off or wider than the screen, and Start is always in view."""
    page.goto(f"{site.dashboard}/new")
    page.get_by_role("radio", name="Real parkrun").click()
    expect(page.get_by_text("6 of these set")).to_be_visible()
    start = page.get_by_role("button", name="Start the race")
    for width, height in ((390, 844), (820, 1180), (720, 450)):
        page.set_viewport_size({"width": width, "height": height})
        expect(start).to_be_in_viewport(ratio=1)
        start.click(trial=True)  # nothing covers it
        page.get_by_role("heading", name="Field and paces").scroll_into_view_if_needed()
        expect(start).to_be_in_viewport(ratio=1)
        assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth") <= width
        assert page.get_by_test_id("stMain").evaluate(CUT_OFF) == []


CUT_OFF = """main => [
    ...main.querySelectorAll("input, p, h1, h2, h3, button, [data-testid=stFileUploaderDropzone] *"),
]
    .filter(part => part.clientWidth && part.scrollWidth > part.clientWidth + 1)
    .map(part => part.value || part.innerText)
    .filter(Boolean)"""
"""The texts that don't fit into their element."""


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
    # While a new course's map is made the old one may still be there: what is expected of the last of the
    # maps is looked for in it until the old one is gone.
    return page.locator("iframe[src*=streamlit_folium]").last.content_frame


def _choose_file(page: Page, label: str, name: str, content: bytes) -> None:
    picked: Any = {"name": name, "mimeType": "text/plain", "buffer": content}
    _dropzone(page, label).set_input_files(picked)


def _dropzone(page: Page, label: str) -> Locator:
    return page.get_by_label(label, exact=True).get_by_test_id("stFileUploaderDropzoneInput")
