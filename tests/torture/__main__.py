"""Run the torture tests at full length and write the results to benchmarks/README.md.

Runs all parts, or those named. The exit status is 1 if a test failed.
"""

import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from math import isnan
from pathlib import Path

from benchmarks import report
from pinot.admin.setup import set_up
from pinot.admin.topics import set_up_topics
from tests.stacks import stack_settings, started
from tests.torture import api_requests, course_files, faults, load, simulators, streams
from tests.torture.event_stores import KafkaEventStore, SqliteEventStore
from tests.torture.load import LoadResult
from tests.torture.outcome import FaultResult, InputResult
from tests.torture.simulators import Size

REPETITIONS = 20
OUTAGE_S = 30.0
LONG_OUTAGE_S = 310.0
"""Longer than librdkafka's default `message.timeout.ms` of 300,000."""
MAX_P99_S = 0.5
"""Limit in seconds for the 99th percentile of response times under load."""


def main() -> int:
    """Run the parts one by one and write each result immediately."""
    parts: dict[str, Callable[[Path], bool]] = {
        "sqlite": _sqlite_faults,
        "kafka": _kafka_faults,
        "pinot": _pinot_faults,
        "load": _load,
        "files": _course_files,
        "requests": _requests,
        "streams": _streams,
        "simulators": _simulators,
    }
    passed = []
    for name in report.selected_parts("python -m tests.torture", __doc__, parts):
        with tempfile.TemporaryDirectory() as folder:
            passed.append(parts[name](Path(folder)))
    return 0 if all(passed) else 1


def _sqlite_faults(folder: Path) -> bool:
    def results() -> Iterator[FaultResult]:
        for stop_signal in (signal.SIGKILL, signal.SIGTERM):
            own = _new_folder(folder)
            store = SqliteEventStore(own / "race.db")
            yield faults.simulator_restarts(own, store, REPETITIONS, 2.0, stop_signal)
        yield faults.disk_full(_new_folder(folder), 5, 5.0)
        yield faults.file_locked(_new_folder(folder), 3, 5.0)

    return _report_faults("Torture: faults, SQLite", results())


def _kafka_faults(folder: Path) -> bool:
    def results() -> Iterator[FaultResult]:
        with started(_new_folder(folder), "kafka") as stack:
            set_up_topics(stack.kafka_access, partitions=4, replication=1)
            store = KafkaEventStore(stack.kafka)
            for stop_signal in (signal.SIGKILL, signal.SIGTERM):
                yield faults.simulator_restarts(_new_folder(folder), store, REPETITIONS, 2.0, stop_signal)
            yield faults.broker_outages(_new_folder(folder), stack, "killed", REPETITIONS, OUTAGE_S)
            yield faults.broker_outages(_new_folder(folder), stack, "stopped", 3, OUTAGE_S)
            yield faults.broker_outages(_new_folder(folder), stack, "hung", 3, OUTAGE_S)
            # Enough competitors that the producer's queue fills up.
            yield faults.broker_outages(
                _new_folder(folder), stack, "killed", 1, LONG_OUTAGE_S, competitors=2000
            )
            yield faults.broker_down_at_start(_new_folder(folder), stack, OUTAGE_S)

    return _report_faults("Torture: faults, Kafka", results())


def _pinot_faults(folder: Path) -> bool:
    def results() -> Iterator[FaultResult]:
        with started(_new_folder(folder)) as stack:
            set_up(stack_settings(stack))
            yield faults.pinot_outages(_new_folder(folder), stack, 3, OUTAGE_S)

    return _report_faults("Torture: faults, Pinot", results())


def _simulators(folder: Path) -> bool:
    sizes = [Size(200_000, 20), *(Size(200, 2) for _ in range(29))]
    with started(_new_folder(folder), "kafka") as stack:
        set_up_topics(stack.kafka_access, partitions=4, replication=1)
        plan = {
            "killed": (simulators.kill, 20),
            "stopped": (simulators.stop, 20),
            "suspended for 60 s": (simulators.suspended(60.0), 10),
            "added and removed": (simulators.add_and_remove, 10),
            "broker killed": (simulators.broker_restarted(stack), 5),
        }
        results = simulators.under_faults(_new_folder(folder), stack, sizes, 1500.0, plan)
        passed = _report_faults("Torture: several simulators", results)
        made = simulators.same_run_id(_new_folder(folder), stack, 1000)
    report.write(
        "Torture: one run id at two simulators", f"{made:,} times asked at once, one race each time."
    )
    return passed


