"""How crowded a race is, as JSON and as CSV."""

from collections.abc import Iterator

import numpy as np
import orjson

from simulator.export.crowding import Crowding
from simulator.export.formats import Format
from stream.arrays import Floats
from stream.csv_text import csv_head, csv_lines
from stream.results import rounded, wave_guns

COLUMNS = ("first", "last", "width", "minute", "runners", "density", "flow", "speed_ratio", "lost")
"""Columns of the CSV."""
PIECE = 10_000
"""Rows that are generated together."""


def as_json(found: Crowding) -> Iterator[bytes]:
    """Yield one JSON object: sections, minutes, the start, the competitors and the warnings."""
    yield from _open_json(found)
    yield b"}"


def plan_as_json(plan: Crowding) -> Iterator[bytes]:
    """Yield that object with the seed of the race, and its outcome for each competitor."""
    race = plan.race
    starts = np.where(np.isfinite(race.field.start), race.field.start, np.nan)
    finish = np.where(race.finishes, race.finish_times, np.nan)
    guns = wave_guns(race.field.wave, race.request.wave_delay)
    outcome = {
        "wave": race.field.wave.tolist(),
        "start": rounded(starts),
        "gun_time": rounded(finish - guns),
        "chip_time": rounded(finish - starts),
    }
    yield from _open_json(plan)
    yield b',"seed":' + orjson.dumps(race.request.seed) + b',"outcome":' + orjson.dumps(outcome) + b"}"


def _open_json(found: Crowding) -> Iterator[bytes]:
    """Yield the object without its last brace."""
    race, density = found.race, found.density
    total = found.lost.at_start + found.lost.on_course
    yield orjson.dumps(
        {
            "run_id": race.run_id,
            "name": race.request.name,
            "crowding": race.request.crowding,
            "levels": [level._asdict() for level in found.levels],
            "warnings": [
                warned._asdict()
                | {name: round(getattr(warned, name), 3) for name in ("first", "last", "peak", "at")}
                for warned in found.warnings
            ],
            "lost": {
                "median": round(float(np.median(total)), 3),
                "mean": round(float(total.mean()), 3),
                "max": round(float(total.max(initial=0.0)), 3),
            },
        }
    )[:-1]
    sections = [
        {"first": first, "last": last, "width": width if np.isfinite(width) else None}
        for first, last, width in zip(
            *(np.round(column, 3).tolist() for column in (density.first, density.last, density.width)),
            strict=True,
        )
    ]
    yield b',"sections":' + orjson.dumps(sections)
    section, minute = np.nonzero(density.runners)
    columns = {"section": section.tolist(), "minute": minute.tolist()} | {
        name: np.round(values[section, minute], 3).tolist() for name, values in _quantities(found).items()
    }
    yield b',"minutes":' + orjson.dumps(columns)
    start = {"waiting": np.round(density.waiting, 3).tolist(), "waves": density.started.tolist()}
    yield b',"start":' + orjson.dumps(start)
    competitors = {
        "bib": race.entrants.bib.tolist(),
        "lost_at_start": np.round(found.lost.at_start, 3).tolist(),
        "lost_on_course": np.round(found.lost.on_course, 3).tolist(),
    }
    yield b',"competitors":' + orjson.dumps(competitors)


def as_csv(found: Crowding) -> Iterator[bytes]:
    """Yield a row for each section and minute with competitors, as CSV."""
    density = found.density
    yield csv_head(COLUMNS).encode()
    sections, minutes = np.nonzero(density.runners)
    quantities = _quantities(found).values()
    for begin in range(0, len(sections), PIECE):
        section, minute = sections[begin : begin + PIECE], minutes[begin : begin + PIECE]
        ends = (np.round(column[section], 3).tolist() for column in (density.first, density.last))
        values = (np.round(quantity[section, minute], 3).tolist() for quantity in quantities)
        wide = [width if np.isfinite(width) else None for width in density.width[section].tolist()]
        yield csv_lines(zip(*ends, wide, minute.tolist(), *values, strict=True)).encode()


def _quantities(found: Crowding) -> dict[str, Floats]:
    density = found.density
    return {
        "runners": density.runners,
        "density": density.density,
        "flow": density.flow,
        "speed_ratio": density.ratio,
        "lost": density.lost,
    }


FORMATS = (
    Format("json", "application/json", as_json),
    Format("csv", "text/csv", as_csv),
)
