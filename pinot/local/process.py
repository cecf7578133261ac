"""A background process that outlives its parent, found by a pid file.

Pids are reused. So each process has its folder in its command line, and a pid counts only if that matches.
"""

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

GRACE = 20.0  # seconds between SIGTERM and SIGKILL
BEGIN = 1.0  # maximum seconds until a new process has its command line
LAST_LINES = 15


@dataclass(frozen=True)
class Process:
    """The process `name` of the stack in `folder`, running or not."""

    name: str
    folder: Path

    @property
    def log(self) -> Path:
        """Its log file, rotated by its own logger."""
        return self.folder / f"{self.name}.log"

    @property
    def output(self) -> Path:
        """Its standard output and error; truncated at each start."""
        return self.folder / f"{self.name}.out"

    @property
    def mark(self) -> str:
        """The argument that identifies this process in a command line."""
        return f"-Dracecast.process={self.folder}/{self.name}"

    def start(self, java: str, arguments: list[str]) -> None:
        """Run Java with `arguments`, in a session of its own.

        Raises:
            OSError: it cannot be executed.
        """
        command = [java, self.mark, f"-Dracecast.log={self.log}", *arguments]
        with self.output.open("w") as output:
            process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        self._pid_file.write_text(f"{process.pid}\n")
        Thread(target=process.wait, daemon=True).start()  # reaps it if it ends before this process
        # A new process has no command line yet and would count as ended.
        deadline = time.monotonic() + BEGIN
        while not _command_line(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)

    def pid(self) -> int | None:
        """Return its pid while it runs, else None."""
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if self.mark in _command_line(pid) else None

    def stop(self) -> None:
        """Stop it and wait until it is gone. Harmless if it is not running."""
        pid = self.pid()
        self.send(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        while self.pid() is not None:
            if time.monotonic() > deadline:
                self.send(signal.SIGKILL)
            time.sleep(0.05)
        if pid is not None:
            with suppress(ChildProcessError):  # a child of ours holds its ports until it has ended entirely
                os.waitpid(pid, 0)
        self._pid_file.unlink(missing_ok=True)

    def last_words(self) -> str:
        """Return the last lines of its log and output, for error messages."""
        return "\n".join(_tail(path) for path in (self.log, self.output) if path.exists())

    @property
    def _pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def send(self, number: signal.Signals) -> None:
        """Send it a signal. Harmless if it is not running."""
        pid = self.pid()
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _command_line(pid: int) -> str:
    """Return the command line of process `pid`; empty if it has none or has ended."""
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
