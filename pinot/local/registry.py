"""A schema registry on this machine, for development and tests: Apicurio, through its Confluent API.

Its schemas are in the state folder and survive a stop.
"""

import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pinot.admin.cluster import http_trouble
from pinot.local import jars
from pinot.local import ports as stack_ports
from pinot.local.ports import StackError
from pinot.local.process import Process
from stream.waiting import WaitedTooLongError, wait_for

PROFILE = "registry"
START_SECONDS = 60.0


@dataclass(frozen=True)
class LocalRegistry:
    """The registry in `folder` (an absolute path), on `port`."""

    folder: Path
    port: int

    @classmethod
    def at(cls, folder: Path, port: int = 0) -> "LocalRegistry":
        """Return the registry in `folder`, or a new one there; port 0 is its earlier port, or a free one."""
        folder = folder.resolve()
        known = folder / "registry.port"
        if not port and known.exists():
            port = int(known.read_text())
        return cls(folder, port or stack_ports.free(1)[0])

    @property
    def url(self) -> str:
        """The URL for `--schema-registry`."""
        return f"http://{stack_ports.HOST}:{self.port}/apis/ccompat/v7"

    @property
    def process(self) -> Process:
        """Its process."""
        return Process(PROFILE, self.folder)

    def start(self, say: Callable[[str], None] = print) -> None:
        """Start it, with existing schemas, and wait until it responds.

        Raises:
            StackError: no Java, no Maven, the port in use, or no response within START_SECONDS.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with jars.locked(self.folder / "registry.lock"):
            if self.process.pid() is not None:
                return
            java, program = jars.java(), _program(say)
            stack_ports.check_one_is_free(self.port, "the schema registry")
            (self.folder / "registry.port").write_text(f"{self.port}\n")
            database = f"jdbc:h2:file:{self.folder}/schemas;DB_CLOSE_ON_EXIT=FALSE"
            options = [
                "-Xmx256m",
                f"-Dquarkus.http.host={stack_ports.HOST}",
                f"-Dquarkus.http.port={self.port}",
                f"-Dquarkus.datasource.jdbc.url={database}",
            ]
            self.process.start(java, [*options, "-jar", str(program)])
            try:
                wait_for("the schema registry", self._trouble, seconds=START_SECONDS, say=say)
            except WaitedTooLongError as error:
                words = self.process.last_words()
                self.process.stop()
                raise StackError(f"{error}\n{words}") from error

    def stop(self) -> None:
        """Stop it. Harmless if it is not running."""
        self.process.stop()

    def _trouble(self) -> str | None:
        if self.process.pid() is None:
            raise StackError(f"the schema registry ended while it started:\n{self.process.last_words()}")
        return http_trouble(f"{self.url}/subjects")


def _program(say: Callable[[str], None]) -> Path:
    """Return the jar to run, fetched and unpacked if it is not yet."""
    folder = jars.fetch(say, [PROFILE])[PROFILE]
    unpacked = folder / "program"
    with jars.locked(jars.CACHE / "registry.lock"):
        if not unpacked.is_dir():
            part = folder / "program.part"
            (archive,) = folder.glob("*.tar.gz")
            with tarfile.open(archive) as file:
                file.extractall(part, filter="data")
            part.rename(unpacked)
    (program,) = unpacked.glob("*-runner.jar")
    return program
