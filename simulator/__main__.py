"""The command line: `python -m simulator serve` and `python -m simulator generate`."""

from __future__ import annotations

import contextlib
import sys

from pydantic import ValidationError
from pydantic_settings import CliApp

from simulator.problems import flag_sentences

USAGE = """\
usage: python -m simulator COMMAND [--help] …

serve      run the simulator: HTTP API, races, events to Kafka or the embedded store
generate   write a whole race's events as lines of JSON to standard output
"""


def main(arguments: list[str]) -> None:
    """Run a command."""
    match arguments:
        case ["serve", *flags]:
            # Imported here: `generate` needs no reactor.
            from simulator import logs  # noqa: PLC0415
            from simulator.serve import serve  # noqa: PLC0415
            from simulator.settings import ServeSettings  # noqa: PLC0415

            try:
                settings = CliApp.run(ServeSettings, cli_args=flags)
            except ValidationError as error:
                sys.exit(flag_sentences(error))
            logs.configure(settings.log_format)
            serve(settings)
        case ["generate", *flags]:
            from simulator.generate import generate  # noqa: PLC0415

            # `… | head` is a fine way to look at a race.
            with contextlib.suppress(BrokenPipeError):
                generate(flags, sys.stdout.buffer)
        case ["--help" | "-h"]:
            print(USAGE, end="")
        case _:
            print(USAGE, end="", file=sys.stderr)
            sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
