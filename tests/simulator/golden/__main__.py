"""Writes the golden races anew: `python -m tests.simulator.golden`."""

from __future__ import annotations

from tests.simulator.test_generate import GOLDEN, NAMES, golden_flags, lines

for course in NAMES:
    for topic in ("parkrun", "passings", "races", "competitors"):
        text = b"".join(line + b"\n" for line in lines(*golden_flags(course, topic)))
        (GOLDEN / f"{course}.{topic}.ndjson").write_bytes(text)
