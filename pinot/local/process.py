"""A process that outlives the one that started it, known by a pid file.

The pid alone could by now be somebody else's. So each process carries its folder in its command line, and is
taken for ours only as long as that is still there.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GRACE = 20.0  # seconds between being asked to end and being made to
BEGIN = 1.0  # seconds in which a process gets its command line
LAST_LINES = 15


@dataclass(frozen=True)
class Process:
    """The process `name` of the stack in `folder`, running or not."""

    name: str
    folder: Path

    @property
    def log(self) -> Path:
        """What it logs; kept small by its own logger."""
        return self.folder / f"{self.name}.log"

    @property
    def output(self) -> Path:
        """What it writes to standard output and error: little, and anew with each start."""
        return self.folder / f"{self.name}.out"

    @property
    def mark(self) -> str:
        """What in a command line shows that the process is this one."""
        return f"-Dracecast.process={self.folder}/{self.name}"

    def start(self, java: str, arguments: list[str]) -> None:
        """Run Java with `arguments`, apart from this process and its terminal.

        Raises:
            OSError: it can't be run at all.
        """
        command = [java, self.mark, f"-Dracecast.log={self.log}", *arguments]
        to_output = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        pid = os.posix_spawn(
            java,
            command,
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self.output), to_output, 0o644),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        self._pid_file.write_text(f"{pid}\n")
        # A process that has just begun has no command line yet, and would be taken for one that has ended.
        deadline = time.monotonic() + BEGIN
        while not _command_line(pid) and time.monotonic() < deadline:
            time.sleep(0.01)

    def pid(self) -> int | None:
        """Its pid while it runs, else None."""
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # if it is a child of ours that has ended, let it go
        return pid if self.mark in _command_line(pid) else None

    def ask_to_end(self) -> None:
        """Tell it to end, and don't wait."""
        self.send(signal.SIGTERM)

    def stop(self) -> None:
        """End it and wait until it is gone. Harmless if it isn't running."""
        pid = self.pid()
        self.ask_to_end()
        deadline = time.monotonic() + GRACE
        while self.pid() is not None:
            if time.monotonic() > deadline:
                self.send(signal.SIGKILL)
            time.sleep(0.05)
        if pid is not None:
            with suppress(ChildProcessError):  # a child of ours would stay as a zombie
                os.waitpid(pid, 0)
        self._pid_file.unlink(missing_ok=True)

    def last_words(self) -> str:
        """The last lines of its log and output, for an error's text."""
        return "\n".join(_tail(path) for path in (self.log, self.output) if path.exists())

    @property
    def _pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def send(self, number: signal.Signals) -> None:
        """Send it a signal. Harmless if it isn't running."""
        pid = self.pid()
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _command_line(pid: int) -> str:
    """The command line of process `pid`; "" if there is none or it has ended."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return ""
    listing = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(listing, capture_output=True, text=True, check=False).stdout  # noqa: S603


def _tail(path: Path) -> str:
    lines = path.read_text(errors="replace").splitlines()[-LAST_LINES:]
    return "\n".join([f"{path}:", *(f"    {line}" for line in lines)])
