"""The results page, from the perspective of a viewer after the race."""

import csv
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from dashboard.ui import formatting
from stream.waiting import wait_for
from tests.browser.site import LiveMap, Site

COMPETITORS = 40
COLOURS = "part => [getComputedStyle(part).color, getComputedStyle(part).backgroundColor]"
CLUB_RACE: dict[str, Any] = {
    "name": "Club race",
    "competitors": 80,
    "entrants": "drawn",
    "pace_model": "parkrun",
    "start_flow": 2,
    "dnf": 0.1,
    "interval": 10,
    "seed": 3,
}
FAST = "60"
EVENTS = "text/event-stream"
NEWS = "event: news\ndata: {}\n\n"


@pytest.fixture(scope="module")
def run(site: Site) -> str:
    """A race that is over."""
    run_id = site.create_race(
        name="Over and done", competitors=COMPETITORS, speed=1000, interval=10, how_many_get_stopped=0.5
    )
    site.wait_for_status(run_id, "finished")
    return run_id


@pytest.fixture(scope="module")
def club_race(site: Site) -> str:
    """A race that is over, with names, clubs and categories, in which not all have finished."""
    run_id = site.create_race(**CLUB_RACE, speed=1000)
    site.wait_for_status(run_id, "finished")
    return run_id


def test_csv(page: Page, site: Site, run: str) -> None:
    """The CSV has all competitors in the API's order, with the API's exact times."""
    page.goto(f"{site.dashboard}/results?run={run}")
    expect(page.get_by_text(f"{COMPETITORS} of {COMPETITORS} finished", exact=True)).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download CSV").click()
    download = downloading.value
    assert download.suggested_filename == f"{run}.csv"
    rows = list(csv.DictReader(download.path().read_text("utf-8-sig").splitlines()))
    finishers = sorted(site.positions(run), key=lambda one: one["elapsed"])
    assert [(int(row["bib"]), float(row["gun_time"])) for row in rows] == [
        (one["competitorId"], one["elapsed"]) for one in finishers
    ]
    assert [int(row["place"]) for row in rows] == list(range(1, COMPETITORS + 1))


def test_finish_list_and_charts(page: Page, site: Site, run: str) -> None:
    """List, charts and geofence stays are drawn, the latter sort by duration, and nothing is an error."""
    page.goto(f"{site.dashboard}/results?run={run}&units=miles")
    expect(_list(page).locator("tr[data-bib]").first).to_be_visible()
    expect(_header(page, "Pace /mi")).to_be_visible()
    longest = page.get_by_role("region", name="Longest visits")
    longest.get_by_role("button", name="Stay").click()
    stays = [_seconds(text) for text in longest.locator("tr:not([hidden]) td.stay").all_inner_texts()]
    assert stays == sorted(stays)
    assert stays[0] < stays[-1]
    expect(page.get_by_role("region", name="Visits by geofence").locator("td.fence").first).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart").locator("canvas, svg")).to_have_count(2)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("Winner").first).to_be_visible()


def test_sorting(page: Page, site: Site, club_race: str) -> None:
    """Columns sort as numbers, by mouse and keyboard; those without a time come last in both directions."""
    page.goto(f"{site.dashboard}/results?run={club_race}")
    done = sum(one["status"] == "finished" for one in site.positions(club_race))
    assert done < CLUB_RACE["competitors"]
    places = list(range(1, done + 1))
    out = ["DNF"] * (CLUB_RACE["competitors"] - done)
    expect(_list(page).locator("tr[data-bib]:not([hidden])").first).to_be_visible()
    expect(_header(page, "Place")).to_have_attribute("aria-sort", "ascending")
    assert [int(text) for text in _column(page, "place")[:done]] == places

    _header(page, "Gap").get_by_role("button").click()
    assert _column(page, "time")[done:] == out
    _header(page, "Gap").get_by_role("button").press("Enter")
    expect(_header(page, "Gap")).to_have_attribute("aria-sort", "descending")
    assert [int(text) for text in _column(page, "place")[:done]] == places[::-1]
    assert _column(page, "time")[done:] == out
    page.wait_for_url(re.compile(r"sort=-gap"))

    page.get_by_role("combobox", name="Places by").click()
    page.get_by_role("option", name="Places by chip time").click()
    expect(_caption(page)).to_have_text("80 competitors · places by chip time")
    _header(page, "Chip time").get_by_role("button").click()
    assert [int(text) for text in _column(page, "place")[:done]] == places
    assert _column(page, "gun")[:done] != sorted(_column(page, "gun")[:done])


