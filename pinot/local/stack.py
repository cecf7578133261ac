"""One Kafka and one Pinot in a state folder: started, waited for, stopped.

The folder holds everything of a stack: ports, configuration, data, logs and pid files. Two stacks in two
folders don't know of each other. Data outlives a stop; deleting the folder forgets it.
"""

from __future__ import annotations

import shutil
import subprocess
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import TYPE_CHECKING

from pinot.cluster import http_trouble
from pinot.local import jars
from pinot.local import ports as stack_ports
from pinot.local.errors import StackError
from pinot.local.process import Process
from pinot.topics import kafka_trouble
from pinot.waiting import WaitedTooLongError, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinot.local.ports import Ports

HERE = Path(__file__).parent
CONFIG = HERE / "config"
USUAL_PORTS = {"kafka": 9092, "controller": 9000, "broker": 8099}
START_SECONDS = 120.0


@dataclass(frozen=True)
class Stack:
    """The stack in `folder` (an absolute path), on `ports`."""

    folder: Path
    ports: Ports

    @classmethod
    def at(cls, folder: Path, wanted: Mapping[str, int | None] = MappingProxyType({})) -> Stack:
        """The stack that lives in `folder`, or a new one there.

        Args:
            folder: its state folder.
            wanted: ports by the names of `Ports`; 0 for any free one. What is left out, or None, is what the
                folder says, and the usual port if it is new.

        Raises:
            StackError: the folder's stack has other ports than those asked for.
        """
        folder = folder.resolve()
        asked = {name: port for name, port in wanted.items() if port is not None}
        known = stack_ports.load(folder / "ports.json")
        if known is None:
            return cls(folder, stack_ports.choose(USUAL_PORTS | asked))
        for name, port in asked.items():
            if port not in {0, getattr(known, name)}:
                raise StackError(
                    f"the stack in {folder} has {name} on port {getattr(known, name)}, not {port}: "
                    "delete the folder or choose another one with --state"
                )
        return cls(folder, known)

    @property
    def kafka(self) -> str:
        """Kafka's address, "host:port"."""
        return f"{stack_ports.HOST}:{self.ports.kafka}"

    @property
    def controller(self) -> str:
        """The URL of Pinot's controller."""
        return f"http://{stack_ports.HOST}:{self.ports.controller}"

    @property
    def broker(self) -> str:
        """The URL of Pinot's broker."""
        return f"http://{stack_ports.HOST}:{self.ports.broker}"

    @property
    def processes(self) -> tuple[Process, Process]:
        """Kafka's and Pinot's."""
        return Process("kafka", self.folder), Process("pinot", self.folder)

    def running(self) -> bool:
        """Whether all of it runs."""
        return all(process.pid() is not None for process in self.processes)

    def start(self, say: Callable[[str], None] = print, *, seconds: float = START_SECONDS) -> None:
        """Start it and wait until it answers. If it can't be started, nothing of it is left running.

        Raises:
            StackError: no Java, no Maven, a port taken, or no answer in `seconds`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with jars.locked(self.folder / "lock"):
            if self.running():
                return
            self._end()
            java, lib = jars.java(), jars.fetch(say)
            stack_ports.check_free(self.ports)
            stack_ports.save(self.ports, self.folder / "ports.json")
            self._write_config()
            self._format_kafka(java, lib["kafka"])
            self._spawn(java, lib)
            self._wait(say, seconds)

    def stop(self) -> None:
        """End it. Harmless if it isn't running."""
        if self.folder.is_dir():
            with jars.locked(self.folder / "lock"):
                self._end()

    def _end(self) -> None:
        for process in self.processes:
            process.ask_to_end()  # all at once: Pinot needn't wait for Kafka
        for process in self.processes:
            process.stop()

    def _write_config(self) -> None:
        """Fill state folder and ports into the templates of CONFIG."""
        target = self.folder / "config"
        target.mkdir(exist_ok=True)
        values = {"state": self.folder.as_posix(), **asdict(self.ports)}
        for template in CONFIG.glob("*.properties"):
            filled = Template(template.read_text()).safe_substitute(values)
            (target / template.name).write_text(filled)

    def _format_kafka(self, java: str, lib: Path) -> None:
        """Give Kafka's folder the cluster id that it won't start without, unless it has one."""
        if (self.folder / "kafka" / "meta.properties").exists():
            return
        shutil.rmtree(self.folder / "kafka", ignore_errors=True)
        config = self.folder / "config" / "kafka.properties"
        command = [java, "-cp", f"{lib}/*", "kafka.tools.StorageTool", "format"]
        command += ["--config", str(config), "--cluster-id", _cluster_id()]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise StackError(f"Kafka's folder could not be formatted:\n{done.stdout}{done.stderr}")

    def _spawn(self, java: str, lib: dict[str, Path]) -> None:
        kafka, pinot = self.processes
        config = self.folder / "config"
        kafka.start(
            java,
            [
                *(f"@{CONFIG}/kafka.jvm", f"-Dlog4j.configuration=file:{CONFIG}/kafka-log4j.properties"),
                *("-cp", f"{lib['kafka']}/*", "kafka.Kafka", f"{config}/kafka.properties"),
            ],
        )
        pinot.start(
            java,
            [
                *(f"@{CONFIG}/pinot.jvm", f"-Dlog4j2.configurationFile={CONFIG}/pinot-log4j2.xml"),
                *("-cp", f"{lib['pinot']}/*", f"{HERE}/LocalPinot.java", str(config)),
            ],
        )

    def _wait(self, say: Callable[[str], None], seconds: float) -> None:
        """Wait until all parts answer; end them if one doesn't."""
        try:
            wait_for("Kafka and Pinot", self._trouble, seconds=seconds, say=say)
        except WaitedTooLongError as error:
            self._end()
            words = "\n".join(process.last_words() for process in self.processes)
            raise StackError(f"{error}\n{words}") from error
        except BaseException:
            self._end()
            raise

    def _trouble(self) -> str | None:
        """What is wrong just now with the first part that isn't ready, or None.

        Raises:
            StackError: one of the processes has ended, so there is no use in waiting.
        """
        for process in self.processes:
            if process.pid() is None:
                raise StackError(f"{process.name} ended while it started:\n{process.last_words()}")
        server = f"http://{stack_ports.HOST}:{self.ports.server_admin}"
        urls = [f"{url}/health" for url in (self.controller, self.broker, server)]
        return kafka_trouble(self.kafka) or next(filter(None, map(http_trouble, urls)), None)


def _cluster_id() -> str:
    """A random id of 22 characters, which is what Kafka asks for."""
    return uuid.uuid4().hex[:22]
