"""Prometheus' conventions for metrics: the rules of `promtool check metrics`, and some from its docs."""

import re
from collections import Counter
from collections.abc import Iterator
from math import inf

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

UNITS = {"seconds", "bytes"}
NO_BASE_UNITS = re.compile(
    r"_(ms|sec|secs|millis|milliseconds|microseconds|nanoseconds|minutes|hours|days|"
    r"kb|mb|gb|kib|mib|gib|kilobytes|megabytes|gigabytes|percent)(_|$)"
)
TYPES = re.compile(r"_(counter|gauge|histogram|summary|untyped)(_|$)")
SNAKE = re.compile(r"[a-z][a-z0-9_]*")
MOST_SERIES = 1000
"""Maximum series of one metric, including buckets: at most a few hundred kilobytes."""


def faults(text: str) -> list[str]:
    """Return the violations in an exposition, one sentence each."""
    families = list(text_string_to_metric_families(text))
    found = [fault for family in families for fault in _of_family(family)]
    names = Counter(sample.name for family in families for sample in _firsts(family))
    found += [f"{name} is in several metrics" for name, count in names.items() if count > 1]
    # In the text, because the parser adds a missing `_total` to counters.
    kinds = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
    found += [f"{name} is a {kind}" for name, kind in kinds if (kind == "counter") != name.endswith("_total")]
    for kind in ("HELP", "TYPE"):
        counts = Counter(re.findall(rf"^# {kind} (\S+)", text, re.MULTILINE))
        found += [f"{name} has {kind} {count} times" for name, count in counts.items() if count > 1]
    return found


def _of_family(family: Metric) -> Iterator[str]:
    name = family.name
    if not family.documentation:
        yield f"{name} has no HELP"
    if family.type in {"unknown", "untyped"}:
        yield f"{name} has no TYPE"
    if NO_BASE_UNITS.search(name):
        yield f"{name} isn't in a base unit"
    if TYPES.search(name) or not SNAKE.fullmatch(name):
        yield f"{name} isn't a name"
    if family.type == "histogram" and name.rpartition("_")[2] not in UNITS:
        yield f"{name} has no unit"
    for sample in family.samples:
        yield from _of_sample(family, sample)
    labelled = Counter((sample.name, *sorted(sample.labels.items())) for sample in family.samples)
    yield from (f"{key} is there twice" for key, count in labelled.items() if count > 1)
    if len(family.samples) > MOST_SERIES:
        yield f"{name} has {len(family.samples)} series"
    if family.type == "histogram":
        yield from _of_buckets(family)


def _of_sample(family: Metric, sample: Sample) -> Iterator[str]:
    if family.type != "histogram" and re.search(r"_(bucket|count|sum)$", sample.name):
        yield f"{sample.name} is a {family.type}"
    if ("le" in sample.labels) is not sample.name.endswith("_bucket"):
        yield f"{sample.name} and `le` don't belong together"
    if not all(SNAKE.fullmatch(label) for label in sample.labels):
        yield f"{sample.name} has a label that isn't a name"


def _of_buckets(family: Metric) -> Iterator[str]:
    series: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    counts: dict[tuple[tuple[str, str], ...], float] = {}
    for sample in family.samples:
        key = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
        if sample.name.endswith("_bucket"):
            series.setdefault(key, []).append((float(sample.labels["le"]), sample.value))
        if sample.name.endswith("_count"):
            counts[key] = sample.value
    for key, buckets in series.items():
        if buckets != sorted(buckets) or [count for _, count in buckets] != sorted(c for _, c in buckets):
            yield f"{family.name} has buckets that don't rise"
        if buckets[-1] != (inf, counts.get(key)):
            yield f"{family.name} has another count than its last bucket"


def _firsts(family: Metric) -> Iterator[Sample]:
    """Yield one sample of each name."""
    yield from {sample.name: sample for sample in family.samples}.values()
