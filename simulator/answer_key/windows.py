"""Tumbling windows over event time: events, distinct competitors and mean pace."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.answer_key.published import Published, Stream
from simulator.answer_key.query import AnswerQuery
from simulator.race.race import Status
from stream.arrays import Floats, Ints, Mask

MIN_DISTANCE = 100.0
"""Metres from which a position counts for the mean pace: a pace over less says nothing."""


@dataclass(frozen=True)
class Counting:
    """How a consumer counts; the defaults are right.

    Attributes:
        repeats: it counts each repeat of an event.
        by_arrival: it takes the second of publication for the event time.
    """

    repeats: bool = False
    by_arrival: bool = False


def windows(stream: Stream, query: AnswerQuery, counting: Counting | None = None) -> dict[str, list[Any]]:
    """Return the windows in which events were published, by time: the columns of `WindowRow`.

    An event is dropped if the watermark had passed the end of its window when it was published first.
    """
    size = query.window * 1000
    marks = None if query.lateness is None else stream.watermarks(query.clock, query.lateness)
    sums: defaultdict[int, Floats] = defaultdict(lambda: np.zeros(5))
    for part in stream:
        first, numbers = _numbers(part, query, counting or Counting(), stream.seconds)
        is_late = np.zeros(part.first.shape, np.bool_)
        if marks is not None:
            is_late = (numbers + first + 1) * size <= marks[part.first]
        columns = _columns(part, numbers, is_late & part.is_known, counting or Counting())
        for number in np.flatnonzero(columns.any(axis=0)).tolist():
            sums[number + first] += columns[:, number]
    found = sorted(sums)
    rows = [sums[number] for number in found]
    return {
        "start": [number * size for number in found],
        "events": [int(row[0]) for row in rows],
        "competitors": [int(row[1]) for row in rows],
        "dropped": [int(row[2]) for row in rows],
        "pace": [round(float(row[3] / row[4]), 3) if row[4] else None for row in rows],
    }


def _numbers(part: Published, query: AnswerQuery, counting: Counting, seconds: Ints) -> tuple[int, Ints]:
    """Return the number of the first window, and that of each position's from there on, shape (k, t)."""
    when = part.when(query.clock)
    if counting.by_arrival:
        when = part.race.start_ms + seconds[part.first] * 1000
    numbers = when // (query.window * 1000)
    first = int(numbers.min())
    return first, numbers - first


def _columns(part: Published, numbers: Ints, is_late: Mask, counting: Counting) -> Floats:
    """Return of w windows: events, competitors, dropped events, sum of paces, their number; shape (5, w)."""
    most = int(numbers.max()) + 1
    counts = part.is_known & ~is_late
    ones: Floats = np.ones(part.first.shape)
    weight = part.times.astype(np.float64) if counting.repeats else ones

    def total(mask: Mask, values: Floats) -> Floats:
        return np.bincount(numbers[mask], values[mask], minlength=most).astype(np.float64)

    seen = np.zeros((len(numbers), most), np.bool_)
    seen[np.nonzero(counts)[0], numbers[counts]] = True
    is_paced = counts & (part.status == Status.RUNNING) & (part.distance >= MIN_DISTANCE)
    elapsed = np.round(np.arange(part.first.shape[1]) * part.race.request.tick, 3)
    pace = np.divide(1000.0 * elapsed, part.distance, out=np.zeros(part.first.shape), where=is_paced)
    return np.array(
        [
            total(counts, weight),
            seen.sum(axis=0),
            total(is_late, ones),
            total(is_paced, pace * weight),
            total(is_paced, weight),
        ]
    )
