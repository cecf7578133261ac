"""Run benchmarks and write the results to README.md: the default parts, or those named."""

import os
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import astuple
from math import isnan
from pathlib import Path
from textwrap import fill

import numpy as np

from benchmarks import (
    big_map,
    big_race,
    big_results,
    commits,
    compose,
    core,
    crowding,
    forecasts,
    freshness,
    grades,
    options,
    reckoning,
    report,
    simulators,
    soak,
    stores,
    throughput,
    viewers,
)
from pinot.admin.setup import set_up
from pinot.admin.topics import set_up_topics
from pinot.local.registry import LocalRegistry
from pinot.local.stack import Stack
from pinot.settings import Settings
from tests.stacks import stack_settings, started

Section = tuple[str, str]
"""Heading and text."""

SIZES = (100, 10_000, 100_000, 1_000_000)
LONG = {"fresh-sqlite", "fresh-pinot", "commits", "big", "simulators", "compose", "soak"}
"""Parts that run only if they are named."""
FORECAST_SIZES = (1_000, 10_000, 50_000)
COURSES = ("crystal-palace", "hilly-half")
FRESH_SIZES = tuple(int(size) for size in os.environ.get("RACECAST_FRESH_SIZES", "1000 10000 30000").split())
FRESH_S = float(os.environ.get("RACECAST_FRESH_MINUTES", "10")) * 60
SOAK_HOURS = float(os.environ.get("RACECAST_SOAK_HOURS", "2"))
SOAK_STEP_S = SOAK_HOURS * 3600 / 8


def main() -> None:
    """Run the parts one by one and write each result immediately."""
    parts = {
        "core": _core,
        "options": _options,
        "crowding": _crowding,
        "forecasts": _forecasts,
        "grades": _grades,
        "sqlite": _sqlite,
        "stack": _stack,
        "fresh-sqlite": _fresh_sqlite,
        "fresh-pinot": _fresh_pinot,
        "commits": _commits,
        "viewers": _viewers,
        "map": _map,
        "results": _results,
        "big": _big,
        "reckoning": _reckoning,
        "simulators": _simulators,
        "compose": _compose,
        "soak": _soak,
    }
    default = parts.keys() - LONG
    for name in report.selected_parts("python -m benchmarks", __doc__, parts, default):
        with tempfile.TemporaryDirectory() as folder:
            for heading, text in parts[name](Path(folder)):
                report.write(heading, text)


def _log(message: str) -> None:
    print(message, file=sys.stderr)


def _core(_: Path) -> Iterator[Section]:
    rows, encoding = [], []
    for course in COURSES:
        for competitors in SIZES:
            _log(f"core: {competitors:,} on {course}")
            found = core.in_separate_process(competitors, course)
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
    head = ["race", "creation", "memory", "whole process", "tick, early", "tick, median", "tick, late"]
    yield "Core", report.table([*head, "passings per tick"], rows)
    yield "JSON", report.table(["race", "encoder, per event", "object per event", "ratio"], encoding)


def _options(folder: Path) -> Iterator[Section]:
    rows, baseline = [], None
    for name, found in options.measure(folder):
        _log(f"options: {name}")
        baseline = baseline or found["rate"]
        figures = [f"{found['events']:,.0f}", f"{found['seconds']:.1f} s", f"{found['rate']:,.0f}"]
        rows.append([name, *figures, f"{found['rate'] / baseline:.2f}"])
    head = ["options", "events", "time", "events per second", "ratio"]
    yield "Options", report.table(head, rows)


def _crowding(_: Path) -> Iterator[Section]:
    _log("crowding: published starts")
    rows = [
        [
            start.name,
            f"{dense:.2f}",
            f"{start.density[0]:.2f} to {start.density[1]:.2f}",
            f"{flow:.0f}",
            f"{start.flow[0]:.0f} to {start.flow[1]:.0f}",
        ]
        for start, dense, flow in crowding.starts()
    ]
    head = ["start", "density, runners/m²", "published", "flow, runners/min/m", "published"]
    slow, fast = (f"{1000 / pace:.2f}" for pace in reversed(crowding.WALKS))
    text = (
        f"A corral of {crowding.CORRAL:.0f} m by {crowding.CORRAL_WIDTH:.0f} m, and {crowding.RUNNERS:,} "
        f"runners who walk at {slow} to {fast} m/s. A bottleneck with a queue discharges "
        f"{crowding.discharge():.2%} of its capacity."
    )
    yield "Crowding: published starts", f"{fill(text, 118)}\n\n{report.table(head, rows)}"
    rows = []
    for on, competitors in crowding.RACES:
        _log(f"crowding: {on}, {competitors:,}")
        found = crowding.in_separate_process(on, competitors)
        rows.append(
            [
                f"{on}, {competitors:,}, {found['width_m']:g} m wide",
                f"{found['created_s']:.1f} s",
                f"{found['resident_mib']:,.0f} MiB",
                f"{found['field_mib']:,.0f} MiB",
                f"{found['tick_ms']:.1f} ms",
                f"{found['plain_tick_ms']:.1f} ms",
                f"{found['density_s']:.1f} s",
            ]
        )
    head = ["race", "creation", "whole process, peak", "field", "tick", "without crowding", "density"]
    yield "Crowding: cost", report.table(head, rows)


