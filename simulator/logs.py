"""Log format: for people on a terminal, or one JSON object per line.

Each entry is one line. An exception is reported by its message and its position in the code, without a
traceback and without file paths; external text can neither start a new line nor add colours.
"""

import logging
import sys
from contextlib import suppress
from traceback import walk_tb
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor
from twisted.logger import LogLevel, formatEvent, globalLogBeginner
from twisted.python.failure import Failure

MAX_FRAMES = 6
"""Maximum number of frames reported of an exception, innermost first."""
MAX_TEXT = 500
"""Maximum length of an exception's message, characters."""


def configure(log_format: Literal["console", "json"]) -> None:
    """Write log lines, and Twisted's errors, to standard error with time and level."""
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    stream: Any = Unfailing(sys.stderr)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            report_exception,
            make_printable,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    observer: Any = _from_twisted
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False, discardBuffer=True)


class Unfailing:
    """A text stream that ignores write errors: a full disk must not stop a race."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write, ignoring errors."""
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        """Flush, ignoring errors."""
        with suppress(OSError):
            self._stream.flush()


def exc_info(failure: Failure) -> Any:
    """Return a Twisted failure as a value for `exc_info=`."""
    return failure.type, failure.value, failure.getTracebackObject()


def report_exception(_: object, __: str, event: EventDict) -> EventDict:
    """Add an exception to the line: `error`, and `at` as "module:line < module:line"."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if info and info[1] is not None:
        kind, value, trace = info
        frames = [f"{frame.f_globals.get('__name__')}:{line}" for frame, line in walk_tb(trace)]
        event["error"] = f"{kind.__name__}: {value}"[:MAX_TEXT]
        event["at"] = " < ".join(reversed(frames[-MAX_FRAMES:]))
    return event


def make_printable(_: object, __: str, event: EventDict) -> EventDict:
    """Escape control characters, including line ends."""
    for name, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[name] = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in value)
    return event


def _from_twisted(event: Any) -> None:
    if event["log_level"] < LogLevel.error:
        return
    failure = event.get("log_failure") or event.get("failure")
    # The first line is the message; a traceback may follow.
    what = formatEvent(event).partition("\n")[0]
    structlog.get_logger().error("fault", what=what, exc_info=exc_info(failure) if failure else None)
