"""Names made to do harm, on every page that shows names: nothing of them runs, and all are shown as typed.

(The `page` fixture fails a test for every dialog, script error and request to another host.)
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.hostile_site import (
    AT_HOME,
    IN_SCRIPT,
    NUMBERED,
    ON_COURSE,
    hostile_site,
    place_name,
    run_of,
)
from tests.browser.site import LiveMap, Site, open_menu

TYPED = {number: hostile.text for number, hostile in NUMBERED.items() if hostile.has_a_look}
PLACES = {number: place_name(number) for number in TYPED}
_OF_KIND = {NUMBERED[number].kind: number for number in reversed(TYPED)}
ABOVE = [
    number
    for number in TYPED
    if NUMBERED[number].kind in {"Markdown", "LaTeX", "Streamlit", "entities"} or number in _OF_KIND.values()
]
"""For a page that shows one at a time: all that Streamlit may take for more, and one of each other kind."""

CELLS = "(rows, names) => rows.map((row) => names.map((name) => row.querySelector(`td.${name}`).textContent))"
"""The texts of rows in the columns of these names."""

FOLLOWED = """(all, frame) => {
    const map = frame.contentDocument;
    return all.map((who) => {
        who.click();
        map.querySelector('.competitor-card button').click();
        return ['.competitor-card strong', '.competitor-card dd:last-of-type', '.race-follow'].map(
            (which) => map.querySelector(which).innerText);
    });
}"""
"""What the map shows of each of these, opened and followed one after another."""

SCROLL_THROUGH = Path(__file__).with_name("scroll_through.js")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site on which every name is hostile."""
    with hostile_site(tmp_path_factory.mktemp("hostile")) as running:
        yield running


@pytest.fixture(autouse=True)
def _trap(page: Page) -> None:
    """Have names that set `harm`, in whatever frame, open a dialog."""
    page.add_init_script("Object.defineProperty(window, 'harm', { set: () => alert('harm') });")


def test_race_and_course(page: Page, site: Site) -> None:
    """The names of a race and of its course are shown above it as typed."""
    page.goto(f"{site.dashboard}/results?run={run_of(1)}")
    races, courses = {}, {}
    for number in ABOVE:
        _choose(page.get_by_role("combobox").first, _label(number))
        expect(page.get_by_role("heading", level=1)).to_have_text(TYPED[number])
        expect(page.locator(".facts span").first).to_have_text(PLACES[number])
        races[number], courses[number] = _above(page)
    assert races == {number: TYPED[number] for number in ABOVE}
    assert courses == {number: PLACES[number] for number in ABOVE}


def test_names_that_cannot_be_shown(page: Page, site: Site) -> None:
    """Control characters in names hinder no page."""
    for number in NUMBERED.keys() - TYPED.keys():
        page.goto(f"{site.dashboard}/?run={run_of(number)}")
        expect(page.locator(".facts").first).to_contain_text("scheduled")
        expect(page.frame_locator("iframe[src*=streamlit_folium]").locator(".fence-label")).to_have_count(1)


def test_chooser(page: Page, site: Site) -> None:
    """The race chooser offers every race by its name and its course's."""
    page.goto(f"{site.dashboard}/?run={AT_HOME}")
    offered = _options(page, page.get_by_role("combobox").first, len(NUMBERED) + 2)
    assert [n for n in TYPED if not any(text.startswith(f"{_label(n)} · ") for text in offered)] == []


def test_leaderboard(page: Page, site: Site) -> None:
    """Competitors are found by their names as typed, and the leaderboard shows them so."""
    page.goto(f"{site.dashboard}/?run={ON_COURSE}")
    LiveMap.on(page)
    search = page.get_by_role("searchbox")
    names = {}
    for bib, text in TYPED.items():
        search.fill(text)
        names[bib] = page.locator(f"tr[data-bib='{bib}']:not([hidden]) .who").inner_text()
    assert names == TYPED


def test_geofences_and_who_is_inside(page: Page, site: Site) -> None:
    """Geofences, on the map and below it, and who is in them are shown as typed."""
    page.goto(f"{site.dashboard}/?run={ON_COURSE}")
    live = LiveMap.on(page)
    assert _above(page) == [IN_SCRIPT.text, IN_SCRIPT.text]
    panels = page.locator(".panel.fence")
    expect(panels).to_have_count(len(NUMBERED))
    heads = dict(zip(NUMBERED, panels.locator("h2").all_inner_texts(), strict=True))
    names = dict(zip(NUMBERED, panels.locator(".who").all_inner_texts(), strict=True))
    labels = dict(zip(NUMBERED, live.frame.locator(".fence-label > span").all_inner_texts(), strict=True))
    assert _of_typed(heads) == {n: f"{text} · 1" for n, text in PLACES.items()}
    assert _of_typed(names) == TYPED
    assert _of_typed(labels) == PLACES