def _forecasts(_: Path) -> Iterator[Section]:
    rows, coverage = [], []
    for name, found in forecasts.measure():
        _log(f"forecasts: {name}")
        for what, some in zip(
            ("finish", "next split", "finish, anywhere", "next split, anywhere"), found, strict=True
        ):
            later = some.take(some.split > 1)
            rows.append(
                [
                    f"{name}: {what}",
                    f"{len(later):,}",
                    f"{later.covered:.1%}",
                    *(f"{seconds:.1f} s" for seconds in (later.error, later.even_error, later.crps)),
                    f"{later.crps / later.even_error:.2f}",
                    f"{later.crps / later.even_crps:.2f}",
                ]
            )
        for what, some in (("finish", found.finish), ("next split", found.there)):
            coverage.append([f"{name}: {what}", *_coverage(forecasts.Coverage.of(some))])
    head = ["race and forecast", "forecasts", "in the interval", "mean error", "constant pace", "CRPS"]
    yield "Forecasts", report.table([*head, "ratio to constant pace", "with intervals"], rows)
    parts = (f"{100 * first:g} to {100 * last:g} %" for first, last in forecasts.PARTS)
    low, high = (100 * share for share in forecasts.TARGET)
    head = [
        "race and forecast",
        "splits",
        f"{low:g} to {high:g} %",
        "clearly outside",
        "standard error",
        *parts,
    ]
    yield "Forecasts in the interval, lowest and highest split", report.table(head, coverage)
    rows = []
    for scenario, at in ((forecasts.SCENARIOS[1], 1800.0), (forecasts.SCENARIOS[-1], 9000.0)):
        for competitors in FORECAST_SIZES:
            _log(f"forecasts: cost of {competitors:,}")
            cost = forecasts.cost(scenario, at, competitors)
            seconds = (f"{value:.2f} s" for value in (cost.learn, cost.forecast))
            rows.append([scenario.name, f"{competitors:,}", f"{cost.on_course:,}", *seconds])
    head = ["race", "competitors", "on the course", "learning", "forecasts"]
    yield "Forecasts: cost", report.table(head, rows)


def _coverage(found: forecasts.Coverage) -> Iterator[str]:
    """Yield the cells of a row: how many splits meet the target, and the range in each part of the race."""
    yield f"{len(found.split)}"
    yield f"{found.is_met.sum()}"
    yield f"{found.is_clearly_missed.sum()}"
    yield f"{np.median(found.error):.1%}"
    share = found.split / (found.split.max() + 1)
    for first, last in forecasts.PARTS:
        some = found.share[(share > first) & (share <= last)]
        yield f"{some.min():.1%} to {some.max():.1%}" if len(some) else ""


def _grades(folder: Path) -> Iterator[Section]:
    rows = []
    with started(folder / "stack") as stack:
        set_up(stack_settings(stack), _log)
        (folder / "topics").mkdir()
        for fault, found in grades.correct(folder / "topics", stack):
            _log(f"grades: {fault}")
            cells = ("" if one is None else f"{one.percent:.2f} % of {one.rows:,}" for one in found.values())
            rows.append([fault, *cells])
    yield "Grades of correct consumers", report.table(["fault", "plain Python", "SQLite", "Pinot"], rows)
    (folder / "faulty").mkdir()
    rows = [
        [one.consumer, one.kind, f"{one.percent:.2f} %", one.hint] for one in grades.faulty(folder / "faulty")
    ]
    yield "Grades of faulty consumers", report.table(["consumer", "question", "rows right", "named"], rows)


