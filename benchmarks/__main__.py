"""Measures everything and writes the results into README.md: `python -m benchmarks`."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import core, freshness, throughput
from pinot.local.stack import Stack
from pinot.settings import Settings
from pinot.setup import set_up
from pinot.topics import set_up_topics

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- results: written by make bench -->", "<!-- end of results -->"
ANY_PORTS = {"kafka": 0, "controller": 0, "broker": 0}
SIZES = (100, 10_000, 100_000)
COURSES = ("crystal-palace", "hilly-half")


def main() -> None:
    """Measure, part by part, and write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sections = [_machine(), _core(), _sqlite(folder), *_stack(folder)]
    before, _, rest = README.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n\n" + "\n\n".join(sections) + f"\n\n{END}{after}")


def _say(what: str) -> None:
    print(what, file=sys.stderr)


def _machine() -> str:
    day = datetime.now(UTC).date().isoformat()
    return (
        f"Measured {day} on {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}."
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _core() -> str:
    rows, encoding = [], []
    for course in COURSES:
        for competitors in SIZES:
            _say(f"core: {competitors:,} on {course}")
            found = core.in_a_process(competitors, course)
            rows.append(
                [
                    f"{course}, {competitors:,}",
                    f"{found['created_s'] * 1000:,.1f} ms",
                    f"{found['memory_mib']:,.1f} MiB",
                    f"{found['resident_mib']:,.0f} MiB",
                    f"{found['first_tick_ms']:,.2f} ms",
                    f"{found['tick_ms']:,.2f} ms",
                    f"{found['last_tick_ms']:,.2f} ms",
                    f"{found['passings_ms']:,.2f} ms",
                ]
            )
            ratio = found["encode_us"] / found["objects_us"]
            times = [f"{found[name]:.2f} µs" for name in ("encode_us", "objects_us")]
            encoding.append([f"{course}, {competitors:,}", *times, f"{ratio:.2f}"])
    head = ["race", "creation", "memory", "process in all", "tick, early", "tick, median", "tick, late"]
    core_table = _table([*head, "passings of a tick"], rows)
    json_table = _table(["race", "JSON of an event", "an object each", "ratio"], encoding)
    return f"### The core\n\n{core_table}\n\n### JSON\n\n{json_table}"


def _sqlite(folder: Path) -> str:
    _say("SQLite")
    found = throughput.in_a_process("sqlite", str(folder / "bench.db"))
    rows = [[f"{found['positions']:,.0f}", f"{found['rows']:,.0f}"]]
    return "### The embedded store\n\n" + _table(["positions a second", "rows a second"], rows)


def _stack(folder: Path) -> list[str]:
    stack = Stack.at(folder / "stack", ANY_PORTS)
    stack.start()
    try:
        settings = Settings(kafka=stack.kafka, pinot_controller=stack.controller, pinot_broker=stack.broker)
        # The topics alone: what Pinot would consume beside it is not the publisher's cost.
        set_up_topics(stack.kafka, partitions=settings.partitions, replication=1)
        kafka = _kafka(stack, folder)
        stack.stop()
        stack = Stack.at(folder / "fresh", ANY_PORTS)
        stack.start()
        set_up(Settings(kafka=stack.kafka, pinot_controller=stack.controller, pinot_broker=stack.broker))
        return [kafka, _freshness(stack, folder)]
    finally:
        stack.stop()


def _kafka(stack: Stack, folder: Path) -> str:
    _say("Kafka")
    found = throughput.in_a_process("kafka", stack.kafka, str(folder / "lines"))
    ours, kcat = found["publisher"], found["kcat"]
    rows = [[f"{ours:,.0f}", f"{kcat:,.0f}", f"{ours / kcat:.2f}"]]
    head = ["our publisher, events a second", "kcat -P, ready-made lines", "ratio"]
    return "### Kafka\n\n" + _table(head, rows)


def _freshness(stack: Stack, folder: Path) -> str:
    rows = []
    for competitors in (1000, 10_000):
        _say(f"freshness: {competitors:,}")
        found = freshness.measure(stack, competitors, folder)
        times = [f"{found[name]:.3f} s" for name in ("p50", "p95", "p99", "max")]
        rows.append([f"{competitors:,} competitors", *times, f"{found['ticks']:.0f}"])
    head = ["1 position a second each", "p50", "p95", "p99", "max", "ticks seen"]
    return "### Freshness in Pinot\n\n" + _table(head, rows)


if __name__ == "__main__":
    main()
