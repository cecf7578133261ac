"""The metrics of a running simulator and dashboard, checked against Prometheus' conventions."""

import re
import uuid
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from pinot.local.stack import Stack
from simulator import __version__
from simulator.http import openapi
from stream.contract import TOPICS
from stream.race_states import RACE_STATES
from stream.waiting import wait_for
from tests.monitoring.conftest import Site
from tests.monitoring.conventions import faults
from tests.processes import simulator, total

NAMED = "# HELP a_seconds A.\n# TYPE a_seconds"
EMPTY = f'{NAMED} histogram\na_seconds_bucket{{le="+Inf"}} 0\na_seconds_count 0\na_seconds_sum 0\n'
MANY = "# HELP a A.\n# TYPE a gauge\n" + "".join(f'a{{b="{nth}"}} 1\n' for nth in range(1001))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("# TYPE a gauge\na 1\n", "a has no HELP"),
        ("# HELP a A.\na 1\n", "a has no TYPE"),
        ("# HELP a A.\n# TYPE a counter\na 1\n", "a is a counter"),
        ("# HELP a_total A.\n# TYPE a_total gauge\na_total 1\n", "a_total is a gauge"),
        ("# HELP a_count A.\n# TYPE a_count gauge\na_count 1\n", "a_count is a gauge"),
        ("# HELP a_ms A.\n# TYPE a_ms gauge\na_ms 1\n", "a_ms isn't in a base unit"),
        ("# HELP aB A.\n# TYPE aB gauge\naB 1\n", "aB isn't a name"),
        ("# HELP a_gauge A.\n# TYPE a_gauge gauge\na_gauge 1\n", "a_gauge isn't a name"),
        ('# HELP a A.\n# TYPE a gauge\na{le="1"} 1\n', "a and `le` don't belong together"),
        ('# HELP a A.\n# TYPE a gauge\na{aB="1"} 1\n', "a has a label that isn't a name"),
        ("# HELP a A.\n# TYPE a gauge\na 1\na 2\n", "('a',) is there twice"),
        (f'{NAMED} histogram\na_seconds_bucket{{le="+Inf"}} 1\na_seconds_count 2\n', "another count"),
        (f'{NAMED} histogram\na_seconds_bucket{{le="1"}} 2\na_seconds_bucket{{le="+Inf"}} 1\n', "don't rise"),
        (f"{NAMED} gauge\na_seconds 1\n{NAMED} gauge\na_seconds 1\n", "a_seconds has HELP 2 times"),
        ('# HELP a A.\n# TYPE a histogram\na_bucket{le="+Inf"} 1\na_count 1\na_sum 1\n', "a has no unit"),
        (f"{EMPTY}# HELP a_seconds_sum A.\n# TYPE a_seconds_sum gauge\na_seconds_sum 1\n", "several metrics"),
        (MANY, "1001 series"),
    ],
)
def test_violations_of_the_conventions_are_found(text: str, fault: str) -> None:
    """The rules find what they forbid."""
    assert any(fault in found for found in faults(text))


def test_names_and_types_are_as_prometheus_wants_them(site: Site) -> None:
    """Both processes' metrics have help, type and unit, conventional names, and no collisions."""
    for text in site.metrics():
        assert faults(text) == []


def test_process_metrics(site: Site) -> None:
    """Each process exports its CPU time, memory, open files and Python version."""
    for text in site.metrics():
        names = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
        assert names >= {
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
            "process_open_fds",
            "process_start_time_seconds",
            "python_info",
        }


def test_what_may_be_counted_is_there_from_the_start(site: Site) -> None:
    """Every topic and every status is exported, even with the value 0, and the version."""
    values = site.simulator.metrics()
    for name in ("events", "events_delivered", "delivery_errors"):
        there = {topic for topic in TOPICS if f'racecast_{name}_total{{topic="{topic}"}}' in values}
        assert there == set(TOPICS)
    for name in ("races", "competitors"):
        statuses = {status for status in RACE_STATES if f'racecast_{name}{{status="{status}"}}' in values}
        assert statuses == set(RACE_STATES)
    assert values[f'racecast_build_info{{version="{__version__}"}}'] == 1