def _sqlite(folder: Path) -> Iterator[Section]:
    _log("SQLite")
    found = throughput.in_separate_process("sqlite", str(folder / "bench.db"))
    rows = [[f"{found['positions']:,.0f}", f"{found['rows']:,.0f}"]]
    yield "SQLite", report.table(["positions per second", "rows per second"], rows)


def _stack(folder: Path) -> Iterator[Section]:
    with started(folder / "stack") as stack:
        # Topics only: Pinot's consumption is not part of the publisher's cost.
        partitions = Settings().partitions
        set_up_topics(stack.kafka_access, partitions=partitions, replication=1)
        yield _kafka(stack, folder)


def _kafka(stack: Stack, folder: Path) -> Section:
    _log("Kafka")
    registries = [LocalRegistry.at(folder / name) for name in ("avro", "protobuf")]
    try:
        for registry in registries:
            registry.start()
        urls = [registry.url for registry in registries]
        found = throughput.in_separate_process("kafka", stack.kafka, str(folder / "lines"), *urls)
    finally:
        for registry in registries:
            registry.stop()
    json = found["JSON"]
    rows = [
        [name, *_cost_of_format(one, json), f"{one['rate']:,.0f}", f"{one['rate'] / json['rate']:.2f}"]
        for name, one in found.items()
    ]
    head = ["publisher", "bytes per event", "longest piece", "encoding, per event", "ratio"]
    head += ["CPU per event", "ratio", "events per second", "ratio"]
    return "Kafka", report.table(head, rows)


def _cost_of_format(one: dict[str, float], json: dict[str, float]) -> Iterator[str]:
    """Yield the cells for bytes, longest piece, encoding and CPU, empty if they are not known."""
    yield f"{one['bytes']:.0f}" if "bytes" in one else ""
    yield f"{one['longest_ms']:.1f} ms" if "longest_ms" in one else ""
    for key in ("us", "cpu_us"):
        yield f"{one[key]:.2f} µs" if key in one else ""
        yield f"{one[key] / json[key]:.2f}" if key in one else ""


def _simulators(folder: Path) -> Iterator[Section]:
    with started(folder / "stack", "kafka") as stack:
        set_up_topics(stack.kafka_access, partitions=Settings().partitions, replication=1)
        found = simulators.cost(folder, stack)
        of_one = found[simulators.NUMBERS[0]]["cpu"]
        rows = [
            [f"{number}", *_cost(one), f"{one['cpu'] / of_one:.2f}", f"{one['late']:.0f}"]
            for number, one in found.items()
        ]
        parts = ["simulators", "events per second", "CPU per million events: simulators", "Kafka", "Pinot"]
        yield "Several simulators", report.table([*parts, "simulators, ratio to one", "late ticks"], rows)
        one = simulators.million(folder, stack)
        times = [f"{one[name]:.1f} s" for name in ("drawn", "p50", "p95", "max")]
        row = [f"{one['events']:,.0f}", f"{one['cpu']:.2f}", *times, f"{one['memory']:,.0f} MiB"]
        head = ["events per second", "cores of both simulators", "until the first tick"]
        head += ["most overdue part, p50", "p95", "max", "memory of one"]
        yield "A million competitors, two simulators, every 10 s", report.table(head, [row])
    with started(folder / "with-pinot") as stack:
        set_up(stack_settings(stack))
        (one,) = simulators.cost(folder / "with-pinot", stack, (1,)).values()
        yield "One simulator with Pinot", report.table(parts, [["1", *_cost(one)]])


def _cost(found: dict[str, float]) -> list[str]:
    return [f"{found['events']:,.0f}", *(f"{found[name]:.1f} s" for name in ("cpu", "kafka", "pinot"))]


def _fresh_sqlite(folder: Path) -> Iterator[Section]:
    for competitors in FRESH_SIZES:
        yield _fresh(stores.sqlite(_folder(folder, competitors)), competitors, folder)


def _fresh_pinot(folder: Path) -> Iterator[Section]:
    for competitors in FRESH_SIZES:
        with stores.pinot(_folder(folder, competitors)) as store:
            yield _fresh(store, competitors, folder)


def _fresh(store: stores.MeasuredStore, competitors: int, folder: Path) -> Section:
    _log(f"freshness: {competitors:,}, {store.name}")
    rows = []
    for name, found in freshness.measure(store, competitors, folder, FRESH_S).items():
        times = [f"{found[key]:.3f} s" for key in ("p50", "p95", "p99", "max")]
        rows.append([name, *times, f"{found['ticks']:.0f}"])
    head = [f"measured for {FRESH_S / 60:g} min", "p50", "p95", "p99", "max", "ticks"]
    return f"Freshness: {competitors:,} competitors, {store.name}", report.table(head, rows)


