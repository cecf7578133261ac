"""The live page, from a viewer's perspective."""

import re
import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError
from shapely import Point

from dashboard.ui.formatting import duration, gap, official_time, race_time
from stream.waiting import wait_for
from tests.browser.site import Answers, LiveMap, Site, open_menu, wait_until_drawn, without_streams
from tests.processes import ROOT, dashboard, metrics_of, simulator

COURSE_FILES = ROOT / "tests" / "simulator" / "course" / "files"

METRES_PER_DEGREE = 111_000
GPS_AND_ROUNDING_M = 2.0
GOES_ON_FOR_M = 5 * 3 * 10
"""Metres for which competitors go on without data at five times the speed: 3 seconds at 10 m/s each."""
PERIOD_MS = 1000
"""Of the refreshing, unless another is chosen."""
REVERSED = """() => {
  const { run, payload } = window.racecastPage;
  const reversed = ([name, all]) => [name, [...all].reverse()];
  const columns = Object.fromEntries(Object.entries(payload.columns).map(reversed));
  const detail = { run, payload: { ...payload, columns } };
  window.dispatchEvent(new CustomEvent('racecast:payload', { detail }));
}"""
"""Sends the page its payload again in reverse order."""


def test_competitors_move(page: Page, site: Site) -> None:
    """Competitors move along the course, and go on moving."""
    page.goto(f"{site.dashboard}/?run={site.create_race()}")
    live = LiveMap.on(page)
    seen = live.metres_covered(payloads=3)
    assert seen[0] < seen[1] < seen[2]


def test_competitors_glide(page: Page, site: Site) -> None:
    """Between two payloads competitors pass through places in between instead of jumping."""
    page.goto(f"{site.dashboard}/?run={site.create_race()}")
    live = LiveMap.on(page)
    live.wait_for_payloads(2)
    places = live.frame.evaluate(
        """() => new Promise((done) => {
            const seen = [];
            const look = () => {
                seen.push(window.racecast.positions().find((one) => one.competitor === 1).distance);
                if (seen.length < 30) requestAnimationFrame(look); else done(seen);
            };
            look();
        })"""
    )
    assert len(set(places)) > 10
    assert places == sorted(places)


def test_gliding_follows_the_course(page: Page, site: Site) -> None:
    """However far a competitor gets between two payloads, it moves along the course, not across."""
    # Held until the page is open: at this speed it is over soon.
    run = site.create_race(speed=100)
    site.change(run, "pause")
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    site.change(run, "resume")
    drawn = live.wait_for(
        """race => {
            const drawn = race.positions();
            return race.isGliding() && drawn.some(({ distance }) => distance > 500) && drawn;
        }"""
    )
    course = site.course_line("crystal-palace")
    far_off = [
        one["competitor"]
        for one in drawn
        if course.distance(Point(one["lon"], one["lat"])) * METRES_PER_DEGREE > GPS_AND_ROUNDING_M
    ]
    assert far_off == []


def test_zoom_and_pan_are_kept(page: Page, site: Site) -> None:
    """New payloads touch neither zoom nor pan, and the map's frame is never loaded again."""
    page.goto(f"{site.dashboard}/?run={site.create_race()}")
    live = LiveMap.on(page)
    live.frame.evaluate("() => { window.loadedOnce = true; window.map.setView([51.42, -0.07], 17); }")
    live.wait_for("() => window.map.getZoom() === 17")
    live.wait_for_payloads(3)
    _open_view(page)
    page.get_by_text("2 s", exact=True).click()
    live.wait_for_payloads(2)
    view = live.ask("() => ({...window.map.getCenter(), zoom: window.map.getZoom()})")
    assert live.frame.evaluate("() => window.loadedOnce === true")
    assert view["zoom"] == 17
    assert abs(view["lat"] - 51.42) * METRES_PER_DEGREE < 1
    assert abs(view["lng"] + 0.07) * METRES_PER_DEGREE < 1


