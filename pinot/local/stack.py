"""Starts and stops one Kafka and one Pinot in a state folder.

The folder contains everything of a stack: ports, configuration, data, logs and pid files. Stacks in different
folders are independent. Data survives a stop; delete the folder to delete it.
"""

import shutil
import subprocess
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from signal import SIGTERM
from string import Template
from types import MappingProxyType

from pinot.admin.cluster import http_trouble
from pinot.admin.topics import kafka_trouble
from pinot.local import jars
from pinot.local import ports as stack_ports
from pinot.local.ports import PARTS, Ports, StackError
from pinot.local.process import Process
from stream.waiting import WaitedTooLongError, wait_for

HERE = Path(__file__).parent
CONFIG = HERE / "config"
SHARED = HERE.parent / "config"
"""Settings shared with Docker."""
SHARED_FILES = {
    "kafka.properties": "kafka/server.properties",
    "controller.properties": "pinot/controller.properties",
    "broker.properties": "pinot/broker.properties",
    "server.properties": "pinot/server.properties",
}
"""The file in SHARED that each template in CONFIG extends."""
ROLES = ("zookeeper", "controller", "broker", "server")
"""The roles that LocalPinot.java starts, in order."""
USUAL_PORTS = {"kafka": 9092, "controller": 9000, "broker": 8099}
START_SECONDS = 120.0


