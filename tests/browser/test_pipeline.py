"""The pipeline page on the real parts: all of them well, Kafka away and back, and the simulator away.

What it shows while Pinot is away is in `test_pinot_away`.
"""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from confluent_kafka import TopicPartition
from playwright.sync_api import Page

from pinot.health.incomplete import defects
from pinot.health.words import size
from pinot.local.stack import Stack
from stream.contract import TABLES, TOPICS
from stream.waiting import wait_for
from tests.browser.pipeline_page import PipelinePage
from tests.browser.site import Site
from tests.processes import Running, dashboard, simulator
from tests.stacks import without
from tests.topics import partitions_of, reader
from tests.torture.event_stores import query_pinot

BACK_WITHIN_S = 90.0
"""After Kafka answers again."""
PHONE_PX = 390
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")


class Parts:
    """A site with Kafka and Pinot between its ends, and the simulator's process."""

    def __init__(self, api: Running, pages: Running) -> None:
        self.simulator = api
        self.site = Site(pages.address, api.address)


@pytest.fixture
def parts(stack: Stack, tmp_path: Path) -> Iterator[Parts]:
    """Simulator and dashboard on the stack."""
    kafka = ("--kafka", stack.kafka, "--pinot-controller", stack.controller)
    with (
        simulator(tmp_path, "--publisher", "kafka", *kafka) as api,
        dashboard(tmp_path, api.address, "--store", "pinot", "--pinot-broker", stack.broker, *kafka) as pages,
    ):
        _end_races_of_before(api)
        yield Parts(api, pages)


def _end_races_of_before(api: Running) -> None:
    """End races that other tests have left running on the same Kafka: one race is to be observed."""
    wait_for("the previous races", lambda: _trouble(api), seconds=60, say=print)
    for race in api.get("/races").json()["races"]:
        if race["status"] not in {"finished", "cancelled"}:
            address = f"{api.address}/races/{race['run_id']}/cancel"
            httpx.post(address, trust_env=False).raise_for_status()


def _trouble(api: Running) -> str | None:
    answer = api.get("/readyz")
    return None if answer.status_code == httpx.codes.OK else answer.text


@pytest.mark.timeout(600)
def test_parts_away_and_back(page: Page, stack: Stack, parts: Parts) -> None:
    """An unavailable component turns red with a remedy, the page lives on, and all is green afterwards."""
    site = parts.site
    shown = PipelinePage(page, site.dashboard)
    shown.expect_light("Simulator", "green")
    run = site.create_race(competitors=30, speed=1)
    for part in ("Simulator", "Kafka", "Pinot", "End to end"):
        shown.expect_light(part, "green")
    shown.expect_figure("End to end", "expected_seconds", "1.0 s")
    _simulators_are_listed(page, shown, f"{socket.gethostname()}-{parts.simulator.pid}")
    shown.expect_charts(2)
    before = shown.places()
    shown.wait_for_look()
    assert shown.places() == before

    with without(stack, "kafka"):
        shown.expect_light("Kafka", "red", "Start it (make stack), or set RACECAST_KAFKA to its address.")
        shown.expect_light("Simulator", "red", f"no broker answers at {stack.kafka}")
        shown.expect_light("End to end", "red", f'The newest position of race "{run}" is')
        shown.wait_for_look()
    for part in ("Kafka", "Simulator", "Pinot", "End to end"):
        shown.expect_light(part, "green", within_s=BACK_WITHIN_S)
    shown.expect_cell("simulators", f"{socket.gethostname()}-{parts.simulator.pid}", "Lag", "0 s")

    wait_for("the pause", lambda: _not_paused(site, run), seconds=60, say=print)
    shown.expect_figure("Simulator", "unowned_parts", "\N{EN DASH}")
    _figures_are_those_of_the_parts(shown, stack)

    parts.simulator.end_if_running()
    shown.expect_light("Simulator", "red", "Start it (python -m simulator serve)")
    assert page.get_by_test_id("stException").count() == 0


def _not_paused(site: Site, run_id: str) -> str | None:
    """Pause a race, as often as the simulator asks for it after an outage."""
    answer = httpx.post(f"{site.api}/races/{run_id}/pause", trust_env=False, timeout=30)
    return None if answer.status_code in {200, 409} else answer.text


def _simulators_are_listed(page: Page, shown: PipelinePage, name: str) -> None:
    """The only simulator has everything; on a phone, too, its row is within the screen."""
    for column, text in (
        ("Host", "127.0.0.1"),
        ("Partitions", "12"),
        ("Parts", "1"),
        ("Competitors", "30"),
        ("Lag", "0 s"),
    ):
        shown.expect_cell("simulators", name, column, text)
    shown.expect_figure("Simulator", "simulators", "1")
    shown.expect_figure("Simulator", "unowned_parts", "0 of 1")
    size = page.viewport_size
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": PHONE_PX, "height": 844})
        shown.expect_cell("simulators", name, "Lag", "0 s")
        cells = [box for box in shown.cells("simulators") if box[1] > box[0]]
        assert len(cells) == 2 * 5  # without the host
        assert all(0 <= left < right <= PHONE_PX for left, right in cells)
        assert shown.width() == PHONE_PX
    page.emulate_media(color_scheme="null")
    if size is not None:
        page.set_viewport_size(size)


def _figures_are_those_of_the_parts(shown: PipelinePage, stack: Stack) -> None:
    """Without new events, each figure equals the component's own answer."""
    with reader(stack.kafka) as consumer:
        for topic in TOPICS:
            partitions = partitions_of(consumer, topic)
            ends = [
                consumer.get_watermark_offsets(TopicPartition(topic, place), timeout=10)[1]
                for place in partitions
            ]
            shown.expect_cell("topics", topic, "Partitions", str(len(partitions)))
            shown.expect_cell("topics", topic, "End offset", f"{sum(ends):,}")
            shown.expect_cell("topics", topic, "Lag", "0")
            shown.expect_cell("topics", topic, "Messages", "0/s")
    for table, lacking in defects(broker=stack.broker, controller=stack.controller).items():
        shown.expect_cell("tables", table, "Incomplete", f"{lacking.incomplete:,}")
        rowless = "\N{EN DASH}" if lacking.rowless is None else f"{lacking.rowless:,}"
        shown.expect_cell("tables", table, "Without row", rowless)
    for table in TABLES:
        ((rows,),) = query_pinot(stack.queries, f"SELECT count(*) FROM {table}")
        shown.expect_cell("tables", table, "Rows", f"{rows:,}")
        shown.expect_cell("tables", table, "Written", size(_ask(stack, table, "size")["reportedSizeInBytes"]))
        if table == "courses":
            shown.expect_cell("tables", table, "Consuming", "\N{EN DASH}")
            continue
        readers = _ask(stack, table, "consumingSegmentsInfo")["_segmentToConsumingInfoMap"].values()
        reading = sum(one["consumerState"] == "CONSUMING" for (one,) in readers)
        shown.expect_cell("tables", table, "Consuming", f"{reading} of {len(readers)}")
        shown.expect_cell("tables", table, "Fresh", re.compile(r"^\d+(\.\d)? (s|min|h) ago$"))
    shown.expect_light("End to end", "grey", "No race is under way")


def _ask(stack: Stack, table: str, what: str) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{stack.controller}/tables/{table}/{what}", trust_env=False).json()
    return answer
