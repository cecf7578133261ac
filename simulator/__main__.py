"""The command line: `python -m simulator serve`, `generate`, `export` and `replay`."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from stream.problems import flag_sentences
from stream.settings import read_settings

if TYPE_CHECKING:
    from simulator.commands.settings import PublisherSettings

    Settings = TypeVar("Settings", bound=PublisherSettings)

USAGE = """\
usage: python -m simulator COMMAND [--help] …

serve      run the simulator: HTTP API, races, events to Kafka or the embedded store
generate   write all events of a race to standard output, one JSON object per line
export     write a race's results or tracks to standard output
replay     publish a recorded race again, starting now: Racecast events or GPX tracks
"""


def main(arguments: list[str]) -> None:
    """Run a command."""
    match arguments:
        case ["serve", *flags]:
            # Imported here: `generate` needs no reactor.
            from simulator.commands.serve import serve  # noqa: PLC0415
            from simulator.commands.settings import ServeSettings  # noqa: PLC0415

            serve(_settings(ServeSettings, flags))
        case ["replay", *flags]:
            from simulator.commands.replay import replay  # noqa: PLC0415
            from simulator.commands.settings import ReplaySettings  # noqa: PLC0415

            replay(_settings(ReplaySettings, flags))
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


def _settings(kind: type[Settings], flags: list[str]) -> Settings:
    """Read the settings and configure the log; exits if a flag is invalid."""
    from simulator import logs  # noqa: PLC0415

    try:
        settings = read_settings(kind, flags)
    except ValidationError as error:
        sys.exit(flag_sentences(error))
    logs.configure(settings.log_format)
    return settings


if __name__ == "__main__":
    main(sys.argv[1:])