@dataclass(frozen=True)
class Stack:
    """The stack in `folder` (an absolute path), on `ports`.

    `extra` has lines to append to templates in CONFIG, by file name; the last value of a property counts.
    """

    folder: Path
    ports: Ports
    extra: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def at(
        cls,
        folder: Path,
        wanted: Mapping[str, int | None] = MappingProxyType({}),
        extra: Mapping[str, str] = MappingProxyType({}),
    ) -> "Stack":
        """Return the stack in `folder`, or a new one there.

        Args:
            folder: its state folder.
            wanted: ports by the names of `Ports`; 0 for any free one. Missing or None: the port in the
                folder, or the usual one for a new stack.
            extra: lines to append to its configuration.

        Raises:
            StackError: the stack in the folder has other ports than the requested ones.
        """
        folder = folder.resolve()
        asked = {name: port for name, port in wanted.items() if port is not None}
        known = stack_ports.load(folder / "ports.json")
        if known is None:
            return cls(folder, stack_ports.choose(USUAL_PORTS | asked), extra)
        for name, port in asked.items():
            if port not in {0, getattr(known, name)}:
                raise StackError(
                    f"the stack in {folder} has {name} on port {getattr(known, name)}, not {port}: "
                    "delete the folder or choose another one with --state"
                )
        return cls(folder, known, extra)

    @property
    def kafka(self) -> str:
        """Kafka's address, "host:port"."""
        return f"{stack_ports.HOST}:{self.ports.kafka}"

    @property
    def kafka_access(self) -> dict[str, str]:
        """The librdkafka configuration to reach Kafka."""
        return {"bootstrap.servers": self.kafka}

    @property
    def controller(self) -> str:
        """The URL of Pinot's controller."""
        return f"http://{stack_ports.HOST}:{self.ports.controller}"

    @property
    def broker(self) -> str:
        """The URL of Pinot's broker."""
        return f"http://{stack_ports.HOST}:{self.ports.broker}"

    @property
    def queries(self) -> str:
        """The URL for SQL queries."""
        return f"{self.broker}/query/sql"

    @property
    def processes(self) -> tuple[Process, Process]:
        """Kafka's and Pinot's processes."""
        return self._process("kafka"), self._process("pinot")

    def running(self) -> bool:
        """Return whether all processes run."""
        return all(process.pid() is not None for process in self.processes)

    def start(self, *parts: str, say: Callable[[str], None] = print, seconds: float = START_SECONDS) -> None:
        """Start it, or only some of `PARTS`, with existing data, and wait until it responds.

        After a failure none of these processes is left running.

        Raises:
            StackError: no Java, no Maven, a port in use, or no response within `seconds`.
        """
        with jars.locked(self.folder / "lock"):
            if all(self._process(part).pid() is not None for part in parts or PARTS):
                return
            self._end(parts or PARTS)
            self._start(parts or PARTS, say, seconds)

    def stop(self, *parts: str) -> None:
        """Stop it, or only some of `PARTS`. Harmless if it is not running."""
        if self.folder.is_dir():
            with jars.locked(self.folder / "lock"):
                self._end(parts or PARTS)

    def _process(self, part: str) -> Process:
        return Process(part, self.folder)

    def _start(self, parts: tuple[str, ...], say: Callable[[str], None], seconds: float) -> None:
        java, lib = jars.java(), jars.fetch(say)
        stack_ports.check_free(self.ports, parts)
        stack_ports.save(self.ports, self.folder / "ports.json")
        self._write_config()
        if "kafka" in parts:
            self._format_kafka(java, lib["kafka"])
        for part in parts:
            self._process(part).start(java, self._arguments(part, lib))
        self._wait(parts, say, seconds)

    def _end(self, parts: tuple[str, ...]) -> None:
        for part in parts:
            self._process(part).send(SIGTERM)  # to both at once: Pinot need not wait for Kafka
        for part in parts:
            self._process(part).stop()

    def _write_config(self) -> None:
        """Write shared settings, templates and extra lines, with folder and ports filled in."""
        target = self.folder / "config"
        target.mkdir(exist_ok=True)
        values = {"state": self.folder.as_posix(), **asdict(self.ports)}
        for template in (*CONFIG.glob("*.properties"), *CONFIG.glob("*.jvm")):
            shared = SHARED_FILES.get(template.name)
            text = (SHARED / shared).read_text() if shared else ""
            text += template.read_text() + self.extra.get(template.name, "")
            (target / template.name).write_text(Template(text).safe_substitute(values))

    def _format_kafka(self, java: str, lib: Path) -> None:
        """Format Kafka's folder, unless it is, with a cluster id: Kafka requires one, of 22 characters."""
        if (self.folder / "kafka" / "meta.properties").exists():
            return
        shutil.rmtree(self.folder / "kafka", ignore_errors=True)
        config = self.folder / "config" / "kafka.properties"
        command = [java, "-cp", f"{lib}/*", "kafka.tools.StorageTool", "format"]
        command += ["--config", str(config), "--cluster-id", uuid.uuid4().hex[:22]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise StackError(f"Kafka's folder could not be formatted:\n{done.stdout}{done.stderr}")

    def _arguments(self, part: str, lib: Mapping[str, Path]) -> list[str]:
        config = self.folder / "config"
        if part == "kafka":
            jars_of = [lib["kafka"]]
            options = [f"-Dlog4j.configuration=file:{CONFIG}/kafka-log4j.properties"]
            program = ["kafka.Kafka", f"{config}/kafka.properties"]
        else:
            # The decoders' jars contain classes that Pinot's have too: Pinot's come first and count.
            jars_of = [lib["pinot"], lib["decoders"]]
            options = [f"-Dlog4j2.configurationFile={CONFIG}/pinot-log4j2.xml", "-Dracecast.loopback"]
            roles = [argument for role in ROLES for argument in (role, f"{config}/{role}.properties")]
            program = [f"{HERE}/LocalPinot.java", *roles]
        crash = f"-XX:ErrorFile={self.folder}/{part}-crash-%p.log"
        class_path = ":".join(f"{folder}/*" for folder in jars_of)
        return [f"@{config}/{part}.jvm", crash, *options, "-cp", class_path, *program]

    def _wait(self, parts: tuple[str, ...], say: Callable[[str], None], seconds: float) -> None:
        """Wait until all of `parts` respond; stop them if one does not."""
        what = " and ".join(part.capitalize() for part in parts)
        try:
            wait_for(what, lambda: self._trouble(parts), seconds=seconds, say=say)
        except WaitedTooLongError as error:
            self._end(parts)
            words = "\n".join(self._process(part).last_words() for part in parts)
            raise StackError(f"{error}\n{words}") from error
        except BaseException:
            self._end(parts)
            raise

    def _trouble(self, parts: tuple[str, ...]) -> str | None:
        """Return the current problem of the first part that is not ready, or None.

        Raises:
            StackError: one of the processes has ended, so waiting is useless.
        """
        for part in parts:
            process = self._process(part)
            if process.pid() is None:
                raise StackError(f"{part} ended while it started:\n{process.last_words()}")
        if "kafka" in parts and (trouble := kafka_trouble(self.kafka_access)):
            return trouble
        if "pinot" not in parts:
            return None
        server = f"http://{stack_ports.HOST}:{self.ports.server_admin}"
        urls = [f"{url}/health" for url in (self.controller, self.broker, server)]
        return next(filter(None, map(http_trouble, urls)), None)
