"""`python -m pinot setup`: bring topics, schemas, tables and courses into a cluster."""

from __future__ import annotations

import sys

from pydantic import ValidationError
from pydantic_settings import CliApp

from pinot.settings import Settings
from pinot.setup import set_up
from pinot.topics import TopicError
from pinot.waiting import WaitedTooLongError
from simulator.drawing import CourseError
from simulator.pinot_controller import PinotError
from simulator.problems import flag_sentences


def main(arguments: list[str]) -> int:
    """Do what the command line says; 0 if it was done, 1 if it could not be, 2 if it wasn't understood."""
    if arguments[:1] != ["setup"]:
        print("python -m pinot setup [--help]", file=sys.stderr)
        return 2
    try:
        set_up(CliApp.run(Settings, cli_args=arguments[1:]))
    except ValidationError as error:
        print(flag_sentences(error), file=sys.stderr)
        return 2
    except (CourseError, PinotError, TopicError, WaitedTooLongError) as error:
        print(f"pinot: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
