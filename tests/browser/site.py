"""Test helpers for a running site: create races by the API, open the page, and query its map."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Error, Frame, Locator, Page, WebSocketRoute, expect
from shapely import LineString
from shapely.geometry import shape

from simulator.course.library import load_folder
from simulator.race.events import positions_of_all
from simulator.race.race import Race
from simulator.race.request import RaceRequest
from stream.race_states import Action
from stream.waiting import wait_for
from tests.processes import ROOT


@dataclass(frozen=True)
class Site:
    """The addresses of a dashboard and of the API behind it, and the SQLite file of both, if it is on one."""

    dashboard: str
    api: str
    database: Path | None = None

    def create_race(self, **request: Any) -> str:
        """The run id of a new race, by default of 60 competitors at five times the speed."""
        body = {"course": "crystal-palace", "competitors": 60, "speed": 5, "seed": 1, **request}
        answer = httpx.post(f"{self.api}/races", json=body, trust_env=False)
        assert answer.status_code == 201, answer.text
        run_id: str = answer.json()["run_id"]
        return run_id

    def change(self, run_id: str, action: Action) -> None:
        """Pause, resume or cancel a race.

        A race paused at its start waits for the page, however long that takes to open.
        """
        httpx.post(f"{self.api}/races/{run_id}/{action}", trust_env=False).raise_for_status()

    def race_time(self, run_id: str) -> float:
        """How far a race is, in seconds."""
        seconds: float = httpx.get(f"{self.api}/races/{run_id}", trust_env=False).json()["race_time"]
        return seconds

    def wait_for_race_time(self, run_id: str, seconds: float) -> None:
        """Wait until a race is farther than this."""
        wait_for(
            run_id,
            lambda: None if (now := self.race_time(run_id)) > seconds else f"it is at {now} s",
            seconds=60,
            say=print,
        )

    def positions(self, run_id: str) -> list[dict[str, Any]]:
        """The properties of each competitor's position, as the API says it."""
        answer = httpx.get(f"{self.api}/races/{run_id}/positions", trust_env=False)
        return [feature["properties"] for feature in answer.json()["features"]]

    def status(self, run_id: str) -> str:
        """Where a race stands, as the API says it."""
        answer = httpx.get(f"{self.api}/races/{run_id}", trust_env=False)
        status: str = answer.json()["status"]
        return status

    def wait_for_status(self, run_id: str, status: str) -> None:
        """Wait until a race has this status."""
        wait_for(
            run_id,
            lambda: None if (found := self.status(run_id)) == status else f"it is {found}",
            seconds=60,
            say=print,
        )

    def positions_at(self, run_id: str, raw_time: int, competitors: int) -> list[dict[str, Any]]:
        """All positions at a second of race time: the race computed again from its request."""
        made = httpx.get(f"{self.api}/races/{run_id}", trust_env=False).json()
        made |= made.get("options", {})
        fields = {name: made[name] for name in RaceRequest.model_fields if name in made}
        fields["start_at"] = datetime.fromisoformat(fields["start_at"])
        request = RaceRequest.model_validate(fields)
        course = load_folder(ROOT / "courses").courses[made["course"]]
        tick = round(raw_time / request.tick)
        batch = positions_of_all(Race(course, request), tick)
        assert (len(batch), int(batch.raw_time[0])) == (competitors, raw_time)
        columns = zip(batch.bib.tolist(), batch.distance.tolist(), strict=True)
        return [{"competitorId": bib, "distance": distance} for bib, distance in columns]

    def pace(self, run_id: str, bib: int) -> float:
        """Seconds per metre of a competitor so far, as the API says it."""
        (one,) = [position for position in self.positions(run_id) if position["competitorId"] == bib]
        return float(one["elapsed"] / one["distance"])

    def course_line(self, short_name: str) -> LineString:
        """A course's line in degrees, as the API says it."""
        answer = httpx.get(f"{self.api}/courses/{short_name}", trust_env=False)
        shapes = [shape(feature["geometry"]) for feature in answer.json()["features"]]
        return next(one for one in shapes if isinstance(one, LineString))