def test_card_on_the_map(page: Page, site: Site) -> None:
    """Name and category are on a competitor's card as typed, and so is the name of who is followed."""
    page.goto(f"{site.dashboard}/?run={ON_COURSE}&fav={','.join(map(str, NUMBERED))}")
    live = LiveMap.on(page)
    who = page.locator(".panel.fence .who")
    expect(who).to_have_count(len(NUMBERED))
    # The map asks for the names after the first positions.
    live.wait_for(f"race => race.nameOf({min(NUMBERED)}) !== 'Bib {min(NUMBERED)}'")
    shown = who.evaluate_all(FOLLOWED, live.frame.frame_element())
    names, categories, followed = (
        dict(zip(NUMBERED, texts, strict=True)) for texts in zip(*shown, strict=True)
    )
    assert _of_typed(names) == TYPED
    assert _of_typed(categories) == TYPED
    assert _of_typed(followed) == {bib: f"Following {text} ✕" for bib, text in TYPED.items()}


def test_legend_of_categories(page: Page, site: Site) -> None:
    """The legend shows categories as typed."""
    page.goto(f"{site.dashboard}/?run={ON_COURSE}")
    live = LiveMap.on(page)
    open_menu(page, "View")
    page.get_by_text("Category", exact=True).click()
    entries = live.frame.locator(".race-legend-colours span")
    expect(entries.last).to_have_text("Others")
    shown = entries.all_inner_texts()[:-1]
    assert shown
    assert set(shown) <= {hostile.text for hostile in NUMBERED.values()}


def test_results(page: Page, site: Site) -> None:
    """The finish list and the geofences' table have all names as typed; the list finds them."""
    page.goto(f"{site.dashboard}/results?run={AT_HOME}")
    expect(page.locator("tr[data-bib] td.category").first).not_to_have_text("")  # the start list is there
    expect(page.locator(".stays .fence").first).to_be_attached()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")  # tables have all their rows in print
    finishers = page.get_by_role("region", name="Finish list").locator("tbody tr[data-bib]")
    assert finishers.evaluate_all(CELLS, ["bib", "name", "category"]) == [
        [str(number), hostile.text, hostile.text] for number, hostile in reversed(NUMBERED.items())
    ]
    places = [place_name(number) for number in NUMBERED]
    summed, longest = (
        page.get_by_role("region", name=name) for name in ("Visits by geofence", "Longest visits")
    )
    assert sorted(summed.locator("td.fence").all_text_contents()) == sorted(places)
    assert longest.locator("tbody:not(.spacer) tr").evaluate_all(CELLS, ["fence", "name"]) == [
        [place_name(number), hostile.text] for number, hostile in reversed(NUMBERED.items())
    ]
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    search = page.get_by_role("searchbox")
    for bib, text in list(TYPED.items())[:3]:
        search.fill(text)
        expect(page.locator(f"tr[data-bib='{bib}']:not([hidden])")).to_be_visible()


def test_announcer_board(page: Page, site: Site) -> None:
    """The names of the race, of finishers and clubs, and of decided categories are on the board as typed."""
    page.goto(f"{site.dashboard}/?run={AT_HOME}&view=announcer")
    expect(page.get_by_role("heading", level=1)).to_have_text(IN_SCRIPT.text)
    cards, finishers = page.locator(".card"), page.locator(".done li")
    expect(cards).to_have_count(12)
    known = {hostile.text for hostile in NUMBERED.values()}
    assert set(cards.locator(".who").all_text_contents()) <= known
    assert {text.removesuffix(" decided") for text in cards.locator(".group").all_text_contents()} <= {
        *known,
        "Overall",
    }
    newest = list(NUMBERED.values())[:12]  # the last bibs finished first
    assert finishers.locator(".who").all_text_contents() == [one.text for one in newest]
    assert finishers.locator(".facts").all_text_contents() == [
        f"1st {one.text} · {one.text}" for one in newest
    ]


def test_compared_in_a_chart(page: Page, site: Site) -> None:
    """The chart of paces is drawn whatever the compared competitors are called."""
    compared = [bib for bib, hostile in NUMBERED.items() if hostile.kind == "Vega"]
    for first in range(0, len(compared), 4):
        bibs = ",".join(map(str, compared[first : first + 4]))
        page.goto(f"{site.dashboard}/results?run={AT_HOME}&fav={bibs}")
        expect(page.get_by_test_id("stVegaLiteChart").locator("canvas, svg")).to_have_count(2)
        expect(page.get_by_text("Stars in the finish list")).to_have_count(0)
        expect(page.get_by_test_id("stException")).to_have_count(0)