def test_dots_are_where_they_say(page: Page, site: Site) -> None:
    """What the layer says it draws is on the canvas where the map has that coordinate, after zooming too."""
    page.goto(f"{site.dashboard}/?run={site.create_race(competitors=1)}")
    live = LiveMap.on(page)
    _open_view(page)
    page.get_by_text("Auto-refresh").click()
    expect(page.get_by_role("button", name="Refresh now")).to_be_enabled()
    _wait_for_silence(live)
    live.wait_for("race => !race.isGliding()")
    assert _opacity_at_first_dot(live) == 255
    zoom = live.ask("() => window.map.getZoom()")
    live.ask("(race) => { const [{ lat, lon }] = race.positions(); window.map.panTo([lat, lon]); }")
    live.frame.get_by_role("button", name="Zoom in").click()
    live.wait_for(f"race => window.map.getZoom() > {zoom} && !race.isGliding()")
    live.wait_for("() => !document.querySelector('.leaflet-zoom-anim, .leaflet-pan-anim')")
    live.wait_for("race => !race.isGliding()")
    assert _opacity_at_first_dot(live) == 255


def test_auto_refresh_can_be_switched_off(page: Page, site: Site) -> None:
    """With the switch off only the button brings data, once each time, and there is no stream."""
    page.goto(f"{site.dashboard}/?run={site.create_race()}")
    live = LiveMap.on(page)
    _open_view(page)
    page.get_by_text("Auto-refresh").click()
    button = page.get_by_role("button", name="Refresh now")
    expect(button).to_be_enabled()
    before = _wait_for_silence(live)
    metrics = httpx.get(f"{site.dashboard}/racecast/metrics", trust_env=False).text
    assert metrics_of(metrics)["racecast_dashboard_streams"] == 0
    button.click()
    live.wait_for(f"race => race.payloads() > {before}")
    assert _wait_for_silence(live) == before + 1


def test_source_away_and_back(page: Page, site: Site) -> None:
    """Where no stream gets through the map polls. Without answers it says since when, fades, and recovers.

    Competitors go on for some seconds then, as far as the next timing point, and wait for the truth.
    """
    without_streams(page)
    page.goto(f"{site.dashboard}/?run={site.create_race()}")
    live = LiveMap.on(page)
    live.wait_for_payloads(3)
    page.route("**/positions?*", lambda route: route.abort())
    late = live.frame.locator("canvas.late")
    expect(late).to_have_count(2)
    live.wait_for("race => !race.isGliding()")
    known = page.evaluate("() => racecastPage.payload.columns.distance")
    assert sum(known) < sum(live.distances().values()) < sum(known) + len(known) * GOES_ON_FOR_M
    said = live.frame.locator(".race-trouble")
    expect(said).to_have_text(re.compile("^No new positions since [0-9]{1,2}:[0-9]{2}:[0-9]{2}$"))
    faded = live.frame.locator("canvas.old")
    expect(faded).not_to_have_count(0)
    beside = page.locator(
        ".trouble", has_text=re.compile("No new data since .+. The dashboard does not respond.")
    )
    expect(beside).to_be_visible()
    page.unroute("**/positions?*")
    expect(said).to_be_hidden()
    expect(faded).to_have_count(0)
    expect(beside).to_be_hidden()
    live.wait_for_payloads(1)
    expect(late).to_have_count(0)


def test_leaderboard_agrees_with_api(page: Page, site: Site) -> None:
    """The leaderboard's order is the API's: finishers by time, then the rest by distance."""
    run = site.create_race(competitors=20, speed=100)
    site.change(run, "pause")
    page.goto(f"{site.dashboard}/?run={run}")
    LiveMap.on(page)
    site.change(run, "resume")
    wait_for("finishers", lambda: None if _finished(site, run) else "all run", seconds=60, say=print)
    site.change(run, "pause")
    assert 0 < _finished(site, run) < 20
    expect(_figure(page, "finished")).to_have_text(str(_finished(site, run)))
    wait_for("the order", lambda: _difference(page, site, run), seconds=60, say=print)


def test_leaderboard_at_the_end(page: Page, site: Site) -> None:
    """When all have finished, the leaderboard is the API's order exactly, and the figures say so."""
    run = site.create_race(competitors=12, speed=1000)
    page.goto(f"{site.dashboard}/?run={run}")
    LiveMap.on(page)
    expect(_figure(page, "finished")).to_have_text("12")
    expect(_figure(page, "on_course")).to_have_text("0")
    expect(_chooser(page)).to_have_value(re.compile(" · finished · "))
    order = _order(site, run)
    assert [(order[bib], bib) for _, bib in _leaderboard(page)] == _leaderboard(page)
    times = {one["competitorId"]: one["elapsed"] for one in site.positions(run)}
    first = min(times.values())
    said = (
        _board(page)
        .locator("tbody tr[data-bib]:not([hidden])")
        .evaluate_all(
            "rows => rows.map(row => [Number(row.dataset.bib), row.querySelector('.gap').innerText,"
            " row.querySelector('td.status').innerText])"
        )
    )
    # As on the page of the results.
    assert said == [
        [bib, gap(times[bib] - first) or "leader", official_time(times[bib])]
        for bib in sorted(times, key=lambda bib: times[bib])
    ]


