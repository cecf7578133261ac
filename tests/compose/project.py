"""The running services of docker-compose.yml: their containers and addresses."""

import json
from dataclasses import dataclass
from typing import Any

import httpx
import pinotdb
import yaml

from stream.waiting import wait_for
from tests.compose.engine import CommandError, Engine
from tests.processes import ROOT, free_port

NAME = "racecast-test"
TOKEN = "a-token-of-the-tests-own"
DESCRIBED: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = {
    name: service for name, service in DESCRIBED["services"].items() if "profiles" not in service
}
"""The services that `docker compose up` starts, as the file describes them."""
RUNNING = tuple(
    name for name, service in SERVICES.items() if service.get("restart") != "no" and service.get("scale") != 0
)
"""Those that keep running."""
IMAGE = SERVICES["setup"]["image"]
"""The image that the project builds."""
STARTED_WITHIN_S = 300


@dataclass(frozen=True)
class Container:
    """A container of the project, as the engine describes it.

    Attributes:
        name: its name.
        pid: of its first process, as the machine counts; 0 if it is not running.
        health: `healthy`, `unhealthy`, `starting`, or empty without a check.
        exit_code: of its last exit.
        restarts: how many times the engine has restarted it after a crash.
        volumes: names of its volumes, anonymous ones included, by mount point.
    """

    name: str
    pid: int
    health: str
    exit_code: int
    restarts: int
    volumes: dict[str, str]

    @property
    def well(self) -> bool:
        """Whether it is running and healthy."""
        return self.pid > 0 and self.health == "healthy"


class Project:
    """The services of the compose file in an engine, under a project name and on ports of the tests' own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._before = self._things()
        self._ports = {name: str(free_port()) for name in ("", "DASHBOARD_", "PINOT_")}

    @property
    def api(self) -> str:
        """The address of the API."""
        return self._address("")

    @property
    def dashboard(self) -> str:
        """The address of the dashboard."""
        return self._address("DASHBOARD_")

    @property
    def queries(self) -> str:
        """The URL at which Pinot's controller answers SQL queries."""
        return f"{self._address('PINOT_')}/sql"

    def run(self, *arguments: str) -> str:
        """Run `docker compose` on the file and return its output; raises CommandError."""
        ports = {f"RACECAST_{name}PORT": port for name, port in self._ports.items()}
        project = ["--project-name", NAME, "--project-directory", str(ROOT)]
        return self._engine.run_compose(*project, *arguments, RACECAST_TOKEN=TOKEN, **ports)

    def up(self) -> None:
        """Start everything and wait until it is healthy."""
        try:
            self.run("up", "--detach", "--wait", "--wait-timeout", str(STARTED_WITHIN_S))
        except CommandError as error:
            logs = f"{self.run('ps', '--all')}\n{self.run('logs', '--tail', '20')}"
            raise CommandError(f"{error}\n{logs}") from error

    def scale(self, service: str, number: int) -> None:
        """Have so many containers of a service, and wait until they are healthy."""
        how = ["--detach", "--wait", "--wait-timeout", str(STARTED_WITHIN_S), "--no-recreate"]
        self.run("up", *how, "--scale", f"{service}={number}")

    def down(self) -> None:
        """Remove containers and networks, but not the volumes."""
        self.run("down")

    def remove(self) -> None:
        """Remove everything: the volumes too, and the image built by the project unless it existed before."""
        self.run("down", "--volumes")
        if IMAGE not in self._before["image"]:
            self._engine.docker("image", "rm", IMAGE)

    def left_behind(self) -> dict[str, set[str]]:
        """Return the containers, networks, volumes and images that were not in the engine before."""
        return {kind: things - self._before[kind] for kind, things in self._things().items()}

    def inside(self, service: str, *command: str) -> str:
        """Return the output of a command inside a service's container; raises CommandError."""
        return self.run("exec", "--no-TTY", service, *command)

    def container(self, service: str) -> Container:
        """Inspect a service's container."""
        name = f"{NAME}-{service}-1"
        (found,) = json.loads(self._engine.docker("inspect", name))
        state = found["State"]
        mounts = [mount for mount in found["Mounts"] if mount["Type"] == "volume"]
        return Container(
            name=name,
            pid=state["Pid"],
            health=state.get("Health", {}).get("Status", ""),
            exit_code=state["ExitCode"],
            restarts=found["RestartCount"],
            volumes={mount["Destination"]: mount["Name"] for mount in mounts},
        )

    def kill(self, *services: str) -> None:
        """Kill the first process of each service as in a crash, so that the engine restarts it.

        After `docker kill` the engine does not. The signal comes from a container that sees all processes.
        """
        pids = [self.container(service).pid for service in services]
        code = f"import os; [os.kill(pid, 9) for pid in {pids}]"
        rights = ["--pid", "host", "--user", "0", "--cap-drop", "ALL", "--cap-add", "KILL"]
        self._engine.docker("run", "--rm", *rights, IMAGE, "python", "-c", code)

    def wait_until_well(self, service: str) -> None:
        """Wait until a service is healthy."""

        def trouble() -> str | None:
            return None if self.container(service).well else "it is not healthy"

        wait_for(service, trouble, seconds=STARTED_WITHIN_S, say=print)

    def has_a_way_out(self, service: str) -> bool:
        """Whether one of a container's networks leads out of the engine."""
        (found,) = json.loads(self._engine.docker("inspect", self.container(service).name))
        names = found["NetworkSettings"]["Networks"]
        networks = json.loads(self._engine.docker("network", "inspect", *names))
        return not all(network["Internal"] for network in networks)

    def neighbours(self, service: str) -> set[str]:
        """Return the other services whose address a service's container can look up."""
        others = " ".join(name for name in RUNNING if name != service)
        # All at once and with short timeouts, because a name that does not exist takes seconds.
        look_up = f"for name in {others}; do getent hosts $name > /dev/null && echo $name & done; wait"
        impatient = "export RES_OPTIONS='timeout:1 attempts:1'"
        return set(self.inside(service, "bash", "-c", f"{impatient}; {look_up}").split())

    def request(self, method: str, path: str, **rest: Any) -> httpx.Response:
        """Send a request with the token to the API."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return httpx.request(method, self.api + path, headers=headers, trust_env=False, timeout=30, **rest)

    def query(self, sql: str, **parameters: Any) -> list[Any]:
        """Return the rows of an SQL query that Pinot's controller answers."""
        url = httpx.URL(self.queries)
        connection = pinotdb.connect(host=url.host, port=url.port, path=url.path, scheme=url.scheme)
        cursor = connection.cursor()
        cursor.execute(sql, parameters)
        rows: list[Any] = cursor.fetchall()
        return rows

    def _things(self) -> dict[str, set[str]]:
        kinds = {
            "container": ("--all", "--quiet"),
            "network": ("--quiet",),
            "volume": ("--quiet",),
            "image": ("--format", "{{.Repository}}:{{.Tag}}"),
        }
        return {kind: set(self._engine.docker(kind, "ls", *flags).split()) for kind, flags in kinds.items()}

    def _address(self, name: str) -> str:
        return f"http://127.0.0.1:{self._ports[name]}"
