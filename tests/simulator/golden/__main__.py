"""Writes the golden races again: `python -m tests.simulator.golden`."""

from tests.simulator.commands.test_generate import (
    CROWDED,
    GOLDEN,
    LIMITED,
    NAMES,
    READ,
    TOPICS,
    golden_flags,
    lines,
)

for course in NAMES:
    for kind in ("", "real."):
        for topic in TOPICS:
            text = b"".join(line + b"\n" for line in lines(*golden_flags(course, kind, topic)))
            (GOLDEN / f"{course}.{kind}{topic}.ndjson").write_bytes(text)
for kind, flags in (("crowded", CROWDED), ("limited", LIMITED)):
    text = b"".join(line + b"\n" for line in lines(*flags))
    (GOLDEN / f"city-10k.{kind}.passings.ndjson").write_bytes(text)
text = b"".join(line + b"\n" for line in lines(*READ))
(GOLDEN / "crystal-palace.faulty.reads.ndjson").write_bytes(text)
