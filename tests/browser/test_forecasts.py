"""Forecasts on the live page: in the leaderboard, on the map's card, by timing point, in a real browser."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import watched_page
from tests.browser.site import LiveMap, Site, open_menu

RACE: dict[str, Any] = {
    "course": "hilly-half",
    "competitors": 80,
    "entrants": "drawn",
    "start_flow": 10,
    "speed": 300,
    "interval": 10,
    "seed": 7,
}
INTERVAL = r"\([0-9:]+.[0-9:]+\)"
NEXT = re.compile(rf"^(.+) in ([0-9:]+) *{INTERVAL}$")


@pytest.fixture(scope="module")
def paused(site: Site) -> Iterator[str]:
    """A race that is paused on the way."""
    run = site.create_race(**RACE)
    site.wait_for_race_time(run, 2700)
    site.change(run, "pause")
    yield run
    site.change(run, "cancel")


def _card(page: Page, bib: int) -> Locator:
    LiveMap.on(page).ask(f"race => race.inspect({bib})")
    return page.frame_locator("iframe").locator(".competitor-card")


def _facts(card: Locator) -> dict[str, str]:
    words, values = (card.locator(tag).all_inner_texts() for tag in ("dt", "dd"))
    return dict(zip(words, values, strict=True))


def _forecasts(site: Site, run: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{site.api}/races/{run}/forecasts", trust_env=False)
    found: list[dict[str, Any]] = answer.json()["forecasts"]
    return found


def _seconds(text: str) -> int:
    """Seconds of h:mm:ss or m:ss."""
    found = 0
    for part in text.split(":"):
        found = 60 * found + int(part)
    return found


def test_page_shows_the_forecasts_of_the_api(page: Page, site: Site, paused: str) -> None:
    """Leaderboard and card have the same next points and finishes, and in a pause they stand still."""
    page.goto(f"{site.dashboard}/?run={paused}")
    known = {one["bib"]: one for one in _forecasts(site, paused)}
    now = site.race_time(paused)
    bib, one = next((bib, one) for bib, one in known.items() if one["next"]["kind"] == "split")

    row = page.locator(f".leaderboard tr[data-bib='{bib}']")
    page.get_by_role("searchbox").fill(str(bib))
    expect(row.locator(".expected")).to_have_text(re.compile("^[0-9]:[0-9]{2}:[0-9]{2}$"))
    shown = _seconds(row.locator(".expected").inner_text())
    assert shown == pytest.approx(one["gun_time"]["expected"], abs=1.0)
    expect(row.locator(".expected")).to_have_attribute("title", re.compile("probability of 80 %"))

    card = _card(page, bib)
    expect(card.locator("dd.expected")).to_have_count(3)
    facts = _facts(card)
    found = NEXT.fullmatch(facts["Next"].replace("\n", " "))
    assert found, facts["Next"]
    assert found[1] == one["next"]["point"]
    assert _seconds(found[2]) == pytest.approx(one["next"]["elapsed"]["expected"] - now, abs=1.0)
    for by in ("gun", "chip"):
        text = facts[f"Finish, {by}"].replace("\n", " ")
        low, expected, high = (one[f"{by}_time"][name] for name in ("low", "expected", "high"))
        times = [_seconds(time) for time in re.findall("[0-9:]+", text)]
        assert times == pytest.approx([expected, low, high], abs=1.0)

    panel = page.get_by_role("region", name="Expected in the next 5 minutes")
    soon = panel.locator(".point").first
    expect(soon.locator(".how-many")).to_have_text(re.compile("^[0-9]+ expected$"))
    before = panel.inner_text()
    page.wait_for_timeout(1500)
    assert panel.inner_text() == before
    assert _facts(card)["Next"] == facts["Next"]


def test_who_is_expected_at_a_point(page: Page, site: Site, paused: str) -> None:
    """The panel lists points from the finish backwards, and at each the next ones by the time to go."""
    page.goto(f"{site.dashboard}/?run={paused}")
    panel = page.get_by_role("region", name="Expected in the next 5 minutes")
    expect(panel.locator(".point").first).to_be_visible()
    now = site.race_time(paused)
    for row in panel.locator(".point").all():
        times = [_seconds(text) for text in row.locator(".fact").all_inner_texts()]
        assert times == sorted(times)
        assert max(times) <= 300
        assert int(row.locator(".how-many").inner_text().split()[0]) >= len(times)
    soonest = min(_forecasts(site, paused), key=lambda one: float(one["next"]["elapsed"]["expected"]))
    # Of the points within five minutes, the next one is the last of the panel.
    entry = panel.locator("li", has_text=soonest["name"]).last
    to_go = _seconds(entry.locator(".fact").inner_text())
    assert to_go == pytest.approx(soonest["next"]["elapsed"]["expected"] - now, abs=1.0)
    entry.get_by_role("button").click()
    expect(page.frame_locator("iframe").locator(".competitor-card strong")).to_have_text(soonest["name"])


def test_time_to_go_counts_down(page: Page, site: Site) -> None:
    """While the race runs, the time to go follows the race clock."""
    run = site.create_race(**RACE | {"speed": 2, "interval": 1, "competitors": 20})
    page.goto(f"{site.dashboard}/?run={run}")
    card = _card(page, 1)
    value = card.locator("dd.expected").first
    expect(value).to_have_text(NEXT)
    page.route("**/forecasts?*", lambda route: route.abort())  # others than those it has may differ
    shown = []
    for _ in range(2):
        facts = _facts(card)
        to_go = NEXT.fullmatch(facts["Next"].replace("\n", " "))
        assert to_go
        shown.append((_seconds(facts["Gun time"]), _seconds(to_go[2])))
        page.wait_for_timeout(5000)
    (before, first), (after, second) = shown
    assert after - before > 5
    assert first - second == pytest.approx(after - before, abs=3)
    page.unroute("**/forecasts?*")
    site.change(run, "cancel")
    expect(card.locator("dd.expected")).to_have_count(0)
    expect(page.get_by_role("columnheader", name="Expected finish")).to_have_count(0)
    expect(page.get_by_role("region", name="Expected in the next 5 minutes")).to_have_count(0)


def test_forecasts_can_be_switched_off(page: Page, site: Site, paused: str) -> None:
    """In the View menu, and the link keeps it: then they are not even requested."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"{site.dashboard}/?run={paused}")
    expect(page.get_by_role("columnheader", name="Expected finish")).to_be_visible()
    open_menu(page, "View")
    page.get_by_text("Forecasts", exact=True).click()
    expect(page.get_by_role("columnheader", name="Expected finish")).to_have_count(0)
    expect(page.get_by_role("columnheader", name="Last split")).to_be_visible()
    expect(page.get_by_role("region", name="Expected in the next 5 minutes")).to_have_count(0)
    page.wait_for_url(re.compile("forecasts=false"))
    requests.clear()
    page.reload()
    card = _card(page, 1)
    expect(card).to_contain_text("Chip time")
    expect(card.locator("dd.expected")).to_have_count(0)
    assert [url for url in requests if url.partition("?")[0].endswith("/forecasts")] == []