def _folder(folder: Path, competitors: int) -> Path:
    """A new folder for the store of a measurement."""
    own = folder / str(competitors)
    own.mkdir(exist_ok=True)
    return own


def _commits(folder: Path) -> Iterator[Section]:
    rows, results = [], defaultdict(list)
    with started(folder / "stack") as stack:
        for found in commits.measure(stack, folder):
            _log(f"commits: {found.config}, {found.rows:,} rows")
            results[found.config].append(found)
            steps = np.array([(*astuple(commit), commit.total) for commit in found.commits])
            times = [*np.median(steps, axis=0), steps[:, -1].max()]
            ticks = [found.ticks[name] for name in ("p50", "p95", "max")]
            rows.append([f"{found.config}, {found.rows:,}", *(f"{time:.2f} s" for time in [*times, *ticks])])
    head = ["compression, rows per segment", "building", "packing and upload", "metadata", "next consumer"]
    head += ["total, median", "max", "tick to queryable, p50", "p95", "max"]
    fits = [
        [name, f"{a:.2f} s", f"{1e6 * b:.1f} µs"]
        for name, (a, b) in ((name, commits.fit(one)) for name, one in results.items())
    ]
    model = report.table(["compression", "a, per commit", "b, per row"], fits)
    yield "Commits", f"{report.table(head, rows)}\n\n{model}"


def _viewers(folder: Path) -> Iterator[Section]:
    store = stores.sqlite(folder)
    yield f"Viewers on {store.name}", _watched(folder, store)
    with stores.pinot(folder) as store:
        yield f"Viewers on {store.name}", _watched(folder, store)


def _watched(folder: Path, store: stores.MeasuredStore) -> str:
    rows, load = [], []
    for number in viewers.NUMBERS:
        _log(f"viewers: {number}, {store.name}")
        found = viewers.measure(folder, number, store)
        times = [f"{found[name] * 1000:,.0f} ms" for name in ("p50", "p95", "p99", "max")]
        rows.append([f"{number:,}", *times, f"{found['in_time']:.1%}", f"{found['missed']:.1%}"])
        rates = ("position_queries", "queries")
        shares = [f"{found[name]:.0%}" for name in ("dashboard_cpu", "viewers_cpu")]
        cost = [f"{found['memory_per_viewer']:.2f} MiB", f"{found['page_load_p50'] * 1000:,.0f} ms"]
        load.append(
            [f"{number:,}", *(f"{found[name]:.2f}" for name in rates), *shares, *cost, f"{found['load']:.1f}"]
        )
    head = ["viewers", "queryable to received, p50", "p95", "p99", "max", "within 0.5 s", "never"]
    delays = report.table(head, rows)
    head = ["viewers", "position queries per second", "all store queries per second"]
    head += ["dashboard CPU, of one core", "viewers CPU", "memory per viewer"]
    return f"{delays}\n\n{report.table([*head, 'page load, p50', 'load average'], load)}"


def _map(folder: Path) -> Iterator[Section]:
    rows, empty = [], None
    for name, found in big_map.measure(folder):
        _log(f"map: {name}")
        empty = empty or found["fps"]
        frames = [f"{found[key]:,.0f} ms" for key in ("frames_p50", "frames_p95")]
        updates = [
            "" if isnan(found[f"{key}_{percentile}"]) else f"{found[f'{key}_{percentile}']:,.0f} ms"
            for key in ("updates", "draws")
            for percentile in ("p50", "p95")
        ]
        rows.append([name, f"{found['fps']:.0f}", f"{found['fps'] / empty:.2f}", *frames, *updates])
    head = ["scenario", "frames per second", "ratio", "frame interval, p50", "p95"]
    head += ["update interval, p50", "p95", "arrival to drawn, p50", "p95"]
    yield "Map of a large race", report.table(head, rows)


