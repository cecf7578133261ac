"""The command line: `python -m pinot setup`, `status` and `reset`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pinot.admin.reset import ResetError, reset, what_goes
from pinot.admin.setup import set_up
from pinot.admin.topics import TopicError
from pinot.health import terminal
from pinot.health.status import is_well, status
from pinot.settings import ResetSettings, Settings, StatusSettings
from simulator.course.drawing import CourseError
from stream.pinot import PinotError
from stream.problems import flag_sentences
from stream.settings import read_settings
from stream.waiting import WaitedTooLongError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

USAGE = """\
usage: python -m pinot COMMAND [--help] …

setup    bring a cluster's topics, schemas, tables and courses up to date; safe to repeat
status   say whether the stream is alive, part by part
reset    delete all of it, with every event, and set it up anew
"""
WORD = "reset"
"""What is to be typed before anything is deleted."""


def main(arguments: list[str]) -> int:
    """Do what the command line says; 0 if it was done, 1 if it could not be, 2 if it wasn't understood.

    `status` is 1 as well if something isn't well.
    """
    if arguments[:1] in (["--help"], ["-h"]):
        print(USAGE, end="")
        return 0
    if not arguments or arguments[0] not in COMMANDS:
        print(USAGE, end="", file=sys.stderr)
        return 2
    command, settings = COMMANDS[arguments[0]]
    try:
        return command(read_settings(settings, arguments[1:]))
    except ValidationError as error:
        print(flag_sentences(error), file=sys.stderr)
        return 2
    except (CourseError, PinotError, ResetError, TopicError, WaitedTooLongError) as error:
        print(f"pinot: {error}", file=sys.stderr)
        return 1


def _setup(settings: Settings) -> int:
    set_up(settings)
    return 0


def _status(settings: StatusSettings) -> int:
    found = status(settings)
    print(json.dumps(found.as_json(), indent=2) if settings.json_ else terminal.text(found))
    return 0 if is_well(found) else 1


def _reset(settings: ResetSettings) -> int:
    if not settings.yes and not _agreed(settings):
        return 1
    reset(settings)
    return 0


def _agreed(settings: Settings) -> bool:
    """Whether somebody at a terminal has typed that all of it is to go."""
    if not sys.stdin.isatty():
        print("pinot: reset asks before it deletes, and nobody can answer here: use --yes", file=sys.stderr)
        return False
    print(what_goes(settings))
    if input(f'Type "{WORD}" to go on: ').strip() == WORD:
        return True
    print("pinot: nothing was deleted", file=sys.stderr)
    return False


COMMANDS: Mapping[str, tuple[Callable[[Any], int], type[Settings | StatusSettings]]] = {
    "setup": (_setup, Settings),
    "status": (_status, StatusSettings),
    "reset": (_reset, ResetSettings),
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