def test_numbers_are_worded_alike(page: Page) -> None:
    """The browser words times as the server does."""
    exact = {
        0.0: "0:00:00.000",
        0.999: "0:00:00.999",
        59.9996: "0:01:00.000",
        794.973 - 791.973: "0:00:03.000",
        791.973: "0:13:11.973",
        3599.999: "0:59:59.999",
        3599.9999: "1:00:00.000",
        3600.0: "1:00:00.000",
        36_000.5: "10:00:00.500",
    }
    page.goto("about:blank")
    page.add_script_tag(path=ROOT / "dashboard" / "static" / "formatting.js")
    said = page.evaluate(
        """seconds => {
            const { raceTime, officialTime, exactTime, duration } = Racecast.formatting;
            return seconds.map((one) => [raceTime(one), officialTime(one), exactTime(one), duration(one)]);
        }""",
        list(exact),
    )
    assert said == [[race_time(s), official_time(s), shown, duration(s)] for s, shown in exact.items()]


def test_page_by_its_name(page: Page, site: Site) -> None:
    """A link to /live shows the race in it, and nothing says that there is no such page."""
    run = site.create_race()
    page.goto(f"{site.dashboard}/live?run={run}")
    LiveMap.on(page)
    expect(page).to_have_url(f"{site.dashboard}/?run={run}")
    expect(page.get_by_text("Page not found")).to_have_count(0)


def test_newest_race_first(page: Page, site: Site) -> None:
    """Without a link to a race the page shows the newest, and its address becomes a link to it."""
    run = site.create_race(name="The very newest")
    for _ in range(5):  # the list of races that all viewers share may be two seconds old
        page.goto(site.dashboard)
        LiveMap.on(page)
        if page.url.endswith(run):
            break
    expect(page.get_by_role("heading", name="The very newest")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"\?run={run}$"))


def test_unknown_race_appears_when_it_is_there(page: Page, site: Site) -> None:
    """A mistyped link offers the races there are; one to a race that doesn't exist yet waits for it."""
    run = site.create_race(name="The one that exists")
    page.goto(f"{site.dashboard}/?run={run}")
    LiveMap.on(page)  # so the list of races that all viewers share has it
    page.goto(f"{site.dashboard}/races/monday?run=whatever")
    expect(page.get_by_role("heading", name="Unknown page")).to_be_visible()
    expect(page.get_by_text("There is no page “monday”.")).to_be_visible()
    page.get_by_role("link", name="The one that exists").click()
    LiveMap.on(page)
    expect(page).to_have_url(re.compile(rf"{site.dashboard}/\?run={run}$"))
    page.goto(f"{site.dashboard}/?run=not-there-yet")
    expect(page.get_by_role("heading", name="Unknown race")).to_be_visible()
    expect(page.get_by_role("link", name="The one that exists")).to_be_visible()
    site.create_race(run_id="not-there-yet")
    LiveMap.on(page)


def test_after_the_end(page: Page, site: Site) -> None:
    """In a cancelled race all have stopped, everywhere; and when the next race runs, the page offers it."""
    run = site.create_race(name="The called off")
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    open_menu(page, "Cancel")
    page.get_by_role("button", name="Cancel the race").click()
    expect(page.get_by_text("This race was cancelled.")).to_be_visible()
    live.wait_for("race => race.positions().every(({ status }) => status === 'stopped')")
    expect(live.frame.locator(".race-legend-colours")).to_have_text("FinishedStopped")
    expect(live.frame.get_by_role("button", name="Final")).to_be_visible()
    expect(_board(page).get_by_role("cell", name="Stopped").first).to_be_visible()
    expect(page.locator("[data-figure=on_course]")).to_contain_text("Stopped")
    expect(page.get_by_text("60 stopped")).to_be_visible()
    newer = site.create_race(name="The one that is on")
    expect(page.get_by_text("The next race is on: The one that is on.")).to_be_visible()
    page.get_by_role("button", name="Watch it").click()
    expect(page.get_by_role("heading", name="The one that is on")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"\?run={newer}$"))
    expect(page.get_by_text("The next race is on")).to_be_hidden()