def _report_faults(heading: str, results: Iterator[FaultResult]) -> bool:
    """Write each result as soon as it is available."""
    done = []
    for result in results:
        done.append(result)
        report.write(heading, _fault_table(done))
    return all(result.passed for result in done)


def _new_folder(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))


def _fault_table(results: list[FaultResult]) -> str:
    head = ["fault", "repetitions", "events expected", "found", "lost", "unexpected", "out of order"]
    head += ["recovery time, median", "max", "memory growth"]
    rows = []
    for one in results:
        counts = [one.repetitions, one.expected, one.found, one.lost, one.unexpected, one.out_of_order]
        times = sorted(one.recovery_times)
        recovery = [f"{times[len(times) // 2]:.1f} s", f"{times[-1]:.1f} s"]
        growth = "" if isnan(one.memory_growth) else f"{one.memory_growth:,.0f} MiB"
        rows.append([one.name, *(f"{count:,}" for count in counts), *recovery, growth])
    return report.table(head, rows)


def _load(folder: Path) -> bool:
    connections, races = folder / "connections", folder / "races"
    connections.mkdir()
    races.mkdir()
    results = [load.many_connections(connections, 1000, 200, 60.0), load.many_races(races, 100, 60.0)]
    head = ["load", "requests", "failed", "p50", "p99", "max", "ticks", "more than 1 s late"]
    rows = [_load_row(one) for one in results]
    report.write("Torture: load", report.table([*head, "slow clients disconnected"], rows))
    return all(not one.failed and not one.late and one.p99 < MAX_P99_S for one in results)


def _streams(folder: Path) -> bool:
    results = [
        streams.cut_by_a_proxy(_new_folder(folder), 200, times=6, every_s=10.0),
        streams.store_unavailable(_new_folder(folder), 200, outage_s=30.0),
        streams.readers_of_nothing(_new_folder(folder), 50, 150, seconds=60.0),
    ]
    rows = [
        [
            one.name,
            f"{one.viewers}",
            f"{one.connects}",
            f"{one.longest:.1f} s",
            f"{one.oldest:.1f} s",
            f"{one.memory_growth:.0f} MiB",
        ]
        for one in results
    ]
    head = ["fault", "viewers", "streams opened", "longest without a picture", "oldest picture at the end"]
    report.write("Torture: streams", report.table([*head, "dashboard's growth"], rows))
    return all(one.passed for one in results)


def _load_row(one: LoadResult) -> list[str]:
    times = [f"{seconds * 1000:,.0f} ms" for seconds in (one.p50, one.p99, one.slowest)]
    counts = [f"{one.ticks:,}", f"{one.late:,}"]
    first, last = one.disconnected_after
    disconnected = f"{one.disconnected} after {first:.1f} to {last:.1f} s" if one.disconnected else ""
    return [one.name, f"{one.requests:,}", f"{len(one.failed)}", *times, *counts, disconnected]


def _course_files(_: Path) -> bool:
    results = [course_files.read_mutated(10_000), course_files.read_corpus()]
    return _report_inputs("Torture: course files", results)


def _requests(_: Path) -> bool:
    return _report_inputs("Torture: requests", [api_requests.run(10_000)])


def _report_inputs(heading: str, results: list[InputResult]) -> bool:
    head = ["input", "number", "accepted", "rejected", "failed", "slowest", "peak memory"]
    rows = []
    for one in results:
        for failure in one.failures:
            print(failure, file=sys.stderr, flush=True)
        counts = [f"{count:,}" for count in (one.inputs, one.accepted, one.rejected, len(one.failures))]
        memory = "" if isnan(one.peak_memory) else f"{one.peak_memory:,.0f} MiB"
        rows.append([one.name, *counts, f"{one.slowest * 1000:,.0f} ms", memory])
    report.write(heading, report.table(head, rows))
    return all(one.passed for one in results)


if __name__ == "__main__":
    sys.exit(main())