def _results(folder: Path) -> Iterator[Section]:
    rows = []
    for competitors in big_results.SIZES:
        _log(f"results: {competitors:,}")
        found = big_results.measure(folder, competitors)
        printed = "" if isnan(found["print"]) else f"{found['print']:.1f} s"
        rows.append(
            [
                f"{competitors:,} competitors, {found['passings']:,} passings",
                f"{found['first']:.1f} s",
                f"{found['memory']:,.0f} MiB",
                f"{found['opened']:.1f} s",
                f"{found['key']:,.0f} ms",
                f"{found['order']:,.0f} ms",
                printed,
            ]
        )
    head = ["race", "first answer", "memory for it", "page opened after that", "search, slowest key"]
    yield "Results of a large race", report.table([*head, "order, slowest column", "print to PDF"], rows)


def _big(folder: Path) -> Iterator[Section]:
    for name, store in (("SQLite", big_race.sqlite), ("Pinot", big_race.pinot)):
        rows, queries = [], {}
        for competitors in big_race.SIZES:
            own = folder / f"{name}-{competitors}"
            own.mkdir()
            _log(f"big: {competitors:,}, {name}")
            with store(own) as filled:
                found = big_race.measure(own, filled, competitors)
            shutil.rmtree(own)
            times = [
                "" if isnan(found[key]) else f"{found[key]:.2f} s"
                for key in ("first", "tick", "slowest", "past", "search", "results", "chip", "again")
            ]
            memory = [f"{found[key]:,.0f} MiB" for key in ("live", "peak")]
            rows.append([f"{competitors:,}", *times, f"{found['bytes'] / 1024:,.0f} KiB", *memory])
            queries[competitors] = {
                key[6:]: value for key, value in found.items() if key.startswith("query ")
            }
        head = ["competitors", "first picture", "next ticks, median", "slowest", "past moment", "search"]
        head += ["results", "by chip time", "results again", "picture", "memory, live", "peak, with results"]
        questions = sorted({question for each in queries.values() for question in each})
        means = [
            [f"`{question}`", *(_milliseconds(each.get(question)) for each in queries.values())]
            for question in questions
        ]
        sizes = [f"{competitors:,}" for competitors in queries]
        text = f"{report.table(head, rows)}\n\n{report.table(['mean time of a query', *sizes], means)}"
        yield f"Live page of a large race on {name}", text


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:,.0f} ms"


def _reckoning(folder: Path) -> Iterator[Section]:
    rows = []
    for course, late, errors in reckoning.measure(folder):
        _log(f"reckoning: {course}, {late:g} s")
        shares = [f"{value:.1f} m" for value in np.percentile(errors, (50, 95, 100))]
        rows.append([course, f"{late:g} s", f"{len(errors):,}", *shares])
    head = ["course", "picture late by", "places compared", "distance from the true place, p50", "p95", "max"]
    yield "Competitors while a picture is late", report.table(head, rows)


def _compose(_: Path) -> Iterator[Section]:
    with compose.composed() as system:
        _log(f"compose: {system.description}")
        finishers, equal = system.race()
        queries = [[name, f"{found:,}", f"{s * 1000:,.0f} ms"] for name, found, s in system.queries()]
        recoveries = list(system.recoveries())
        stops = system.stops()
        restart, races, complete = system.recreate()
    services = [
        [service, f"{stops[service]:.1f} s", f"{restarted:.0f} s", f"{crashed:.0f} s"]
        for service, restarted, crashed in recoveries
    ]
    text = (
        f"{system.description}. All services are healthy {system.first_start:.0f} s after the first `up`, "
        f"which builds the image, and {restart:.0f} s after `down` and `up`. A race of {finishers} "
        f"competitors at speed {compose.SPEED}: {equal} finish times in Pinot equal those of "
        f"the API. After all faults, {complete} of {races} races are complete."
    )
    faults = report.table(["service", "stop", "recovery after restart", "after crash"], services)
    query_times = report.table(["query", "rows", "time"], queries)
    yield "Docker Compose", f"{fill(text, 118)}\n\n{faults}\n\n{query_times}"


def _soak(folder: Path) -> Iterator[Section]:
    with started(folder / "stack", "kafka") as stack:
        runs = soak.measure(folder, stack, SOAK_HOURS)
    for name, one in runs.items():
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
            for first, last in soak.intervals(one.samples, SOAK_STEP_S)
        ]
        head = [
            "elapsed",
            "races",
            "events delivered",
            "late ticks",
            "memory",
            "CPU, of one core",
            "store size",
        ]
        counts = f"{one.expected:,} positions and passings expected, {one.found:,} found."
        yield (
            f"Soak: {soak.COMPETITORS:,} competitors, {name}",
            f"{one.races} complete races: {counts}\n\n{report.table(head, rows)}",
        )


if __name__ == "__main__":
    main()