def test_narrow_screen(page: Page, site: Site) -> None:
    """On a phone nothing is wider than the screen, and map and leaderboard stand one below the other."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.dashboard}/?run={site.create_race()}")
    LiveMap.on(page)
    board = _board(page)
    expect(board).to_be_visible()
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth") <= 390
    boxes = [page.locator("iframe[src*=streamlit_folium]").bounding_box(), board.bounding_box()]
    assert all(box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)


def test_dots_of_a_pack_keep_their_colour(page: Page, site: Site) -> None:
    """Where a hundred run close together, one sees their colour and not the light around each of them."""
    # So alike that they are together yet if the page takes long to open.
    run = site.create_race(competitors=100, fastest=290, slowest=300)
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    live.wait_for("race => Math.max(...race.positions().map((one) => one.distance)) > 150")
    light, blue = live.ask(
        """() => {
            const canvas = document.querySelector('canvas');
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            let [light, blue] = [0, 0];
            for (let i = 0; i < data.length; i += 4) {
                if (data[i + 3] < 255) continue;
                if (data[i] > 200) light += 1;
                else if (data[i + 2] > 2 * data[i]) blue += 1;
            }
            return [light, blue];
        }"""
    )
    assert blue > 2 * light


def test_figures(page: Page, site: Site) -> None:
    """The figures count all competitors, and say how they have changed."""
    run = site.create_race(competitors=30, speed=100)
    site.change(run, "pause")
    page.goto(f"{site.dashboard}/?run={run}")
    LiveMap.on(page)
    expect(_figure(page, "on_course")).to_have_text("30")
    site.change(run, "resume")
    expect(_figure(page, "finished")).to_have_text(re.compile("[1-9]"))
    expect(page.locator("[data-figure=finished] .change")).to_have_text(re.compile(r"\+[1-9][0-9]* in 1 min"))
    done = page.get_by_role("progressbar", name="Finished")
    expect(done).to_have_attribute("aria-valuenow", re.compile("[1-9]"))
    expect(done).to_have_attribute("aria-valuemax", "30")


def test_search(page: Page, site: Site) -> None:
    """The leaderboard finds a competitor by bib or by a part of the name, in any case."""
    page.goto(f"{site.dashboard}/?run={site.create_race(competitors=60)}")
    LiveMap.on(page)
    search = page.get_by_role("searchbox", name="Find a bib or a name")
    rows = _board(page).locator("tbody tr[data-bib]:not([hidden])")
    search.fill("17")
    expect(rows).to_have_count(1)
    expect(rows.locator("td.name")).to_have_text("Runner 17")
    search.fill("rUNNER 5")
    expect(rows).to_have_count(11)
    search.fill("no such name")
    expect(_board(page)).to_contain_text("No matches.")


def test_who_moved_up_or_down(page: Page, site: Site) -> None:
    """Beside a place is the number of places gained or lost since the last refresh."""
    page.goto(f"{site.dashboard}/?run={site.create_race(competitors=6, speed=1000)}")
    LiveMap.on(page)
    expect(_figure(page, "finished")).to_have_text("6")
    expect(_chooser(page)).to_have_value(re.compile(" · finished · "))  # no payload comes after this
    places = [bib for _, bib in _leaderboard(page)]
    page.evaluate(
        """() => {
            const { run, payload } = window.racecastPage;
            const { columns } = payload;
            const order = [2, 0, 1, 3, 4, 5];
            const mixed = Object.entries(columns).map(([name, old]) => [name, order.map((row) => old[row])]);
            const moved = { ...Object.fromEntries(mixed), place: columns.place };
            const detail = { run, payload: { ...payload, columns: moved } };
            window.dispatchEvent(new CustomEvent('racecast:payload', { detail }));
        }"""
    )
    moved = {bib: _row(page, bib).locator(".moved") for bib in places}
    expect(moved[places[2]]).to_have_text("\N{BLACK UP-POINTING TRIANGLE}2")
    expect(moved[places[0]]).to_have_text("\N{BLACK DOWN-POINTING TRIANGLE}1")
    expect(moved[places[4]]).to_have_text("")


def test_all_rows_can_be_reached(page: Page, site: Site) -> None:
    """However long the leaderboard is, few rows are in the page, and the last one can be scrolled to."""
    page.goto(f"{site.dashboard}/?run={site.create_race(competitors=3000, speed=1)}")
    LiveMap.on(page)
    assert len(_leaderboard(page)) < 60
    _board(page).evaluate("board => { board.scrollTop = board.scrollHeight; }")
    last = _board(page).locator("tbody tr[aria-rowindex='3001']:not([hidden])")
    expect(last).to_be_visible()


def test_favourites(page: Page, site: Site) -> None:
    """A star makes a favourite: it is in the link, can be shown alone, and has a trail on the map."""
    run = site.create_race(competitors=20, speed=10)
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    for bib in (3, 11):
        _row(page, bib).get_by_role("button", name=f"Favourite: bib {bib}").click()
        expect(_row(page, bib)).to_have_class("favourite")
    expect(page).to_have_url(re.compile(r"fav=3(,|%2C)11"))
    page.goto(page.url)
    live = LiveMap.on(page)
    page.get_by_role("button", name="Favourites").click()
    expect(_board(page).locator("tbody tr[data-bib]:not([hidden])")).to_have_count(2)
    live.wait_for("race => race.shown().trails.length === 2")
    live.wait_for("race => race.shown().trails.every(({ from, to }) => to - from > 50)")
    _row(page, 3).get_by_role("button", name="Favourite: bib 3").click()
    expect(page).to_have_url(re.compile(r"fav=11$"))
    live.wait_for("race => race.shown().trails.length === 1")


def test_trail_is_a_minute_long(page: Page, site: Site) -> None:
    """A trail is whole from the first: it begins where the favourite was a minute of race time before."""
    run = site.create_race(competitors=5, speed=10, interval=10, fastest=240, slowest=300)
    page.goto(f"{site.dashboard}/?run={run}")
    LiveMap.on(page).wait_for("race => race.positions().every((one) => one.distance > 400)")
    page.goto(f"{site.dashboard}/?run={run}&fav=2")
    live = LiveMap.on(page)
    live.wait_for("race => race.shown().trails.length === 1")
    (trail,) = live.ask("race => race.shown().trails")
    pace = site.pace(run, 2)
    assert 0.7 * 60 < (trail["to"] - trail["from"]) * pace < 1.6 * 60


def test_who_is_that(page: Page, site: Site) -> None:
    """A click on a dot shows the competitor; the card keeps up with the race and can be closed."""
    run = site.create_race(competitors=4, slowest=200)
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    live.wait_for("race => race.positions().every((one) => one.distance > 100)")
    site.change(run, "pause")  # a dot that moves may be gone before the click
    expect(page.get_by_text("This race is paused.")).to_be_visible()
    live.wait_for("race => !race.isGliding()")
    page.locator("iframe[src*=streamlit_folium]").scroll_into_view_if_needed()
    bib, x, y = live.ask(
        """(race) => {
            // The one that is furthest from the others: a click finds the nearest dot.
            const dots = race.positions().map((one) => ({
                bib: one.competitor,
                at: window.map.latLngToContainerPoint([one.lat, one.lon]),
            }));
            const room = (dot) => Math.min(
                ...dots.filter((one) => one !== dot).map((one) => one.at.distanceTo(dot.at)),
            );
            const { bib, at } = dots.reduce((best, dot) => (room(dot) > room(best) ? dot : best));
            return [bib, at.x, at.y];
        }"""
    )
    live.frame.locator(".leaflet-container").click(position={"x": x, "y": y})
    card = live.frame.locator(".competitor-card")
    expect(card.locator("strong")).to_have_text(f"Runner {bib}")
    for word in ("Bib", "Place", "Covered", "Pace", "Gun time", "Chip time"):
        expect(card.locator("dt", has_text=word)).to_be_visible()
    covered = card.locator("dd").nth(3)
    before = covered.inner_text()
    site.change(run, "resume")
    expect(covered).not_to_have_text(before)
    live.frame.get_by_role("button", name="Close popup").click()
    expect(card).to_be_hidden()


def test_follow(page: Page, site: Site) -> None:
    """A followed competitor stays in the view at any zoom, until the viewer stops following."""
    # So long that there are 500 m left to run once the page is open, however long that takes.
    run = site.create_race(course="hilly-half", competitors=10, speed=20)
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    _row(page, 4).get_by_role("button", name="Runner 4").click()
    live.frame.get_by_role("button", name="Follow on the map").click()
    live.ask("() => { window.map.setZoom(18, { animate: false }); }")
    inside = """race => {
        const one = race.positions().find(({ competitor }) => competitor === 4);
        return window.map.getBounds().contains([one.lat, one.lon]);
    }"""
    live.wait_for(inside)
    start = live.distances()[4]
    live.wait_for(f"race => race.positions().find((one) => one.competitor === 4).distance > {start + 500}")
    live.wait_for(inside)
    assert live.ask("race => race.shown().followed") == 4
    live.frame.get_by_role("button", name="Stop following Runner 4").click()
    assert live.ask("race => race.shown().followed") is None


def test_leaders_are_marked(page: Page, site: Site) -> None:
    """The map marks the first three, those of the leaderboard."""
    run = site.create_race(competitors=12, speed=1000)
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    expect(_figure(page, "finished")).to_have_text("12")
    assert live.ask("race => race.shown().leaders") == [bib for _, bib in _leaderboard(page)[:3]]


def test_choices_go_along(page: Page, site: Site) -> None:
    """With choices in the link, all ways from page to page work, and the viewer's choices last."""
    page.goto(f"{site.dashboard}/?run={site.create_race()}&every=5%20s&colour=Category&units=miles")
    LiveMap.on(page)
    pages = page.get_by_role("navigation", name="Pages")
    pages.get_by_role("link", name="New race").click()
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_url(re.compile(r"/\?run="))
    LiveMap.on(page)
    expect(page.locator(".leaderboard th.pace")).to_have_text("Pace /mi")
    page.locator(".leaderboard tr button.star").first.click()
    page.wait_for_url(re.compile("fav="))
    (bib,) = parse_qs(urlsplit(page.url).query)["fav"]
    pages.get_by_role("link", name="Results").click()
    expect(page.get_by_role("heading", name="Finish list")).to_be_visible()
    pages.get_by_role("link", name="Live").click()
    # Its rows come from the live map; the replay's map is gone then.
    page.get_by_role("button", name="Favourites").click()
    # Rows that are not shown wait to be used again.
    expect(page.locator(".leaderboard tr.favourite:visible")).to_have_attribute("data-bib", bib)
    live = LiveMap.on(page)
    page.wait_for_url(
        lambda address: all(f"{one}=" in address for one in ("every", "colour", "units", "fav"))
    )
    live.wait_for("race => race.shown().colour === 'category'")
    expect(page.locator(".leaderboard th.pace")).to_have_text("Pace /mi")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_news_of_a_page_that_is_left_does_not_clear_the_next_one(page: Page, site: Site) -> None:
    """Between the click on another page and its arrival the old one asks Streamlit for nothing."""
    answers = Answers(page)
    run = site.create_race()
    page.goto(f"{site.dashboard}/?run={run}")
    LiveMap.on(page)
    wait_until_drawn(page)
    answers.hold()
    pages = page.get_by_role("navigation", name="Pages")
    pages.get_by_role("link", name="Results").evaluate(
        """(link, run) => {
            let news = 0;
            const tell = () => {
                const detail = { run, outline: `news ${news++}` };
                window.dispatchEvent(new CustomEvent('racecast:outline', { detail }));
            };
            link.click();
            const telling = setInterval(tell, 10);
            return new Promise((over) => setTimeout(() => over(clearInterval(telling)), 1000));
        }""",
        run,
    )
    answers.pass_on()
    page.wait_for_url("**/results?**")
    wait_until_drawn(page)
    expect(page.get_by_role("heading", name="Finish list")).to_be_visible()

    pages.get_by_role("link", name="Live").click()
    page.wait_for_url(lambda address: "/results" not in address)
    LiveMap.on(page)
    page.wait_for_function("() => window.racecastLeaving === null")


