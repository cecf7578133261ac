"""Loads courses into Pinot in the background, one after another.

While Pinot is unavailable or rejects a course, the loader retries with growing pauses. Nothing waits for it,
not even the end of the process.
"""

from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any

import structlog
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure

from simulator.course.course import Course
from simulator.publishers.pinot_courses import CourseTable
from simulator.reactor import Reactor, after
from stream.pinot import OPEN, PinotAuth, PinotError

FIRST_PAUSE = 1.0
"""Seconds before the first retry; doubled for each further one."""
LONGEST_PAUSE = 60.0
LAST = 2.0
"""Seconds that `close` waits for courses submitted just before."""


class CourseLoader:
    """Loads courses.

    Args:
        reactor: schedules the retries.
        load: loads a course; its Deferred fires when Pinot has it, and fails with PinotError if it hasn't.
    """

    def __init__(self, reactor: Reactor, load: Callable[[Course], Deferred[None]]) -> None:
        self._reactor: Any = reactor  # Twisted's types want a whole IReactorTime
        self._load = load
        self._log = structlog.get_logger()
        self._waiting: dict[str, Course] = {}
        self._failures = 0
        self._trouble: str | None = None
        self._working = False
        self._idle: Deferred[None] | None = None

    @classmethod
    def into(cls, reactor: Any, controller: str, pinot_auth: PinotAuth = OPEN) -> "CourseLoader":
        """Return a loader for the Pinot with this controller URL and these credentials."""
        return cls(reactor, partial(_in_own_thread, reactor, CourseTable(controller, pinot_auth).load))

    def load(self, course: Course) -> None:
        """Queue a course; a later one with the same name replaces it."""
        self._waiting.pop(course.short_name, None)
        self._waiting[course.short_name] = course
        if not self._working:
            self._working = True
            _ = ensureDeferred(self._work())

    def close(self) -> Deferred[None]:
        """Fire when all is loaded or has failed, at most after `LAST` seconds; logs what is left."""
        idle: Deferred[None] = Deferred()
        if self._waiting and self._trouble is None:
            self._idle = idle.addTimeout(LAST, self._reactor, onTimeoutCancel=lambda *_: None)
        else:
            idle.callback(None)
        return idle.addCallback(lambda _: self._log_what_is_left())

    async def _work(self) -> None:
        """Load courses until none waits."""
        while self._waiting:
            name, course = next(iter(self._waiting.items()))
            try:
                await self._load(course)
            except PinotError as error:
                self._failed(str(error))
                if self._waiting.get(name) is course:
                    # Move it to the end, so that a course that Pinot rejects doesn't block the others.
                    self._waiting[name] = self._waiting.pop(name)
                await after(self._reactor, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self._failures - 1)))
                continue
            except Exception:  # noqa: BLE001 - a bug with one course must not stop the others
                self._log.error("course can't be loaded into Pinot", course=name, exc_info=True)
            else:
                self._succeeded()
            # A newer course with the same name may be waiting by now.
            if self._waiting.get(name) is course:
                del self._waiting[name]
        self._working = False
        self._give_up()

    def _failed(self, why: str) -> None:
        self._failures = min(self._failures + 1, 10)
        if self._trouble is None:
            self._log.warning("Pinot accepts no courses, retrying", why=why)
        self._trouble = why
        self._give_up()

    def _succeeded(self) -> None:
        self._failures = 0
        if self._trouble is not None:
            self._log.info("Pinot accepts courses again")
        self._trouble = None

    def _give_up(self) -> None:
        """Stop waiting in `close`."""
        if self._idle is not None:
            idle, self._idle = self._idle, None
            idle.callback(None)

    def _log_what_is_left(self) -> None:
        if self._waiting:
            why = self._trouble or f"Pinot took longer than {LAST:g} s"
            self._log.warning("courses not loaded into Pinot", courses=list(self._waiting), why=why)


def _in_own_thread(reactor: Any, load: Callable[[Course], None], course: Course) -> Deferred[None]:
    """Load a course in a daemon thread, which doesn't delay the end of the process, unlike the reactor's."""
    loading: Deferred[None] = Deferred()

    def run() -> None:
        try:
            load(course)
        except Exception:  # noqa: BLE001 - passed to the Deferred
            reactor.callFromThread(loading.errback, Failure())
        else:
            reactor.callFromThread(loading.callback, None)

    Thread(target=run, name=f"load {course.short_name}", daemon=True).start()
    return loading