def test_new_race(page: Page, site: Site) -> None:
    """The form offers the courses by their names as in the files."""
    page.goto(f"{site.dashboard}/new")
    chooser = page.get_by_role("combobox").first
    offered = {text.partition(" · ")[0] for text in _options(page, chooser, len(PLACES))}
    assert offered == set(PLACES.values())
    for number in (1, 2, *(n for n, hostile in NUMBERED.items() if hostile.kind == "closing tag")):
        _choose(chooser, PLACES[number])
        expect(page.get_by_placeholder(PLACES[number], exact=True)).to_be_visible()


def test_analytics_of_races(page: Page, site: Site) -> None:
    """Races and courses are offered as typed, and stand so in the table and in the legend of the chart."""
    _open_analytics(page, site)
    # Others have the name of one of them too: there the id is behind it.
    races, courses = (
        {n: text if text != IN_SCRIPT.text else f"{text} · {run_of(n)}" for n, text in names.items()}
        for names in (TYPED, PLACES)
    )
    offered = [
        set(_options(page, page.get_by_role("combobox", name=label, exact=True), len(NUMBERED) + 2))
        for label in ("Race", "Course")
    ]
    assert set(races.values()) <= offered[0]
    assert set(courses.values()) <= offered[1]
    shown = _scrolled_through(page.get_by_test_id("stDataFrame"), ("tbody tr", "td"), len(NUMBERED) + 2)
    assert set(races.values()) <= {cells[-1] for cells in shown}
    page.get_by_role("radiogroup", name="Over").get_by_role("radio", name="1 hour").click()
    legend = page.locator(".legend").first.locator("span")
    expect(legend.nth(9)).to_have_text("5 min average")
    assert set(legend.all_inner_texts()[:7]) <= offered[0]


def test_analytics_of_competitors(page: Page, site: Site) -> None:
    """Categories, clubs and geofences stand beside their bars as typed, and on what is pointed at."""
    _open_analytics(page, site)
    chooser = page.get_by_role("combobox", name="Category", exact=True)
    assert set(TYPED.values()) <= set(_options(page, chooser, len(NUMBERED) + 1))
    for hostile in (one for one in NUMBERED.values() if one.kind in {"Vega", "word"}):
        chooser.fill(hostile.text)
        expect(page.locator("[role=option]").first).to_have_text(hostile.text)
        chooser.press("Enter")
        for what in ("category", "club", "geofence"):
            bars = page.locator(f"[class*=st-key-analytics-bar-{what}]")
            label = bars.locator(".role-axis-label text")
            expect(label).to_have_text([re.compile(f"^{re.escape(hostile.text[:8])}")])
            beginning = (label.text_content() or "").removesuffix("\N{HORIZONTAL ELLIPSIS}")
            assert hostile.text.startswith(beginning)
            bars.locator(".mark-rect path").hover()
            expect(page.locator("#vg-tooltip-element")).to_contain_text(hostile.text)


def _open_analytics(page: Page, site: Site) -> None:
    """All of it in view, for a list of choices closes when the page scrolls."""
    page.set_viewport_size({"width": 1280, "height": 3200})
    page.goto(f"{site.dashboard}/analytics")
    expect(page.locator("[class*=st-key-analytics-bar-club] svg.marks")).to_be_visible()


def _above(page: Page) -> list[str]:
    """The race's name and its course's, above all else on a page."""
    names: list[str] = page.evaluate(
        "() => ['h1', '.facts span'].map((which) => document.querySelector(which).innerText)"
    )
    return names


def _choose(chooser: Locator, text: str) -> None:
    chooser.fill(text)
    chooser.press("Enter")


def _label(number: int) -> str:
    """How the chooser of races begins the label of one: a course that has the race's name is left out."""
    return " · ".join(dict.fromkeys((TYPED[number], PLACES[number], "scheduled")))


def _options(page: Page, chooser: Locator, count: int) -> list[str]:
    """The text of all that a chooser offers."""
    chooser.click()
    chooser.press("ArrowDown")  # a chooser for several opens only for this
    listed = page.get_by_role("listbox")
    texts = [text for (text,) in _scrolled_through(listed, ("[role=option]", ""), count)]
    page.keyboard.press("Escape")
    return texts


def _scrolled_through(box: Locator, row_and_cell: tuple[str, str], count: int) -> list[list[str]]:
    """The texts of `count` different rows of a list that has only those in the page that can be seen."""
    rows: list[list[str]] = box.evaluate(SCROLL_THROUGH.read_text(), [*row_and_cell, count])
    return rows


def _of_typed(shown: dict[int, str]) -> dict[int, str]:
    """Without the names for which there is no right way to show them."""
    return {number: shown[number] for number in TYPED}