def test_geofence_lights_up(page: Page, site: Site) -> None:
    """While a competitor is inside a geofence it lights up, and the page says which one and for how long."""
    run = site.create_race(competitors=10, how_many_get_stopped=1, min_pause=3000, max_pause=3600, speed=100)
    site.change(run, "pause")
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    inside = page.get_by_role("region", name="Geofence", exact=True)
    expect(inside).to_contain_text("No competitors inside.")
    site.change(run, "resume")
    expect(live.frame.locator("path.fence.occupied")).to_have_count(1)
    expect(_figure(page, "in_fences")).to_have_text(re.compile("[1-9]"))
    expect(live.frame.locator(".fence-label")).to_have_attribute("data-inside", re.compile("[1-9]"))
    expect(inside.locator("li .fact").first).to_have_text(re.compile(r"^[0-9:]+$"))


def test_front_back_and_finish(page: Page, site: Site) -> None:
    """The leaders, the last, and the latest finishers are listed."""
    page.goto(f"{site.dashboard}/?run={site.create_race(competitors=12, speed=1000)}")
    LiveMap.on(page)
    expect(_figure(page, "finished")).to_have_text("12")
    done = page.get_by_role("region", name="Just finished")
    listed = [int(text) for text in done.locator(".number").all_inner_texts()]
    assert listed == [bib for _, bib in _leaderboard(page)[:-6:-1]]
    expect(page.get_by_role("region", name="At the front")).to_contain_text("No competitors on the course.")
    expect(page.get_by_role("region", name="At the back")).to_contain_text("No competitors on the course.")


