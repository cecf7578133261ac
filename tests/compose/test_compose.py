"""`docker compose up`, run for real: it starts, has only the rights it needs, and survives every fault."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from stream.waiting import wait_for
from tests.compose.project import RUNNING, SERVICES, Project
from tests.compose.race_day import COMPETITORS, QUERIES, RaceDay

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]

NEIGHBOURS = {
    frozenset(pair)
    for pair in [
        # Pinot's parts find each other through ZooKeeper; the tables name Kafka.
        ("pinot-controller", "zookeeper"),
        ("pinot-broker", "zookeeper"),
        ("pinot-server", "zookeeper"),
        ("pinot-controller", "pinot-broker"),
        ("pinot-controller", "pinot-server"),
        ("pinot-broker", "pinot-server"),
        ("pinot-controller", "kafka"),
        ("pinot-server", "kafka"),
        # The simulator publishes events to Kafka, and courses to Pinot's controller.
        ("simulator", "kafka"),
        ("simulator", "pinot-controller"),
        # The dashboard queries Pinot's broker, posts races to the API, and checks everything's health.
        ("dashboard", "pinot-broker"),
        ("dashboard", "simulator"),
        ("dashboard", "kafka"),
        ("dashboard", "pinot-controller"),
    ]
}
"""The services that need each other."""
CRASHES = [
    ("zookeeper",),
    ("kafka",),
    ("pinot-controller", "pinot-broker", "pinot-server"),
    ("simulator",),
    ("dashboard",),
]
"""What crashes one after another. Each of Pinot's waits 30 s for its old session to end, hence together."""
KILLED = 137
"""Exit status of a process that the engine had to kill."""
PUBLISHED = {"pinot-controller", "simulator", "dashboard"}
KILOBYTES = {"k": 1, "m": 1024, "g": 1024**2}
LIMITS = (
    "cat /sys/fs/cgroup/{memory/memory.limit_in_bytes,memory.max,pids/pids.max,pids.max} 2>/dev/null || true"
)


def test_everything_comes_up(project: Project) -> None:
    """Every service is healthy, the set-up has succeeded, and no part of the pipeline has a problem."""
    assert {name: project.container(name).well for name in RUNNING} == dict.fromkeys(RUNNING, True)
    assert project.container("setup").exit_code == 0
    project.inside("dashboard", "python", "-m", "pinot", "status")


@pytest.mark.parametrize("service", RUNNING)
def test_a_container_has_no_more_rights_than_it_needs(service: str, project: Project) -> None:
    """Its process is not root, has no capabilities and can gain none; memory and processes are limited."""
    lines = project.inside(service, "cat", "/proc/1/status")
    status = dict(re.findall(r"^(\w+):\s+(.*)$", lines, re.MULTILINE))
    memory, pids = project.inside(service, "bash", "-c", LIMITS).split()
    described = SERVICES[service]

    assert "0" not in status["Uid"].split()
    assert {int(status[kind], 16) for kind in ("CapEff", "CapPrm", "CapBnd")} == {0}
    assert status["NoNewPrivs"] == "1"
    assert int(memory) == int(described["mem_limit"][:-1]) * KILOBYTES[described["mem_limit"][-1]] * 1024
    assert int(pids) == described["pids_limit"]


@pytest.mark.parametrize("service", RUNNING)
def test_a_container_writes_only_where_the_file_says(service: str, project: Project) -> None:
    """Its root and all mounts are read-only, except the named volumes and tmpfs folders of the file."""
    described = SERVICES[service]
    volumes = [mount.split(":") for mount in described.get("volumes", [])]
    named = {inside for source, inside, *_ in volumes if not source.startswith(".")}
    mounts = [mount.partition(":") for mount in described.get("tmpfs", [])]
    memory = {folder for folder, _, options in mounts if "ro" not in options.split(",")}
    lines = [line.split() for line in project.inside(service, "cat", "/proc/mounts").splitlines()]
    writable = {folder for _, folder, _, options, *_ in lines if "ro" not in options.split(",")}
    of_the_system = {folder for folder in writable if re.match(r"/(proc|dev|sys)(/|$)", folder)}

    assert writable - of_the_system == named | memory
    assert set(project.container(service).volumes) == named


def test_services_reach_only_those_they_need(project: Project) -> None:
    """A service can look up another one's address if one of the two needs the other, and only then."""
    needed = {
        name: {other for pair in NEIGHBOURS if name in pair for other in pair - {name}} for name in RUNNING
    }
    with ThreadPoolExecutor() as asking:
        assert dict(zip(RUNNING, asking.map(project.neighbours, RUNNING), strict=True)) == needed


