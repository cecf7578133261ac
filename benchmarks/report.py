"""Command line and report of the benchmarks and torture tests: select parts, write sections of README.md."""

import argparse
import os
import platform
import re
from collections.abc import Collection, Container
from datetime import UTC, datetime
from pathlib import Path

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- results: written by make bench and make torture -->", "<!-- end of results -->"


def selected_parts(
    command: str, description: str | None, parts: Collection[str], default: Container[str] | None = None
) -> list[str]:
    """Return the parts named on the command line, or else the default parts, or else all."""
    defaults = [part for part in parts if default is None or part in default]
    parser = argparse.ArgumentParser(prog=command, description=description)
    parser.add_argument(
        "parts", nargs="*", help=f"one or more of {', '.join(parts)} (default: {', '.join(defaults)})"
    )
    selected: list[str] = parser.parse_args().parts
    if unknown := set(selected) - set(parts):
        parser.error(f"unknown part: {', '.join(sorted(unknown))} (choose from {', '.join(parts)})")
    return selected or defaults


def write(heading: str, text: str) -> None:
    """Print a section, add date and machine, and replace the section with this heading in README.md."""
    print(f"{heading}\n\n{text}\n", flush=True)
    before, _, rest = README.read_text().partition(BEGIN)
    results, _, after = rest.partition(END)
    split = re.split(r"^### (.+)$", results, flags=re.MULTILINE)[1:]
    sections = dict(zip(split[::2], split[1::2], strict=True)) | {heading: f"{_machine()}\n\n{text}"}
    written = "\n\n".join(f"### {name}\n\n{one.strip()}" for name, one in sections.items())
    README.write_text(f"{before}{BEGIN}\n\n{written}\n\n{END}{after}")


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table; all columns but the first are right-aligned."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _machine() -> str:
    day = datetime.now(UTC).date().isoformat()
    return (
        f"Measured {day} on {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}."
    )
