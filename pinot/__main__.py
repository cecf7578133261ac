"""The command line: `python -m pinot setup`, `status` and `reset`."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from pinot.admin.reset import ResetError, reset, what_goes
from pinot.admin.setup import set_up
from pinot.admin.topics import TopicError
from pinot.health.probes import of_stack
from pinot.health.report import as_text, report
from pinot.health.simulator import SimulatorProbe
from pinot.settings import ResetSettings, Settings, StatusSettings
from simulator.course.drawing import CourseError
from stream.pinot import PinotError
from stream.problems import flag_sentences
from stream.registry import RegistryError
from stream.settings import read_settings
from stream.waiting import WaitedTooLongError

USAGE = """\
usage: python -m pinot COMMAND [--help] …

setup    create or update a cluster's topics, schemas, tables and courses; safe to repeat
status   report the health of each part of the stream
reset    delete all of them, with every event, and create them again
"""
WORD = "reset"
"""The user types this to confirm a reset."""


def main(arguments: list[str]) -> int:
    """Run a command. Return 0 on success, 1 on failure, 2 for a usage error.

    `status` also returns 1 if a part is amber or red.
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
    except (CourseError, PinotError, RegistryError, ResetError, TopicError, WaitedTooLongError) as error:
        print(f"pinot: {error}", file=sys.stderr)
        return 1


def _setup(settings: Settings) -> int:
    set_up(settings)
    return 0


def _status(settings: StatusSettings) -> int:
    """Report on two samples of the pipeline, `settings.seconds` apart."""
    probes = of_stack(
        SimulatorProbe(settings.api, settings.token.get_secret_value()),
        settings.client_config(),
        controller=settings.pinot_controller,
        broker=settings.pinot_broker,
        pinot_auth=settings.pinot_auth(),
    )
    first = probes.take()
    time.sleep(settings.seconds)
    found = report([first, probes.take()])
    print(json.dumps(found.as_json(), indent=2) if settings.json_ else as_text(found))
    return 0 if found.is_well else 1


def _reset(settings: ResetSettings) -> int:
    if not settings.yes and not _agreed(settings):
        return 1
    reset(settings)
    return 0


def _agreed(settings: Settings) -> bool:
    """Ask for confirmation at the terminal."""
    if not sys.stdin.isatty():
        print("pinot: reset needs a terminal to ask for confirmation; use --yes instead", file=sys.stderr)
        return False
    print(what_goes(settings))
    if input(f'Type "{WORD}" to continue: ').strip() == WORD:
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
