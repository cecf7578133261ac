"""Events that are late, and events that are published more than once."""

from typing import Any

import numpy as np

from simulator.answer_key.published import Published, Stream
from simulator.answer_key.query import AnswerQuery
from simulator.answer_key.rows import DuplicateRow, LateRow, Row, columns_of
from stream.arrays import Floats, Mask


def late(stream: Stream, query: AnswerQuery) -> dict[str, list[Any]]:
    """Return the events behind the watermark when they were published first: the columns of `LateRow`.

    They are in the order of bibs and times.
    """
    marks = stream.watermarks(query.clock, query.lateness or 0.0)
    rows: list[tuple[Any, ...]] = []
    for part in stream:
        behind = marks[part.first] - part.when(query.clock)
        nth, column = np.nonzero(part.is_known & (behind > 0))
        seconds = np.round(behind[nth, column] / 1000, 3).tolist()
        rows += zip(*_named(part, nth, column), seconds, strict=True)
    return _by_bib_and_time(LateRow, rows)


def duplicates(stream: Stream, _: AnswerQuery) -> dict[str, list[Any]]:
    """Return the events published more than once, by bib and time: the columns of `DuplicateRow`."""
    rows: list[tuple[Any, ...]] = []
    for part in stream:
        nth, column = np.nonzero(part.times > 1)
        rows += zip(*_named(part, nth, column), part.times[nth, column].tolist(), strict=True)
    return _by_bib_and_time(DuplicateRow, rows)


def duplicates_without_the_first(stream: Stream, query: AnswerQuery) -> dict[str, list[Any]]:
    """Return the duplicates of a consumer that counts the repeats alone."""
    found = duplicates(stream, query)
    return {**found, "times": [times - 1 for times in found["times"]]}


def duplicates_by_place(stream: Stream, query: AnswerQuery) -> dict[str, list[Any]]:
    """Return the duplicates of a consumer that also takes an unchanged place for a repeat."""
    rows = list(zip(*duplicates(stream, query).values(), strict=True))
    for part in stream:
        nth, column = np.nonzero(_stays(part) & (part.times == 1))
        rows += zip(*_named(part, nth, column), [2] * len(nth), strict=True)
    return _by_bib_and_time(DuplicateRow, rows)


def _stays(part: Published) -> Mask:
    """Return whether each published position has the place of the one before, shape (k, t)."""
    found = np.zeros(part.first.shape, np.bool_)
    before: Floats = np.full((2, len(found)), np.nan)
    for tick in range(part.first.shape[1]):
        reported = part.race.fixes_of_all(tick).reported
        here = np.round(np.stack([reported.lat, reported.lon]), 7)
        found[:, tick] = part.is_known[:, tick] & (here == before).all(axis=0)
        before = np.where(part.is_known[:, tick], here, before)
    return found


def _named(part: Published, nth: Any, column: Any) -> tuple[list[str], list[int], list[int]]:
    """Return event ids, bibs and raw times of positions."""
    bibs, times = part.bib[nth].tolist(), part.raw_time[column].tolist()
    ids = [f"{part.race.run_id}-{bib}-{time}" for bib, time in zip(bibs, times, strict=True)]
    return ids, bibs, times


def _by_bib_and_time(form: type[Row], rows: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return columns_of(form, sorted(rows, key=lambda row: row[1:3]))