def test_searching_and_filtering(page: Page, site: Site, club_race: str) -> None:
    """A search finds bibs, names and clubs; filters give places of their own; the link keeps both."""
    page.goto(f"{site.dashboard}/results?run={club_race}")
    rows = _list(page).locator("tr[data-bib]")
    expect(rows.first.locator("td.club")).to_be_attached()  # the start list is there
    first = rows.first.locator("td.name").inner_text()
    search = page.get_by_role("searchbox", name="Find a bib, a name or a club")
    bib = rows.first.get_attribute("data-bib") or ""
    club = next(text for text in _column(page, "club") if text)
    search.fill(first.upper())
    assert set(_column(page, "name")) == {first}
    search.fill(bib)
    assert _column(page, "bib") == [bib]
    search.fill(club.lower())
    assert set(_column(page, "club")) == {club}
    search.fill("")

    page.get_by_role("combobox", name="Sex").select_option(label="Women")
    expect(_caption(page)).to_have_text(re.compile(r"^Women: \d+ of 80 · places by gun time$"))
    among = [text for text in _column(page, "among") if text != formatting.UNKNOWN]
    assert [int(text) for text in among] == list(range(1, len(among) + 1))
    assert all(text.startswith("W") for text in _column(page, "category"))

    page.get_by_role("searchbox").fill("a")
    page.wait_for_url(lambda url: "sex=F" in url and "find=a" in url)
    shown = _column(page, "name")
    page.reload()
    expect(_caption(page)).to_have_text(re.compile("^Women · “a”: "))
    assert _column(page, "name") == shown
    page.get_by_role("button", name="Clear the filters").press("Enter")
    expect(page.get_by_role("combobox", name="Sex")).to_be_focused()


def test_results_of_a_race_that_goes_on(page: Page, site: Site) -> None:
    """New results appear, while scroll, search and order stay as they are."""
    run_id = site.create_race(**CLUB_RACE, speed=100)
    site.wait_for_race_time(run_id, 60)  # all have started, none has finished
    site.change(run_id, "pause")
    page.goto(f"{site.dashboard}/results?run={run_id}&sort=bib")
    expect(page.get_by_text("Provisional results")).to_be_visible()
    box = page.get_by_role("region", name="Finish list")
    expect(box.locator("tr[data-bib]").first).to_be_visible()
    page.get_by_role("searchbox").fill("e")
    # With the names there are enough to scroll.
    expect(_caption(page)).to_have_text(re.compile("^“e”: [2-8][0-9] of 80"))
    box.evaluate("box => box.scrollTo(0, 300)")
    times = box.locator("tr:not([hidden]) td.time").filter(has_text=re.compile("[0-9]"))
    expect(times).to_have_count(0)
    site.change(run_id, "resume")
    expect(times).not_to_have_count(0)
    expect(page.locator(".tiles")).to_be_visible()  # the page has been drawn again around the list
    assert box.evaluate("box => box.scrollTop") == 300
    expect(page.get_by_role("searchbox")).to_have_value("e")
    bibs = [int(text) for text in _column(page, "bib")]
    assert bibs == sorted(bibs)