def test_only_published_services_have_a_way_out(project: Project) -> None:
    """A container is in a network that leads out of the engine only if the host has to reach it."""
    assert {name for name in RUNNING if project.has_a_way_out(name)} == PUBLISHED


def test_a_race_needs_the_token(race_day: RaceDay, project: Project) -> None:
    """A request without the token starts no race."""
    answer = httpx.post(f"{project.api}/races", json=race_day.request, trust_env=False)
    assert answer.status_code == 401


def test_a_race_in_pinot_equals_the_race_of_the_core(race_day: RaceDay, project: Project) -> None:
    """Pinot has every event and no other, the API's finish times are Pinot's, and the page shows the race.

    While it runs, every part of the pipeline is green.
    """
    race = race_day.start_race()
    report = json.loads(project.inside("dashboard", "python", "-m", "pinot", "status", "--json"))
    race_day.wait_until_finished(race)
    of_the_api, in_pinot = race_day.finish_times(race)
    payload = httpx.get(f"{project.dashboard}/racecast/races/{race.run_id}/positions", trust_env=False)

    assert {part["light"] for part in report["parts"].values()} == {"green"}
    assert race_day.judge("none", race, []).passed
    assert len(of_the_api) == COMPETITORS
    assert of_the_api == in_pinot
    assert payload.status_code == 200


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_returns_rows(query: str, race_day: RaceDay) -> None:
    """Each query of the project returns something for a finished race."""
    assert race_day.ask(query, race_day.races[0]) or query == "in-geofence"  # all competitors have left it


@pytest.mark.parametrize("service", RUNNING)
def test_a_race_goes_on_when_a_service_is_restarted(
    service: str, race_day: RaceDay, project: Project
) -> None:
    """After `docker compose restart` of a service everything recovers by itself."""
    race_day.recovery(lambda: project.run("restart", service))
    project.wait_until_well(service)


@pytest.mark.parametrize("services", CRASHES, ids=" ".join)
def test_a_race_goes_on_when_services_are_killed(
    services: tuple[str, ...], race_day: RaceDay, project: Project
) -> None:
    """The engine restarts services that have crashed, and everything recovers by itself."""
    before = [project.container(service).restarts for service in services]
    race_day.recovery(lambda: project.kill(*services))
    for service in services:
        project.wait_until_well(service)
    assert [project.container(service).restarts - 1 for service in services] == before


def test_every_race_is_complete_after_all_faults(race_day: RaceDay) -> None:
    """No race has lost, invented or reordered an event."""
    race_day.wait_until_finished(race_day.races[-1])
    assert [race for race in race_day.races if not race_day.judge("all", race, []).passed] == []


def test_workers_share_the_races(race_day: RaceDay, project: Project) -> None:
    """With `--scale worker=3` there are four simulators, each with parts; without them the first has all."""
    project.scale("worker", 3)
    race = race_day.start_race()

    def owned(simulators: int) -> str | None:
        report = json.loads(project.inside("dashboard", "python", "-m", "pinot", "status", "--json"))
        shares = [one["partitions"] for one in report["simulators"].values()]
        return None if len(shares) == simulators and all(shares) else f"the partitions are owned {shares}"

    wait_for("the workers", lambda: owned(4), seconds=60, say=print)
    project.scale("worker", 0)
    wait_for("the first simulator", lambda: owned(1), seconds=60, say=print)
    race_day.wait_until_finished(race)
    assert race_day.judge("workers", race, []).passed


def test_services_stop_in_time(project: Project) -> None:
    """No service has to be killed when it is stopped."""
    project.run("stop")
    assert [name for name in RUNNING if project.container(name).exit_code == KILLED] == []


def test_races_outlive_the_containers(race_day: RaceDay, project: Project) -> None:
    """After `docker compose down` and `up` all races are there, complete, and a new one starts."""
    project.down()
    project.up()
    before = list(race_day.races)
    new = race_day.start_race()
    statuses = [project.request("GET", f"/races/{race.run_id}").json()["status"] for race in before]

    assert set(statuses) == {"finished"}
    assert [race for race in before if not race_day.judge("down and up", race, []).passed] == []
    race_day.wait_until_finished(new)
    assert race_day.judge("new", new, []).passed