def test_colour_by_category(page: Page, site: Site) -> None:
    """Dots can be coloured by category, and the legend says which is which."""
    page.goto(f"{site.dashboard}/?run={site.create_race(competitors=5)}")
    live = LiveMap.on(page)
    legend = live.frame.locator(".race-legend-colours")
    expect(legend).to_contain_text("Running")
    _open_view(page)
    page.get_by_text("Category", exact=True).click()
    expect(legend).to_have_text("Open")
    assert live.ask("race => race.shown().colour") == "category"


def test_pause_resume_cancel(page: Page, site: Site) -> None:
    """A race is paused, resumed and cancelled from its page; pausing and cancelling ask for confirmation."""
    run = site.create_race(competitors=5)
    page.goto(f"{site.dashboard}/?run={run}")
    LiveMap.on(page)
    open_menu(page, "Pause")
    confirm = page.get_by_role("button", name="Pause the race")
    expect(confirm).to_be_visible()
    page.keyboard.press("Tab")
    expect(confirm).to_be_focused()
    assert site.status(run) == "running"
    page.keyboard.press("Enter")
    expect(page.get_by_text("This race is paused.")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("This race is paused.")).to_be_hidden()
    open_menu(page, "Cancel")
    page.get_by_role("button", name="Cancel the race").click()
    expect(page.get_by_text("This race was cancelled.")).to_be_visible()
    # No menu is left open, nor does the one beside it open.
    expect(page.get_by_text("All competitors stop where they are")).to_have_count(0)
    expect(page.get_by_role("switch", name="Auto-refresh")).to_have_count(0)
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()
    assert site.status(run) == "cancelled"