class Answers:
    """What Streamlit sends to a page, which can be held back for a while."""

    def __init__(self, page: Page) -> None:
        self._held: list[str | bytes] | None = None
        page.route_web_socket("**/_stcore/stream", self._connect)

    def hold(self) -> None:
        """Hold them back from now on."""
        self._held = []

    def pass_on(self) -> None:
        """Send those that were held back, and all that follow."""
        held, self._held = self._held or [], None
        for message in held:
            self._socket.send(message)

    def _connect(self, socket: WebSocketRoute) -> None:
        self._socket = socket
        socket.connect_to_server().on_message(self._take)

    def _take(self, message: str | bytes) -> None:
        if self._held is None:
            self._socket.send(message)
        else:
            self._held.append(message)


def wait_until_drawn(page: Page) -> None:
    """Wait until Streamlit's script has stopped: a value that it gives a field overwrites what is typed."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def fill(page: Page, label: str, value: str) -> None:
    """Type into the field whose label begins so, in one of Streamlit's forms."""
    field = page.locator(f'input[aria-label^="{label}"]')
    expect(field).to_be_visible()
    wait_until_drawn(page)
    field.fill(value)
    field.press("Tab")


def open_menu(page: Page, name: str) -> None:
    """Open the menu of this name, which a page that is still being drawn may close."""
    button = page.get_by_role("button", name=name, exact=True)
    expect(button).to_be_visible()
    wait_until_drawn(page)
    button.click()


ATTEMPTS = 5


def choose(chooser: Locator, option: str) -> None:
    """Choose the first option that begins so in one of Streamlit's choosers.

    A page that is drawn again meanwhile closes the list of options; then it is opened once more.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(AssertionError, Error):
            return _choose_once(chooser, option)
    return _choose_once(chooser, option)


def _choose_once(chooser: Locator, option: str) -> None:
    begins_so = re.compile(f"^{re.escape(option)}")
    # Scrolling closes the list of options too.
    chooser.evaluate("chooser => chooser.scrollIntoView({ block: 'center' })")
    chooser.click(timeout=5_000)
    chooser.page.get_by_role("option", name=begins_so).first.click(timeout=5_000)
    expect(chooser).to_have_value(begins_so, timeout=5_000)


def without_streams(page: Page) -> None:
    """Let no stream through, as some proxies do: the page polls, which a test can interrupt."""
    page.route("**/stream?*", lambda route: route.abort())


FRAMES = "[...document.querySelectorAll('iframe[src*=streamlit_folium]')]"


@dataclass(frozen=True)
class LiveMap:
    """The map on an open page."""

    frame: Frame

    @classmethod
    def on(cls, page: Page) -> "LiveMap":
        """The map of `page`, once it has shown its first positions."""
        wait_until_drawn(page)  # other units and another clock build it again
        frame: Frame | None = None
        while frame is None:  # one that is removed at this moment has none
            # Of all frames the one with a race: that of the page before may be on its way out yet.
            element = page.wait_for_function(
                f"() => {FRAMES}.find((one) => one.contentWindow && one.contentWindow.racecast)"
            ).as_element()
            assert element is not None
            frame = element.content_frame()
        found = cls(frame)
        found.wait_for("race => race.payloads() >= 1 && race.positions().length > 0")
        return found

    def wait_for(self, condition: str) -> Any:
        """Wait until a function of the live layer, in JavaScript, is true, and return its value."""
        return self.frame.wait_for_function(
            f"() => window.racecast && ({condition})(window.racecast)"
        ).json_value()

    def ask(self, question: str) -> Any:
        """Call a function of the live layer, in JavaScript."""
        return self.frame.evaluate(f"() => ({question})(window.racecast)")

    def wait_for_payloads(self, more: int) -> None:
        """Wait until this many more payloads have arrived."""
        until = self.ask("race => race.payloads()") + more
        self.wait_for(f"race => race.payloads() >= {until}")

    def metres_covered(self, payloads: int) -> list[float]:
        """The total distance covered, at each of this many payloads one after another."""
        seen = []
        for _ in range(payloads):
            seen.append(sum(self.distances().values()))
            self.wait_for_payloads(1)
        return seen

    def distances(self) -> dict[int, float]:
        """The drawn distances at this moment: metres by bib."""
        return {one["competitor"]: one["distance"] for one in self.ask("race => race.positions()")}
