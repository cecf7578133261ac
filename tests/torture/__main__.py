"""Tries what could break Racecast, at full length, and writes what came of it into benchmarks/README.md.

`python -m tests.torture`, or some parts of it by name; ends with status 1 if something didn't hold.
"""

from __future__ import annotations

import signal
import sys
import tempfile
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import report
from pinot.admin.setup import set_up
from pinot.admin.topics import set_up_topics
from tests.stacks import stack_settings, started
from tests.torture import api_requests, course_files, faults, load
from tests.torture.places import KafkaPlace, SqlitePlace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.torture.load import Load
    from tests.torture.outcome import Fault, Hostile

TIMES = 20
AWAY = 30.0
"""Seconds for which Kafka is away, twenty times."""
LONG = 310.0
"""Seconds for which it is away once: longer than librdkafka's own `message.timeout.ms` of 300,000."""
SLOW = 0.5
"""Seconds that the answer to one request in a hundred may take under load."""


def main() -> int:
    """Torture, part by part, and write what each has found as soon as it has."""
    parts: dict[str, Callable[[Path], bool]] = {
        "sqlite": _on_sqlite,
        "kafka": _on_kafka,
        "pinot": _on_pinot,
        "load": _load,
        "files": _files,
        "requests": _requests,
    }
    held = []
    for name in report.asked_for("python -m tests.torture", __doc__, parts):
        with tempfile.TemporaryDirectory() as folder:
            held.append(parts[name](Path(folder)))
    return 0 if all(held) else 1


def _on_sqlite(folder: Path) -> bool:
    def each() -> Iterator[Fault]:
        for how in (signal.SIGKILL, signal.SIGTERM):
            own = _fresh(folder)
            yield faults.stopped(own, SqlitePlace(own / "race.db"), TIMES, 2.0, how)
        yield faults.disk_full(_fresh(folder), 5, 5.0)
        yield faults.file_locked(_fresh(folder), 3, 5.0)

    return _tell("Torture: faults, the embedded store", each())


def _on_kafka(folder: Path) -> bool:
    def each() -> Iterator[Fault]:
        with started(_fresh(folder), "kafka") as stack:
            set_up_topics(stack.kafka_access, partitions=4, replication=1)
            for how in (signal.SIGKILL, signal.SIGTERM):
                yield faults.stopped(_fresh(folder), KafkaPlace(stack.kafka), TIMES, 2.0, how)
            yield faults.broker_away(_fresh(folder), stack, "is killed", TIMES, AWAY)
            yield faults.broker_away(_fresh(folder), stack, "ends", 3, AWAY)
            yield faults.broker_away(_fresh(folder), stack, "hangs", 3, AWAY)
            # So many that more wait than the producer takes.
            yield faults.broker_away(_fresh(folder), stack, "is killed", 1, LONG, competitors=2000)
            yield faults.broker_away_at_start(_fresh(folder), stack, AWAY)

    return _tell("Torture: faults, Kafka", each())


def _on_pinot(folder: Path) -> bool:
    def each() -> Iterator[Fault]:
        with started(_fresh(folder)) as stack:
            set_up(stack_settings(stack))
            yield faults.pinot_away(_fresh(folder), stack, 3, AWAY)

    return _tell("Torture: faults, Pinot", each())


def _tell(heading: str, found: Iterator[Fault]) -> bool:
    """Write what each fault has done as soon as it is over."""
    rows = []
    for fault in found:
        rows.append(fault)
        report.write(heading, _fault_table(rows))
    return all(fault.held for fault in rows)


def _fresh(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))


def _fault_table(found: list[Fault]) -> str:
    head = ["fault", "times", "events expected", "found", "lost", "made up", "reordered"]
    head += ["time to recover, median", "most", "memory grew by"]
    rows = []
    for one in found:
        counts = [one.tried, one.expected, one.found, one.lost, one.made_up, one.reordered]
        times = sorted(one.recoveries)
        recovery = [f"{times[len(times) // 2]:.1f} s", f"{times[-1]:.1f} s"]
        grown = "" if isnan(one.memory) else f"{one.memory:,.0f} MiB"
        rows.append([one.what, *(f"{count:,}" for count in counts), *recovery, grown])
    return report.table(head, rows)


def _load(folder: Path) -> bool:
    connections, races = folder / "connections", folder / "races"
    connections.mkdir()
    races.mkdir()
    rows = [load.many_connections(connections, 1000, 200, 60.0), load.many_races(races, 100, 60.0)]
    head = ["load", "requests", "failed", "p50", "p99", "max", "ticks", "over 1 s late", "dripping closed"]
    report.write("Torture: load", report.table(head, [_load_row(one) for one in rows]))
    return all(not one.failed and not one.late and one.p99 < SLOW for one in rows)


def _load_row(one: Load) -> list[str]:
    times = [f"{seconds * 1000:,.0f} ms" for seconds in (one.p50, one.p99, one.most)]
    counts = [f"{one.ticks:,}", f"{one.late:,}"]
    closed = f"{one.closed} after {one.after[0]:.1f} to {one.after[1]:.1f} s" if one.closed else ""
    return [one.what, f"{one.requests:,}", f"{len(one.failed)}", *times, *counts, closed]


def _files(_: Path) -> bool:
    return _hostile("Torture: course files", [course_files.run(10_000), course_files.corpus()])


def _requests(_: Path) -> bool:
    return _hostile("Torture: requests", [api_requests.run(10_000)])


def _hostile(heading: str, found: list[Hostile]) -> bool:
    head = ["hostile input", "tried", "taken", "refused", "broken", "slowest", "most memory"]
    rows = []
    for one in found:
        for broken in one.broken:
            print(broken, file=sys.stderr, flush=True)
        counts = [f"{count:,}" for count in (one.tried, one.taken, one.refused, len(one.broken))]
        memory = "" if isnan(one.memory) else f"{one.memory:,.0f} MiB"
        rows.append([one.what, *counts, f"{one.slowest * 1000:,.0f} ms", memory])
    report.write(heading, report.table(head, rows))
    return all(one.held for one in found)


if __name__ == "__main__":
    sys.exit(main())
