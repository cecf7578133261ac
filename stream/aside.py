"""Calls functions in a process of its own, so that long computations don't hold up the threads of this one.

Python runs one thread at a time: beside a computation, a thread that reads many rows waits for each of them.
The processes of `concurrent.futures` import the whole program again; this one imports what it is asked for.
"""

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar, cast

Found = TypeVar("Found")

NICE = 10
"""By how much the priority of the other process is lower."""
ATTEMPTS = 2
"""Number of processes that a call is tried in: one may have been stopped, as for lack of memory."""


def at_once(function: Callable[..., Found], *arguments: Any) -> Found:
    """Call a function in this process, as tests do."""
    return function(*arguments)


class Aside:
    """Another process, which begins with the first call and ends with this one; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def call(self, function: Callable[..., Found], *arguments: Any) -> Found:
        """Call a function of a module there, one at a time; raises what it does.

        Function, arguments and result are pickled. Raises `RuntimeError` if the process ends during the call.
        """
        text = pickle.dumps((function, arguments), pickle.HIGHEST_PROTOCOL)
        with self._lock:
            for _ in range(ATTEMPTS):
                answer = self._ask(text)
                if answer is not None:
                    break
            else:
                raise RuntimeError("The process for long computations ended before it had a result.")
        is_found, found = answer
        if not is_found:
            raise found
        return cast("Found", found)

    def close(self) -> None:
        """End the process; the next call begins another one."""
        with self._lock:
            if self._process is not None:
                self._process.communicate()
                self._process = None

    def _ask(self, text: bytes) -> tuple[bool, Any] | None:
        """Return whether a call has a result, and the result or error; None if the process ended."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "stream.aside"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=Path(__file__).parents[1],
            )
        process = self._process
        into, out = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        try:
            into.write(text)
            into.flush()
            answer: tuple[bool, Any] = pickle.load(out)  # noqa: S301 - from the process that this one began
        except (OSError, EOFError, pickle.UnpicklingError):
            process.kill()
            process.wait()
            return None
        return answer


def main() -> None:
    """Answer calls until the other process closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to both
    os.nice(NICE)
    into, out = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout = sys.stderr  # only answers go back
    while True:
        try:
            function, arguments = pickle.load(into)  # noqa: S301 - from the process that began this one
        except EOFError:
            return
        answer: tuple[bool, Any]
        try:
            answer = True, function(*arguments)
        except Exception as error:  # noqa: BLE001 - raised in the other process
            answer = False, error
        pickle.dump(answer, out, pickle.HIGHEST_PROTOCOL)
        out.flush()


if __name__ == "__main__":
    main()
