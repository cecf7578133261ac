"""Run benchmarks and write the results to README.md: all usual parts, or those named."""

from __future__ import annotations

import os
import sys
import tempfile
from math import isnan
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from benchmarks import big_map, compose, core, freshness, options, report, soak, throughput, viewers
from pinot.admin.setup import set_up
from pinot.admin.topics import set_up_topics
from pinot.settings import Settings
from tests.stacks import stack_settings, started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinot.local.stack import Stack

    Section = tuple[str, str]
    """Heading and text."""

SIZES = (100, 10_000, 100_000)
COURSES = ("crystal-palace", "hilly-half")
FRESH_SIZES = (1000, 10_000, 30_000)
FRESH_S = float(os.environ.get("RACECAST_FRESH_MINUTES", "10")) * 60
SOAK_HOURS = float(os.environ.get("RACECAST_SOAK_HOURS", "2"))
SOAK_STEP_S = SOAK_HOURS * 3600 / 8


def main() -> None:
    """Run the parts one by one and write each result immediately."""
    parts = {
        "core": _core,
        "options": _options,
        "sqlite": _sqlite,
        "stack": _stack,
        "freshness": _freshness,
        "viewers": _viewers,
        "map": _map,
        "compose": _compose,
        "soak": _soak,
    }
    for name in report.asked_for(
        "python -m benchmarks", __doc__, parts, usual=parts.keys() - {"freshness", "compose", "soak"}
    ):
        with tempfile.TemporaryDirectory() as folder:
            for heading, text in parts[name](Path(folder)):
                report.write(heading, text)


def _say(what: str) -> None:
    print(what, file=sys.stderr)


def _core(_: Path) -> Iterator[Section]:
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
    yield "The core", report.table([*head, "passings of a tick"], rows)
    yield "JSON", report.table(["race", "JSON of an event", "an object each", "ratio"], encoding)


def _options(folder: Path) -> Iterator[Section]:
    rows, plain = [], None
    for what, found in options.measure(folder):
        _say(f"options: {what}")
        plain = plain or found["rate"]
        figures = [f"{found['events']:,.0f}", f"{found['seconds']:.1f} s", f"{found['rate']:,.0f}"]
        rows.append([what, *figures, f"{found['rate'] / plain:.2f}"])
    head = ["an hour, 1,000 competitors", "events", "in all", "events a second", "ratio"]
    yield "Options", report.table(head, rows)


def _sqlite(folder: Path) -> Iterator[Section]:
    _say("SQLite")
    found = throughput.in_a_process("sqlite", str(folder / "bench.db"))
    rows = [[f"{found['positions']:,.0f}", f"{found['rows']:,.0f}"]]
    yield "The embedded store", report.table(["positions a second", "rows a second"], rows)


def _stack(folder: Path) -> Iterator[Section]:
    with started(folder / "stack") as stack:
        # Topics only: Pinot's consumption is not part of the publisher's cost.
        partitions = Settings().partitions
        set_up_topics(stack.kafka_access, partitions=partitions, replication=1)
        yield _kafka(stack, folder)


def _kafka(stack: Stack, folder: Path) -> Section:
    _say("Kafka")
    found = throughput.in_a_process("kafka", stack.kafka, str(folder / "lines"))
    ours, kcat = found["publisher"], found["kcat"]
    rows = [[f"{ours:,.0f}", f"{kcat:,.0f}", f"{ours / kcat:.2f}"]]
    head = ["our publisher, events a second", "kcat -P, ready-made lines", "ratio"]
    return "Kafka", report.table(head, rows)


def _freshness(folder: Path) -> Iterator[Section]:
    head = [f"1 position a second each, {FRESH_S / 60:g} min", "p50", "p95", "p99", "max", "ticks"]
    rows = []
    for competitors in FRESH_SIZES:
        _say(f"freshness: {competitors:,}")
        with started(folder / f"stack-{competitors}") as stack:
            set_up(stack_settings(stack))
            measured = freshness.measure(stack, competitors, folder, FRESH_S)
        for what, found in measured.items():
            times = [f"{found[name]:.3f} s" for name in ("p50", "p95", "p99", "max")]
            rows.append([f"{competitors:,} competitors, {what}", *times, f"{found['ticks']:.0f}"])
        yield "Freshness", report.table(head, rows)


def _viewers(folder: Path) -> Iterator[Section]:
    database = ["--sqlite", str(folder / "viewers.db")]
    table = _watched(folder, ["--publisher", "sqlite", *database], ["--store", "sqlite", *database])
    yield "Viewers on the embedded store", table
    with started(folder / "stack") as stack:
        set_up(stack_settings(stack))
        kafka = ["--publisher", "kafka", "--kafka", stack.kafka]
        table = _watched(folder, kafka, ["--store", "pinot", "--pinot-broker", stack.broker])
        yield "Viewers on Pinot", table