def test_the_past_has_no_forecasts(page: Page, site: Site, paused: str) -> None:
    """The card of a past moment has none; back at the newest, it has them again."""
    page.goto(f"{site.dashboard}/?run={paused}")
    card = _card(page, 1)
    expect(card.locator("dd.expected")).to_have_count(3)
    live = LiveMap.on(page)
    live.ask("race => race.source().seek(1200)")
    expect(card.locator("dd.expected")).to_have_count(0)
    live.ask("race => race.source().goLive()")
    expect(card.locator("dd.expected")).to_have_count(3)


def test_forecasts_on_a_phone(browser: Browser, site: Site, paused: str) -> None:
    """Names keep their room in the leaderboard, the panel is below it, and nothing is too wide."""
    with watched_page(browser) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(f"{site.dashboard}/?run={paused}")
        panel = page.get_by_role("region", name="Expected in the next 5 minutes")
        expect(panel.locator(".point").first).to_be_visible()
        expect(page.get_by_role("columnheader", name="Expected finish")).to_be_hidden()
        leaderboard = page.locator(".part.leaderboard")
        below, above = panel.bounding_box(), leaderboard.bounding_box()
        assert below
        assert above
        assert below["y"] >= above["y"] + above["height"]
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        card = _card(page, 1)
        box = card.bounding_box()
        assert box
        assert 0 <= box["x"] <= box["x"] + box["width"] <= 390
