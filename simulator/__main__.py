"""The command line: `python -m simulator serve`, `generate`, `export` and `replay`."""

import contextlib
import sys

USAGE = """\
usage: python -m simulator COMMAND [--help] …

serve      run the simulator: HTTP API, races, events to Kafka or the embedded store
generate   write all events of a race to standard output, one JSON object per line
export     write a race's results or tracks to standard output
replay     publish a recorded race again, starting now: Racecast events or GPX tracks
"""


def main(arguments: list[str]) -> None:
    """Run a command."""
    # Each command is imported when it runs: `generate` needs no reactor.
    match arguments:
        case ["serve", *flags]:
            from simulator.commands.serve import serve  # noqa: PLC0415

            serve(flags)
        case ["replay", *flags]:
            from simulator.commands.replay import replay  # noqa: PLC0415

            replay(flags)
        case ["generate", *flags]:
            from simulator.commands.generate import generate  # noqa: PLC0415

            # The reader may close the pipe early: `… | head`.
            with contextlib.suppress(BrokenPipeError):
                generate(flags, sys.stdout.buffer)
        case ["export", *flags]:
            from simulator.commands.export import export  # noqa: PLC0415

            with contextlib.suppress(BrokenPipeError):
                export(flags, sys.stdout.buffer)
        case ["--help" | "-h"]:
            print(USAGE, end="")
        case _:
            print(USAGE, end="", file=sys.stderr)
            sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