def _watched(folder: Path, simulator_flags: list[str], dashboard_flags: list[str]) -> str:
    rows, load = [], []
    for number in viewers.NUMBERS:
        _say(f"viewers: {number}, {dashboard_flags[1]}")
        found = viewers.measure(folder, number, simulator_flags, dashboard_flags)
        times = [f"{found[name] * 1000:,.0f} ms" for name in ("p50", "p95", "p99", "max")]
        others = [f"{found['look_p95'] * 1000:,.0f} ms", f"{found['opened_p50'] * 1000:,.0f} ms"]
        rows.append([f"{number}", *times, f"{found['in_time']:.1%}", f"{found['failed']:.0f}", *others])
        rates = [f"{found[name]:.2f}" for name in ("refreshes", "pictures_each", "pictures", "questions")]
        shares = [f"{found[name]:.0%}" for name in ("dashboard_cpu", "viewers_cpu")]
        load.append([f"{number}", *rates, *shares, f"{found['load']:.1f}"])
    head = ["viewers", "refresh p50", "p95", "p99", "max", "under 1 s", "failed", "page's own look, p95"]
    refreshes = report.table([*head, "page opened, p50"], rows)
    head = ["viewers", "refreshes a second", "new pictures a second and viewer"]
    head += ["positions asked of the store a second", "questions to it in all", "dashboard, of a core"]
    head += ["the viewers themselves", "the machine's load"]
    return f"{refreshes}\n\n{report.table(head, load)}"


def _map(folder: Path) -> Iterator[Section]:
    rows, empty = [], None
    for what, found in big_map.measure(folder):
        _say(f"map: {what}")
        empty = empty or found["fps"]
        frames = [f"{found[name]:,.0f} ms" for name in ("frames_p50", "frames_p95")]
        pictures = [
            "" if isnan(found[name]) else f"{found[name]:,.0f} ms"
            for name in ("gaps_p50", "gaps_p95", "refreshes_p50", "refreshes_p95", "draws_p50", "draws_p95")
        ]
        rows.append([what, f"{found['fps']:.0f}", f"{found['fps'] / empty:.2f}", *frames, *pictures])
    head = ["in Chromium", "frames a second", "ratio", "between two frames, p50", "p95"]
    head += ["between two pictures, p50", "p95", "question to picture drawn, p50", "p95"]
    yield "The map of a big race", report.table([*head, "answer to picture drawn, p50", "p95"], rows)


def _compose(_: Path) -> Iterator[Section]:
    with compose.composed() as system:
        _say(f"compose: {system.description}")
        finishers, equal = system.race()
        queries = [[name, f"{found:,}", f"{s * 1000:,.0f} ms"] for name, found, s in system.queries()]
        recoveries = list(system.recoveries())
        stops = system.stops()
        again, races, complete = system.start_again()
    services = [
        [service, f"{stops[service]:.1f} s", f"{restarted:.0f} s", f"{crashed:.0f} s"]
        for service, restarted, crashed in recoveries
    ]
    text = (
        f"{system.description}. Everything is healthy {system.first_start:.0f} s after the first `up`, which "
        f"builds the image, and {again:.0f} s after `down` and `up`. A race of {finishers} at speed "
        f"{compose.SPEED}: {equal} finish times in Pinot equal those of the API. After all faults "
        f"{complete} of {races} races are complete."
    )
    faults = report.table(["service", "stop", "recovery after a restart", "after a crash"], services)
    asked = report.table(["query", "rows", "time"], queries)
    yield "Docker Compose", f"{fill(text, 118)}\n\n{faults}\n\n{asked}"


def _soak(folder: Path) -> Iterator[Section]:
    with started(folder / "stack", "kafka") as stack:
        soaked = soak.measure(folder, stack, SOAK_HOURS)
    for name, one in soaked.items():
        rows = [
            [
                f"{last.at / 60:.0f} min",
                f"{last.races}",
                f"{last.delivered:,}",
                f"{last.late - first.late}",
                f"{last.resident:,.0f} MiB",
                f"{(last.cpu_s - first.cpu_s) / (last.at - first.at):.0%}",
                f"{last.stored:,.0f} MiB",
            ]
            for first, last in soak.every(one.samples, SOAK_STEP_S)
        ]
        head = ["after", "races", "events delivered", "ticks late since", "memory", "of a core", "store"]
        lost = (
            f"{one.races} whole races: {one.expected:,} positions and passings expected, {one.found:,} found."
        )
        yield f"Soak: {soak.COMPETITORS:,} competitors, {name}", f"{lost}\n\n{report.table(head, rows)}"


if __name__ == "__main__":
    main()
