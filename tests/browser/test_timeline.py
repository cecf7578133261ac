"""The parts below the map: the elevation profile and the timeline."""

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from simulator.course.library import load_folder
from tests.browser.site import LiveMap, Site
from tests.processes import ROOT

COMPETITORS = 40
FARTHEST = "Math.max(...race.positions().map((one) => one.distance))"
PROFILE_PX = "document.querySelector('.race-profile').offsetHeight"


def test_profile(page: Page, site: Site) -> None:
    """The profile shows who is where along the course, and how high, and leads to the runners' details."""
    run = site.create_race(course="hilly-half", competitors=COMPETITORS, speed=60)
    page.goto(f"{site.dashboard}/?run={run}&fav=7")
    live = LiveMap.on(page)
    live.wait_for("race => race.shown().leaders.length === 3 && race.positions()[0].distance > 500")
    profile = live.frame.get_by_role("img", name="Elevation profile of 21.10 km")
    heights = load_folder(ROOT / "courses").courses["hilly-half"].alt
    assert heights is not None
    shown = live.ask("race => race.shown().profile")
    assert shown["range"] == pytest.approx([heights.min(), heights.max()], abs=0.1)
    leader, *_ = live.ask("race => race.shown().leaders")
    assert leader in shown["named"]
    name = profile.get_attribute("aria-label")
    assert name is not None
    assert f"Leader Runner {leader} at" in name
    assert f"{COMPETITORS} on the course" in name
    live.wait_for("race => race.source().state().end > 300")
    live.ask("race => race.source().seek(300)")  # a moment that stands still
    live.wait_for(f"race => {FARTHEST} < 2200 && !race.isGliding()")
    leader, *_ = live.ask("race => race.shown().leaders")
    x, *_ = live.ask("race => race.shown().profile.leaders")
    profile.hover(position={"x": x, "y": 60})
    words = live.frame.locator(".race-profile-words")
    expect(words).to_contain_text(f"Runner {leader}")
    kilometres, metres, *_ = words.inner_text().split(" · ")
    course = load_folder(ROOT / "courses").courses["hilly-half"]
    at = float(kilometres.removesuffix(" km")) * 1000
    assert float(metres.removesuffix(" m")) == pytest.approx(np.interp(at, course.along, heights), abs=2)
    profile.click(position={"x": x, "y": 60})
    expect(live.frame.locator(".competitor-card strong")).to_have_text(f"Runner {leader}")


def test_profile_leaves_room_for_the_map(page: Page, site: Site) -> None:
    """The frame keeps its height on a phone, also when it is turned, and the profile is lower there."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.dashboard}/?run={site.create_race(course='hilly-half')}")
    live = LiveMap.on(page)
    size = f"""() => [
        window.innerHeight, document.documentElement.scrollHeight, map.getSize().y, {PROFILE_PX}
    ]"""
    height, scrolled, map_height, profile = live.frame.evaluate(size)
    assert height == scrolled
    assert map_height > 250
    assert profile <= 90
    page.set_viewport_size({"width": 844, "height": 390})
    live.wait_for(f"() => window.innerWidth > 480 && {PROFILE_PX} > 90")
    height, scrolled, map_height, _ = live.frame.evaluate(size)
    assert height == scrolled
    assert map_height > 150


def test_timeline(page: Page, site: Site) -> None:
    """The live page goes back to any moment and plays from there; the list stays live, and Live returns.

    The link opens at the moment.
    """
    run = site.create_race(competitors=COMPETITORS, speed=20)
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    bar = live.frame.get_by_role("group", name="Timeline")
    slider = bar.get_by_role("slider", name="Race time")
    live.wait_for("race => race.source().state().end > 150")
    expect(bar.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "true")
    slider.fill("100")
    live.wait_for(f"race => !race.source().isLive() && {FARTHEST} < 800")
    expected = {one["competitorId"]: one["distance"] for one in site.positions_at(run, 100, COMPETITORS)}
    live.wait_for("race => !race.isGliding()")
    assert live.distances() == pytest.approx(expected, abs=0.1)
    expect(live.frame.get_by_text("0:01:40 — not live")).to_be_visible()
    expect(page.get_by_text("Map shows 0:01:40. This list is live.")).to_be_visible()
    before = page.evaluate("() => window.racecastPage.payload.time")
    page.wait_for_function(f"() => window.racecastPage.payload.time > {before} + 40")
    assert live.distances() == pytest.approx(expected, abs=0.1)
    expect(page).to_have_url(re.compile(r"[?&]at=100$"))
    page.reload()
    live = LiveMap.on(page)
    bar = live.frame.get_by_role("group", name="Timeline")
    expect(live.frame.get_by_text("0:01:40 — not live")).to_be_visible()
    live.wait_for(f"race => {FARTHEST} < 800 && !race.isGliding()")
    assert live.distances() == pytest.approx(expected, abs=0.1)
    bar.get_by_role("button", name="Play").click()
    live.wait_for("race => race.source().state().time > 110")
    assert sum(live.distances().values()) > sum(expected.values())
    bar.get_by_role("button", name="Live").click()
    live.wait_for(f"race => race.source().isLive() && {FARTHEST} > 1000")
    expect(live.frame.get_by_text("not live")).to_be_hidden()
    expect(page.get_by_text("This list is live.")).to_be_hidden()
    expect(page).not_to_have_url(re.compile("at="))
    bar.get_by_role("button", name="Pause").click()
    expect(live.frame.get_by_text("not live")).to_be_visible()
    bar.get_by_role("combobox", name="Speed").select_option("60")
    bar.get_by_role("button", name="Play").click()
    live.wait_for("race => race.source().isLive()")


def test_laps(page: Page, site: Site) -> None:
    """On a course of several laps the timeline has the leader's lap, and a competitor's card the own one.

    Without altitudes the profile is a low strip.
    """
    run = site.create_race(course="track-10000m", competitors=3, speed=60, fastest=180, slowest=300)
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    live.wait_for("race => race.positions()[0].distance > 500")
    live.wait_for("race => /^Lap ([2-9]|..) of 25$/.test(document.querySelector('.race-lap').textContent)")
    live.ask("race => race.inspect(race.shown().leaders[0])")
    expect(live.frame.locator(".competitor-card")).to_contain_text("of 25")
    strip = live.frame.get_by_role("img", name="Course of 10.00 km")
    expect(strip).to_be_visible()
    assert live.ask("race => race.shown().profile.height") < 90


def test_timeline_before_the_start(page: Page, site: Site) -> None:
    """Before the gun there is no past to go to."""
    start = datetime.now(UTC) + timedelta(hours=1)
    run = site.create_race(start_at=start.isoformat())
    page.goto(f"{site.dashboard}/?run={run}")
    frame = page.frame_locator("iframe[src*=streamlit_folium]")
    bar = frame.get_by_role("group", name="Timeline")
    expect(bar.get_by_role("slider", name="Race time")).to_be_disabled()
    expect(bar.get_by_role("button", name="Pause")).to_be_disabled()
    expect(bar.get_by_role("button", name="Before the start")).to_be_visible()
