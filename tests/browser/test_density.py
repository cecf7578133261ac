"""Density as colour along the line: on the map, in the profile and in the legend."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from simulator.course.library import load_folder
from tests.browser.conftest import watched_page
from tests.browser.site import LiveMap, Site
from tests.processes import ROOT

COMPETITORS = 600
CROWDED: dict[str, Any] = {
    "course": "city-10k",
    "competitors": COMPETITORS,
    "crowding": "flow",
    "width": 1.0,
    "start_width": 1.0,
    "how_many_get_stopped": 0,
    "speed": 60,
    "interval": 10,
    "gps_error": 20,
}
SECTION_M = 50.0
MOMENTS = (60, 200)
"""Race seconds: when most wait for their start, and when nearly all are on the course."""
COLOURS = ["rgb(255, 237, 160)", "rgb(254, 178, 76)", "rgb(227, 74, 51)", "rgb(128, 0, 38)"]
LEVELS = np.array([0.5, 1.2, 3.0])
MIDDLES = "[...Array(200).keys()].map((nth) => race.density().at(50 * nth + 25))"
MADE = """([line, distance, widths, every, runners]) => {
    const { CourseLine, Density } = window.Racecast;
    const density = new Density(new CourseLine(line, distance), { widths, every });
    const competitors = runners.map(([distance, status]) => ({ data: { distance, status } }));
    density.count({ statuses: ['running', 'paused'], competitors });
    return [density.parts(), [10, 60, 110, 160, 199].map((at) => density.at(at)), density.worst()];
}"""
LINE = [[0.0, 0.0], [0.0, 0.0018]]
"""About 200 m."""


@pytest.fixture(name="run", scope="module")
def _run(site: Site) -> str:
    """A crowded race that is paused after the last of the moments."""
    run = site.create_race(**CROWDED)
    site.wait_for_race_time(run, MOMENTS[-1] + 20)
    site.change(run, "pause")
    return run


def distances_at(site: Site, run: str, moment: int) -> Any:
    """Everyone's metres at a moment, from the race computed again."""
    return np.array([one["distance"] for one in site.positions_at(run, moment, COMPETITORS)])