def test_stream_stands_still(page: Page, tmp_path: Path) -> None:
    """When the simulator is gone the page shows the age of its positions in a prominent notice."""
    store = ("--sqlite", str(tmp_path / "races.db"))
    with simulator(tmp_path, *store) as api, dashboard(tmp_path, api.address, *store) as pages:
        site = Site(pages.address, api.address)
        page.goto(f"{site.dashboard}/?run={site.create_race()}")
        LiveMap.on(page)
        said = page.locator(".trouble", has_text="The stream has stopped")
        expect(said).to_be_hidden()
        api.end()
        expect(said).to_be_visible()
        expect(said).to_contain_text(re.compile(r"are [1-9][0-9] s old"))


def test_by_keyboard(page: Page, site: Site) -> None:
    """The keyboard reaches search, stars, timeline, and a competitor's card, which Escape closes."""
    page.goto(f"{site.dashboard}/?run={site.create_race(competitors=8)}")
    live = LiveMap.on(page)
    search = page.get_by_role("searchbox")
    search.focus()
    page.keyboard.type("runner 6")
    expect(_row(page, 6)).to_be_visible()  # the names come after the first payload
    for _ in range(3):  # past the switch for favourites, to the list, to the star
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(_row(page, 6)).to_have_class("favourite")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    card = live.frame.locator(".competitor-card")
    expect(card.locator("strong")).to_have_text("Runner 6")
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    page.keyboard.press("Enter")
    live.frame.get_by_role("button", name="Follow on the map").focus()
    page.keyboard.press("Escape")  # in the map's frame
    expect(card).to_have_count(0)
    bar = live.frame.get_by_role("group", name="Timeline")
    bar.get_by_role("slider", name="Race time").press("ArrowLeft")
    live.wait_for("race => !race.source().isLive()")
    bar.get_by_role("button", name="Live").press("Enter")
    live.wait_for("race => race.source().isLive()")


def test_focus_goes_with_the_competitor(page: Page, site: Site) -> None:
    """The focus in the leaderboard stays on the competitor's star or name."""
    without_streams(page)
    page.goto(f"{site.dashboard}/?run={site.create_race(competitors=8)}")
    LiveMap.on(page)
    expect(page.locator("tr[data-bib]:not([hidden])")).to_have_count(8)
    page.route("**/positions?*", lambda route: route.abort())
    for button, at in (("star", 2), ("who", 7)):
        row = page.locator("tr[data-bib]").nth(at)
        bib = int(row.get_attribute("data-bib") or 0)
        _row(page, bib).locator(f"button.{button}").focus()
        page.evaluate(REVERSED)
        expect(row).not_to_have_attribute("data-bib", str(bib))
        expect(_row(page, bib).locator(f"button.{button}")).to_be_focused()


