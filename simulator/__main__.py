"""The command line: `python -m simulator serve`, `generate`, `export` and `replay`."""

import contextlib
import sys
from importlib import import_module

USAGE = """\
usage: python -m simulator COMMAND [--help] …

serve      run the simulator: HTTP API, races, events to Kafka or the embedded store
generate   write all events of a race to standard output, one JSON object per line
export     write a race's results, teams or tracks to standard output
replay     publish a recorded race again, starting now: Racecast events or GPX tracks
"""


COMMANDS = ("serve", "generate", "export", "replay")


def main(arguments: list[str]) -> None:
    """Run a command."""
    match arguments:
        case [command, *flags] if command in COMMANDS:
            # Imported when it runs: `generate` needs no reactor.
            run = getattr(import_module(f"simulator.commands.{command}"), command)
            # The reader of standard output may close the pipe early: `… | head`.
            with contextlib.suppress(BrokenPipeError):
                run(flags)
        case ["--help" | "-h"]:
            print(USAGE, end="")
        case _:
            print(USAGE, end="", file=sys.stderr)
            sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