def test_final_state_without_the_last_news(page: Page, site: Site) -> None:
    """If the stream is cut before the race ends, the list and all that is around it still become final."""
    run_id = site.create_race(**CLUB_RACE, speed=1000)
    site.change(run_id, "pause")
    page.route("**/stream?*", lambda route: route.abort())
    page.route("**/stream?*", lambda route: route.fulfill(body=NEWS, content_type=EVENTS), times=1)
    page.goto(f"{site.dashboard}/results?run={run_id}")
    expect(page.get_by_text("Provisional results")).to_be_visible()
    site.change(run_id, "resume")
    site.wait_for_status(run_id, "finished")
    done = sum(one["status"] == "finished" for one in site.positions(run_id))
    expect(page.get_by_text(f"{done} of {CLUB_RACE['competitors']} finished", exact=True)).to_be_visible()
    for notice in ("Provisional results", "The race is over."):
        expect(page.get_by_text(notice)).to_have_count(0)
    out = ["DNF"] * (CLUB_RACE["competitors"] - done)
    wait_for(
        "the list", lambda: None if _column(page, "time")[done:] == out else "not all", seconds=60, say=print
    )


def test_teams(page: Page, site: Site, club_race: str) -> None:
    """The teams follow the viewer's choices, agree with the API, and come as a file; the link keeps them."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.dashboard}/results?run={club_race}")
    box = page.get_by_role("region", name="Teams")
    box.scroll_into_view_if_needed()
    expect(box.locator("td.finished").first).to_be_in_viewport(ratio=1)
    assert _teams(page) == _api_teams(site, club_race, "")

    page.get_by_role("combobox", name="Who scores").select_option("Women")
    page.get_by_role("combobox", name="Scorers of a team").select_option("2 scorers")
    page.get_by_role("combobox", name="Teams by").select_option("By time")
    caption = page.locator(".teams .caption")
    expect(caption).to_contain_text("2 best finishers count, by official time · places by gun time")
    page.wait_for_url(re.compile("scorers=2&by=time&who=women"))
    query = "scorers=2&by=time&who=women"
    assert _teams(page) == _api_teams(site, club_race, query)
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download teams as CSV").click()
    assert downloading.value.suggested_filename == f"{club_race}-teams.csv"
    expected = httpx.get(f"{site.api}/races/{club_race}/teams.csv?{query}", trust_env=False).content
    assert downloading.value.path().read_bytes() == expected

    page.reload()
    expect(page.get_by_role("combobox", name="Scorers of a team")).to_have_value("2")
    expect(caption).to_contain_text("by official time")
    assert _teams(page) == _api_teams(site, club_race, query)
    box.get_by_role("button", name="Team").click()
    clubs = box.locator("tr:not([hidden]) td.club").all_inner_texts()
    assert clubs == sorted(clubs)
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth") <= 390


def test_teams_of_a_race_that_goes_on(page: Page, site: Site) -> None:
    """Teams come in as their members finish, also after the dashboard did not respond once."""
    run_id = site.create_race(**CLUB_RACE, speed=100)
    site.wait_for_race_time(run_id, 60)  # all have started, none has finished
    site.change(run_id, "pause")
    page.route("**/teams?*", lambda route: route.abort(), times=1)
    page.goto(f"{site.dashboard}/results?run={run_id}&scorers=3")
    box = page.get_by_role("region", name="Teams")
    expect(box).to_contain_text("No finisher with a club yet.")
    expect(page.locator(".teams .trouble")).to_be_hidden()
    expect(box.get_by_role("columnheader", name="To come")).to_be_visible()
    site.change(run_id, "resume")
    expect(box.locator("tr.incomplete:not([hidden])").first).to_be_visible()
    site.wait_for_status(run_id, "finished")
    expect(box.get_by_role("columnheader", name="To come")).to_have_count(0, timeout=60_000)
    assert _teams(page) == _api_teams(site, run_id, "scorers=3")


@pytest.mark.parametrize("kind", ["results", "start list"])
def test_printing(page: Page, site: Site, club_race: str, kind: str) -> None:
    """All rows are printed, black on white, with the race's name and repeated headers, without controls."""
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    if kind == "start list":
        later = datetime.now(UTC) + timedelta(hours=1)
        run_id = site.create_race(**CLUB_RACE, start_at=later.isoformat())
        page.goto(f"{site.dashboard}/results?run={run_id}&sort=-bib")
        expect(page.get_by_role("heading", name="Start list")).to_be_visible()
    else:
        page.goto(f"{site.dashboard}/results?run={club_race}&sort=-bib")
    rows = page.locator("tr[data-bib]")
    expect(rows.first).to_have_attribute("data-bib", "80")
    assert rows.count() < 80

    # Two pages of competitors; below the results the geofence visits, of which a hundred are listed.
    assert page.pdf().count(b"/Type /Page\n") == (5 if kind == "results" else 2)
    expect(page.get_by_role("searchbox")).to_be_visible()
    assert rows.count() < 80  # as before

    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    expect(rows).to_have_count(80)
    assert [int(text) for text in _column(page, "bib")] == list(range(80, 0, -1))
    expect(page.locator(".print-title")).to_have_text("Club race")
    expect(page.locator(".print-facts")).to_contain_text(re.compile("Crystal Palace.*start .*20[0-9]{2}"))
    expect(page.locator(".print-choices")).to_contain_text("80 competitors")
    table = page.locator("table").filter(has=rows)
    assert table.locator("thead").evaluate("head => getComputedStyle(head).display") == "table-header-group"
    for part in (table, rows.first.locator("td").nth(1), page.locator(".stApp")):
        shown = part.evaluate(COLOURS)
        assert shown[0] == "rgb(0, 0, 0)"
        assert shown[1] in {"rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}
    for control in ("searchbox", "combobox", "link", "slider"):
        expect(page.get_by_role(control)).to_have_count(0)
    expect(page.get_by_role("button", name="Units")).to_have_count(0)


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
    bar.get_by_role("combobox", name="Speed").select_option(FAST)
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
    bar.get_by_role("combobox", name="Speed").select_option(FAST)
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
    """On a phone nothing is wider than the screen; places and names stay when the list scrolls."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.dashboard}/results?run={run}")
    box = page.get_by_role("region", name="Finish list")
    box.scroll_into_view_if_needed()
    expect(box.locator("td.time").first).to_be_in_viewport(ratio=1)
    box.evaluate("box => box.scrollTo(1000, 0)")
    expect(box.locator("td.place").first).to_be_in_viewport(ratio=1)
    expect(box.locator("td.name").first).to_be_in_viewport(ratio=1)
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth") <= 390


def _teams(page: Page) -> list[tuple[str, str, str]]:
    """Place, club and score of all teams; of a sum of times as h:mm:ss."""
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    rows = page.locator(".teams tr:not([hidden]):has(td.score)")
    found = [
        (
            row.locator("td.place").inner_text(),
            row.locator("td.club").inner_text(),
            row.locator("td.score").inner_text(),
        )
        for row in rows.all()
    ]
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    return found


def _api_teams(site: Site, run_id: str, query: str) -> list[tuple[str, str, str]]:
    answer = httpx.get(f"{site.api}/races/{run_id}/teams?{query}", trust_env=False).json()
    by_time = answer["by"] == "time"
    return [
        (
            formatting.UNKNOWN if team["place"] is None else str(team["place"]),
            team["club"],
            formatting.race_time(team["score"]) if by_time else f"{team['score']:,}",
        )
        for team in answer["teams"]
    ]


def _list(page: Page) -> Locator:
    return page.get_by_role("region", name="Finish list")


def _caption(page: Page) -> Locator:
    return page.locator(".results .caption, .start-list .caption")


def _header(page: Page, name: str) -> Locator:
    return _list(page).get_by_role("columnheader", name=name, exact=True)


def _seconds(duration: str) -> int:
    minutes, seconds = duration.split(":")
    return 60 * int(minutes) + int(seconds)


def _column(page: Page, name: str) -> list[str]:
    """The texts of a column in all rows; the list has all of them in the page while it is printed."""
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    texts = page.locator(f"tr[data-bib]:not([hidden]) td.{name}").all_text_contents()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    return texts