def test_course_across_the_antimeridian(page: Page, tmp_path: Path) -> None:
    """A course across the antimeridian is watched like any other: one line with all competitors on it."""
    courses = tmp_path / "courses"
    courses.mkdir()
    shutil.copy(COURSE_FILES / "antimeridian.kml", courses)
    store = ("--sqlite", str(tmp_path / "races.db"))
    with (
        simulator(tmp_path, *store, "--courses", str(courses)) as api,
        dashboard(tmp_path, api.address, *store) as pages,
    ):
        site = Site(pages.address, api.address)
        page.goto(f"{site.dashboard}/?run={site.create_race(course='antimeridian', speed=30)}")
        live = LiveMap.on(page)
        live.wait_for("race => race.positions().some((one) => one.distance > 250)")
        seen = live.ask("() => { const b = window.map.getBounds(); return [b.getWest(), b.getEast()]; }")
        drawn = [one["lon"] for one in live.ask("race => race.positions()")]
        assert 179.98 < seen[0] < min(drawn) < max(drawn) < seen[1] < 180.02


def _chooser(page: Page) -> Locator:
    return page.get_by_role("combobox").first


def _open_view(page: Page) -> None:
    open_menu(page, "View")


def _figure(page: Page, name: str) -> Locator:
    return page.locator(f"[data-figure={name}] .value")


def _board(page: Page) -> Locator:
    return page.get_by_role("region", name="Leaderboard")


def _row(page: Page, bib: int) -> Locator:
    return _board(page).locator(f"tr[data-bib='{bib}']")


def _wait_for_silence(live: LiveMap) -> int:
    """Wait until no payload has arrived for longer than two periods; return how many have."""
    for _ in range(10):
        seen: int = live.ask("race => race.payloads()")
        try:
            live.frame.wait_for_function(f"racecast.payloads() > {seen}", timeout=2.5 * PERIOD_MS)
        except PlaywrightTimeoutError:
            return seen
    raise AssertionError("payloads go on arriving")


def _order(site: Site, run: str) -> dict[int, int]:
    """Each bib's place by the API's numbers."""
    positions = sorted(
        site.positions(run),
        key=lambda p: (
            (p["status"] != "finished",)
            + ((p["elapsed"],) if p["status"] == "finished" else (-p["distance"],))
            + (p["competitorId"],)
        ),
    )
    return {p["competitorId"]: place for place, p in enumerate(positions, start=1)}


def _finished(site: Site, run: str) -> int:
    return sum(one["status"] == "finished" for one in site.positions(run))


def _difference(page: Page, site: Site, run: str) -> str | None:
    """What is wrong with the leaderboard, by the API's numbers."""
    shown, order = _leaderboard(page), _order(site, run)
    expected = sorted((place, bib) for bib, place in order.items())[: len(shown)]
    return None if shown == expected else f"{shown} instead of {expected}"


def _leaderboard(page: Page) -> list[tuple[int, int]]:
    """Place and bib of the shown rows, all of one payload."""
    rows = _board(page).locator("tbody tr[data-bib]:not([hidden])")
    rows.first.wait_for()
    texts = rows.evaluate_all(
        "rows => rows.map(row => ['.place', '.bib'].map(cell => row.querySelector(cell).innerText))"
    )
    return [(int(place), int(bib)) for place, bib in texts]


def _opacity_at_first_dot(live: LiveMap) -> int:
    """0 to 255, of the canvas where the map has the first competitor's coordinate."""
    opacity: int = live.ask(
        """(race) => {
            const [one] = race.positions();
            const spot = window.map.latLngToContainerPoint([one.lat, one.lon]);
            const canvas = document.querySelector('canvas');
            const box = canvas.getBoundingClientRect();
            const frame = window.map.getContainer().getBoundingClientRect();
            const x = (spot.x + frame.left - box.left) * (canvas.width / box.width);
            const y = (spot.y + frame.top - box.top) * (canvas.height / box.height);
            return canvas.getContext('2d').getImageData(x, y, 1, 1).data[3];
        }"""
    )
    return opacity