def expected(site: Site, run: str, moment: int) -> Any:
    """Runners per square metre of each section, counted from the race computed again."""
    distances = np.round(distances_at(site, run, moment), 1)  # as in the payload
    under_way = distances[(distances > 0) & (distances < 10_000)]
    counts = np.bincount((under_way // SECTION_M).astype(int), minlength=200)
    return counts / (SECTION_M * CROWDED["width"])


def at_moment(live: LiveMap, site: Site, run: str, moment: int) -> None:
    """Show a moment of the race, and wait until all are where they were then."""
    covered = float(distances_at(site, run, moment).sum())
    live.ask(f"race => race.source().seek({moment})")
    shown = "race.positions().reduce((sum, { distance }) => sum + distance, 0)"
    live.wait_for(f"race => Math.abs({shown} - {covered}) < {0.1 * COMPETITORS} && !race.isGliding()")


def test_density_is_that_of_the_race(page: Page, site: Site, run: str) -> None:
    """Sections have their runners per square metre, whatever trackers say, without those who wait."""
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    for moment in MOMENTS:
        at_moment(live, site, run, moment)
        found = np.array(live.ask(f"race => {MIDDLES}"))
        wanted = expected(site, run, moment)
        assert found == pytest.approx(wanted)
        assert wanted.max() > LEVELS[0]
        for part in live.ask("race => race.shown().density"):
            inside = slice(round(part["from"] / SECTION_M), round(part["to"] / SECTION_M))
            assert set(np.searchsorted(LEVELS, wanted[inside], side="left")) == {part["level"]}


def test_the_line_has_the_colours_of_the_legend(page: Page, site: Site, run: str) -> None:
    """Each level that occurs is a line in its colour, the crowded ones wider; the legend has all of them."""
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    at_moment(live, site, run, MOMENTS[-1])
    levels = {part["level"] for part in live.ask("race => race.shown().density")}
    assert len(levels) > 1
    widths = []
    for level, colour in enumerate(COLOURS):
        line = live.frame.locator(f"path.density-{level}").first
        expect(line).to_have_css("stroke", colour)
        assert ((line.get_attribute("d") or "M0 0") != "M0 0") == (level in levels)
        widths.append(float(line.evaluate("line => getComputedStyle(line).strokeWidth.replace('px', '')")))
    assert widths == sorted(widths)
    assert len(set(widths)) == len(widths)
    legend = live.frame.locator(".race-legend-density")
    assert legend.locator("span").all_inner_texts() == [
        "≤ 0.5",
        "0.5\N{EN DASH}1.2",
        "1.2\N{EN DASH}3",
        "> 3",
    ]
    shown = "entry => getComputedStyle(entry, '::before').backgroundColor"
    assert [one.evaluate(shown) for one in legend.locator("span").all()] == COLOURS


def test_crowded_parts_are_above_dots_from_afar_and_below_them_from_near(
    page: Page, site: Site, run: str
) -> None:
    """A crowd would hide a line below it; from near, the line would hide the dots."""
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    above = """race => {
        const height = (pane) => Number(getComputedStyle(race._map.getPane(pane)).zIndex);
        return height('density') > height('field');
    }"""
    assert live.ask(above)
    live.ask("race => race._map.setZoom(17, { animate: false })")
    live.wait_for(f"race => !({above})(race)")


def test_the_profile_has_the_same_colours(page: Page, site: Site, run: str) -> None:
    """Below the relief there is a strip of them, and the words at the pointer have the number."""
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    at_moment(live, site, run, MOMENTS[-1])
    worst = live.ask("race => race.density().worst()")
    wanted = expected(site, run, MOMENTS[-1])
    assert worst == {"distance": SECTION_M * (wanted.argmax() + 0.5), "density": pytest.approx(wanted.max())}
    profile = live.frame.locator(".race-profile canvas")
    name = profile.get_attribute("aria-label") or ""
    assert f"Most crowded at {worst['distance'] / 1000:.2f} km with {worst['density']:.1f} runners/m²" in name
    x = live.frame.evaluate(f"() => racecast._profile._ground.x({worst['distance']})")
    profile.hover(position={"x": x, "y": 20})
    expect(live.frame.locator(".race-profile-words")).to_contain_text(f"{worst['density']:.1f} runners/m²")
    colour = """canvas => {
        const { _ground: ground } = racecast._profile;
        const ratio = canvas.width / canvas.clientWidth;
        const x = ground.x(racecast.density().worst().distance) * ratio;
        const [r, g, b] = canvas.getContext('2d').getImageData(x + 2, (ground.bottom + 5) * ratio, 1, 1).data;
        return `rgb(${r}, ${g}, ${b})`;
    }"""
    level = int(np.searchsorted(LEVELS, worst["density"], side="left"))
    assert profile.evaluate(colour) == COLOURS[level]


def test_density_on_a_dark_phone(browser: Browser, site: Site, run: str) -> None:
    """The legend is closed at first, and fits on the map; the profile is as high as its strip needs."""
    size = {"width": 390, "height": 844}
    with watched_page(browser, color_scheme="dark") as page:
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.goto(f"{site.dashboard}/?run={run}")
        live = LiveMap.on(page)
        legend = live.frame.locator(".race-legend-density")
        expect(legend).to_be_hidden()
        live.frame.locator(".race-legend summary").click()
        expect(legend).to_be_visible()
        rows = [one.bounding_box() for one in legend.locator("span").all()]
        assert len({row and row["y"] for row in rows}) == 1
        assert all(row and row["x"] + row["width"] < size["width"] for row in rows)
        edge = live.frame.locator("path.density-edge").first
        expect(edge).to_have_css("stroke", "rgb(18, 22, 28)")
        assert live.ask("race => race.shown().profile.height") < 90
        assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth") <= size["width"]


def test_no_density_without_crowding(page: Page, site: Site) -> None:
    """A race without crowding has no such line, legend or strip, however wide its course is."""
    run = site.create_race(course="city-10k")
    page.goto(f"{site.dashboard}/?run={run}")
    live = LiveMap.on(page)
    assert live.ask("race => race.density()") is None
    expect(live.frame.locator("path.density, .race-legend-density")).to_have_count(0)
    assert load_folder(ROOT / "courses").courses["city-10k"].widths != ()


def test_sections_and_who_counts(page: Page, site: Site, run: str) -> None:
    """Sections end where the width changes; who pauses doesn't count; a sample is scaled; laps are apart.

    There are a thousand at most: on 60 km they are of 60 m.
    """
    page.goto(f"{site.dashboard}/?run={run}")
    frame = LiveMap.on(page).frame
    runners = [[10, 0]] * 60 + [[20, 1]] * 500 + [[160, 0]] * 90 + [[0, 0]] * 70 + [[200, 0]] * 70
    steps = [[0, 2], [50, None], [150, 1]]
    parts, density, worst = frame.evaluate(MADE, [LINE, 200, steps, 1, runners])
    assert density == pytest.approx([0.6, None, None, 1.8, 1.8])
    assert parts == [{"from": 0, "to": 50, "level": 1}, {"from": 150, "to": 200, "level": 2}]
    assert worst == {"distance": 175, "density": 1.8}
    sampled = frame.evaluate(MADE, [LINE, 200, [[0, 2]], 7, runners])
    assert sampled[1] == pytest.approx([(60 + 90) * 7 / 400] * 5)
    long = [[0.0, 0.0], [0.0, 0.54]], 60_000
    assert frame.evaluate(MADE, [*long, [[0, 2]], 1, runners])[1][0] == pytest.approx(60 / (2 * 60))
    two_laps, *_ = frame.evaluate(MADE, [LINE, 400, [[0, 2]], 1, runners])
    assert [part["level"] for part in two_laps] == [1, 0, 1, 1, 0]
    assert all(part["to"] <= 200 or part["from"] >= 200 for part in two_laps)
