"""Writes what was measured into README.md, section by section."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- results: written by make bench and make torture -->", "<!-- end of results -->"


def write(heading: str, text: str) -> None:
    """Print a section, and put it, with day and machine, in the place of the one with its heading."""
    print(f"{heading}\n\n{text}\n", flush=True)
    before, _, rest = README.read_text().partition(BEGIN)
    results, _, after = rest.partition(END)
    told = re.split(r"^### (.+)$", results, flags=re.MULTILINE)[1:]
    sections = dict(zip(told[::2], told[1::2], strict=True)) | {heading: f"{_machine()}\n\n{text}"}
    written = "\n\n".join(f"### {name}\n\n{one.strip()}" for name, one in sections.items())
    README.write_text(f"{before}{BEGIN}\n\n{written}\n\n{END}{after}")


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table whose columns but the first are numbers."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _machine() -> str:
    day = datetime.now(UTC).date().isoformat()
    return (
        f"Measured {day} on {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}."
    )