def test_a_race_is_counted(site: Site) -> None:
    """Ticks, events, deliveries, races and competitors are counted."""
    values = site.simulator.metrics()
    assert values['racecast_races{status="running"}'] == 1
    assert values['racecast_competitors{status="running"}'] == 20
    assert values["racecast_tick_duration_seconds_count"] == values["racecast_ticks_total"] >= 3
    assert values["racecast_tick_lateness_seconds_count"] == values["racecast_ticks_total"]
    assert values["racecast_delivery_duration_seconds_count"] > values["racecast_ticks_total"]
    assert 0 < values["racecast_delivery_duration_seconds_sum"] < 60
    assert total(values, "racecast_events_delivered_total") + values["racecast_events_waiting"] >= 60
    assert values['racecast_events_delivered_total{topic="competitors"}'] == 20
    assert total(values, "racecast_delivery_errors_total") == 0


def test_deliveries_to_kafka_are_timed(stack: Stack, tmp_path: Path) -> None:
    """Each batch's delivery to Kafka is timed, and no size of a store is exported."""
    run_id = f"watched-{uuid.uuid4().hex}"
    with simulator(tmp_path, "--publisher", "kafka", "--kafka", stack.kafka) as running:
        race = {"course": "crystal-palace", "competitors": 20, "run_id": run_id}
        made = httpx.post(f"{running.address}/races", json=race, trust_env=False, timeout=60)
        assert made.status_code == 201

        def trouble() -> str | None:
            delivered = running.metrics()['racecast_events_delivered_total{topic="parkrun"}']
            return None if delivered >= 60 else f"{delivered:g} positions are delivered"

        wait_for("Kafka", trouble, seconds=60, say=print)
        values, text = running.metrics(), running.get("/metrics").text
        httpx.post(f"{running.address}/races/{run_id}/cancel", trust_env=False, timeout=60).raise_for_status()

    assert faults(text) == []
    assert "racecast_store_bytes" not in text
    assert values["racecast_delivery_duration_seconds_count"] >= 5
    # librdkafka lingers 10 ms, and a local broker takes some milliseconds.
    assert values["racecast_delivery_duration_seconds_sum"] >= 5 * 0.01


def test_sizes_of_the_embedded_store(site: Site) -> None:
    """The sizes of the SQLite file and its write-ahead log are exported."""
    values = site.simulator.metrics()
    assert values['racecast_store_bytes{file="database"}'] >= 4096
    assert values['racecast_store_bytes{file="wal"}'] > 0


def test_requests_are_counted_by_route(site: Site) -> None:
    """A request counts under its route's template, so arbitrary paths add no series."""
    values = site.simulator.metrics()
    name = "racecast_http_request_duration_seconds_count"
    assert values[f'{name}{{method="POST",route="/races",status="2xx"}}'] == 1
    assert values[f'{name}{{method="GET",route="/races/{{run_id}}",status="2xx"}}'] >= 1
    assert values[f'{name}{{method="GET",route="/races/{{run_id}}",status="4xx"}}'] >= 1
    assert values[f'{name}{{method="GET",route="/races/{{run_id}}/results.{{suffix}}",status="2xx"}}'] >= 1
    assert values[f'{name}{{method="GET",route="other",status="4xx"}}'] == 50
    routes = {route for series in values for route in re.findall(r'route="([^"]*)"', series)}
    assert routes <= {route.path for route in openapi.ROUTES} | {"other"}
    assert values["racecast_http_connections"] >= 1


def test_the_dashboard_counts_feed_requests_and_store_queries(site: Site) -> None:
    """Responses to browsers and the store's queries with their durations are counted."""
    lines = site.metrics()[1].splitlines()
    values = {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}
    payloads, asked = "racecast_dashboard_payloads_total", "racecast_dashboard_store_duration_seconds_count"
    assert values[f'{payloads}{{feed="live",status="200"}}'] == 1
    assert values[f'{payloads}{{feed="live",status="404"}}'] == 1
    assert values[f'{payloads}{{feed="past",status="200"}}'] == 1
    assert values[f'{payloads}{{feed="start_list",status="200"}}'] == 1
    for question in ("race", "course", "competitors", "positions", "positions_at", "passings"):
        assert values[f'{asked}{{question="{question}"}}'] >= 1
