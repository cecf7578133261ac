"""The configuration of Prometheus and Grafana matches the metrics of a running simulator and dashboard."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.monitoring import promql
from tests.monitoring.conftest import Site

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "monitoring"


def _read(*names: str) -> dict[str, Any]:
    """Parse a file in the folder; JSON is YAML too."""
    said: dict[str, Any] = yaml.safe_load(FOLDER.joinpath(*names).read_text())
    return said


SHOWN = _read("grafana", "dashboards", "racecast.json")
PANELS: list[dict[str, Any]] = SHOWN["panels"]
MEASURING = [panel for panel in PANELS if panel["type"] != "row"]
DRAWN = [target["expr"] for panel in MEASURING for target in panel["targets"]]
RULES: list[dict[str, Any]] = [rule for group in _read("rules.yml")["groups"] for rule in group["rules"]]
EXPRESSIONS = [*DRAWN, *(rule["expr"] for rule in RULES)]
PROMETHEUS = _read("prometheus.yml")
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
ADDED = {"up", "job", "instance"}
"""Added by Prometheus itself."""
METRICS_PAGE = (ROOT / "docs" / "operations.md").read_text().split("\n## Metrics\n")[1].split("\n## ")[0]


@pytest.fixture(scope="session")
def samples(site: Site) -> list[Sample]:
    """All samples of both processes."""
    families = [family for text in site.metrics() for family in text_string_to_metric_families(text)]
    return [sample for family in families for sample in family.samples]


@pytest.mark.parametrize(
    ("expression", "metrics", "labels"),
    [
        ("a_total", {"a_total"}, set()),
        ("sum by (x, y) (rate(a_total[5m])) > 0", {"a_total"}, {"x", "y"}),
        ('a{x="b", y=~"c|d"} == 0', {"a"}, {"x", "y"}),
        ("(sum(a) > 1e3 or increase(b[$__rate_interval]) > 0) and on (x) c == 0", {"a", "b", "c"}, {"x"}),
        ("histogram_quantile(0.99, sum by (le) (rate(a_bucket[1m])))", {"a_bucket"}, {"le"}),
    ],
)
def test_names_in_expressions_are_found(expression: str, metrics: set[str], labels: set[str]) -> None:
    """The metrics and labels in an expression are found."""
    assert (promql.metrics(expression), promql.labels(expression)) == (metrics, labels)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_what_is_asked_for_is_there(expression: str, samples: list[Sample]) -> None:
    """Each expression in a panel or a rule uses metrics and labels that the processes export."""
    names = promql.metrics(expression) - ADDED
    asked = [sample for sample in samples if sample.name in names]
    assert promql.metrics(expression)
    assert {sample.name for sample in asked} == names
    if names:
        assert promql.labels(expression) - ADDED <= {label for sample in asked for label in sample.labels}


def test_all_metrics_are_shown(site: Site) -> None:
    """Each metric of races, events, requests and the store is in a panel."""
    headed = re.findall(r"^# TYPE (racecast_\S+)", "\n".join(site.metrics()), re.MULTILINE)
    drawn = {name for expression in DRAWN for name in promql.metrics(expression)}
    shown = drawn | {re.sub(r"_(bucket|count)$", "", name) for name in drawn}
    assert {name for name in headed if name not in shown} == set()


@pytest.mark.parametrize("panel", MEASURING, ids=lambda panel: panel["title"])
def test_units_are_those_of_the_metrics(panel: dict[str, Any]) -> None:
    """A panel of durations is in seconds, and one of sizes in bytes."""
    expressions = [target["expr"] for target in panel["targets"]]
    seconds = any("_seconds" in expr and not re.search(r"_count|_cpu_", expr) for expr in expressions)
    units = {panel["fieldConfig"]["defaults"]["unit"], panel["options"].get("yAxis", {}).get("unit")}
    assert seconds is ("s" in units)
    assert any("_bytes" in expr for expr in expressions) is ("bytes" in units)


def test_panels_use_the_data_source() -> None:
    """Each panel and each of its series uses Grafana's only data source, by its uid."""
    (source,) = _read("grafana", "datasources", "prometheus.yml")["datasources"]
    wanted = {"type": source["type"], "uid": source["uid"]}
    asked = [one["datasource"] for panel in MEASURING for one in (panel, *panel["targets"])]
    assert all(one == wanted for one in asked)


def test_dashboards_are_found_where_they_are_mounted() -> None:
    """The folder that Grafana reads is where the dashboard is mounted."""
    (provider,) = _read("grafana", "dashboards", "racecast.yml")["providers"]
    (mount,) = SERVICES["grafana"]["volumes"]
    source, inside, _ = mount.split(":")
    here = ROOT / source / Path(provider["options"]["path"]).relative_to(inside)
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (here / Path(home).name).exists()
    assert str(Path(home).parent) == provider["options"]["path"]


def test_prometheus_scrapes_the_services(site: Site) -> None:
    """Each job has the host and port of a service, and the path of its metrics."""
    jobs = {job["job_name"]: job for job in PROMETHEUS["scrape_configs"]}
    for name, running in (("simulator", site.simulator), ("dashboard", site.dashboard)):
        ((host, _, port),) = [target.partition(":") for target in jobs[name]["static_configs"][0]["targets"]]
        assert [published.rpartition(":")[2] for published in SERVICES[host]["ports"]] == [port]
        answer = running.get(jobs[name].get("metrics_path", "/metrics"))
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")


def test_every_rule_is_documented() -> None:
    """docs/operations.md names each rule, beside what to do about it."""
    assert [rule["alert"] for rule in RULES if f"`{rule['alert']}`" not in METRICS_PAGE] == []


def test_every_metric_is_documented(site: Site) -> None:
    """docs/operations.md has each metric that the processes export, and no other."""
    exported = set(re.findall(r"^# TYPE (racecast_\S+)", "\n".join(site.metrics()), re.MULTILINE))
    assert set(re.findall(r"`(racecast_[a-z_]+)`", METRICS_PAGE)) == exported
