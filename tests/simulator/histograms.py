"""What a histogram has counted, read as Prometheus reads it."""

from prometheus_client import Histogram
from prometheus_client.samples import Sample


def total(histogram: Histogram) -> float:
    """Return the sum of all values."""
    return sum(sample.value for sample in _samples(histogram, "_sum"))


def up_to(histogram: Histogram, bound: float = float("inf")) -> float:
    """Return how many values are at most a bound; all if there is none."""
    return sum(s.value for s in _samples(histogram, "_bucket") if float(s.labels["le"]) == bound)


def _samples(histogram: Histogram, suffix: str) -> list[Sample]:
    return [s for family in histogram.collect() for s in family.samples if s.name.endswith(suffix)]
